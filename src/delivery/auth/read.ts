import { createHmac } from 'node:crypto';
import type { TemplateReader } from '../http/reader.ts';
import { MASK } from '../mask.ts';
import type { Authorizer, GatewayRequest, ProviderDraft } from '../preset.ts';
import { percent } from '../template/encode.ts';
import { readHeaders } from '../template/headers.ts';
import { compileHeader } from '../template/payload.ts';
import { compile } from '../template/template.ts';
import { compileUrl } from '../template/url.ts';
import type { AuthDocument, HmacDocument, OAuth2Document } from './options.ts';
import { readSignedToken, type SignToken } from './signed-token.ts';
import { createTokenSource } from './tokens.ts';

/** What the member `auth` comes to. */
export interface Authorization {
  /** A header that is the same for every message. */
  header: { name: string; value: string } | null;
  authorizer: Authorizer | null;
  /** Name of the header that it writes. */
  writes: string | null;
  tokenOrigin: string | null;
}

const nothing: Authorization = { header: null, authorizer: null, writes: null, tokenOrigin: null };

/** Reads `http.auth`. What is wrong is reported with its path. */
export function readAuth(
  document: AuthDocument | undefined,
  reader: TemplateReader,
  draft: ProviderDraft,
): Authorization {
  const { basic, bearer, apiKey, oauth2, jwt, hmac } = document ?? {};
  const text = (path: string, written: string) => readConstant(`http.auth.${path}`, written, reader, draft);
  const secret = (path: string, written: string) => {
    const value = text(path, written);
    if (value !== null) reader.secrets.add(value);
    return value;
  };
  if (basic) {
    const username = text('basic.username', basic.username) ?? '';
    const password = secret('basic.password', basic.password) ?? '';
    // RFC 7617: the first colon ends the name.
    if (username.includes(':')) draft.fault('http.auth.basic.username', 'cannot hold a colon');
    return fixed('Authorization', basicOf(username, password), 'basic.password', draft);
  }
  if (bearer) {
    return fixed('Authorization', `Bearer ${secret('bearer.token', bearer.token)}`, 'bearer.token', draft);
  }
  if (apiKey) {
    const name = readName('apiKey.header', apiKey.header, draft);
    return fixed(name, secret('apiKey.value', apiKey.value) ?? '', 'apiKey.value', draft);
  }
  if (oauth2) return readOAuth2(oauth2, { text, secret }, reader, draft);
  if (jwt) {
    const keyId = jwt.keyId === undefined ? null : text('jwt.keyId', jwt.keyId);
    const sign = readSignedToken(jwt, secret('jwt.privateKey', jwt.privateKey), keyId, reader, draft);
    return sign === null ? nothing : { ...nothing, writes: 'authorization', authorizer: signing(sign) };
  }
  return hmac ? readHmac(hmac, secret('hmac.secret', hmac.secret) ?? '', reader, draft) : nothing;
}

type ReadText = (path: string, written: string) => string | null;

const basicOf = (username: string, password: string): string =>
  `Basic ${Buffer.from(`${username}:${password}`, 'utf8').toString('base64')}`;

function fixed(name: string, value: string, path: string, draft: ProviderDraft): Authorization {
  if (/\p{Cc}/u.test(value)) draft.fault(`http.auth.${path}`, 'a header cannot carry control characters');
  return { ...nothing, header: { name, value: value.trim() }, writes: name.toLowerCase() };
}

function readName(path: string, name: string, draft: ProviderDraft): string {
  const faults: { path: string; message: string }[] = [];
  readHeaders({ [name]: '' }, faults);
  for (const { message } of faults) draft.fault(`http.auth.${path}`, message);
  return name.trim();
}

/** Text that no message changes: literals, secrets, references. */
function readConstant(
  path: string,
  written: string,
  reader: TemplateReader,
  draft: ProviderDraft,
): string | null {
  const pieces = reader.read(path, written, (nodes) => compile(nodes, () => 'text', reader.constants));
  if (pieces === null) return null;
  if (pieces.some((piece) => typeof piece !== 'string')) {
    draft.fault(path, 'cannot come from the message');
    return null;
  }
  return pieces.join('');
}

