import { isSecretName } from '../http/hide.ts';
import type { HttpDocument } from '../http/options.ts';
import { type Finding, warning } from './finding.ts';

/** Twilio's older path takes the same form; its API description names Messages.json only. */
export const retiredTwilioPath =
  /^(https:\/\/api\.twilio\.com\/2010-04-01\/Accounts\/[^/]+)\/SMS\/Messages\b/;

const retired: [pattern: RegExp, mend: string][] = [
  [retiredTwilioPath, 'the path is …/Messages.json now'],
  [
    /^https?:\/\/api\.clickatell\.com\/(?:rest|http|xml|soap)\b/,
    'use the preset clickatell, which speaks to platform.clickatell.com',
  ],
  [
    /^https?:\/\/(?:www\.)?bulksms\.vsms\.net\b|\/eapi\/submission\//,
    'use the preset bulksms, which speaks to api.bulksms.com',
  ],
  [
    /^https?:\/\/api\.nexmo\.com\/v0\.1\/(?:messages|dispatch)\b/,
    'use the preset vonage-messages; what Dispatch did is a workflow',
  ],
];

/** Answers 200 to everything and says in the body what became of it. */
const vonageSms = /^https?:\/\/rest\.nexmo\.com\/sms\/json\b/;
export const vonageSuccess = { pointer: '/messages/0/status', equals: '0' } as const;

export const isVonageSms = (url: string): boolean => vonageSms.test(url.trim());

/** What the URLs of a provider say about it. */
export function addressFindings(document: HttpDocument): Finding[] {
  const url = document.url.trim();
  const tokenUrl = document.auth?.oauth2?.tokenUrl;
  return [
    ...retired
      .filter(([pattern]) => pattern.test(url))
      .map(([, mend]) => warning('http.url', 'is an address that its vendor has retired', mend)),
    ...secretsInUrl(url),
    ...(document.allowPrivateNetwork ? [] : plainHttp('http.url', url)),
    ...(tokenUrl === undefined || document.allowPrivateNetwork
      ? []
      : plainHttp('http.auth.oauth2.tokenUrl', tokenUrl)),
  ];
}

export const plainHttp = (path: string, url: string): Finding[] =>
  /^\s*http:/i.test(url)
    ? [warning(path, 'is not encrypted: everybody on the way reads the codes', 'write https://')]
    : [];

function secretsInUrl(url: string): Finding[] {
  const names = [...url.matchAll(/[?&]([^=&#]+)=([^&#]+)/g)]
    .map(([, name = '']) => name)
    .filter((name) => isSecretName(name));
  const userInformation = /^[a-z]+:\/\/[^/?#]*@/i.test(url) ? ['the user information'] : [];
  const found = [...userInformation, ...names];
  if (found.length === 0) return [];
  const mend = 'send it in a header (auth) or in the payload, if the vendor takes it there';
  return [warning('http.url', `holds secrets (${found.join(', ')}), and URLs end up in logs`, mend)];
}

/** A rule of success that an answer which says no would satisfy. */
export function successFindings({ url, success, outcomes }: HttpDocument): Finding[] {
  const readsBody = success?.body !== undefined || outcomes?.some(({ body }) => body !== undefined);
  const findings: Finding[] = [];
  if (isVonageSms(url) && !readsBody) {
    const { pointer, equals } = vonageSuccess;
    const mend = `add success.body: { pointer: ${pointer}, equals: "${equals}" }`;
    findings.push(warning('http.success', 'takes every answer of status 200 for success, errors too', mend));
  }
  const failures = (success?.status ?? []).filter((status) => /^[345]|-[345]/.test(String(status)));
  if (failures.length > 0 && success?.body === undefined && success?.header === undefined) {
    const message = `takes the status ${failures.join(', ')} for success`;
    findings.push(warning('http.success.status', message, 'name the ones below 300 only'));
  }
  return findings;
}
