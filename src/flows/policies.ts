import type { App } from '../apps/types.ts';
import type { Db } from '../storage/types.ts';
import type { User } from '../users/types.ts';
import type { FlowCatalog } from './catalog.ts';
import { offersOf } from './engine/offers.ts';
import type { Person } from './engine/state.ts';
import { gatherPerson, methodsOf } from './logins/facts.ts';
import type { Methods, Services } from './method.ts';
import type { Demand, Flow, Loss, Step } from './types.ts';

export interface PoliciesDeps {
  catalog: Pick<FlowCatalog, 'taken'>;
  methods: Methods;
  services: Pick<Services, 'users'>;
}

export function createPolicies({ catalog, methods, services }: PoliciesDeps) {
  const flowsOf = async (db: Db, apps: readonly App[]): Promise<{ app: App; flow: Flow }[]> => {
    const taken = apps.map(async (app) => (await catalog.taken(db, app.flow)).map((flow) => ({ app, flow })));
    return (await Promise.all(taken)).flat();
  };

  return {
    async demands(db: Db, apps: readonly App[]): Promise<Demand[]> {
      const found = await flowsOf(db, apps);
      return apps.map((app) => {
        const flows = found.filter((one) => one.app === app);
        return {
          app,
          ...demandOf(
            flows.flatMap(({ flow }) => flow.steps),
            methods,
          ),
        };
      });
    },

    async losses(db: Db, apps: readonly App[], user: User, method: string): Promise<Loss[]> {
      const found = (await flowsOf(db, apps)).flatMap(({ app, flow }) =>
        flow.steps.filter((step) => lists(step, method)).map((step) => ({ app, step })),
      );
      const asked = methodsOf(
        found.map(({ step }) => step),
        methods,
      );
      const person = await gatherPerson(services, db, user, asked);
      const losses = new Map<App, Loss>();
      for (const { app, step } of found) {
        const why = lossOf(step, person, methods);
        // Not getting in weighs more.
        if (why !== null && losses.get(app)?.why !== 'locked-out') losses.set(app, { app, why });
      }
      return [...losses.values()];
    },
  };
}

const lists = (step: Step, id: string): boolean => step.options.some(({ method }) => method === id);

const sendsMessages = ({ options }: Step, methods: Methods): boolean =>
  options.some(({ method }) => (methods.get(method)?.channel ?? null) !== null);

function demandOf(steps: readonly Step[], methods: Methods): Omit<Demand, 'app'> {
  const messages = steps.filter((step) => sendsMessages(step, methods));
  const free = messages.every(({ userMayDisable }) => userMayDisable);
  return {
    methods: [...new Set(steps.flatMap(({ options }) => options.map(({ method }) => method)))],
    codeOff: messages.length === 0 ? null : free ? 'allowed' : 'refused',
  };
}

/**
 * What a step means for somebody who has given a method up. Conditions do not count: one that is not true today may be
 * tomorrow. Nor do backup codes, which run out, and the switch of the message code, which its owner may turn.
 *
 * Giving up must be no way around a step: what excuses who has none of it is meant for who never had it, so it takes the
 * same word of the flow as switching the code off. A step that sends no messages has no such switch.
 */
function lossOf(step: Step, person: Person, methods: Methods): Loss['why'] | null {
  const user = { ...person.user, codeOff: false };
  const offers = offersOf(step, { now: 0, methods, person: { ...person, user }, session: null }, true, false);
  const remains =
    offers.is === 'ask' &&
    offers.offered.some(({ enrol, method }) => !enrol && methods.get(method)?.kind !== 'recovery');
  if (remains) return null;
  if (step.onUnavailable === 'fail') return 'locked-out';
  const optional = step.onUnavailable === 'skip' && !sendsMessages(step, methods);
  return step.userMayDisable || optional ? null : 'required';
}
