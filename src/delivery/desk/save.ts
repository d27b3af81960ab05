import { createValidator } from '../../config/index.ts';
import { type Fault, Problem } from '../../lib/problem.ts';
import type { Db } from '../../storage/types.ts';
import { forget } from '../breaker/store.ts';
import { readForeign } from '../foreign/read.ts';
import { error, type Finding, sentence } from '../lint/finding.ts';
import { lintProvider } from '../lint/lint.ts';
import type { ProviderDocument } from '../preset.ts';
import { openDocument, sealDocument } from '../providers.ts';
import { hideSecrets } from '../sealing.ts';
import { destinationOf, faultsOf, ProviderSchema, presetOf, refused, restored } from '../section.ts';
import * as store from '../store.ts';
import type { DeskDeps } from './deps.ts';

/** What would be saved, or was. */
export interface Judged {
  id: string;
  action: 'create' | 'update';
  /** As it may be shown. */
  document: Record<string, unknown>;
  findings: Finding[];
}

/** A document that did not come in a file of the operator's, ready to be saved. */
export interface Ready {
  document: ProviderDocument;
  row: store.ProviderRow | undefined;
  findings: Finding[];
}

/**
 * Judges a document that came from elsewhere than a file of the operator's: by an import or from a console. It may be
 * in another program's form. References would read this machine's variables and files for whoever sent it, so only
 * those may stay that are stored at the same place for the same host.
 */
export async function judge(deps: DeskDeps, db: Db, given: Record<string, unknown>): Promise<Ready> {
  const adopted = readForeign(given);
  const written = adopted?.document ?? (given as ProviderDocument);
  const findings = [...(adopted?.findings ?? []), ...schemaFindings(written)];
  if (presetOf(written.preset) === undefined || findings.some(({ level }) => level === 'error'))
    return { document: written, row: undefined, findings };
  const row = await store.findProvider(db, written.id);
  const foreign = foreignReferences(deps, written, row);
  // Not read any further: what a reference stands for could show in a sentence about it.
  if (foreign.length > 0)
    return { document: written, row, findings: [...findings, ...foreign.map(asFinding)] };
  const { document, faults } = restored(deps, written, row);
  const said = new Set(faults.map(({ path }) => path));
  const further = [...faultsOf(document, deps.references), ...deps.references.resolve(document).faults];
  findings.push(...[...faults, ...further.filter(({ path }) => !said.has(path))].map(asFinding));
  findings.push(...lintProvider(document).filter(({ level }) => level === 'warning'));
  return { document, row, findings };
}

const asFinding = ({ path, message }: Fault): Finding => error(path, message, '');

/** The errors among findings, as whoever asked is told of them. */
export const errorsOf = (findings: Finding[]): Fault[] =>
  findings
    .filter(({ level }) => level === 'error')
    .map((finding) => ({ path: finding.path, message: sentence(finding) }));

function schemaFindings(document: ProviderDocument): Finding[] {
  const { faults } = createValidator(ProviderSchema)(structuredClone(document), document);
  return faults.map(asFinding);
}

/** References that are not those of the stored document, or whose host has changed. */
function foreignReferences(
  deps: DeskDeps,
  document: ProviderDocument,
  row: store.ProviderRow | undefined,
): Fault[] {
  const given = referencesIn(document);
  if (given.size === 0) return [];
  const present = row && row.preset === document.preset ? openDocument(deps.crypto, row) : undefined;
  const before = present ? referencesIn(present) : new Map<string, string>();
  const added = [...given].filter(([path, value]) => before.get(path) !== value);
  if (added.length > 0 || present === undefined) {
    const message = 'references are read from the operator’s own files only: write the value itself';
    return added.map(([path]) => ({ path, message }));
  }
  const preset = presetOf(document.preset);
  if (preset === undefined) return [];
  const was = destinationOf(present, preset, deps.references);
  if (was === destinationOf(document, preset, deps.references)) return [];
  const message = 'was meant for another scheme, host or port: it must be given again';
  return [...given].map(([path]) => ({ path, message }));
}

function referencesIn(value: unknown, path = ''): Map<string, string> {
  if (typeof value === 'string') return new Map(/\$\{(?:env|file):/.test(value) ? [[path, value]] : []);
  if (typeof value !== 'object' || value === null) return new Map();
  return new Map(
    Object.entries(value).flatMap(([name, member]) => [
      ...referencesIn(member, path === '' ? name : `${path}.${name}`),
    ]),
  );
}

/** How it may be shown, and what is said about it. */
export function shown({ document, row, findings }: Ready): Judged {
  const preset = presetOf(document.preset);
  const hidden = preset ? hideSecrets(document, preset) : { id: document.id };
  return { id: String(document.id), action: row ? 'update' : 'create', document: hidden, findings };
}

/**
 * Saves documents from elsewhere, all or none. Throws Problem 400 with everything that is wrong when anything is.
 * A new provider comes last in the order; one that is there keeps its place.
 */
export async function save(deps: DeskDeps, given: Record<string, unknown>[]): Promise<Judged[]> {
  const { storage, crypto, clock, audit } = deps;
  const now = clock.now();
  const judged = await storage.transaction(async (tx) => {
    const saved: Ready[] = [];
    for (const one of given) {
      const ready = await judge(deps, tx, one);
      const errors = errorsOf(ready.findings);
      if (errors.length > 0) throw refused(errors);
      const { document, row } = ready;
      const position = row?.position ?? (await store.nextPosition(tx));
      const { id, channel, preset, enabled = true } = document;
      const sealed = sealDocument(crypto, document);
      await forget(tx, id);
      await store.upsertProvider(
        tx,
        { id, channel, preset, position, enabled, document_sealed: sealed },
        now,
      );
      saved.push(ready);
    }
    await storage.revisions.bump(tx, 'providers');
    const events = saved.map(({ document }) => ({ name: 'provider.saved', data: { provider: document.id } }));
    await audit.record(tx, now, events);
    return saved;
  });
  await storage.revisions.refresh();
  return judged.map(shown);
}

/** Throws Problem 404. */
export async function findRow(deps: DeskDeps, id: string): Promise<store.ProviderRow> {
  const row = await store.findProvider(deps.storage.db, id);
  if (row === undefined) {
    throw new Problem({ status: 404, code: 'provider_unknown', message: `There is no provider “${id}”.` });
  }
  return row;
}
