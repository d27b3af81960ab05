import type { Db } from '../../storage/types.ts';
import type { User } from '../../users/types.ts';
import type { LoginState, Person } from '../engine/state.ts';
import type { Method, Methods, Services } from '../method.ts';
import type { Flow } from '../types.ts';

/** What the methods want to know of a user; side by side, because each is one short read. */
export async function gatherPerson(
  services: Services,
  db: Db,
  user: User,
  asked: readonly Method[],
): Promise<Person> {
  const gathered = await Promise.all(
    asked.map(async (method) => [method.id, await method.gather?.(services, db, user)] as const),
  );
  return { user, own: Object.fromEntries(gathered) };
}

/** Methods of the steps that are not passed yet: whose facts the engine may look at. */
export const methodsAhead = (
  flow: Flow,
  state: Pick<LoginState, 'passed'>,
  methods: Methods,
  passing: string | null = null,
): Method[] => {
  const ahead = flow.steps.filter(
    ({ id }) => id !== passing && !state.passed.some(({ step }) => step === id),
  );
  const ids = new Set(ahead.flatMap(({ options }) => options.map(({ method }) => method)));
  return [...ids].flatMap((id) => methods.get(id) ?? []);
};
