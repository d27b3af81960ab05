import { type Catalogue, text } from '../../lib/texts.ts';
import { sendRiders } from '../../storage/index.ts';
import type { User } from '../../users/types.ts';
import type { AccountDeps, Answer, Area, Submitted, Visit } from '../types.ts';

const longestName = 100;
/** Control characters, and those that turn the direction of whatever comes after them. */
const invisible = /[\p{Cc}\u202a-\u202e\u2066-\u2069]/gu;

export const profileTexts: Catalogue = {
  'account.profile.title': 'About you',
  'account.profile.state': '{name}, signed in as {username}',
  'account.profile.stateNameless': 'Signed in as {username}',
  'account.profile.action': 'See it',
  'account.profile.username': 'User name',
  'account.profile.name': 'Name',
  'account.profile.nameLong': {
    one: 'Please use at most {count} character.',
    other: 'Please use at most {count} characters.',
  },
  'account.profile.saved': 'Your name is saved.',
  'account.profile.email': 'E-mail address',
  'account.profile.emailNone': 'None',
  'account.profile.verified': 'confirmed',
  'account.profile.unverified': 'not confirmed',
  'account.profile.groups': 'Groups',
  'account.profile.more': 'What else is kept about you',
};

/** Who one is here. What the operator keeps about people is shown as it is. */
export function profileArea({ audit, storage, users }: AccountDeps): Area {
  const page = ({ user }: Visit, typed?: string): Answer => ({
    page: {
      view: 'account/profile',
      title: text('account.profile.title'),
      ...(typed !== undefined && { error: true, status: 422 }),
      data: {
        ...{ user, attributes: attributesOf(user), groups: user.groups.join(', ') },
        field: {
          ...{ name: 'name', type: 'text', label: text('account.profile.name'), autocomplete: 'name' },
          ...{ value: typed ?? user.name ?? '', required: false, maxLength: longestName },
          ...(typed !== undefined && { error: text('account.profile.nameLong', { count: longestName }) }),
        },
      },
    },
  });

  const save = async (visit: Submitted): Promise<Answer> => {
    const { now, user } = visit;
    const name = (visit.body.name ?? '').replace(invisible, '');
    if ([...name].length > longestName) return page(visit, name);
    await storage.transaction(async (tx) => {
      await users.setName(tx, user.id, name === '' ? null : name, now);
      const event = { ...visit.by, name: 'user.changed', subject: user.id, data: { member: 'name' } };
      await sendRiders(tx, audit.riders(tx, now, [event]));
    });
    return { to: '/account/profile', done: text('account.profile.saved') };
  };

  return {
    id: 'profile',
    async card({ user: { name, username } }) {
      return {
        title: text('account.profile.title'),
        state:
          name === null
            ? text('account.profile.stateNameless', { username })
            : text('account.profile.state', { name, username }),
        action: { label: text('account.profile.action'), href: '/account/profile' },
      };
    },
    routes(area) {
      area.get('profile', async (visit) => page(visit));
      area.post('profile', { sensitive: false }, save);
    },
  };
}

const attributesOf = ({ attributes }: User): { name: string; value: string }[] =>
  Object.entries(attributes).map(([name, value]) => ({
    name,
    value: Array.isArray(value)
      ? value.join(', ')
      : typeof value === 'string'
        ? value
        : JSON.stringify(value),
  }));
