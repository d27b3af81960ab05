/** What one kind of work came to in one round. */
export interface Round {
  perSecond: number;
  p50: number;
  p95: number;
  p99: number;
  /** CPU time of the server's processes for each, in milliseconds; null where nothing was read. */
  serverCpuMs: number | null;
  databaseCpuMs: number | null;
}

export interface Row {
  name: string;
  rounds: Round[];
}

export interface Figures {
  machine: string;
  postgres: string;
  users: number;
  settings: { workers: number; rounds: number; warmUp: number };
  rows: Row[];
  oneUserP50: number;
  statements: { perLogin: number; transactions: number; texts: [text: string, perLogin: number][] };
  rssMb: { idle: number; loaded: number };
  readyMs: number[];
}

/** The value below which the share `at` of the sorted values lies. */
export function quantile(values: number[], at: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * at))] ?? 0;
}

export const median = (values: number[]): number => quantile(values, 0.5);

const show = (value: number): string =>
  value >= 100 ? value.toFixed(0) : value.toFixed(value >= 10 ? 1 : value >= 0.1 ? 2 : 3);

/** Median, and from the lowest to the highest of all rounds. */
export function spread(values: (number | null)[]): string {
  const known = values.filter((value) => value !== null);
  if (known.length === 0) return '-';
  if (known.length === 1) return show(known[0] ?? 0);
  return `${show(median(known))} (${show(Math.min(...known))}-${show(Math.max(...known))})`;
}

const columns: [title: string, of: (round: Round) => number | null][] = [
  ['per second', (round) => round.perSecond],
  ['p50 ms', (round) => round.p50],
  ['p95 ms', (round) => round.p95],
  ['p99 ms', (round) => round.p99],
  ['server CPU ms', (round) => round.serverCpuMs],
  ['database CPU ms', (round) => round.databaseCpuMs],
];

export function table(rows: Row[]): string {
  const lines = [
    ['', ...columns.map(([title]) => title)],
    ...rows.map(({ name, rounds }) => [name, ...columns.map(([, of]) => spread(rounds.map(of)))]),
  ];
  const widths = lines[0]?.map((_, at) => Math.max(...lines.map((line) => line[at]?.length ?? 0))) ?? [];
  return lines
    .map((line) =>
      line
        .map((cell, at) => (at === 0 ? cell.padEnd(widths[at] ?? 0) : cell.padStart(widths[at] ?? 0)))
        .join('  '),
    )
    .join('\n');
}

function ratios(rows: Row[]): string[] {
  const perSecond = (name: string) =>
    median(rows.find((row) => row.name === name)?.rounds.map((round) => round.perSecond) ?? []);
  return ['refresh', 'introspection', 'userinfo'].flatMap((name) => {
    const plain = perSecond(`plain ${name}`);
    return plain > 0 ? [`${name} ${(perSecond(name) / plain).toFixed(2)}`] : [];
  });
}

/** CPU of our login by that of the plain provider, round by round: what slows one of a pair slows the other. */
function loginRatio(rows: Row[]): number | null {
  const cpu = (name: string) =>
    rows.find((row) => row.name === name)?.rounds.map(({ serverCpuMs }) => serverCpuMs ?? 0) ?? [];
  const plain = cpu('plain login');
  const pairs = cpu('login').flatMap((ours, n) => (plain[n] ? [ours / plain[n]] : []));
  return pairs.length > 0 ? median(pairs) : null;
}

/** The whole answer as people read it. */
export function textOf(figures: Figures): string {
  const { machine, postgres, rows, rssMb, settings, statements, users } = figures;
  const beside = ratios(rows);
  const cpu = loginRatio(rows);
  return [
    `${machine}, PostgreSQL ${postgres}, ${users} users`,
    `${settings.workers} workers, ${settings.rounds} interleaved rounds after ${settings.warmUp} logins; median (lowest-highest)`,
    '',
    table(rows),
    '',
    ...(beside.length > 0 ? [`times oidc-provider with a plain adapter: ${beside.join(', ')}`] : []),
    ...(cpu === null ? [] : [`CPU of a login: ${cpu.toFixed(2)} times that of the plain provider's`]),
    `one user at a time: p50 ${show(figures.oneUserP50)} ms for a login`,
    `SQL statements per login: ${statements.perLogin.toFixed(1)}, in ${statements.transactions.toFixed(1)} transactions (BEGIN and COMMIT not counted)`,
    `resident memory: ${show(rssMb.idle)} MB idle, ${show(rssMb.loaded)} MB loaded`,
    `ready after ${spread(figures.readyMs)} ms`,
    '',
  ].join('\n');
}

export const statementsText = ({ statements }: Figures): string =>
  `${statements.texts.map(([text, n]) => `${n.toFixed(2).padStart(6)}  ${text.replaceAll(/\s+/g, ' ').slice(0, 180)}`).join('\n')}\n`;
