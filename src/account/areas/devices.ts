import { type Catalogue, text } from '../../lib/texts.ts';
import { deviceName } from '../device-name.ts';
import type { AccountDeps, Answer, Area, Submitted, Visit } from '../types.ts';
import { whenOf } from '../when.ts';

export const deviceTexts: Catalogue = {
  'account.devices.title': 'Remembered browsers',
  'account.devices.state': {
    one: 'One browser needs no code',
    other: '{count} browsers need no code',
  },
  'account.devices.action': 'See them',
  'account.devices.sentence':
    'You chose to sign in without a code in these browsers. Whoever uses one of them and knows your password gets in.',
  'account.devices.none': 'There is none: every browser is asked for a code.',
  'account.devices.here': 'This browser',
  'account.devices.used': 'Last used',
  'account.devices.for': 'For',
  'account.devices.forget': 'Forget it',
  'account.devices.forgotten': 'That browser will be asked for a code again.',
  'account.devices.forgetAll': 'Forget all',
  'account.devices.forgottenAll': 'Every browser will be asked for a code again.',
};

/** Browsers that may go without a step. One that is forgotten here is asked at its next sign-in. */
export function devicesArea({ apps, clock, devices, storage }: AccountDeps): Area {
  const { db } = storage;
  /** A row without a wish to be remembered only says that the browser is known. */
  const remembered = async (userId: string, now: Date) =>
    (await devices.list(db, userId, now)).flatMap((device) => {
      const passes = device.passes.filter(({ rememberedAt }) => rememberedAt !== null);
      return passes.length > 0 ? [{ ...device, passes }] : [];
    });

  async function page({ locale, now, rememberedId, user }: Visit): Promise<Answer> {
    const found = await remembered(user.id, now);
    const list = await Promise.all(
      found.map(async ({ device, id, ip, lastUsedAt, passes }) => {
        const ids = [...new Set(passes.map(({ app }) => app))];
        const known = await Promise.all(ids.map((app) => apps.find(db, app)));
        const names = known.flatMap((app) => (app ? [app.name] : []));
        return {
          ...{ id, ip, here: id === rememberedId, device: deviceName(device) },
          ...{ used: whenOf(lastUsedAt, now, locale), apps: names.join(', ') },
        };
      }),
    );
    return {
      page: { view: 'account/devices', title: text('account.devices.title'), data: { devices: list } },
    };
  }

  async function forget({ now, params, user }: Submitted): Promise<Answer> {
    await storage.transaction((tx) => devices.revoke(tx, user.id, params.id ?? '', 'by-user', now));
    return { to: '/account/devices', done: text('account.devices.forgotten') };
  }

  async function forgetAll({ now, user }: Submitted): Promise<Answer> {
    await storage.transaction((tx) => devices.revokeAll(tx, user.id, 'by-user', now));
    return { to: '/account/devices', done: text('account.devices.forgottenAll') };
  }

  return {
    id: 'devices',
    async card({ user }) {
      const { length: count } = await remembered(user.id, clock.now());
      if (count === 0) return null;
      return {
        title: text('account.devices.title'),
        state: text('account.devices.state', { count }),
        action: { label: text('account.devices.action'), href: '/account/devices' },
      };
    },
    routes(area) {
      area.get('devices', page);
      area.post('devices/all/forget', { sensitive: false, page: 'devices' }, forgetAll);
      area.post('devices/:id/forget', { sensitive: false, page: 'devices' }, forget);
    },
  };
}
