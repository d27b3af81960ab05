import { after } from '../../lib/clock.ts';
import { newId, type RandomSource } from '../../lib/ids.ts';
import { drawn, json, type Rider, type Slots } from '../../storage/index.ts';
import type { Mode, RuleName } from './settings.ts';

/** What was decided about one message, and by which figures. Never a number in clear. */
interface SendDecisionsTable {
  id: string;
  at: Date;
  /** Null: every rule said yes. */
  rule: string | null;
  mode: string | null;
  action: string;
  figures: Record<string, number | string | null>;
  channel: string | null;
  country: string | null;
  /** The country's code and two digits. */
  prefix: string | null;
  number_hash: string | null;
  app_id: string | null;
  user_id: string | null;
  login_id: string | null;
  expires_at: Date;
}

declare module '../../storage/types.ts' {
  interface Database {
    send_decisions: SendDecisionsTable;
  }
}

export interface Decision {
  rule: RuleName | 'lock' | null;
  mode: Mode | null;
  action: 'allow' | 'record' | 'challenge' | 'refuse';
  figures: Record<string, number | string | null>;
}

/** What a decision is about. */
export interface DecisionContext {
  channel: string | null;
  country: string | null;
  prefix: string | null;
  numberHash: string | null;
  appId: string | null;
  userId: string | null;
  loginId: string | null;
}

const KEPT_MS = 90 * 86_400_000;

type Shared = DecisionContext & { at: Date; expiresAt: Date };

const inserting = drawn((db, slots: Slots<Shared>, decisions: Slots<Decision & { id: string }>[]) =>
  db.insertInto('send_decisions').values(
    decisions.map(({ action, figures, id, mode, rule }) => ({
      ...{ id, at: slots.at, rule, mode, action, figures: json(figures) },
      ...{ channel: slots.channel, country: slots.country, prefix: slots.prefix },
      ...{ number_hash: slots.numberHash, app_id: slots.appId },
      ...{ user_id: slots.userId, login_id: slots.loginId, expires_at: slots.expiresAt },
    })),
  ),
);

export function insertingDecisions(
  about: DecisionContext,
  decisions: Decision[],
  now: Date,
  random: RandomSource,
): Rider {
  return inserting(
    { ...about, at: now, expiresAt: after(now, KEPT_MS) },
    decisions.map((decision) => ({ ...decision, id: newId('dec', random) })),
  );
}
