import { isSecretName } from '../http/hide.ts';
import { error, type Finding } from './finding.ts';
import { literals, type Template } from './templates.ts';

const own = 'put your own value there, or $secret.<name>';

/** What vendors' documents write where a customer's own value belongs. */
const samples: [pattern: RegExp, fits: (template: Template) => boolean][] = [
  // In JSON an e-mail may hold HTML.
  [/<[A-Za-z][\w .-]*>/g, ({ kind, source }) => !isMarkup(kind) && !/<\/|\/>/.test(source)],
  [/\{[A-Za-z_]\w*\}/g, ({ kind }) => !isMarkup(kind)],
  [/\*{3,}/g, ({ kind }) => !isMarkup(kind)],
  [/\bYOUR[_-][A-Z_-]+\b/g, () => true],
];

const isMarkup = (kind: Template['kind']): boolean => kind === 'XML' || kind === 'TEXT';

/** `base64{AccountSID:AuthToken}`, `urlencode{FROM_NUM}`: what stands in a function is a value or the name of one. */
const nameOfValue = /\b(?:[A-Z]+_[A-Z_]+|account_?sid|auth_?(?:token|id)|api_?(?:key|secret))\b/gi;

/** Sample values that nobody has replaced, and placeholders without their dollar sign. */
export function leftovers(template: Template): Finding[] {
  const found = new Map<string, Finding>();
  for (const { text, inFunction } of literals(template.nodes)) {
    for (const [pattern, fits] of samples) {
      if (!fits(template)) continue;
      for (const [sample] of text.matchAll(pattern)) found.set(sample, leftIn(template.path, sample));
    }
    if (inFunction)
      for (const [sample] of text.matchAll(nameOfValue)) found.set(sample, leftIn(template.path, sample));
    for (const [name] of text.matchAll(
      /(?<![\w.$])(?:ctx\.(?:num|msg|otp|from)|num\.(?:digits|national))\b/g,
    ))
      found.set(name, error(template.path, `${name} lacks its dollar sign`, `did you mean $${name}?`));
  }
  return [...found.values(), ...emptyCredential(template)];
}

const leftIn = (path: string, sample: string): Finding =>
  error(path, `“${sample}” was left in from an example`, own);

/** `Authorization: bearer ` says who asks and then nothing. */
function emptyCredential({ path, name, source }: Template): Finding[] {
  if (name === undefined || !isSecretName(name)) return [];
  return /^(?:bearer|basic|app|accesskey|token|key)?$/i.test(source.trim())
    ? [error(path, `the header ${name} holds no key`, own)]
    : [];
}
