import type { LiveSettings } from '../config/index.ts';
import type { ConfigSection, Configuration, Environment } from '../config/types.ts';
import type { KeyRotation, Unreadable } from '../crypto/types.ts';
import type { MessageDesk, ProviderDesk } from '../delivery/index.ts';
import type { Finding } from '../doctor.ts';
import type { FlowDesk } from '../flows/index.ts';
import type { AppPage } from '../oidc/types.ts';
import type { PeopleDesk } from '../people/index.ts';
import type { Storage } from '../storage/types.ts';

/** What the composition root offers to commands: the database and configuration, without a server. */
export interface CommandContext {
  storage: Pick<Storage, 'migrate' | 'ready' | 'snapshot' | 'restore'>;
  configuration: Configuration;
  settings: Pick<LiveSettings, 'load'>;
  /** Throws Problem 404 for an app that is not there. */
  describeApp(id: string): Promise<AppPage>;
  providers: ProviderDesk;
  messages: MessageDesk;
  flows: FlowDesk;
  people: PeopleDesk;
  keys: Pick<KeyRotation, 'list' | 'rotate'>;
  sealed: {
    /** What `SECRET_KEY` does not open, or null. */
    unreadable(): Promise<Unreadable | null>;
    /** Removes it, and answers what it was. */
    discard(): Promise<Unreadable | null>;
  };
  close(): Promise<void>;
}

export interface CommandDeps {
  variables: Record<string, string | undefined>;
  write(text: string): void;
  writeError(text: string): void;
  /** Opens the database. Throws `DataDirInUse` when another process holds the embedded one. */
  createContext(environment: Environment): Promise<CommandContext>;
  /** What stands well with a gateway of this environment and what not. Throws `DataDirInUse`. */
  examine(environment: Environment): Promise<Finding[]>;
  /** What the files may say; needs no database. */
  createSections(environment: Environment): Promise<readonly ConfigSection[]>;
  /** Resolves when the server is listening; it then runs until the process is told to stop. */
  serve(environment: Environment): Promise<unknown>;
  /** A server that the caller closes. */
  start(environment: Environment): Promise<{ close(): Promise<void> }>;
}

/** A failure that is explained by its sentence; the command ends with 1. */
export class CommandFailure extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'CommandFailure';
  }
}
