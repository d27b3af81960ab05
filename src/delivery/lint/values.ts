import type { ProviderDocument } from '../preset.ts';
import { plainHttp } from './addresses.ts';
import { error, type Finding, warning } from './finding.ts';

/**
 * What vendors' pages write where a customer's own value belongs. Only a whole value counts: a password may hold
 * anything.
 */
const samples = [
  /^<[^<>]+>$/,
  /^\{[A-Za-z_]\w*\}$/,
  /^\*{3,}$/,
  /^your[_-](?:[a-z]+[_-])*(?:key|token|secret|password|sid|id|number|name)$/i,
];
/** An id with its letters blotted out, as pages print it. */
const blotted = /^[A-Z]{0,3}X{8,}$/;

/** Values that are no templates: the sender, secrets, and what a vendor's preset is told. */
export function valueFindings(document: ProviderDocument): Finding[] {
  const { enabled, from, preset, secrets = {} } = document;
  const options = preset === 'http' ? {} : ((document[preset] ?? {}) as Record<string, unknown>);
  const values: [path: string, value: unknown][] = [
    ['from', from],
    ...Object.entries(secrets).map(([name, value]): [string, unknown] => [`secrets.${name}`, value]),
    ...Object.entries(options).map(([name, value]): [string, unknown] => [`${preset}.${name}`, value]),
  ];
  const addresses = ['baseUrl', 'url'].flatMap((name) => {
    const { [name]: url, allowPrivateNetwork } = options;
    const inside = String(allowPrivateNetwork) === 'true';
    return typeof url !== 'string' || inside ? [] : plainHttp(`${preset}.${name}`, url);
  });
  return [...values.flatMap(([path, value]) => left(path, value, enabled ?? true)), ...addresses];
}

function left(path: string, value: unknown, enabled: boolean): Finding[] {
  if (typeof value !== 'string') return [];
  const written = value.trim();
  if (samples.some((sample) => sample.test(written)))
    return [error(path, 'was left in from an example', 'put your own value there')];
  return enabled && blotted.test(written)
    ? [warning(path, 'looks as if it was left in from an example', 'put your own value there')]
    : [];
}
