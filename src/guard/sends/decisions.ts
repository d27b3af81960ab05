import { after } from '../../lib/clock.ts';
import { newId, type RandomSource } from '../../lib/ids.ts';
import { json, type Rider } from '../../storage/index.ts';
import type { Db } from '../../storage/types.ts';
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

export function insertingDecisions(
  db: Db,
  about: DecisionContext,
  decisions: Decision[],
  now: Date,
  random: RandomSource,
): Rider {
  const { appId, channel, country, loginId, numberHash, prefix, userId } = about;
  return db.insertInto('send_decisions').values(
    decisions.map(({ figures, ...decision }) => ({
      ...{ id: newId('dec', random), at: now, ...decision, figures: json(figures), channel, country, prefix },
      ...{ number_hash: numberHash, app_id: appId, user_id: userId, login_id: loginId },
      expires_at: after(now, KEPT_MS),
    })),
  );
}
