import type { Clock } from '../lib/clock.ts';
import type { Logger } from '../lib/log.ts';
import { type Fault, Problem } from '../lib/problem.ts';
import type { Db, Storage, Tx } from '../storage/types.ts';
import { checkDocuments } from './checks.ts';
import { createReader } from './documents.ts';
import { ConfigurationError } from './errors.ts';
import { plan, readStored, type Step, type StoredDocuments } from './plan.ts';
import { restored, secretsOf } from './secrets/setting-secrets.ts';
import { isConfigured, lockConfigured, markConfigured, removeSetting, saveSetting } from './store.ts';
import type { Candidate, Change, ConfigSection, Configuration, Documents, References } from './types.ts';
import { below, candidateOf, doubtsOf } from './validation/candidate.ts';
import { fileOf, inOrder } from './validation/schema.ts';

export interface ConfigurationDeps {
  /** In the order in which they depend on each other: settings, providers, flows, apps, users. */
  sections: readonly ConfigSection[];
  storage: Storage;
  references: References;
  clock: Clock;
  log: Logger;
  /** Called in the transaction that makes the changes, before it commits. */
  onApplied?(tx: Tx, changes: Change[], now: Date): Promise<void>;
}

export function createConfiguration(deps: ConfigurationDeps): Configuration {
  const { sections, storage, references, log } = deps;
  const reader = createReader({ sections, references });

  async function check(given: Documents, options: { prune: boolean }): Promise<Fault[]> {
    const stored = await readStored(storage.db, sections);
    const { documents, faults } = withKept(sections, given, stored);
    return [...faults, ...checkDocuments(sections, documents, stored, { ...options, references })];
  }

  async function advise(documents: Documents): Promise<Fault[]> {
    const stored = await readStored(storage.db, sections);
    return doubtsOf(
      sections,
      documents,
      candidateOf(sections, documents, stored, { prune: false, references }),
    );
  }

  /** Throws when anything is wrong with the documents; otherwise what would have to be done. */
  async function planned(given: Documents, { prune }: { prune: boolean }): Promise<Plan> {
    const options = { prune, references };
    const stored = await readStored(storage.db, sections);
    const { documents, faults } = withKept(sections, given, stored);
    faults.push(...checkDocuments(sections, documents, stored, options), ...invalid(given));
    if (faults.length > 0) throw new ConfigurationError(faults);
    const steps = await plan(storage.db, sections, documents, stored);
    return { steps, candidate: candidateOf(sections, documents, stored, options) };
  }

  async function apply(documents: Documents, { prune }: { prune: boolean }): Promise<Change[]> {
    const whole = await planned(documents, { prune });
    const mark = async (tx: Tx, now: Date) => {
      await lockConfigured(tx, now);
      return true;
    };
    return (await carryOut(deps, prune ? whole : additive(whole), mark)) ?? [];
  }

  async function applyToEmpty(folder: string): Promise<Change[] | null> {
    if (await isConfigured(storage.db)) return null;
    const { documents, faults, advice } = reader.read(folder);
    const options = { prune: false };
    if (faults.length > 0) throw new ConfigurationError([...faults, ...(await check(documents, options))]);
    for (const { path, message } of advice) log.warn({ path }, message);
    const changes = await carryOut(deps, additive(await planned(documents, options)), markConfigured);
    if (changes) log.info({ folder, changes: changes.length }, 'configuration applied to an empty database');
    return changes;
  }

  return {
    read: (folder) => reader.read(folder),
    ...{ check, advise },
    diff: async (documents) => (await planned(documents, { prune: false })).steps.map(({ change }) => change),
    apply,
    applyToEmpty,
    export: () => exportFiles(storage.db, sections),
  };
}

/** The secrets of settings that say that they are to be kept. A document in which that is not possible is not judged. */
function withKept(
  sections: readonly ConfigSection[],
  documents: Documents,
  stored: StoredDocuments,
): { documents: Documents; faults: Fault[] } {
  const faults: Fault[] = [];
  const settings = Object.entries(documents.settings).map(([member, given]) => {
    const kept = restored(given, stored.settings.get(member), secretsOf(sections, member));
    faults.push(...kept.faults);
    return [member, { ...kept.document, valid: given.valid && kept.faults.length === 0 }] as const;
  });
  return { documents: { ...documents, settings: Object.fromEntries(settings) }, faults };
}

