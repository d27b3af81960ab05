import type { AuthDocument } from '../auth/options.ts';
import { error, type Finding } from '../lint/finding.ts';
import { type flatten, nameOf, propertiesOf } from './members.ts';

export interface ReadAuthentication {
  auth: AuthDocument | null;
  /** What `auth` names by `$secret.<name>`. */
  secrets: [name: string, value: string][];
}

const none: ReadAuthentication = { auth: null, secrets: [] };

type Property = (name: string, ...others: string[]) => string;

/** What stands in the document itself where `authentication` is a text. */
export const liftedProperties = [
  ...[
    'username',
    'password',
    'accesstoken',
    'token',
    'bearertoken',
    'header',
    'headername',
    'value',
    'apikey',
  ],
  ...['tokenendpoint', 'tokenurl', 'clientid', 'clientsecret', 'scope', 'scopes'],
];

/** By {@link nameOf} of what the document says. */
const methods: Record<string, (property: Property) => ReadAuthentication> = {
  none: () => none,
  basic: (property) => ({
    auth: { basic: { username: literal(property('username')), password: '$secret.password' } },
    secrets: [['password', property('password')]],
  }),
  bearer: (property) => ({
    auth: { bearer: { token: '$secret.token' } },
    secrets: [['token', property('accesstoken', 'token', 'bearertoken')]],
  }),
  apikey: (property) => ({
    auth: { apiKey: { header: property('header', 'headername', 'name'), value: '$secret.apiKey' } },
    secrets: [['apiKey', property('value', 'apikey', 'key')]],
  }),
  oauth: oauth2,
  oauth2,
  clientcredential: oauth2,
  clientcredentials: oauth2,
};

function oauth2(property: Property): ReadAuthentication {
  const scope = property('scope', 'scopes');
  return {
    auth: {
      oauth2: {
        tokenUrl: property('tokenendpoint', 'tokenurl'),
        clientId: literal(property('clientid')),
        clientSecret: '$secret.clientSecret',
        ...(scope !== '' && { scope: literal(scope) }),
      },
    },
    secrets: [['clientSecret', property('clientsecret')]],
  };
}

/** A value of theirs is no template. */
const literal = (value: string): string => value.replaceAll('$', '$$$$');

/** Reads `authentication: BASIC` with its members under `properties`, or `authentication: { type, properties }`. */
export function readAuthentication(
  members: ReturnType<typeof flatten>,
  findings: Finding[],
): ReadAuthentication {
  const given = members.get('authentication')?.value;
  if (given === undefined || given === null || given === '') return none;
  const isText = typeof given === 'string';
  const { type, properties, ...beside } = (isText ? { type: given } : given) as Record<string, unknown>;
  const lifted = [...members].map(([name, { value }]): [string, unknown] => [name, value]);
  const method = methods[nameOf(String(type))];
  if (method === undefined) {
    const message = `“${String(type)}” is no authentication that is known`;
    findings.push(error('authentication', message, 'write NONE, BASIC, BEARER, API_KEY or OAuth'));
    return none;
  }
  const all = isText ? lifted : Object.entries({ ...beside, ...propertiesOf(properties) });
  const values = new Map(all.map(([name, value]) => [nameOf(name), String(value ?? '').trim()]));
  const missing = new Set<string>();
  const property: Property = (name, ...others) => {
    const value = [name, ...others].map((one) => values.get(one)).find((one) => one);
    if (value === undefined && name !== 'scope') missing.add(name);
    return value ?? '';
  };
  const read = method(property);
  for (const name of missing)
    findings.push(error('authentication', `lacks ${name}`, 'add it under authentication.properties'));
  return missing.size > 0 ? none : read;
}
