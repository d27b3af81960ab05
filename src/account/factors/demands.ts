import type { App } from '../../apps/types.ts';
import type { Demand, Loss } from '../../flows/types.ts';
import { type Text, text } from '../../lib/texts.ts';
import { accountId } from '../app.ts';
import type { AccountDeps } from '../types.ts';

type Deps = Pick<AccountDeps, 'apps' | 'flows' | 'storage'>;

/** Apps that people sign in to, these pages among them. */
export async function appsInUse({ apps, storage: { db } }: Deps): Promise<App[]> {
  const [listed, own] = await Promise.all([apps.list(db), apps.find(db, accountId)]);
  return [...listed.filter(({ enabled, flow }) => enabled && flow !== ''), ...(own ? [own] : [])];
}

export const demandsOf = async (deps: Deps): Promise<Demand[]> =>
  deps.flows.demands(deps.storage.db, await appsInUse(deps));

/** Whether any of them may ask for it. */
export const isOfUse = async (deps: Deps, method: string): Promise<boolean> =>
  (await demandsOf(deps)).some(({ methods }) => methods.includes(method));

/** Names as the reader's language strings them together. */
export const namesOf = (apps: readonly Pick<App, 'name'>[], locale: string): string =>
  new Intl.ListFormat(locale).format(apps.map(({ name }) => name));

/** Rolls back a change that would go badly. */
export class Losing extends Error {
  readonly losses: Loss[];
  constructor(losses: Loss[]) {
    super('a factor cannot be given up');
    this.losses = losses;
  }
}

/** Texts `<key>.required` and `<key>.locked-out`. */
export const whyNot = (key: string, losses: readonly Loss[], locale: string): Text[] =>
  (['locked-out', 'required'] as const).flatMap((why) => {
    const apps = losses.filter((loss) => loss.why === why).map(({ app }) => app);
    return apps.length === 0 ? [] : text(`${key}.${why}`, { apps: namesOf(apps, locale) });
  });
