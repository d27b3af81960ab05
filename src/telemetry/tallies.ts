type Labels = Record<string, string>;

/** How often something happened, for each set of labels. */
export interface Tally {
  name: string;
  help: string;
  labelNames: string[];
  add(labels?: Labels): void;
  counts(): { labels: Labels; n: number }[];
}

/** Labels are few and their values too: what is counted is bounded by what is configured. */
export function createTally(name: string, help: string, labelNames: string[] = []): Tally {
  const counted = new Map<string, { labels: Labels; n: number }>();
  return {
    ...{ name, help, labelNames },
    add(labels = {}) {
      const key = labelNames.map((label) => labels[label]).join('\n');
      const known = counted.get(key);
      if (known) known.n += 1;
      else counted.set(key, { labels, n: 1 });
    },
    counts: () => [...counted.values()],
  };
}
