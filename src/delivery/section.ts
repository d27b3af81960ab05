import { isDeepStrictEqual } from 'node:util';
import type { Adopted, CollectionSection, Loaded, References } from '../config/types.ts';
import type { Crypto } from '../crypto/types.ts';
import { type Fault, Problem } from '../lib/problem.ts';
import { Type } from '../lib/schema.ts';
import type { Revisions } from '../storage/types.ts';
import { forget } from './breaker/store.ts';
import { readForeign } from './foreign/read.ts';
import { type Finding, sentence } from './lint/finding.ts';
import { lintProvider } from './lint/lint.ts';
import { certificateFaults } from './network/certificates.ts';
import type { Preset, ProviderDocument } from './preset.ts';
import { presets } from './presets/index.ts';
import { createDraft, openDocument, sealDocument, transportOf } from './providers.ts';
import { hideSecrets, restoreSecrets } from './sealing.ts';
import * as store from './store.ts';

export interface SectionDeps {
  crypto: Crypto;
  references: References;
  revisions: Pick<Revisions, 'bump'>;
}

const channels = ['sms', 'voice', 'email'];
const closed = { additionalProperties: false };

/** One provider; what its preset can be told stands in the member named after the preset. */
export const ProviderSchema = Type.Object(
  {
    id: Type.String({ pattern: '^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$' }),
    channel: Type.Enum(channels),
    enabled: Type.Optional(Type.Boolean({ default: true })),
    preset: Type.Enum(presets.map(({ id }) => id)),
    from: Type.Optional(Type.String({ minLength: 1, description: 'The sender: $ctx.from' })),
    secrets: Type.Optional(
      Type.Unsafe<Record<string, string>>({
        type: 'object',
        propertyNames: { pattern: '^\\w+$' },
        additionalProperties: { type: 'string', minLength: 1 },
        description: 'Sealed values, $secret.<name> in templates',
      }),
    ),
    tls: Type.Optional(
      Type.Object(
        {
          ca: Type.Optional(Type.String({ description: 'PEM; trusted beside the system’s roots' })),
          cert: Type.Optional(Type.String({ description: 'PEM; shown to the gateway' })),
          key: Type.Optional(Type.String({ description: 'PEM; of cert' })),
        },
        closed,
      ),
    ),
    ...Object.fromEntries(presets.map(({ id, options }) => [id, Type.Optional(options)])),
  },
  closed,
);

export const presetOf = (id: unknown): Preset | undefined => presets.find((preset) => preset.id === id);
const documentOf = (item: Loaded): ProviderDocument => item.raw as ProviderDocument;

/** Findings of one level, where only sentences are listed. */
const said = (findings: Finding[], level: Finding['level']): Fault[] =>
  findings
    .filter((finding) => finding.level === level)
    .map((finding) => ({ path: finding.path, message: sentence(finding) }));

/** A document of an identity server as one of ours. */
function adopt(written: Record<string, unknown>): Adopted | null {
  const adopted = readForeign(written);
  if (adopted === null) return null;
  const { document, findings } = adopted;
  return { document, faults: said(findings, 'error'), advice: said(findings, 'warning') };
}

/** What the schema cannot say. */
export function faultsOf(document: ProviderDocument, references: References): Fault[] {
  const preset = presetOf(document.preset);
  if (preset === undefined) return [];
  const { draft, faults } = createDraft(document, references);
  for (const { id } of presets) {
    if (id !== preset.id && document[id] !== undefined) {
      faults.push({ path: id, message: `belongs to the preset ${id}, and this provider has ${preset.id}` });
    }
  }
  if (!preset.channels.includes(document.channel)) {
    faults.push({
      path: 'channel',
      message: `the preset ${preset.id} cannot be used for ${document.channel}`,
    });
  }
  preset.prepare?.(draft);
  if ((document.tls?.cert === undefined) !== (document.tls?.key === undefined)) {
    faults.push({ path: 'tls', message: 'cert and key belong together' });
  }
  const pems = Object.entries(document.tls ?? {}).map(([name, pem]) => [name, draft.resolve(pem)]);
  faults.push(...certificateFaults(Object.fromEntries(pems)));
  return [...faults, ...said(lintProvider(document), 'error')];
}

