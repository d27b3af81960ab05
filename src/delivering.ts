import type { Context } from './app.ts';
import type { App } from './apps/types.ts';
import type { Audit } from './audit/types.ts';
import {
  createDelivery,
  createMessageDesk,
  type DeliveryService,
  type MessageDesk,
} from './delivery/index.ts';
import { codeWords, texts } from './flows/index.ts';
import type { Guard } from './guard/types.ts';
import { createLocales } from './http/index.ts';
import type { Storage } from './storage/types.ts';

/** Delivery with those that it asks and tells: the guard, the record, metrics. */
export async function createDelivering(
  context: Context,
  { audit, guard }: { audit: Audit; guard: Guard },
): Promise<DeliveryService> {
  const { clock, crypto, environment, log, metrics, references, storage, tracer } = context;
  const { issuer } = environment;
  const delivery = await createDelivery({
    ...{ storage, crypto, clock, log, references, issuer, audit, tracer, guard },
    count: metrics.count,
  });
  metrics.observeBreakers(() => delivery.breakerStates(clock.now()));
  return delivery;
}

/** Texts as commands look at them: beside those of the configuration the built-in ones, which logins send. */
export function createMessages(deps: {
  storage: Storage;
  issuer: URL;
  apps(): Promise<App[]>;
  localesDir: string;
}): MessageDesk {
  return createMessageDesk({
    ...deps,
    otherwise: (about) => codeWords(createLocales(texts, deps.localesDir).translate, 'sms-otp', about),
  });
}
