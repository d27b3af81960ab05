import type { App } from '../../apps/types.ts';
import type { Channel, Delivery, OutgoingMessage, Words } from '../../delivery/types.ts';
import { isUntilLifted } from '../../guard/index.ts';
import type { SendAnswer, SendRequest } from '../../guard/types.ts';
import type { Text } from '../../lib/texts.ts';
import type { IssuedCode } from '../../otp/types.ts';
import type { Guard, Rider } from '../../storage/index.ts';
import type { Db, Tx } from '../../storage/types.ts';
import type { User } from '../../users/types.ts';
import type { Effect, Sent, Services } from '../method.ts';
import { codeWords } from './words.ts';

/** Whom and what a code is for. `subjectKey` as in `subjectKeyOf`. */
export interface Dispatch {
  loginId: string;
  step: string;
  app: App;
  user: User | null;
  subjectKey: string;
  proved: boolean;
  locale: string;
  ip: string;
  /** The browser, where this user has signed in with it before. */
  deviceId: string | null;
  /** The browser has passed a challenge for it. */
  passed: 'proof' | 'waited' | null;
  expiresAt: Date;
  /** What this step sent by the method before. */
  before: Sent | null;
  /** Of the number that it goes to, as the guard counts it; null: nowhere. */
  country: string | null;
}

export interface DispatchDeps {
  services: Services;
  delivery: Delivery;
  translate(locale: string, text: Text): string;
}

/**
 * The scope of a step's codes: they work in no other login, step, or for another number, and for nobody else. “Not
 * you?” changes the user within a login: a code that went to the first one's phone must not pass the second one's step.
 */
export const scopeOf = (
  { loginId, step, subjectKey }: Pick<Dispatch, 'loginId' | 'step' | 'subjectKey'>,
  suffix: string,
): string => ['login', loginId, step, subjectKey, ...(suffix ? [suffix] : [])].join(':');

export type Permit = {
  /** What the guard decided; to be written with what it leads to. */
  answers: SendAnswer[];
} & (
  | /** `silent`: the page is to say the same, but nothing may go out. */
  { is: 'allowed'; silent: boolean; country: string | null }
  /** `until` null: until somebody lifts it. */
  | { is: 'locked'; until: number | null }
  /** `until` null: for the rest of the login. */
  | { is: 'refused'; reason: string; until: number | null }
  /** It may go out once the browser has passed a challenge. */
  | { is: 'challenged'; pressure: number }
);

/**
 * Whether a code may be sent now; counted by itself, before the transaction. A locked factor sends nothing.
 *
 * Before a factor was passed only what was done under the name as typed is told, whether or not an account has it. The
 * account's own lock and limits hold too, but silently: a wait met under one of its names after another was used
 * would tell that both belong together, and that there is an account.
 */
export async function permit(
  deps: DispatchDeps,
  effect: Effect,
  dispatch: Dispatch,
  now: Date,
): Promise<Permit> {
  const { proved, subjectKey, user } = dispatch;
  if (proved) {
    return permitOne(deps, effect, dispatch, { subjectKey, userId: user?.id ?? null, to: effect.to }, now);
  }
  const told = await permitOne(deps, effect, dispatch, { subjectKey, userId: null, to: null }, now);
  if (told.is !== 'allowed') return told;
  const { guard } = deps.services;
  // A name that no account has is looked up as often: the time is not to tell it from others.
  const own = {
    subjectKey: guard.subjectKey(user ? user.id : `no account:${subjectKey}`),
    ...{ userId: user?.id ?? null, to: effect.to },
  };
  const answer = await permitOne(deps, effect, dispatch, { ...own, addressCounted: true }, now);
  if (!user || effect.to === null) return told;
  const answers = [...told.answers, ...answer.answers];
  // To a browser that this user has signed in with it tells nothing that it does not know.
  const mayTell = answer.is === 'challenged' && dispatch.deviceId !== null;
  return answer.is === 'allowed' || mayTell
    ? { ...answer, answers }
    : { is: 'allowed', silent: true, country: null, answers };
}

async function permitOne(
  { services: { crypto, guard } }: DispatchDeps,
  { channel, method }: Effect,
  { app, before, deviceId, ip, loginId, passed, proved }: Dispatch,
  whom: Pick<SendRequest, 'addressCounted'> & {
    subjectKey: string;
    userId: string | null;
    to: string | null;
  },
  now: Date,
): Promise<Permit> {
  const { subjectKey, to, ...rest } = whom;
  const answer = await guard.allowSend(
    {
      ...{ ...rest, ip, deviceId, loginId, channel, passed, appId: app.id },
      number: channel === 'email' ? null : to,
      // Else the time that a look-up takes would tell that there is a number to look up.
      mayWait: proved || deviceId !== null,
      firstContact: !proved && deviceId === null && !whom.addressCounted && !before?.count,
      // A name may be a number: what is counted under the one is not to count for the other.
      numberHash: to === null ? `name:${subjectKey}` : crypto.mac('identifier', to),
      lock: { subjectKey, factor: method },
    },
    now,
  );
  const answers = [answer];
  if (answer.allowed) return { is: 'allowed', silent: false, country: answer.country, answers };
  const { pressure, retryAt, rule } = answer;
  if (answer.challenge) return { is: 'challenged', pressure, answers };
  const until = retryAt === null || isUntilLifted(retryAt) ? null : retryAt.getTime();
  return rule === 'lock' ? { is: 'locked', until, answers } : { is: 'refused', reason: rule, until, answers };
}

