import type { App } from '../../apps/types.ts';
import type { Devices, FoundDevice, NamedDevice, Session } from '../../sessions/types.ts';
import type { Db } from '../../storage/types.ts';
import type { User } from '../../users/types.ts';
import type { Facts, LoginState, Person, RequestFacts } from '../engine/state.ts';
import { withheldOf } from '../engine/withheld.ts';
import type { Method, Methods, Services } from '../method.ts';
import type { Browser, Flow, Step } from '../types.ts';
import { tracksDevices } from './devices.ts';
import { firstAsked } from './grace.ts';

export interface FactsDeps {
  services: Services;
  methods: Methods;
  devices: Devices;
}

/** A login at one moment. */
export interface Moment {
  app: App;
  flow: Flow;
  user: User | null;
  session: Session | undefined;
  /** Null: nothing is known of it. */
  browser: Browser | null;
  /** The devices that the browser's cookie names, where they were read with the login. */
  devices?: NamedDevice[];
  /** Whose facts the engine may look at; null: it will look at nothing but the user. */
  asked: readonly Method[] | null;
  /** When the login began; absent: it has yet to. */
  startedAt?: Date;
}

/** What the engine may know, read side by side; and the device that this browser is. */
export async function gatherFacts(
  { devices, methods, services }: FactsDeps,
  db: Db,
  moment: Moment,
  now: Date,
): Promise<{ facts: Facts; device: FoundDevice | null }> {
  const { app, asked, browser, flow, session, user } = moment;
  const tracked = asked !== null && browser !== null && tracksDevices(flow);
  const [person, first, device] = await Promise.all([
    user && gatherPerson(services, db, user, asked ?? []),
    asked === null ? {} : firstAsked(db, flow, user),
    tracked && user ? devices.find(db, browser.rememberedCookie, user.id, now, moment.devices) : null,
  ]);
  const passes = device?.passes.filter((pass) => pass.app === app.id && pass.flow === flow.id);
  const facts: Facts = {
    ...{ now: now.getTime(), methods, person, session: session ?? null, asked: first },
    app: { id: app.id, firstParty: app.firstParty },
    withheld: withheldOf(user, moment.startedAt),
    ...(browser && { request: requestFacts(browser) }),
    ...(tracked && { device: passes ? { passes } : null }),
  };
  return { facts, device };
}

const requestFacts = ({ country, ip, userAgent }: Browser): RequestFacts => ({
  ...{ ip, userAgent, country: country ?? null },
});

/** What the methods want to know of a user; side by side, because each is one short read. */
export async function gatherPerson(
  services: Pick<Services, 'users'>,
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
  return methodsOf(ahead, methods);
};

export function methodsOf(steps: readonly Step[], methods: Methods): Method[] {
  const ids = new Set(steps.flatMap(({ options }) => options.map(({ method }) => method)));
  return [...ids].flatMap((id) => methods.get(id) ?? []);
}
