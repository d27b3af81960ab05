import type { FlowFigures, FlowShown, FlowSummary } from '../../flows/index.ts';

/** Columns side by side, each as wide as its widest cell. */
export function table(rows: string[][]): string {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  return rows
    .map((row) => `${row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join('  ')}`.trimEnd())
    .map((line) => `${line}\n`)
    .join('');
}

export function listPage(flows: FlowSummary[]): string {
  const none = flows.every(({ builtIn }) => builtIn !== null)
    ? 'None of your own. See config/flows.yaml, or sallyport flow template.\n'
    : '';
  const rows = table(
    flows.map(({ id, name, builtIn, published, trial, draft, apps }) => [
      id,
      published === null ? (builtIn === null ? 'not published' : 'built in') : `version ${published}`,
      trial === null ? '' : `version ${trial.version} for ${trial.share} %`,
      draft === null ? '' : `draft ${draft}`,
      name,
      apps.length === 0 ? '(no app)' : apps.join(', '),
    ]),
  );
  return `${none}${rows}`;
}

export function showPage(shown: FlowShown, yaml: string): string {
  const { apps, builtIn, id, name, version, versions } = shown;
  const rows = versions.map((one) => [
    String(one.version),
    one.status === 'trial' ? `for ${one.share} %` : one.status,
    one.publishedAt === null ? '' : `${begin(one.status)} ${one.publishedAt}${by(one.publishedBy)}`,
    `made ${one.createdAt}${by(one.createdBy)}`,
    one.running === 0 ? '' : `${one.running} under way`,
    one.note ?? '',
  ]);
  const used = apps.length === 0 ? 'No app uses it.' : `Used by ${apps.join(', ')}.`;
  if (builtIn !== null) return `${name} (${id})\n${used}\nIt is built in: ${builtIn}.\n\n${yaml}`;
  return `${name} (${id})\n${used}\n\n${table(rows)}\nVersion ${version}:\n\n${yaml}`;
}

/** When sign-ins began to take it. */
const begin = (status: string): string => (status === 'archived' ? 'from' : 'since');

const by = (who: string | null): string => (who === null ? '' : ` by ${who}`);

export function figuresPage({ flow, version, from, to, totals, steps }: FlowFigures): string {
  const { started, finished, failed, abandoned } = totals;
  const of = version === null ? flow : `${flow}, version ${version}`;
  const under = started - finished - failed - abandoned;
  const head =
    `${of}, ${from} to ${to}\n` +
    `${started} sign-ins begun: ${finished} finished, ${failed} failed, ${abandoned} abandoned, ${under} under way\n`;
  const rows = steps.flatMap(({ step, pages, skipped }) => [
    ...pages.map((page) => [
      step,
      page.method ?? '(choice)',
      ...[page.shown, page.passed, page.failed, page.abandoned].map(String),
      seconds(page.p50Ms),
      seconds(page.p95Ms),
    ]),
    ...Object.entries(skipped).map(([reason, logins]) => [step, `skipped: ${reason} (${logins})`]),
  ]);
  if (rows.length === 0) return head;
  const columns = ['step', 'page', 'shown', 'passed', 'wrong', 'left', 'half within', '95 of 100 within'];
  return `${head}\n${table([columns, ...rows])}`;
}

const seconds = (ms: number | null): string => (ms === null ? '-' : `${(ms / 1_000).toFixed(1)} s`);
