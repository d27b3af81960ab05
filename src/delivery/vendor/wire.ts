import { isLoopback } from '../../lib/network.ts';
import type { Dispatch, GatewayRequest } from '../preset.ts';
import { percent } from '../template/encode.ts';

/** RFC 7617, in UTF-8. */
export const basicAuthorization = (user: string, password: string): string =>
  `Basic ${Buffer.from(`${user}:${password}`, 'utf8').toString('base64')}`;

/** E.164 without the plus sign, which many gateways refuse. */
export const digitsOf = (number: string): string => number.replace(/[^0-9]/g, '');

/** Numbers as digits, names as they are: what most APIs want of a sender. */
export const senderOf = (from: string): string => (/^\+[0-9]+$/.test(from) ? digitsOf(from) : from);

/** One segment of a path. */
export const segment = (value: string): string => percent(value.toWellFormed());

/** What UTF-8 cannot carry becomes U+FFFD, as in templates. */
const wellFormed = (_name: string, value: unknown): unknown =>
  typeof value === 'string' ? value.toWellFormed() : value;

/** Members that are undefined are left out. Asks of each member only where one was written as an escaped surrogate. */
export function toJson(value: unknown): string {
  const json = JSON.stringify(value);
  return json.includes('\\ud') ? JSON.stringify(value, wellFormed) : json;
}

export function postJson(path: string, body: unknown, headers: [string, string][] = []): GatewayRequest {
  const all: [string, string][] = [
    ...headers,
    ['Content-Type', 'application/json'],
    ['Accept', 'application/json'],
  ];
  return { method: 'POST', path, headers: all, body: toJson(body) };
}

export type Field = [name: string, value: string | null | undefined];

/** `application/x-www-form-urlencoded`; fields without a value are left out. */
export const toForm = (fields: Field[]): string =>
  fields
    .filter((field): field is [string, string] => field[1] !== null && field[1] !== undefined)
    .map(([name, value]) => `${segment(name)}=${segment(value)}`)
    .join('&');

export const postForm = (path: string, fields: Field[]): GatewayRequest => ({
  method: 'POST',
  path,
  headers: [
    ['Content-Type', 'application/x-www-form-urlencoded'],
    ['Accept', 'application/json'],
  ],
  body: toForm(fields),
});

/** Where the gateway may report to; none when that is this machine, which vendors refuse together with the message. */
export const callbackOf = ({ callback }: Pick<Dispatch, 'callback'>): string | undefined =>
  isLoopback(new URL(callback).hostname) ? undefined : callback;
