import type { HttpDocument } from '../http/options.ts';
import type { ProviderDocument } from '../preset.ts';
import { addressFindings, successFindings } from './addresses.ts';
import { type Finding, warning } from './finding.ts';
import { leftovers } from './leftovers.ts';
import { brokenJson, padding } from './payload.ts';
import { namesIn, templatesOf } from './templates.ts';
import { valueFindings } from './values.ts';

/**
 * What a provider's document says and probably does not mean. Looks at the text alone: a document that lacks what the
 * schema demands, or whose templates cannot be read, is judged elsewhere.
 */
export function lintProvider(document: ProviderDocument): Finding[] {
  const http = document.http as HttpDocument | undefined;
  const values = valueFindings(document);
  return document.preset !== 'http' || typeof http?.url !== 'string'
    ? values
    : [...values, ...templateFindings(document, http)];
}

function templateFindings(document: ProviderDocument, http: HttpDocument): Finding[] {
  const templates = templatesOf(http);
  const used = new Set(templates.flatMap(({ nodes }) => namesIn(nodes)));
  return [
    ...templates.flatMap(leftovers),
    ...templates.flatMap(brokenJson),
    ...templates.flatMap(padding),
    ...addressFindings(http),
    ...successFindings(http),
    ...neverUsed(document, used),
  ];
}

function neverUsed(document: ProviderDocument, used: Set<string>): Finding[] {
  const findings: Finding[] = [];
  const names = [...used];
  const whole = (document.http as HttpDocument).payload ?? '';
  // A payload or URL that is one reference is read when the provider is loaded, and not here.
  if (/\$\{(?:env|file):/.test(whole + (document.http as HttpDocument).url)) return findings;
  if (!names.some((name) => name === 'ctx.num' || name.startsWith('num.')))
    findings.push(warning('http', 'never says the number', 'put $ctx.num where the gateway wants it'));
  if (!used.has('ctx.msg') && !used.has('ctx.otp'))
    findings.push(warning('http', 'never says the text', 'put $ctx.msg where the gateway wants it'));
  for (const name of Object.keys(document.secrets ?? {})) {
    if (used.has(`secret.${name}`)) continue;
    findings.push(warning(`secrets.${name}`, 'is never used', `write $secret.${name} where it belongs`));
  }
  return findings;
}
