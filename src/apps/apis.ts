import type { Fault } from '../lib/problem.ts';
import { Type } from '../lib/schema.ts';
import type { AppDocument } from './document.ts';

/** An API for which an app may get access tokens. */
export const apiSchema = Type.Object(
  {
    audience: Type.String({
      description: 'Its URI: what the app sends as `resource`, and the `aud` of the token.',
      maxLength: 500,
    }),
    name: Type.String({
      description: 'What users read when they are asked for consent.',
      minLength: 1,
      maxLength: 100,
    }),
    scopes: Type.Array(Type.String({ pattern: '^[\\x21\\x23-\\x5B\\x5D-\\x7E]+$' }), {
      description: 'What the app may ask for there.',
      minItems: 1,
      uniqueItems: true,
    }),
    tokenFormat: Type.Enum(['jwt', 'opaque'], {
      description:
        'jwt (RFC 9068): the API checks it by itself, and it holds until it runs out. opaque: the API asks /introspect, and an ended session ends it.',
      default: 'jwt',
    }),
    client: Type.Optional(
      Type.String({ description: 'The app as which the API asks /introspect about opaque tokens.' }),
    ),
  },
  { additionalProperties: false },
);

/** What is wrong with an app's APIs and with what it may do there, beyond the schema. */
export function faultsOfApis(
  { resources, grantTypes }: AppDocument,
  oidcScopes: ReadonlySet<string>,
): Fault[] {
  const faults: Fault[] = [];
  const seen = new Set<string>();
  for (const [index, { audience, scopes, tokenFormat, client }] of resources.entries()) {
    const path = `resources[${index}]`;
    const url = URL.parse(audience);
    if (url === null || audience.includes('#') || /\s/u.test(audience)) {
      faults.push({
        path: `${path}.audience`,
        message: `'${audience}' is no absolute URI without a fragment`,
      });
    }
    if (seen.has(audience))
      faults.push({ path: `${path}.audience`, message: `'${audience}' stands here twice` });
    seen.add(audience);
    const taken = scopes.filter((scope) => oidcScopes.has(scope));
    if (taken.length > 0) {
      const message = `holds '${taken.join("', '")}', which belongs to OpenID Connect`;
      faults.push({ path: `${path}.scopes`, message });
    }
    if (tokenFormat === 'opaque' && client === undefined) {
      faults.push({
        path: `${path}.client`,
        message: 'is missing: nobody could read opaque tokens of this API',
      });
    }
    if (tokenFormat === 'jwt' && client !== undefined) {
      faults.push({
        path: `${path}.client`,
        message: 'has no meaning with jwt, which the API reads by itself',
      });
    }
  }
  if (grantTypes.includes('client_credentials') && resources.length === 0) {
    const message = 'must hold an API: tokens of client_credentials are for nothing else';
    faults.push({ path: 'resources', message });
  }
  return faults;
}
