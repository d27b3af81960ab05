import type { Channel } from '../delivery/types.ts';
import type { Rider } from '../storage/index.ts';
import type { Db } from '../storage/types.ts';
import type { User } from '../users/types.ts';

/** What has happened to an account. Never with a code, a secret, or a whole number. */
export type NoticeKind =
  | 'password-changed'
  | 'phone-changed'
  | 'phone-removed'
  | 'number-added'
  | 'number-removed'
  | 'numbers-swapped'
  | 'code-off'
  | 'code-on'
  | 'backup-codes-made'
  | 'backup-code-used'
  | 'factor-added'
  | 'factor-removed'
  | 'new-device'
  | 'recovered'
  | 'data-exported'
  | 'deletion-asked';

export interface NewNotice {
  kind: NoticeKind;
  /** What its text is filled with; see `texts` of this folder. */
  values?: Record<string, string | number>;
  locale: string;
  /** Of the browser where it was done, for the guard; null: none. */
  ip: string | null;
  /** A channel that what happened is about: who has taken that over is not to be the only one who hears of it. */
  notTo?: Channel;
  /** In place of the number of the profile: those that were there before. */
  phone?: readonly string[];
}

/** Messages that are about to be written and sent. */
export interface DraftedNotice {
  /** To be written with what happened. */
  riders: Rider[];
  /** After the commit. Sends beside whatever else is done and never throws. */
  send(): void;
}

export interface Notices {
  /** Whether there is a way to tell this user. Reads nothing. */
  reaches(user: User, notice: Pick<NewNotice, 'notTo' | 'phone'>): boolean;
  /**
   * Asks the guard, which counts by itself: call it before the transaction. Where nothing can be sent, no channel, no
   * address, or too many messages, there are no riders.
   */
  drafting(db: Db, user: User, notice: NewNotice, now: Date): Promise<DraftedNotice>;
}
