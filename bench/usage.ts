import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';

/** What a process and its descendants have used so far. */
export interface Usage {
  cpuMs: number;
  rssMb: number;
}

const ticksPerSecond = Number(execFileSync('getconf', ['CLK_TCK'], { encoding: 'utf8' }));
const pageBytes = Number(execFileSync('getconf', ['PAGESIZE'], { encoding: 'utf8' }));

interface Stat {
  pid: number;
  parent: number;
  ticks: number;
  pages: number;
}

/** proc_pid_stat(5). The name in parentheses may hold blanks: fields are counted from behind it. */
function readStat(pid: string): Stat[] {
  try {
    const line = readFileSync(`/proc/${pid}/stat`, 'utf8');
    const fields = line
      .slice(line.lastIndexOf(')') + 2)
      .split(' ')
      .map(Number);
    // utime, stime, and those of children that have ended and were waited for.
    const ticks = [11, 12, 13, 14].reduce((sum, at) => sum + (fields[at] ?? 0), 0);
    return [{ pid: Number(pid), parent: fields[1] ?? 0, ticks, pages: fields[21] ?? 0 }];
  } catch {
    // It has ended meanwhile.
    return [];
  }
}

/** Reads /proc, so there is no cost where nobody asks. Shared memory counts once for each process that touches it. */
export function usageOf(root: number): Usage {
  const all = readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .flatMap(readStat);
  const tree = new Set([root]);
  for (let size = 0; size < tree.size; ) {
    size = tree.size;
    for (const { pid, parent } of all) if (tree.has(parent)) tree.add(pid);
  }
  const mine = all.filter(({ pid }) => tree.has(pid));
  return {
    cpuMs: (mine.reduce((sum, { ticks }) => sum + ticks, 0) / ticksPerSecond) * 1000,
    rssMb: (mine.reduce((sum, { pages }) => sum + pages, 0) * pageBytes) / 1024 / 1024,
  };
}
