/** Something about a provider's document that is probably not meant. */
export interface Finding {
  /** `error`: nobody can want it sent like this. `warning`: it works, and may be wrong all the same. */
  level: 'error' | 'warning';
  /** Within the provider: `http.headers.Authorization`. */
  path: string;
  message: string;
  /** What to do about it. */
  mend: string;
}

export const error = (path: string, message: string, mend: string): Finding => ({
  ...{ level: 'error', path, message, mend },
});

export const warning = (path: string, message: string, mend: string): Finding => ({
  ...{ level: 'warning', path, message, mend },
});

/** In one sentence, for lists that have no column for the remedy. */
export const sentence = ({ message, mend }: Pick<Finding, 'message' | 'mend'>): string =>
  mend === '' ? message : `${message}: ${mend}`;
