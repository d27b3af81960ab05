import { createValidator } from '../../config/index.ts';
import { type SmsLength, smsLength } from '../../lib/gsm7.ts';
import { type Fault, Problem } from '../../lib/problem.ts';
import type { Storage } from '../../storage/types.ts';
import type { Finding } from '../lint/finding.ts';
import type { Channel, Words } from '../types.ts';
import { spoken } from '../vendor/speech.ts';
import { aboutOf, keyOf, type MessageDocument, MessageSchema } from './document.ts';
import { lengthFindings, sample } from './lint.ts';
import { faultsOf, unknownApp } from './section.ts';
import { listTexts } from './store.ts';
import { entriesOf, resolve, wordsOf } from './wordings.ts';

export interface MessageDeskDeps {
  storage: Pick<Storage, 'db'>;
  issuer: URL;
  /** Ids and names of apps. */
  apps(): Promise<{ id: string; name: string }[]>;
  /** What a message says where no entry says it. */
  otherwise(about: { locale: string; code: string; app: string; minutes: number }): Words;
}

/** An entry of `messages.yaml` as it is in force. */
export interface MessageEntry {
  /** `shop/de/sms/*`. */
  id: string;
  document: MessageDocument;
}

/** What is to be shown. */
export interface PreviewOf {
  app?: string;
  /** English by default. */
  locale?: string;
  /** By SMS by default. */
  channel?: Channel;
  /** `login-code` by default. */
  purpose?: 'login-code' | 'enrol-code' | 'reset-code';
  /** An entry that nobody has saved yet, as if it had been. */
  document?: Record<string, unknown>;
}

/** A message as it would go out, with a code that nobody was sent. */
export interface MessagePreview {
  channel: Channel;
  locale: string;
  /** The entry that its text comes from; null: it is the built-in one. */
  from: string | null;
  /** For a call as it is spoken. */
  text: string;
  /** Of a mail. */
  subject: string | null;
  /** Of an SMS. */
  length: SmsLength | null;
  findings: Finding[];
}

/** What people who run a gateway do with texts, by commands or a console. Input and answers are plain JSON. */
export interface MessageDesk {
  list(): Promise<MessageEntry[]>;
  /** Throws Problem 400 with what is wrong with the input. */
  preview(wanted: PreviewOf): Promise<MessagePreview>;
}

const validate = createValidator(MessageSchema);
/** Of an app that nobody named. */
const anyApp = { id: '', name: 'Our shop' };

export const createMessageDesk = (deps: MessageDeskDeps): MessageDesk => ({
  async list() {
    const rows = await listTexts(deps.storage.db);
    return rows.map(({ id, document }) => ({ id, document: document.resolved }));
  },
  preview: (wanted) => preview(deps, wanted),
});

async function preview(deps: MessageDeskDeps, wanted: PreviewOf): Promise<MessagePreview> {
  const { locale = 'en', channel = 'sms', purpose = 'login-code' } = wanted;
  const apps = await deps.apps();
  const faults = [
    ...wantedFaults(wanted),
    ...unknownApp(
      wanted,
      apps.map(({ id }) => id),
    ),
  ];
  if (faults.length > 0) throw refused(faults);
  const app = apps.find(({ id }) => id === wanted.app) ?? anyApp;
  const entries = await entriesWith(deps, apps, wanted.document);
  const otherwise = deps.otherwise({ locale, app: app.name, ...sample });
  const request = { channel, purpose, app, locale, ...sample, otherwise };
  const words = wordsOf(entries, request, deps.issuer.hostname);
  const sms = channel === 'sms';
  return {
    ...{ channel, locale, subject: words.subject },
    from: resolve(entries, { app: app.id, locale, channel, purpose }).from,
    text: channel === 'voice' ? spoken({ text: words.text, code: sample.code }) : words.text,
    length: sms ? smsLength(words.text) : null,
    findings: sms ? lengthFindings(words.text, 'text') : [],
  };
}

/** The texts in force, and one that nobody has saved. */
async function entriesWith(
  { storage }: MessageDeskDeps,
  apps: { id: string }[],
  given: Record<string, unknown> | undefined,
) {
  const present = (await listTexts(storage.db)).map(({ document }) => document.resolved);
  if (given === undefined) return entriesOf(present);
  const { value, faults } = validate(given, given);
  if (faults.length > 0) throw refused(faults);
  const document = value as MessageDocument;
  const further = [
    ...faultsOf(document),
    ...unknownApp(
      document,
      apps.map(({ id }) => id),
    ),
  ];
  if (further.length > 0) throw refused(further);
  const key = keyOf(aboutOf(document));
  return entriesOf([...present.filter((one) => keyOf(aboutOf(one)) !== key), document]);
}

/** Whom it is for is written as in an entry. */
const wantedFaults = ({ document, ...about }: PreviewOf): Fault[] => validate(about, about).faults;

const refused = (errors: Fault[]): Problem =>
  new Problem({
    ...{ status: 400, code: 'message_refused', message: 'The message cannot be shown like this.', errors },
  });

/** What the command line may ask of a running server. */
export const messageCommands = (desk: MessageDesk): Record<string, (input: unknown) => Promise<unknown>> => ({
  'message/list': () => desk.list(),
  'message/preview': (input) => desk.preview(input as PreviewOf),
});
