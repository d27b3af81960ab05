// biome-ignore-all lint/suspicious/noTemplateCurlyInString: references are written so
import { generateKeyPairSync } from 'node:crypto';
import { decodeJwt, decodeProtectedHeader } from 'jose';
import t from 'tap';
import type { Dispatch } from '../../../src/delivery/preset.ts';
import { presets } from '../../../src/delivery/presets/index.ts';
import { sid, wireOf } from './support.ts';

/*
 * What a preset does, a document of the preset http can do: the same message goes over the line byte for byte the same.
 * Those that are none: http itself; simulator and smtp, which speak no HTTP; aws-sns and webhook, which sign what they
 * send in ways of their own; twilio-verify, where the vendor holds the code.
 */
const exceptions = ['http', 'simulator', 'smtp', 'aws-sns', 'webhook', 'twilio-verify'];

const { privateKey } = generateKeyPairSync('rsa', {
  modulusLength: 2048,
  privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
  publicKeyEncoding: { type: 'spki', format: 'pem' },
});

interface Pair {
  members: Record<string, unknown>;
  options: Record<string, unknown>;
  /** The same as a document of the preset http. */
  secrets?: Record<string, string>;
  http: Record<string, unknown>;
}

const json = { 'Content-Type': 'application/json', Accept: 'application/json' };
const form = { 'Content-Type': 'application/x-www-form-urlencoded', Accept: 'application/json' };
const twilio = 'https://api.twilio.com/2010-04-01/Accounts';
const say = '<Say language="en-US">$ctx.speech</Say>';
const vonageMessage = (channel: string): Pair => ({
  members: { from: 'SALLY' },
  options: { apiKey: 'k', apiSecret: 's', channel },
  secrets: { apiSecret: 's' },
  http: {
    url: 'https://api.nexmo.com/v1/messages',
    headers: { Authorization: 'Basic base64{k:$secret.apiSecret}', ...json },
    payload: `{"message_type":"text","channel":"${channel}","from":$ctx.from,"to":$num.digits,"text":$ctx.msg,"client_ref":$ctx.id,"webhook_url":$ctx.callback,"webhook_version":"v1"}`,
  },
});

