import { type Catalogue, text } from '../../lib/texts.ts';
import type { ListedSession } from '../../sessions/types.ts';
import { deviceName } from '../device-name.ts';
import type { AccountDeps, Answer, Area, Submitted, Visit } from '../types.ts';
import { whenOf } from '../when.ts';

export const sessionTexts: Catalogue = {
  'account.sessions.title': 'Where you are signed in',
  'account.sessions.state': {
    one: 'Only in this browser',
    other: 'In {count} browsers',
  },
  'account.sessions.action': 'See where',
  'account.sessions.sentence': 'Do you not know one of these? Sign it out and change your password.',
  'account.sessions.here': 'This browser',
  'account.sessions.seen': 'Last used',
  'account.sessions.began': 'Signed in',
  'account.sessions.address': 'Network address',
  'account.sessions.end': 'Sign out there',
  'account.sessions.ended': 'That browser is signed out.',
  'account.sessions.endOthers': 'Sign out everywhere else',
  'account.sessions.endedOthers': {
    one: 'One other browser is signed out.',
    other: '{count} other browsers are signed out.',
  },
};

/** A country in the reader's language. */
const placeOf = (country: string, locale: string): string =>
  new Intl.DisplayNames([locale, 'en'], { type: 'region' }).of(country) ?? country;

const cardOf = (
  { authTime, country, device, id, ip, lastSeenAt }: ListedSession,
  { locale, now, session }: Pick<Visit, 'locale' | 'now' | 'session'>,
) => ({
  ...{ id, ip, here: id === session.id, device: deviceName(device) },
  seen: whenOf(id === session.id ? now : lastSeenAt, now, locale),
  began: whenOf(authTime, now, locale),
  place: country && placeOf(country, locale),
});

/** Sessions of this account, wherever they are. What ends here has ended with the next request there. */
export function sessionsArea({ clock, endTokens, sessions, storage }: AccountDeps): Area {
  async function page({ locale, now, session, user }: Visit): Promise<Answer> {
    const live = await sessions.list(storage.db, user.id, now);
    const list = live.map((one) => cardOf(one, { locale, now, session }));
    const here = list.filter((one) => one.here);
    const others = list.filter((one) => !one.here);
    return {
      page: {
        view: 'account/sessions',
        title: text('account.sessions.title'),
        data: { sessions: [...here, ...others], others: others.length > 0 },
      },
    };
  }

  async function end({ now, params, user }: Submitted): Promise<Answer> {
    const live = await sessions.list(storage.db, user.id, now);
    const one = live.find(({ id }) => id === params.id);
    if (one) {
      await storage.transaction(async (tx) => {
        await sessions.revoke(tx, one.id, 'by-user', now);
        await endTokens(tx, user.id, { sessionId: one.id });
      });
    }
    return { to: '/account/sessions', done: text('account.sessions.ended') };
  }

  async function endOthers({ now, session, user }: Submitted): Promise<Answer> {
    const count = await storage.transaction(async (tx) => {
      const ended = await sessions.revokeAll(tx, user.id, 'by-user', now, session.id);
      await endTokens(tx, user.id, { exceptSessionId: session.id });
      return ended;
    });
    return { to: '/account/sessions', done: text('account.sessions.endedOthers', { count }) };
  }

  return {
    id: 'sessions',
    async card({ user }) {
      const live = await sessions.list(storage.db, user.id, clock.now());
      return {
        title: text('account.sessions.title'),
        state: text('account.sessions.state', { count: Math.max(1, live.length) }),
        action: { label: text('account.sessions.action'), href: '/account/sessions' },
      };
    },
    routes(area) {
      area.get('sessions', page);
      area.post('sessions/others/end', { sensitive: false, page: 'sessions' }, endOthers);
      area.post('sessions/:id/end', { sensitive: false, page: 'sessions' }, end);
    },
  };
}
