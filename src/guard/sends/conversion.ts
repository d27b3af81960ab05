import type { SendsDocument } from './settings.ts';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

/** Days before today that say what is usual. */
export const usualDays = 7;

/** The counters of one country and day stand in so many rows, so that its logins do not wait for one of them. */
export const shards = 8;

/** A country's messages as counted before this one: marks `s<hour>` sent and `v<hour>` not counting against it. */
export interface DayCount {
  /** Days since the epoch, UTC. */
  day: number;
  marks: Record<string, number>;
}

export const dayOf = (at: Date): number => Math.floor(at.getTime() / DAY_MS);
export const hourOf = (at: Date): number => at.getUTCHours();

export interface ConversionFigures {
  window: 'hour' | 'day';
  sent: number;
  unverified: number;
  /** Usual messages in the window. */
  usual: number;
  /** Usual share that is verified, in percent. */
  usualPercent: number;
  excess: number;
  budget: number;
  retryAt: Date;
}

interface Sums {
  sent: number;
  settled: number;
}

function sumOf(counts: DayCount[], hour?: number): Sums {
  const sums = { sent: 0, settled: 0 };
  for (const { marks } of counts) {
    for (const [name, n] of Object.entries(marks)) {
      if (hour !== undefined && name.slice(1) !== String(hour)) continue;
      if (name.startsWith('s')) sums.sent += n;
      else sums.settled += n;
    }
  }
  return sums;
}

/**
 * Whether a country gets more messages that nobody uses than it usually does. What counts is the excess: a country in
 * which three of ten codes are never typed may go on like that in any rush. A country without a history usually
 * verifies everything, so that whoever starts to pump there has the smallest budget. Chance alone explains some excess:
 * three standard deviations of it are no sign of anything.
 */
export function judgeConversion(
  counts: DayCount[],
  rules: SendsDocument['conversion'],
  now: Date,
): ConversionFigures | null {
  const today = dayOf(now);
  const before = counts.filter(({ day }) => day < today);
  const past = sumOf(before);
  const days = before.length === 0 ? 1 : today - Math.min(...before.map(({ day }) => day));
  const usual = past.sent / days;
  const share = past.sent === 0 ? 1 : Math.min(1, past.settled / past.sent);
  const ofToday = counts.filter(({ day }) => day === today);
  const dayStart = today * DAY_MS;
  const hour = hourOf(now);
  const windows = [
    {
      ...{ window: 'hour' as const, sums: sumOf(ofToday, hour), usual: usual / 24 },
      ...{ least: rules.hourly, percent: rules.hourlyPercent, end: dayStart + (hour + 1) * HOUR_MS },
    },
    {
      ...{ window: 'day' as const, sums: sumOf(ofToday), usual, least: rules.daily },
      ...{ percent: rules.dailyPercent, end: dayStart + DAY_MS },
    },
  ];
  for (const { end, least, percent, sums, usual: expected, window } of windows) {
    const unverified = Math.max(0, sums.sent - sums.settled);
    const excess = unverified - (1 - share) * sums.sent;
    const chance = 3 * Math.sqrt(sums.sent * share * (1 - share));
    const budget = Math.max(least, (percent / 100) * expected, chance);
    if (excess < budget) continue;
    return {
      ...{ window, sent: sums.sent, unverified, usual: Math.round(expected) },
      usualPercent: Math.round(share * 100),
      ...{ excess: Math.round(excess), budget: Math.round(budget), retryAt: new Date(end) },
    };
  }
  return null;
}

/** Whether the country's first message is too young to judge it by. */
export function isLearning(counts: DayCount[], learningMs: number, now: Date): boolean {
  const first = counts.flatMap(({ day, marks }) =>
    Object.keys(marks)
      .filter((name) => name.startsWith('s'))
      .map((name) => day * DAY_MS + Number(name.slice(1)) * HOUR_MS),
  );
  return first.length === 0 || Math.min(...first) > now.getTime() - learningMs;
}