function readOAuth2(
  document: OAuth2Document,
  { text, secret }: { text: ReadText; secret: ReadText },
  reader: TemplateReader,
  draft: ProviderDraft,
): Authorization {
  const path = 'http.auth.oauth2.tokenUrl';
  const clientId = text('oauth2.clientId', document.clientId) ?? '';
  const clientSecret = secret('oauth2.clientSecret', document.clientSecret) ?? '';
  const scope = document.scope === undefined ? null : text('oauth2.scope', document.scope);
  const url = reader.readWhole(path, document.tokenUrl.trim(), (nodes, faults) =>
    compileUrl(nodes, reader.constants, faults),
  );
  if (url === null) return nothing;
  if (url.authorization !== null) draft.fault(path, 'cannot hold user information');
  if (url.path.some((piece) => typeof piece !== 'string')) {
    draft.fault(path, 'cannot come from the message');
    return nothing;
  }
  const form = new URLSearchParams({ grant_type: 'client_credentials', ...(scope && { scope }) });
  const headers: GatewayRequest['headers'] = [
    ['Content-Type', 'application/x-www-form-urlencoded'],
    ['Accept', 'application/json'],
  ];
  if (document.credentials === 'body') {
    form.set('client_id', clientId);
    form.set('client_secret', clientSecret);
  } else {
    // RFC 6749, section 2.3.1: both are encoded as in a form first.
    headers.push(['Authorization', basicOf(percent(clientId), percent(clientSecret))]);
  }
  const request: GatewayRequest = { method: 'POST', path: url.path.join(''), headers, body: form.toString() };
  const tokens = createTokenSource(url.origin, request);
  return {
    header: null,
    writes: 'authorization',
    tokenOrigin: url.origin,
    authorizer: {
      async authorize(written, _message, means) {
        const token = await tokens.get(means);
        return { request: withHeader(written, 'Authorization', `Bearer ${token}`), secrets: [token] };
      },
      preview: (written) => withHeader(written, 'Authorization', `Bearer ${MASK}`),
      refused: ({ secrets: [token = ''] }) => tokens.forget(token),
    },
  };
}

const withHeader = (request: GatewayRequest, name: string, value: string): GatewayRequest => ({
  ...request,
  headers: [...request.headers, [name, value]],
});

const signing = (sign: SignToken): Authorizer => ({
  async authorize(request, message, { now }) {
    const token = await sign(message, now);
    return { request: withHeader(request, 'Authorization', `Bearer ${token}`), secrets: [token] };
  },
  preview: (request) => withHeader(request, 'Authorization', `Bearer ${MASK}`),
});

function readHmac(
  document: HmacDocument,
  secret: string,
  reader: TemplateReader,
  draft: ProviderDraft,
): Authorization {
  const { encoding = 'hex', value = '{signature}' } = document;
  const name = readName('hmac.header', document.header, draft);
  const parts = value.split('{signature}').map((part) => {
    const pieces = reader.read('http.auth.hmac.value', part, (nodes, faults) =>
      compileHeader(nodes, reader.constants, faults),
    );
    if (pieces?.some((piece) => typeof piece !== 'string'))
      draft.fault('http.auth.hmac.value', 'cannot come from the message');
    return pieces?.join('') ?? '';
  });
  const written = (request: GatewayRequest, signature: string) =>
    withHeader(request, name, parts.join(signature).trim());
  return {
    ...nothing,
    writes: name.toLowerCase(),
    authorizer: {
      async authorize(request) {
        const signature = createHmac('sha256', secret)
          .update(request.body ?? '', 'utf8')
          .digest(encoding);
        return { request: written(request, signature), secrets: [signature] };
      },
      preview: (request) => written(request, MASK),
    },
  };
}
