import { Type } from '../../lib/schema.ts';
import { text } from '../../lib/texts.ts';
import type { CheckResult, Method } from '../method.ts';

/** Lists that administrators import may hold codes as short as four digits: this bounds what any burst can compare. */
const triesPerWindow = 10;
const windowMs = 5 * 60_000;

/** From here on the page says how many are left. */
const few = 3;

/** One of the codes that the user keeps for the day without a phone. Each works once. */
export const backupCode = {
  id: 'backup-code',
  kind: 'recovery',
  amr: ['otp'],
  identifies: false,
  channel: null,
  enrols: false,
  options: Type.Object({}, { additionalProperties: false }),
  input: Type.Object({ code: Type.Optional(Type.String({ maxLength: 64 })) }),
  label: text('backup-code.label'),
  texts: {
    'backup-code.label': 'Use a backup code',
    'backup-code.heading': 'Use a backup code',
    'backup-code.sentence': 'Type one of the backup codes you have kept. Each of them works once.',
    'backup-code.left': {
      one: 'This is your last backup code.',
      other: 'You have {count} backup codes left.',
    },
    'backup-code.code': 'Backup code',
    'backup-code.next': 'Continue',
    'backup-code.empty': 'Please type one of your backup codes.',
    'backup-code.wrong': 'This is not one of your unused backup codes.',
    'backup-code.used': 'This backup code has just been used. Please take another one.',
  },

  gather: async (_services, _db, user) => user.backupCodes,

  available: ({ fact }) =>
    typeof fact === 'number' && fact > 0 ? { is: 'yes' } : { is: 'no', reason: 'no-backup-codes' },

  screen: ({ fact }) => ({
    heading: text('backup-code.heading'),
    sentence: text('backup-code.sentence'),
    fields: [
      {
        name: 'code',
        type: 'text',
        label: text('backup-code.code'),
        autocomplete: 'off',
        inputmode: 'text',
        required: true,
        focus: true,
        maxLength: 64,
      },
    ],
    actions: [{ name: 'submit', label: text('backup-code.next'), style: 'primary', skipsValidation: false }],
    notices:
      typeof fact === 'number' && fact > 0 && fact <= few
        ? [{ tone: 'warning', text: text('backup-code.left', { count: fact }) }]
        : [],
  }),

  async check({ services, user, subjectKey, now }, { values: { code = '' } }): Promise<CheckResult> {
    const { counters, db, guard, users } = services;
    if (code === '') {
      return { is: 'retry', reason: 'empty', text: text('backup-code.empty'), field: 'code', tried: false };
    }
    if (!user || subjectKey === null) return { is: 'fail', reason: 'no-user' };
    const lockedUntil = await guard.lockedUntil(db, subjectKey, 'backup-code', now);
    if (lockedUntil) return { is: 'locked', until: lockedUntil };
    // Counted before anything is compared: of many tries at once only so many are looked at.
    const tries = await counters.add(`backup-code:${subjectKey}`, windowMs, now);
    if (tries > triesPerWindow) return { is: 'locked', until: new Date(now.getTime() + windowMs) };
    const { matches, short } = await users.backupCodes.look(db, user.id, code);
    if (!matches) {
      const failed = await guard.failed(db, subjectKey, 'backup-code', now, { strict: short });
      if (failed.lockedUntil) return { is: 'locked', until: failed.lockedUntil };
      return { is: 'retry', reason: 'wrong', text: text('backup-code.wrong'), field: 'code', tried: true };
    }
    return {
      is: 'pass',
      async commit(tx) {
        // Two logins with the last two codes count one after the other, or each would see one left.
        await users.lock(tx, user.id);
        return users.backupCodes.use(tx, user.id, code, now);
      },
      riders: (tx) => [guard.succeeding(tx, subjectKey, 'backup-code')],
      lost: text('backup-code.used'),
      events: [{ name: 'backup_codes.used' }],
    };
  },
} satisfies Method;
