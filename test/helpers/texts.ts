import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Catalogue } from '../../src/lib/texts.ts';

const src = join(import.meta.dirname, '../../src');

/** The English texts of every feature: what the doors of `src/*` export as `texts`. */
export async function allTexts(): Promise<Catalogue> {
  const doors = readdirSync(src)
    .map((folder) => join(src, folder, 'index.ts'))
    .filter((door) => existsSync(door));
  const catalogues = await Promise.all(
    doors.map(async (door) => ((await import(door)) as { texts?: Catalogue }).texts ?? {}),
  );
  return Object.assign({}, ...catalogues);
}
