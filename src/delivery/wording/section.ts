import { isDeepStrictEqual } from 'node:util';
import type { CollectionSection } from '../../config/types.ts';
import type { Fault } from '../../lib/problem.ts';
import { closest } from '../../lib/suggest.ts';
import type { Revisions } from '../../storage/types.ts';
import { sentence } from '../lint/finding.ts';
import { aboutOf, keyOf, type MessageDocument, MessageSchema } from './document.ts';
import { lintMessage } from './lint.ts';
import { deleteText, findText, listTexts, upsertText } from './store.ts';
import { parseText } from './template.ts';

const documentOf = (resolved: Record<string, unknown>) => resolved as MessageDocument;

/** `messages.yaml`: what messages say, per app, language, channel and purpose. */
export const messagesSection = ({
  issuer,
  revisions,
}: {
  issuer: URL;
  revisions: Pick<Revisions, 'bump'>;
}): CollectionSection => ({
  kind: 'collection',
  member: 'messages',
  schema: MessageSchema,
  idOf: (item) => keyOf(aboutOf(documentOf(item))),
  advise: ({ resolved }, all) =>
    faultsOf(documentOf(resolved)).length > 0
      ? []
      : lintMessage(
          documentOf(resolved),
          all.map((one) => documentOf(one.resolved)),
          issuer.hostname,
        ).map((finding) => ({ path: finding.path, message: sentence(finding) })),
  check: ({ resolved }, candidate) => {
    const apps = candidate.collection('apps');
    return [...faultsOf(documentOf(resolved)), ...unknownApp(documentOf(resolved), [...apps.keys()])];
  },

  async list(db) {
    return new Map((await listTexts(db)).map(({ id, document }) => [id, document.raw]));
  },

  async same(db, { raw, resolved }) {
    const stored = await findText(db, keyOf(aboutOf(documentOf(resolved))));
    return isDeepStrictEqual(stored?.document, JSON.parse(JSON.stringify({ raw, resolved })));
  },

  async save(tx, { raw, resolved }, _position, now) {
    const document = documentOf(resolved);
    await upsertText(tx, keyOf(aboutOf(document)), { raw, resolved: document }, now);
    await revisions.bump(tx, 'providers');
  },

  async remove(tx, id) {
    await deleteText(tx, id);
    await revisions.bump(tx, 'providers');
  },
});

/** What the schema cannot say. */
export function faultsOf(document: MessageDocument): Fault[] {
  const { autofill, channel, subject, text, transliterate } = document;
  const faults: Fault[] = [];
  const fault = (path: string, message: string) => void faults.push({ path, message });
  if ([text, subject, autofill, transliterate].every((member) => member === undefined))
    fault('', 'changes nothing: it needs text, subject, autofill or transliterate');
  if (text !== undefined) faults.push(...textFaults(text));
  if (subject !== undefined) faults.push(...subjectFaults(subject));
  if (subject !== undefined && channel !== undefined && channel !== 'email')
    fault('subject', 'is for mails: leave it out, or channel');
  for (const [path, given] of Object.entries({ autofill, transliterate })) {
    if (given !== undefined && channel !== undefined && channel !== 'sms')
      fault(path, 'is for SMS: leave it out, or channel');
  }
  return faults;
}

function textFaults(text: string): Fault[] {
  const { uses, faults } = parseText(text);
  const missing = uses.has('code') || faults.length > 0 ? [] : ['never says {{code}}'];
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is refused
  const controls = /[\u0000-\u0008\u000b-\u001f\u007f]/.test(text.replaceAll('\r\n', '\n'))
    ? ['holds control characters']
    : [];
  return [...faults, ...missing, ...controls].map((message) => ({ path: 'text', message }));
}

function subjectFaults(subject: string): Fault[] {
  const faults = parseText(subject).uses.has('code')
    ? ['stands in the logs of mail servers: {{code}} belongs in the text']
    : parseText(subject, ['app', 'minutes', 'host']).faults;
  const lines = /\p{Cc}/u.test(subject.trim()) ? ['is one line, without control characters'] : [];
  return [...faults, ...lines].map((message) => ({ path: 'subject', message }));
}

export function unknownApp({ app }: MessageDocument, known: string[]): Fault[] {
  if (app === undefined || known.includes(app)) return [];
  const meant = closest(app, known);
  const hint = meant === undefined ? '' : `; did you mean '${meant}'?`;
  return [{ path: 'app', message: `there is no app '${app}'${hint}` }];
}
