import { stored } from '../../config/index.ts';
import { secretMembers } from '../auth/options.ts';
import { type HeadersDocument, readHeaders } from '../template/headers.ts';

const secretName = /auth|token|secret|passw|pwd|cookie|credential|api[-_]?key|(^|[-_])key$|signature/i;

/** Whether a header or parameter of this name is likely to carry a credential. */
export const isSecretName = (name: string): boolean => secretName.test(name);

/** With a bound on what stands around the word: without one a long text takes the square of its length. */
const credential =
  '(?:[\\w.-]{0,100}(?:auth|token|secret|passw|pwd|api[-_]?key|credential|signature)[\\w.-]{0,100}|key)';
/** `name=value` in a query or a form, and `"name": "value"` in JSON; the value a literal. */
const inText = new RegExp(`((?:[?&]|^)${credential}=|"${credential}"\\s*:\\s*")([^&"$\\s]+)`, 'gi');
const userInformation = /^([a-z]+:\/\/)([^/?#@$]+)(?=@)/i;

/** Holds a reference or `$secret.…`: not the secret itself, only its name. */
export const isIndirect = (value: string): boolean => /\$\{(?:env|file):|\$secret\./.test(value);

const hideInText = (text: string): string =>
  text
    .replace(userInformation, (_, scheme: string) => `${scheme}${stored}`)
    .replace(inText, (_, before: string) => `${before}${stored}`);

/** The literals that look like credentials in a URL or a payload. */
export const credentialsIn = (text: string): string[] =>
  [...text.matchAll(inText)].map(([, , value]) => value ?? '');

/** Headers written as one string come out as a map when one of them has to be hidden. */
function hideHeaders(headers: HeadersDocument): HeadersDocument {
  const entries = readHeaders(headers, []).map(({ name, value }) => [name, value] as const);
  const isHidden = ([name, value]: readonly [string, string]) => isSecretName(name) && !isIndirect(value);
  if (!entries.some(isHidden)) return headers;
  return Object.fromEntries(entries.map(([name, value]) => [name, isHidden([name, value]) ? stored : value]));
}

type Members = Record<string, unknown>;

/** What stands in `auth` is meant for a credential, whatever it looks like. */
function hideAuth(auth: Record<string, Members>): Record<string, Members> {
  const hidden = { ...auth };
  const tokenUrl = auth.oauth2?.tokenUrl;
  if (typeof tokenUrl === 'string') hidden.oauth2 = { ...auth.oauth2, tokenUrl: hideInText(tokenUrl) };
  for (const [method, member] of secretMembers) {
    const value = hidden[method]?.[member];
    if (typeof value === 'string' && !isIndirect(value))
      hidden[method] = { ...hidden[method], [member]: stored };
  }
  return hidden;
}

/** The options of an `http` provider; credentials that are written out in them are replaced by `${stored}`. */
export function hideHttp(options: Record<string, unknown>): Record<string, unknown> {
  const hidden = { ...options };
  for (const member of ['url', 'payload', 'proxy']) {
    const value = hidden[member];
    if (typeof value === 'string') hidden[member] = hideInText(value);
  }
  if (hidden.auth !== undefined) hidden.auth = hideAuth(hidden.auth as Record<string, Members>);
  if (hidden.headers !== undefined) hidden.headers = hideHeaders(hidden.headers as HeadersDocument);
  return hidden;
}
