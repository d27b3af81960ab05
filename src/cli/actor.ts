import { userInfo } from 'node:os';

/** Who runs the command, for the record. A container's user may have no name. */
export function actor(): string {
  try {
    return `cli:${userInfo().username}`;
  } catch {
    return 'cli';
  }
}
