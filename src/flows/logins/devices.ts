import type { App } from '../../apps/types.ts';
import type { Devices, FoundDevice, StepPass } from '../../sessions/types.ts';
import type { Guard, Rider } from '../../storage/index.ts';
import type { Storage } from '../../storage/types.ts';
import type { User } from '../../users/types.ts';
import type { Advance, Entry, Passed } from '../engine/state.ts';
import type { Browser, Flow, Step } from '../types.ts';

/** Whether it matters in which browser a login of the flow runs. */
export const tracksDevices = (flow: Flow): boolean => flow.steps.some(isTracked);

const isTracked = ({ rememberMs, when }: Step): boolean => rememberMs !== null || when?.asksDevice === true;

interface DevicesDeps {
  storage: Storage;
  devices: Devices;
}

/** A copied cookie excuses nobody any more, neither who copied it nor whose it was; at once, whatever the login comes to. */
export async function endCopied(
  { devices, storage }: DevicesDeps,
  device: FoundDevice | null,
  user: User | null,
  now: Date,
): Promise<void> {
  if (!device?.copied || !user) return;
  await storage.transaction((tx) => devices.revoke(tx, user.id, device.id, 'copied', now));
}

export interface Kept {
  /** The cookie's next value. */
  cookie: string;
  /** The device is still there. */
  guards: Guard[];
  riders: Rider[];
  records: Entry[];
}

/** What a login that finishes leaves in its browser; null: nothing. */
export function keepDevice(
  { devices, storage }: DevicesDeps,
  { app, browser, flow, user }: { app: App; browser: Browser; flow: Flow; user: User | null },
  { next }: Advance,
  found: FoundDevice | null,
  now: Date,
): Kept | null {
  if (next.is !== 'finish' || !user || !tracksDevices(flow)) return null;
  const device = found?.copied ? null : found;
  const passes = next.trail.flatMap((passed) => passOf(app, flow, passed, device, now) ?? []);
  if (!device && passes.length === 0) return null;
  const { ip, rememberedCookie: cookie, userAgent } = browser;
  const use = { userId: user.id, device, cookie, passes, ip, userAgent };
  const { id: deviceId, ...used } = devices.using(storage.db, use, now);
  const wished = next.trail.filter(({ remember }) => remember);
  const records = wished.map(({ step, method }) => ({
    name: 'device.remembered',
    data: { device: deviceId, flow: flow.id, step, method },
  }));
  return { ...used, records };
}

/** Only what was really passed in this very login; never what a session or an excuse stood in for. */
function passOf(
  app: App,
  flow: Flow,
  passed: Passed,
  device: FoundDevice | null,
  now: Date,
): StepPass | null {
  const step = flow.steps.find(({ id }) => id === passed.step);
  if (passed.via !== 'login' || !step || !isTracked(step)) return null;
  const { method } = passed;
  const before = device?.passes.find(
    (pass) => pass.app === app.id && pass.flow === flow.id && pass.step === step.id,
  );
  const kept = before?.method === method ? before.rememberedAt : null;
  const rememberedAt = passed.remember ? now.getTime() : kept;
  if (rememberedAt === null && !before && !step.when?.asksDevice) return null;
  return { app: app.id, flow: flow.id, step: step.id, method, at: now.getTime(), rememberedAt };
}
