import type { Fault } from '../lib/problem.ts';
import type { TSchema } from '../lib/schema.ts';
import type { SecretKey } from '../lib/secrets.ts';
import type { Db, Tx } from '../storage/types.ts';
import type { TracerSettings } from '../telemetry/types.ts';

/** What the process environment says (architecture: the operator's interface). Read once, at the root. */
export interface Environment {
  port: number;
  host: string;
  /** Origin without a path. */
  issuer: URL;
  /** Null: embedded, under `dataDir`. */
  databaseUrl: string | null;
  dataDir: string;
  /** Null: no files, or the demo. */
  configDir: string | null;
  /** Newest first; null when none was given (the embedded default then makes one under `dataDir`). */
  secretKeys: SecretKey[] | null;
  logLevel: string;
  workers: number;
  /** Null: no traces. */
  tracing: TracerSettings | null;
  /** True when `DATABASE_URL`, `CONFIG_DIR` and `NODE_ENV=production` are all unset. */
  demo: boolean;
}

/** A document as written (references unresolved, for storing and diffing) and with its references resolved. */
export interface Loaded {
  raw: Record<string, unknown>;
  resolved: Record<string, unknown>;
}

/** One entry of a collection's file. */
export interface CollectionItem extends Loaded {
  id: string;
  /** Where it stands: `apps.yaml: apps[0]`. */
  path: string;
  /** False when the schema or a reference has already found a fault in it. */
  valid: boolean;
}

/** One member of `gateway.yaml`. */
export interface SettingDocument {
  path: string;
  valid: boolean;
  raw: unknown;
  resolved: unknown;
}

/** What a folder of files says: plain data, so that it can be handed to a running server. */
export interface Documents {
  /** By member; only of files that exist. */
  collections: Record<string, CollectionItem[]>;
  /** By member; only what `gateway.yaml` mentions. */
  settings: Record<string, SettingDocument>;
  /** Name of the file of settings, where it exists. */
  gateway?: string;
}

/** What was found in a folder. */
export interface FolderReading {
  documents: Documents;
  /** What stands in the way. */
  faults: Fault[];
  /** What does not, and may not be meant. */
  advice: Fault[];
}

/** One difference between the files and the database, and what applying them does about it. */
export interface Change {
  /** `apps`, or `gateway` for settings. */
  member: string;
  id: string;
  /** `delete`: only the database has it, and only pruning removes it. */
  action: 'create' | 'update' | 'delete';
  /** Paths of what differs, for updates. None when only the value behind a reference has changed. */
  paths: string[];
}

/** What checks beyond the schema may look at: everything that would be in force, by file member. */
export interface Candidate {
  collection(member: string): Map<string, Loaded>;
  setting(member: string): unknown;
}

/** What in a setting is secret. It is kept sealed, and shown as `${stored}`. */
export interface SettingSecrets {
  /** Paths of texts (`alerts.secret`), each with that of the member that says whom it is for (`alerts.url`). */
  members: Record<string, string>;
  seal(plain: string): string;
  open(sealed: string): string;
}

/** One member of `gateway.yaml`, for instance `otp`. Stored in `settings`. */
export interface SettingSection {
  kind: 'setting';
  member: string;
  /** With a default for every member: an empty file is valid. */
  schema: TSchema;
  secrets?: SettingSecrets;
  check?(value: unknown, candidate: Candidate): Fault[];
}

/** A document of another program as one of ours. */
export interface Adopted {
  document: Record<string, unknown>;
  faults: Fault[];
  /** What was mended in it. */
  advice: Fault[];
}

/** A file with a list of documents, for instance `apps.yaml`. Stored by the feature that owns it. */
export interface CollectionSection {
  kind: 'collection';
  /** `apps` for `apps.yaml` with the member `apps`. */
  member: string;
  /** The schema of one item. */
  schema: TSchema;
  idOf(item: Record<string, unknown>): string;
  /**
   * Takes a document that was written for another program; null for one that was not. Before references are resolved.
   * Paths are relative to the item.
   */
  adopt?(written: Record<string, unknown>): Adopted | null;
  /** What may be said and is probably not meant. Paths are relative to the item; `all` is what its file lists. */
  advise?(item: Loaded, all: readonly Loaded[]): Fault[];
  /** The same in the light of everything that would be in force. */
  doubts?(item: Loaded, candidate: Candidate): Fault[];
  /** Checks beyond the schema. Paths of faults are relative to the item (`redirectUris[0]`). */
  check?(item: Loaded, candidate: Candidate): Fault[];
  /** True for `users`: only creates what is absent, outside diff, export and prune. */
  createOnly?: boolean;
  /** What the database holds, as it would stand in the file: secrets as references or as `${stored}`. */
  list(db: Db): Promise<Map<string, Record<string, unknown>>>;
  /** True when `item` says the same as what is stored (secrets compared by hash or after unsealing). */
  same(db: Db, item: Loaded, position: number): Promise<boolean>;
  /**
   * Slow work (hashing) that must not happen inside the transaction; its answer is what `save` gets. `candidate`: what
   * will be in force when the item is saved, for the settings of today may not be those that stand beside it.
   */
  prepare?(item: Loaded, candidate: Candidate): Promise<Loaded>;
  /**
   * Creates or replaces. A secret that says `${stored}` keeps what the database has. `position` is its place in the
   * file, counted from 0, for what is ordered (providers).
   */
  save(tx: Tx, item: Loaded, position: number, now: Date): Promise<void>;
  remove(tx: Tx, id: string): Promise<void>;
}

export type ConfigSection = SettingSection | CollectionSection;

/** The member `country` of gateway.yaml, defaults filled in. */
export interface CountryDocument {
  /** Empty: none. */
  header: string;
}

/** Settings of `gateway.yaml` in force, defaults filled in; cached, renewed by the `settings` revision. */
export interface Settings {
  get<T>(member: string): T;
}

/** Resolves `${env:NAME}`, `${env:NAME:-default}` and `${file:/path}` in strings that an operator's file brought. */
export interface References {
  /** Deep copy with references resolved; faults name the member. */
  resolve<T>(document: T): { value: T; faults: Fault[] };
  /** True when the string holds a reference. */
  has(value: string): boolean;
}

/** Configuration in files and in the database. Every method that takes documents throws `ConfigurationError`. */
export interface Configuration {
  /** What a folder says, and every fault that shows without looking at the database. Never throws for those. */
  read(folder: string): FolderReading;
  /** Every further fault, in the light of what the database holds. */
  check(documents: Documents, options: { prune: boolean }): Promise<Fault[]>;
  /** What of it is probably not meant, in the same light. Of documents without faults. */
  advise(documents: Documents): Promise<Fault[]>;
  /** How the database differs from the documents. */
  diff(documents: Documents): Promise<Change[]>;
  /** Creates and updates in one transaction; deletes, of files that exist, only when pruning. Answers what it did. */
  apply(documents: Documents, options: { prune: boolean }): Promise<Change[]>;
  /** Applies the folder unless configuration was ever applied; then null. Safe on many instances at once. */
  applyToEmpty(folder: string): Promise<Change[] | null>;
  /** The database's configuration as the text of files, by their names; secrets as references or `${stored}`. */
  export(): Promise<Record<string, string>>;
}