/** Scheme, host and port that a document's secrets are meant for, those of its tokens, and the proxy in between. */
export function destinationOf(document: ProviderDocument, preset: Preset, references: References): string {
  const prepared = preset.prepare?.(createDraft(document, references).draft) ?? null;
  const transport = prepared === null ? null : transportOf(preset, prepared);
  if (transport === null) return '';
  const { origin, tokenOrigin, proxy } = transport;
  return [origin, tokenOrigin, proxy].map((part) => part ?? '').join(' ');
}

/** Puts kept secrets back. They stay where they were meant for: for another host each has to be given again. */
export function restored(
  { crypto, references }: Pick<SectionDeps, 'crypto' | 'references'>,
  given: ProviderDocument,
  row: store.ProviderRow | undefined,
): { document: ProviderDocument; faults: Fault[] } {
  const preset = presetOf(given.preset);
  if (preset === undefined)
    throw refused([{ path: 'preset', message: `there is no preset ${given.preset}` }]);
  const present = row && row.preset === preset.id ? openDocument(crypto, row) : undefined;
  const { document, kept, faults } = restoreSecrets(given, present, preset);
  if (present === undefined || kept.length === 0) return { document, faults };
  const before = destinationOf(present, preset, references);
  if (before === destinationOf(document, preset, references)) return { document, faults };
  const message = `was meant for ${before.trim().replaceAll(/ +/g, ' and ')}: for another scheme, host or port it must be given again`;
  return { document, faults: [...faults, ...kept.map((path) => ({ path, message }))] };
}

/** `providers.yaml`: who sends messages. Documents are sealed as a whole. */
export function providersSection(deps: SectionDeps): CollectionSection {
  const { crypto, references, revisions } = deps;
  return {
    kind: 'collection',
    member: 'providers',
    schema: ProviderSchema,
    idOf: (item) => String(item.id),
    adopt,
    // First what is wrong: a misspelt placeholder would be said to be missing, too.
    advise: (item) =>
      faultsOf(documentOf(item), references).length > 0
        ? []
        : said(lintProvider(documentOf(item)), 'warning'),
    check: (item) => faultsOf(documentOf(item), references),
    async list(db) {
      const rows = await store.listProviders(db);
      return new Map(
        rows.map((row) => {
          const document = openDocument(crypto, row);
          const preset = presetOf(row.preset);
          return [row.id, preset ? hideSecrets(document, preset) : { id: row.id, preset: row.preset }];
        }),
      );
    },
    async same(db, item, position) {
      const row = await store.findProvider(db, String(item.raw.id));
      if (row === undefined || row.position !== position) return false;
      const { document, faults } = restored(deps, documentOf(item), row);
      return faults.length === 0 && isDeepStrictEqual(document, openDocument(crypto, row));
    },
    async save(tx, item, position, now) {
      const row = await store.findProvider(tx, String(item.raw.id));
      const { document, faults } = restored(deps, documentOf(item), row);
      if (faults.length === 0) {
        // Whoever read the document may have had other variables than this process, which is going to use it.
        faults.push(...faultsOf(document, references), ...references.resolve(document).faults);
      }
      if (faults.length > 0) throw refused(faults);
      await forget(tx, String(item.raw.id));
      const { id, channel, preset } = document;
      const enabled = item.resolved.enabled !== false;
      const sealed = sealDocument(crypto, document);
      await store.upsertProvider(
        tx,
        { id, channel, preset, position, enabled, document_sealed: sealed },
        now,
      );
      await revisions.bump(tx, 'providers');
    },
    async remove(tx, id) {
      await store.deleteProvider(tx, id);
      await forget(tx, id);
      await revisions.bump(tx, 'providers');
    },
  };
}

export const refused = (errors: Fault[]): Problem =>
  new Problem({
    status: 400,
    code: 'provider_refused',
    message: 'The provider cannot be saved as it is.',
    errors,
  });
