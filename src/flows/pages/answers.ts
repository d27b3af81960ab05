import type { App } from '../../apps/types.ts';
import type { MessageState } from '../../delivery/types.ts';
import type { Text } from '../../lib/texts.ts';
import type { User } from '../../users/types.ts';
import { optionOf } from '../engine/advance.ts';
import { withheldOf } from '../engine/withheld.ts';
import type { Opened } from '../logins/opened.ts';
import { nameOf } from '../logins/subject.ts';
import type { LoginsDeps } from '../logins/submit.ts';
import type { LoginRow } from '../store.ts';
import type { Figure, Flow, Screen } from '../types.ts';
import { type Surroundings, screenOf } from './screens.ts';

/** What a failed try leaves on the page. */
export type Around = Pick<Surroundings, 'problem' | 'typed'>;

/** Reads what the page says beyond the row: what became of the last message, once a factor was passed. */
export async function presentScreen(
  deps: LoginsDeps,
  { app, flow, row, sent, user }: Opened,
  around: Around & Pick<Surroundings, 'preferred'>,
  now: Date,
): Promise<Screen> {
  const { state } = row;
  const [delivery, fact, figure] = await Promise.all([
    deliveryOf(deps, state, sent),
    factOf(deps, state, user),
    figureOf(deps, flow, row, user),
  ]);
  return screenOf(flow, state, {
    ...around,
    ...{ app, methods: deps.methods, codes: deps.services.codes, delivery, fact, figure, now },
    recovers: mayRecover(deps, row),
    withheld: withheldOf(user, row.createdAt),
    name: nameOf(deps.services, row),
    hint: state.hint === null ? null : deps.services.crypto.open('identifier', state.hint, row.id),
    locale: row.locale,
    version: row.version,
  });
}

/** The code of the method at hand. */
export const codeIdOf = ({ option, sent }: LoginRow['state']): string | null =>
  option === null ? null : (sent[option]?.codeId ?? null);

/** As it was read with the login, unless another code has been sent since. */
async function deliveryOf(
  { delivery, storage }: LoginsDeps,
  state: LoginRow['state'],
  sent: Opened['sent'],
): Promise<MessageState | null> {
  const codeId = codeIdOf(state);
  if (codeId === null || !state.proved) return null;
  return codeId === sent?.codeId ? sent.state : delivery.state(storage.db, codeId);
}

/** Nobody who has shown a factor already: a reset is no way around another one. */
export const mayRecover = ({ recoveryChannels }: LoginsDeps, { continuation, state }: LoginRow): boolean =>
  !state.proved && continuation.kind !== 'recovery' && recoveryChannels().length > 0;

/** Only for the method at hand, and only where it gathers anything. */
async function factOf(
  { methods, services, storage }: LoginsDeps,
  state: LoginRow['state'],
  user: User | null,
): Promise<unknown> {
  const gather = state.option === null ? undefined : methods.get(state.option)?.gather;
  return gather && state.proved && user ? gather(services, storage.db, user) : undefined;
}

/** Only for the method at hand, and only while the user sets it up. */
async function figureOf(
  { methods, services }: LoginsDeps,
  flow: Flow,
  { id: loginId, state }: LoginRow,
  user: User | null,
): Promise<Figure | null> {
  const { offered, option, proved, scratch, step } = state;
  const method = option === null ? undefined : methods.get(option);
  const enrols = offered.some((offer) => offer.method === option && offer.enrol);
  if (!method?.figure || !enrols || !proved || !user) return null;
  const settings = optionOf(flow, step, method.id)?.settings ?? {};
  return method.figure(services, { settings, user, loginId, scratch: scratch[method.id] ?? {} });
}

/** Where the browser goes when the login is over: back to what it was for. */
export function leaveUrl({ continuation, status }: LoginRow, app: App): string {
  if (continuation.kind === 'oidc') return continuation.resumeUrl;
  if (continuation.kind === 'recovery') return continuation.path;
  return status === 'finished' ? continuation.path : (continuation.otherwise ?? app.home ?? '/');
}

/** The same value with every text as a sentence in the reader's language. */
export function translated(value: unknown, translate: (words: Text) => string): unknown {
  if (Array.isArray(value)) return value.map((member) => translated(member, translate));
  if (typeof value !== 'object' || value === null) return value;
  if ('key' in value && typeof value.key === 'string') return translate(value as Text);
  return Object.fromEntries(
    Object.entries(value).map(([name, member]) => [name, translated(member, translate)]),
  );
}
