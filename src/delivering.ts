import type { Context } from './app.ts';
import type { Audit } from './audit/types.ts';
import { createDelivery, type DeliveryService } from './delivery/index.ts';
import type { Guard } from './guard/types.ts';

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
