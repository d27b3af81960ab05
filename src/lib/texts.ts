/** A text to be shown: its key in the catalogue and the values of its `{placeholders}`. Never a finished sentence. */
export interface Text {
  /** `<feature>.<name>`, for instance `sms-otp.sentTo`. */
  key: string;
  values?: Record<string, string | number>;
}

/**
 * English texts by key. A value is a sentence with `{name}` placeholders, or plural forms by the categories of
 * `Intl.PluralRules` of the value named `count`.
 */
export type Catalogue = Record<string, string | { one?: string; few?: string; many?: string; other: string }>;

/** Makes a {@link Text}. */
export const text = (key: string, values?: Record<string, string | number>): Text =>
  values === undefined ? { key } : { key, values };
