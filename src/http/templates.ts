import { readdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join, relative } from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';
import type Library from 'handlebars';
import type { Text } from '../lib/texts.ts';

/** In one file; the door of the package opens forty, among them what maps sources. */
const Handlebars = createRequire(import.meta.url)('handlebars/dist/handlebars.js') as typeof Library;

/**
 * Strict: a misspelt member is an error in the test that renders the page, not a hole in it.
 * Unknown helpers are refused when the template is compiled.
 */
export const compileOptions = {
  strict: true,
  knownHelpersOnly: true,
  knownHelpers: {
    t: true,
    say: true,
    emphasise: true,
    asset: true,
    eq: true,
    any: true,
    wait: true,
    steps: true,
    lead: true,
    initial: true,
    contact: true,
  },
};

/** Up to 90 s, up to 90 min, and what is longer. The script that counts down does the same. */
function waitOf(seconds: number): { key: string; values: { count: number } } {
  if (seconds <= 90) return { key: 'page.wait', values: { count: seconds } };
  const minutes = Math.ceil(seconds / 60);
  if (minutes <= 90) return { key: 'page.waitMinutes', values: { count: minutes } };
  return { key: 'page.waitHours', values: { count: Math.ceil(minutes / 60) } };
}

export interface TemplateDeps {
  viewsDir: string;
  translate: (locale: string, text: Text) => string;
  /** The address of a file of `views/assets`. */
  assetUrl: (file: string) => string;
}

export interface Templates {
  /** A Handlebars of our own with helpers and partials. */
  engine: typeof Handlebars;
  /** Compiles every template once, so that none fails later; requests get their turn in between. */
  check(): Promise<void>;
}

export function loadTemplates(deps: TemplateDeps): Templates {
  const engine = Handlebars.create();
  registerHelpers(engine, deps);
  const files = templateFiles(deps.viewsDir);
  const partials = new Set(files.filter((file) => dirname(file) === 'partials').map(nameOf));
  const sourceOf = (file: string) => readFileSync(join(deps.viewsDir, file), 'utf8');
  for (const file of files) {
    if (dirname(file) === 'partials') engine.registerPartial(nameOf(file), sourceOf(file));
  }
  return {
    engine,
    async check() {
      for (const file of files) {
        await nextTurn();
        compileOnce(engine, file, sourceOf(file), partials);
      }
    },
  };
}

/** Every template below the folder, as a path relative to it. */
export function templateFiles(viewsDir: string): string[] {
  return readdirSync(viewsDir, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith('.hbs'))
    .map((entry) => relative(viewsDir, join(entry.parentPath, entry.name)))
    .sort();
}

const nameOf = (file: string) => file.slice(file.lastIndexOf('/') + 1, -'.hbs'.length);

function compileOnce(engine: typeof Handlebars, file: string, source: string, partials: Set<string>): void {
  try {
    engine.precompile(source, compileOptions);
  } catch (error) {
    throw new Error(`views/${file}: ${(error as Error).message}`, { cause: error });
  }
  for (const [, name] of source.matchAll(/\{\{#?>\s*([\w-]+)/g)) {
    if (name !== undefined && !partials.has(name))
      throw new Error(`views/${file}: there is no partial "${name}"`);
  }
}

const rightToLeft = /[\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufefc]/u;

/**
 * A value in Hebrew or Arabic is set apart, so that it does not turn what stands around it in the sentence
 * (Unicode Standard Annex 9, isolates).
 */
function apart(values: NonNullable<Text['values']>): NonNullable<Text['values']> {
  if (!Object.values(values).some((value) => rightToLeft.test(String(value)))) return values;
  return Object.fromEntries(
    Object.entries(values).map(([name, value]) => [
      name,
      rightToLeft.test(String(value)) ? `\u2068${value}\u2069` : value,
    ]),
  );
}

function registerHelpers(engine: typeof Handlebars, deps: TemplateDeps): void {
  const localeOf = (options: Library.HelperOptions): string => options.data.root.locale;
  const translate = (text: Text | string, options: Library.HelperOptions) => {
    const { key, values = {} } = typeof text === 'string' ? { key: text, values: options.hash } : text;
    return deps.translate(localeOf(options), { key, values: apart(values) });
  };
  const escaped = engine.escapeExpression;
  engine.registerHelper({
    /** `{{t 'key' name=value}}`, or `{{t text}}` with a Text value. */
    t: translate,
    /** What may be a Text or a finished string (a country's name). */
    say: (value: Text | string, options) => (typeof value === 'string' ? value : translate(value, options)),
    /** Like `t`, the values in bold. Sentence and values are escaped each by itself. */
    emphasise: (key: string, options: Library.HelperOptions) => {
      const marked = Object.fromEntries(
        Object.keys(options.hash).map((name) => [name, `\u0001${name}\u0002`]),
      );
      const html = escaped(deps.translate(localeOf(options), { key, values: marked })).replace(
        // biome-ignore lint/suspicious/noControlCharactersInRegex: marks that no text contains
        /\u0001(\w+)\u0002/g,
        (_, name: string) => `<strong>${escaped(String(options.hash[name]))}</strong>`,
      );
      return new engine.SafeString(html);
    },
    asset: (file: string) => new engine.SafeString(deps.assetUrl(file)),
    eq: (one: unknown, other: unknown) => one === other,
    /** The items whose member has the value; false when there are none. */
    any: (items: Record<string, unknown>[], member: string, value: unknown) => {
      const found = items.filter((item) => item[member] === value);
      return found.length > 0 && found;
    },
    /** How long from one moment to a later one: “in 23 s”. Empty when that has passed or is not given. */
    wait: (until: number | undefined, from: number, options: Library.HelperOptions) => {
      const seconds = until === undefined ? 0 : Math.ceil((until - from) / 1000);
      if (seconds <= 0) return '';
      return deps.translate(localeOf(options), waitOf(seconds));
    },
    /** One item per step, true for those reached. */
    steps: (current: number, total: number) => Array.from({ length: total }, (_, index) => index < current),
    /** Who asks, said from the second step on: the first one's heading says it already. */
    lead: (progress: { current: number } | null) =>
      progress && progress.current > 1 ? 'page.signInTo' : null,
    /** The address to press for an e-mail address, phone number or URL; empty for a sentence. */
    contact: (value: string) => {
      if (/^https?:\/\//i.test(value)) return value;
      if (/^\S+@\S+$/.test(value)) return `mailto:${value}`;
      return /^\+?[\d ()/.-]{5,}$/.test(value) ? `tel:${value.replace(/[^\d+]/g, '')}` : '';
    },
    /** The letter that stands for an app without a logo. */
    initial: (name: string) => (name.match(/[\p{L}\p{N}]/u)?.[0] ?? '·').toUpperCase(),
  });
}
