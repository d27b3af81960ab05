/**
 * delivery: messages to people. The generic HTTP connector with its template language, presets of vendors, the simulator,
 * providers as commands look after them (`desk/`), which provider is asked (`routing/`) and which is left alone for a while
 * (`breaker/`), what messages say per app and language (`wording/`), codes that gateways make themselves (`codes/`), the life
 * of a message from queued to its one outcome, what gateways report afterwards (`receipts/`) and are told (`conversions/`),
 * and what follows when it does not arrive (`workflows/`).
 * Owns the tables `providers`, `channels`, `message_texts`, `provider_breakers`, `messages`, `message_timers`, `stopped_numbers` and
 * `simulator_messages`, the files `providers.yaml`, `channels.yaml` and `messages.yaml`, and the only way out of the process for requests
 * (`createEgress`, and `createHttpClient` on it for what is no message).
 * It does not decide whether a message may be sent (guard), what is said where no text is configured (flows), or which codes are valid (otp):
 * it tells what became of the message.
 * Routes: `POST` and `GET /receipts/:provider`, `POST /inbound/:provider`, signed by the gateway or by the address;
 * `GET /simulator`, `GET /simulator/messages`, only on the machine itself and with a simulator configured.
 */
import type { SealedColumn } from '../crypto/types.ts';
import type { PersonalRows, Sweep } from '../storage/types.ts';

export type { DeskDeps } from './desk/deps.ts';
export {
  createProviderDesk,
  type ProviderDesk,
  type ProviderSummary,
  providerCommands,
} from './desk/desk.ts';
export type { Judged } from './desk/save.ts';
export type { DryRun, TestResult, TrialOf } from './desk/trial.ts';
export { createDestination } from './destination.ts';
export { enabledChannels, examineProviders, type ProviderState } from './examine.ts';
export { createHttpClient, type HttpClient, type HttpClientOptions } from './http-client.ts';
export type { Finding } from './lint/finding.ts';
export { lintProvider } from './lint/lint.ts';
export { createEgress, type EgressOptions } from './network/egress.ts';
export { createFormPoster, type FormPoster } from './network/form-poster.ts';
export { receiptRoutes } from './receipts/routes.ts';
export { channelsSection } from './routing/section.ts';
export { providersSection } from './section.ts';
export { createDelivery, type DeliveryDeps, type DeliveryService } from './service.ts';
export { registerSimulator, type SimulatorDeps } from './simulator/routes.ts';
export { texts } from './simulator/texts.ts';
export {
  createMessageDesk,
  type MessageDesk,
  type MessageEntry,
  type MessagePreview,
  messageCommands,
  type PreviewOf,
} from './wording/desk.ts';
export { messagesSection } from './wording/section.ts';

export const deliverySweeps: Sweep[] = [
  { table: 'messages' },
  { table: 'simulator_messages' },
  { table: 'message_timers' },
];

export const deliveryPersonal: PersonalRows[] = [{ table: 'messages' }];

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
  { table: 'stopped_numbers', column: 'to_hash', what: 'numbers that want no messages' },
  {
    table: 'message_timers',
    column: 'sealed',
    what: 'messages that follow others',
    opens: { purpose: 'message', context: 'message_id' },
  },
];