const pairs: Record<string, Pair[]> = {
  twilio: [
    {
      members: { from: '+15005550006' },
      options: { accountSid: sid, authToken: 'tok' },
      secrets: { authToken: 'tok' },
      http: {
        url: `${twilio}/${sid}/Messages.json`,
        headers: { Authorization: `Basic base64{${sid}:$secret.authToken}`, ...form },
        payload: 'To=$ctx.num&From=$ctx.from&Body=$ctx.msg&StatusCallback=$ctx.callback',
        success: { status: [201] },
        messageId: { pointer: '/sid' },
      },
    },
  ],
  'twilio-voice': [
    {
      members: { from: '+15005550006', channel: 'voice' },
      options: { accountSid: sid, authToken: 'tok' },
      secrets: { authToken: 'tok' },
      http: {
        url: `${twilio}/${sid}/Calls.json`,
        headers: { Authorization: `Basic base64{${sid}:$secret.authToken}`, ...form },
        payload: `To=$ctx.num&From=$ctx.from&Twiml=urlencode{<Response>${say}<Pause length="1"/>${say}</Response>}&StatusCallback=$ctx.callback`,
      },
    },
  ],
  vonage: [
    {
      members: { from: 'SALLY' },
      options: { apiKey: 'k', apiSecret: 's' },
      secrets: { apiSecret: 's' },
      http: {
        url: 'https://rest.nexmo.com/sms/json',
        headers: { Authorization: 'Basic base64{k:$secret.apiSecret}', ...json },
        payload:
          '{"from":$ctx.from,"to":$num.digits,"text":$ctx.msg,"client-ref":$ctx.id,"callback":$ctx.callback}',
        success: { body: { pointer: '/messages/0/status', equals: '0' } },
        messageId: { pointer: '/messages/0/message-id' },
      },
    },
  ],
  'vonage-messages': [
    ...['sms', 'whatsapp', 'viber_service'].map(vonageMessage),
    {
      members: { from: '987654' },
      options: { apiKey: 'k', apiSecret: 's', channel: 'messenger', recipientAttribute: 'psid' },
      http: {
        ...vonageMessage('messenger').http,
        headers: { Authorization: 'Basic base64{k:s}', ...json },
        payload:
          '{"message_type":"text","channel":"messenger","from":$ctx.from,"to":$ctx.user.psid,"text":$ctx.msg,"client_ref":$ctx.id,"webhook_url":$ctx.callback,"webhook_version":"v1"}',
      },
    },
  ],
  'vonage-voice': [
    {
      members: { from: '15005550006', channel: 'voice' },
      options: { applicationId: 'app-1', privateKey },
      http: {
        url: 'https://api.nexmo.com/v1/calls',
        auth: { jwt: { algorithm: 'RS256', privateKey, claims: { application_id: 'app-1' } } },
        headers: json,
        payload:
          '{"to":[{"type":"phone","number":$num.digits}],"from":{"type":"phone","number":$ctx.from},"ncco":[{"action":"talk","text":$ctx.speech,"language":"en-US","loop":2}],"event_url":[$ctx.callback]}',
      },
    },
  ],
  clickatell: [
    {
      members: {},
      options: { apiKey: 'k==' },
      secrets: { apiKey: 'k==' },
      http: {
        url: 'https://platform.clickatell.com/messages',
        headers: { Authorization: '$secret.apiKey', ...json },
        payload: '{"content":$ctx.msg,"to":[$num.digits],"clientMessageId":$ctx.id}',
        success: { body: { pointer: '/messages/0/accepted', equals: true } },
      },
    },
  ],
  plivo: [
    {
      members: { from: 'SALLY' },
      options: { authId: 'MA1', authToken: 'tok' },
      secrets: { authToken: 'tok' },
      http: {
        url: 'https://api.plivo.com/v1/Account/MA1/Message/',
        headers: { Authorization: 'Basic base64{MA1:$secret.authToken}', ...json },
        payload: '{"src":$ctx.from,"dst":$num.digits,"text":$ctx.msg,"url":$ctx.callback}',
        success: { status: [202] },
      },
    },
  ],
  bulksms: [
    {
      members: { from: 'SALLY' },
      options: { tokenId: 'id', tokenSecret: 'tok' },
      secrets: { tokenSecret: 'tok' },
      http: {
        url: 'https://api.bulksms.com/v1/messages',
        headers: { Authorization: 'Basic base64{id:$secret.tokenSecret}', ...json },
        payload: '{"from":$ctx.from,"to":$num.digits,"body":$ctx.msg,"userSuppliedId":$ctx.id}',
      },
    },
  ],
  infobip: [
    {
      members: { from: 'SALLY' },
      options: { apiKey: 'key', baseUrl: 'https://xyz.api.infobip.com' },
      secrets: { apiKey: 'key' },
      http: {
        url: 'https://xyz.api.infobip.com/sms/2/text/advanced',
        headers: { Authorization: 'App $secret.apiKey', ...json },
        payload:
          '{"messages":[{"from":$ctx.from,"destinations":[{"to":$num.digits}],"text":$ctx.msg,"notifyUrl":$ctx.callback}]}',
        success: { body: { pointer: '/messages/0/status/groupId', in: [0, 1, 3] } },
      },
    },
  ],
  messagebird: [
    {
      members: { from: 'SALLY' },
      options: { accessKey: 'key' },
      secrets: { accessKey: 'key' },
      http: {
        url: 'https://rest.messagebird.com/messages',
        headers: { Authorization: 'AccessKey $secret.accessKey', ...json },
        payload:
          '{"originator":$ctx.from,"recipients":[$num.digits],"body":$ctx.msg,"reference":$ctx.id,"reportUrl":$ctx.callback}',
        success: { status: [201] },
      },
    },
  ],
  sinch: [
    {
      members: { from: 'SALLY' },
      options: { servicePlanId: 'plan', apiToken: 'tok', region: 'eu' },
      secrets: { apiToken: 'tok' },
      http: {
        url: 'https://eu.sms.api.sinch.com/xms/v1/plan/batches',
        headers: { Authorization: 'Bearer $secret.apiToken', ...json },
        payload:
          '{"from":$ctx.from,"to":[$num.digits],"body":$ctx.msg,"delivery_report":"per_recipient","callback_url":$ctx.callback,"client_reference":$ctx.id}',
        success: { status: [201] },
      },
    },
  ],
};
const messages: Partial<Dispatch>[] = [
  {},
  { text: '493817: a+b, 100% “R&D”? No \\ or "x"', to: '+4915123456789' },
  { text: "l'été à 10€ = 493817 [ok]~", locale: 'en', id: 'msg_2' },
].map((sent) => ({ user: { id: 'usr_1', attributes: { psid: 'person-1' } }, ...sent }));

t.test('every preset stands here', async (t) => {
  const ids = presets.map(({ id }) => id).filter((id) => !exceptions.includes(id));
  t.same(Object.keys(pairs).sort(), ids.sort());
});

/** A token is another one each time; what it says is not. */
function normal(raw: string): string {
  return raw.replace(
    /(Authorization: Bearer )([\w-]+\.[\w-]+\.[\w-]+)/,
    (_, start: string, token: string) => {
      const { jti, ...claims } = decodeJwt(token);
      return `${start}${JSON.stringify([decodeProtectedHeader(token), claims, typeof jti])}`;
    },
  );
}

for (const [id, both] of Object.entries(pairs)) {
  t.test(id, async (t) => {
    for (const { members, options, secrets, http } of both) {
      const preset = await wireOf(t, { ...members, preset: id, [id]: options });
      const document = await wireOf(t, { ...members, preset: 'http', ...(secrets && { secrets }), http });
      for (const sent of messages.filter(({ text = '' }) => plain(id, text))) {
        const { raw } = await preset.send(sent);
        t.not(raw, '');
        t.equal(normal((await document.send(sent)).raw), normal(raw));
      }
    }
  });
}

/**
 * A document cannot look at a text and then say more (that it needs UCS-2), nor escape for XML inside of a form: there it
 * is the same for texts that need neither.
 */
function plain(id: string, text: string): boolean {
  if (['vonage', 'bulksms', 'messagebird'].includes(id)) return !/[“”]/.test(text);
  return id !== 'twilio-voice' || !/[&<>"']/.test(text);
}