interface Plan {
  steps: Step[];
  /** What is in force once they are taken. */
  candidate: Candidate;
}

const additive = ({ steps, candidate }: Plan): Plan => ({
  steps: steps.filter(({ change }) => change.action !== 'delete'),
  candidate,
});

/** Makes the steps in one transaction, unless `begin` finds there that nothing is to be done. */
async function carryOut(
  deps: ConfigurationDeps,
  { steps, candidate }: Plan,
  begin: (tx: Tx, now: Date) => Promise<boolean>,
): Promise<Change[] | null> {
  const prepared = await Promise.all(steps.map((step) => prepare(step, candidate)));
  const now = deps.clock.now();
  const changes = await deps.storage.transaction(async (tx) =>
    (await begin(tx, now)) ? makeChanges(deps, tx, prepared, now) : null,
  );
  await deps.storage.revisions.refresh();
  return changes;
}

async function makeChanges(deps: ConfigurationDeps, tx: Tx, steps: Step[], now: Date): Promise<Change[]> {
  const changes: Change[] = [];
  for (const step of steps) if (await take(deps, tx, step, now)) changes.push(step.change);
  const topics = new Set(changes.map(({ member }) => (member === 'gateway' ? 'settings' : member)));
  for (const topic of topics) await deps.storage.revisions.bump(tx, topic);
  if (changes.length > 0) await deps.onApplied?.(tx, changes, now);
  return changes;
}

/** Documents with faults of their own do not get this far, unless somebody sent them all the same. */
function invalid(documents: Documents): Fault[] {
  const all = [...Object.values(documents.settings), ...Object.values(documents.collections).flat()];
  return all.filter(({ valid }) => !valid).map(({ path }) => ({ path, message: 'is not valid' }));
}

async function prepare(step: Step, candidate: Candidate): Promise<Step> {
  if (step.kind !== 'item' || step.section.prepare === undefined) return step;
  const { section, item } = step;
  const prepared = await placed(item.path, async () => section.prepare?.(item, candidate) ?? item);
  return { ...step, item: { ...item, ...prepared } };
}

/** Makes one change. Answers false when somebody else has made it in the meantime. */
async function take({ sections }: ConfigurationDeps, tx: Tx, step: Step, now: Date): Promise<boolean> {
  if (step.kind === 'setting') {
    const { id } = step.change;
    if (step.document === null) await removeSetting(tx, id);
    else await saveSetting(tx, id, step.document, secretsOf(sections, id), now);
    return true;
  }
  if (step.kind === 'removal') {
    await placed(`database: ${step.change.member} '${step.change.id}'`, () =>
      step.section.remove(tx, step.change.id),
    );
    return true;
  }
  const { section, item, position } = step;
  if (section.createOnly && (await section.same(tx, item, position))) return false;
  await placed(item.path, () => section.save(tx, item, position, now));
  return true;
}

/** Tells of a feature's refusal as a fault at the document's place. */
async function placed<T>(path: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof Problem)) throw error;
    const faults = error.errors.length > 0 ? error.errors : [{ path: '', message: error.message }];
    throw new ConfigurationError(below(path, faults));
  }
}

/** The database's configuration as files, by name. */
async function exportFiles(db: Db, sections: readonly ConfigSection[]): Promise<Record<string, string>> {
  const { stringify } = await import('yaml');
  const stored = await readStored(db, sections);
  const contents: Record<string, Record<string, unknown>> = {};
  for (const section of sections) {
    const file = `${fileOf(section)}.yaml`;
    const { member, schema } = section;
    if (section.kind === 'setting') {
      const setting = stored.settings.get(member);
      if (setting) contents[file] = { ...contents[file], [member]: inOrder(setting.raw, schema) };
      continue;
    }
    const items = [...(stored.collections.get(member)?.values() ?? [])];
    if (items.length > 0) contents[file] = { [member]: items.map((item) => inOrder(item, schema)) };
  }
  return Object.fromEntries(Object.entries(contents).map(([file, content]) => [file, stringify(content)]));
}
