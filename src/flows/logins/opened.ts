import type { App } from '../../apps/types.ts';
import type { MessageState } from '../../delivery/types.ts';
import type { NamedDevice, Session } from '../../sessions/types.ts';
import type { User } from '../../users/types.ts';
import type { LoginRow } from '../store.ts';
import type { Flow } from '../types.ts';

/** A login as it was read for one request. */
export interface Opened {
  row: LoginRow;
  flow: Flow;
  app: App;
  /** The user of the row, if it has one. */
  user: User | null;
  /** The browser's session, where it is alive. */
  session: Session | undefined;
  /** The live devices that the browser's cookie names. */
  devices: NamedDevice[];
  /** What became of the code that the row speaks of; null: it speaks of none. */
  sent: { codeId: string; state: MessageState | null } | null;
}
