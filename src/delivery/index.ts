/**
 * delivery: messages to people. The generic HTTP connector with its template language, presets on top of it, the
 * simulator, and the life of a message from queued to its one outcome. Owns the tables `providers`, `messages` and
 * `simulator_messages`, the file `providers.yaml`, and the only way out of the process for requests (`createEgress`,
 * and `createHttpClient` on it for what is no message).
 * It does not decide whether a message may be sent (guard), what it says (flows), or which codes are valid (otp):
 * it tells what became of the message.
 * Routes: `GET /simulator`, `GET /simulator/messages`, only on the machine itself and with a simulator configured.
 */
import type { SealedColumn } from '../crypto/types.ts';
import type { Sweep } from '../storage/types.ts';

export { createDestination } from './destination.ts';
export { examineProviders, type ProviderState } from './examine.ts';
export { createHttpClient, type HttpClient, type HttpClientOptions } from './http-client.ts';
export { createEgress, type EgressOptions } from './network/egress.ts';
export { createFormPoster, type FormPoster } from './network/form-poster.ts';
export { providersSection } from './section.ts';
export { createDelivery, type DeliveryDeps, type DeliveryService } from './service.ts';
export { registerSimulator, type SimulatorDeps } from './simulator/routes.ts';
export { texts } from './simulator/texts.ts';

export const deliverySweeps: Sweep[] = [{ table: 'messages' }, { table: 'simulator_messages' }];

/** Providers first: they are what an operator has to bring back. */
export const deliverySealed: SealedColumn[] = [
  {
    table: 'providers',
    column: 'document_sealed',
    what: 'providers',
    opens: { purpose: 'provider', context: 'id' },
  },
  { table: 'messages', column: 'to_hash', what: 'messages' },
  { table: 'simulator_messages', column: 'to_hash', what: 'messages of the simulator' },
];