export interface Issued {
  sent: Sent;
  message: OutgoingMessage | null;
  guards: Guard[];
  riders: Rider[];
}

const requestOf = ({ services }: DispatchDeps, effect: Effect, dispatch: Dispatch) => ({
  scope: scopeOf(dispatch, effect.suffix),
  userId: dispatch.user?.id ?? null,
  settings: services.codes(effect.settings),
  expiresAt: dispatch.expiresAt,
});

/** Issues the code, in the transaction that moves the login on; its message is written by the riders. */
export async function issue(
  deps: DispatchDeps,
  tx: Tx,
  effect: Effect,
  dispatch: Dispatch,
  now: Date,
): Promise<Issued> {
  const issued = await deps.services.otp.issue(tx, requestOf(deps, effect, dispatch), now);
  if ('refused' in issued) {
    const until = issued.refused === 'too-soon' ? issued.retryAt.getTime() : null;
    const sent = refusedSend(effect, dispatch, issued.refused, until, now);
    return { sent, message: null, guards: [], riders: [] };
  }
  return { ...withMessage(deps, tx, effect, dispatch, issued, now), guards: [] };
}

/** The first code of a step, without a transaction: the guard finds no row if there is one already. */
export function issueFirst(
  deps: DispatchDeps,
  db: Db,
  effect: Effect,
  dispatch: Dispatch,
  now: Date,
): Issued {
  const { issued, guard, riders } = deps.services.otp.first(db, requestOf(deps, effect, dispatch), now);
  const drafted = withMessage(deps, db, effect, dispatch, issued, now);
  return { ...drafted, guards: [guard], riders: [...riders, ...drafted.riders] };
}

function withMessage(
  deps: DispatchDeps,
  db: Db,
  effect: Effect,
  dispatch: Dispatch,
  issued: IssuedCode,
  now: Date,
): Omit<Issued, 'guards'> {
  const { app, locale, loginId, user } = dispatch;
  const earlier = same(effect, dispatch.before);
  const sent: Sent = {
    codeId: issued.codeId,
    at: now.getTime(),
    count: (earlier?.count ?? 0) + 1,
    suffix: effect.suffix,
    last2: dispatch.proved ? (effect.to?.slice(-2) ?? null) : null,
    country: dispatch.country,
    ...(effect.number && { number: effect.number, here: hereOf(effect, earlier) + 1 }),
    refused: null,
  };
  if (effect.to === null) return { sent, message: null, riders: [] };
  const minutes = Math.max(1, Math.floor((issued.expiresAt.getTime() - now.getTime()) / 60_000));
  const about = { locale, code: issued.code, minutes };
  const words = (channel: Channel): Words =>
    deps.delivery.words({
      ...{ ...about, channel, purpose: effect.purpose, app: { id: app.id, name: app.name } },
      otherwise: codeWords(deps.translate, effect.method, { ...about, app: app.name }),
    });
  const draft = deps.delivery.draft(
    db,
    {
      channel: effect.channel,
      purpose: effect.purpose,
      reference: issued.codeId,
      to: effect.to,
      ...words(effect.channel),
      words,
      code: issued.code,
      locale,
      app: { id: app.id, name: app.name },
      user: user ? { id: user.id, attributes: user.attributes } : null,
      loginId,
      freshUntil: issued.expiresAt,
    },
    now,
  );
  return { sent, ...draft };
}

/** What the page knows when nothing was sent. A code that is still valid stays valid. */
export function refusedSend(
  effect: Effect,
  { before, proved }: Dispatch,
  reason: string,
  until: number | null,
  now: Date,
): Sent {
  const earlier = same(effect, before);
  const { number } = effect;
  const refused = { reason, until, ...(number && { number }) };
  // Where the code went that can be typed is still what the page tells.
  if (earlier?.codeId) return { ...earlier, refused };
  return {
    codeId: null,
    at: earlier?.at ?? now.getTime(),
    count: earlier?.count ?? 0,
    suffix: effect.suffix,
    last2: proved ? (effect.to?.slice(-2) ?? null) : null,
    country: earlier?.country ?? null,
    ...(number && { number }),
    refused,
  };
}

/** How many codes in a row have gone to the number that this one is for. */
const hereOf = ({ number }: Effect, earlier: Sent | null): number =>
  earlier?.number === number ? (earlier?.here ?? 0) : 0;

const same = ({ suffix }: Effect, before: Sent | null): Sent | null =>
  before?.suffix === suffix ? before : null;
