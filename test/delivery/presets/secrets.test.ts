// biome-ignore-all lint/suspicious/noTemplateCurlyInString: references are written so
import { generateKeyPairSync } from 'node:crypto';
import t from 'tap';
import type { Candidate } from '../../../src/config/types.ts';
import { presets } from '../../../src/delivery/presets/index.ts';
import type { Fault } from '../../../src/lib/problem.ts';
import { forEachDatabase } from '../../helpers/database.ts';
import { section } from '../service-support.ts';
import { load, presetOf, sid } from './support.ts';

/* What a preset calls its secrets is hidden, masked, kept, and void for another host. */

const { privateKey } = generateKeyPairSync('rsa', {
  modulusLength: 2048,
  privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
  publicKeyEncoding: { type: 'spki', format: 'pem' },
});
const webhookSecret = `whsec_${Buffer.alloc(32, 7).toString('base64')}`;

/** Options that may be shown, and those that may not. */
const known: Record<string, [open: Record<string, string>, secret: Record<string, string>]> = {
  twilio: [
    { accountSid: sid, apiKey: 'SK1' },
    { authToken: 'secret-1', apiSecret: 'secret-2' },
  ],
  'twilio-verify': [
    { accountSid: sid, verifyServiceSid: `VA${'0'.repeat(32)}`, apiKey: 'SK1' },
    { authToken: 'secret-1', apiSecret: 'secret-2' },
  ],
  'twilio-voice': [{ accountSid: sid }, { authToken: 'secret-1' }],
  vonage: [{ apiKey: 'k' }, { apiSecret: 'secret-1', signatureSecret: 'secret-2' }],
  'vonage-messages': [
    { channel: 'sms', apiKey: 'k', applicationId: 'a' },
    { apiSecret: 'secret-1', privateKey, signatureSecret: 'secret-2' },
  ],
  'vonage-voice': [{ applicationId: 'a' }, { privateKey, signatureSecret: 'secret-2' }],
  clickatell: [{}, { apiKey: 'secret-1' }],
  plivo: [{ authId: 'a' }, { authToken: 'secret-1' }],
  bulksms: [{ tokenId: 'a' }, { tokenSecret: 'secret-1' }],
  infobip: [{ baseUrl: 'https://xyz.api.infobip.com' }, { apiKey: 'secret-1' }],
  messagebird: [{}, { accessKey: 'secret-1' }],
  sinch: [{ servicePlanId: 'p' }, { apiToken: 'secret-1' }],
  'aws-sns': [
    { region: 'eu-west-1', accessKeyId: 'a' },
    { secretAccessKey: 'secret-1', sessionToken: 'secret-2' },
  ],
  webhook: [{ url: 'https://own.example/send' }, { secret: webhookSecret }],
  smtp: [{ host: 'mail.example', user: 'me' }, { password: 'secret-1' }],
};

/** What makes another host of it. */
const elsewhere: Record<string, Record<string, string>> = {
  webhook: { url: 'https://evil.example/send' },
  smtp: { host: 'evil.example' },
};

const now = new Date('2026-03-01T10:00:00Z');

const documentOf = (id: string): Record<string, unknown> => {
  const [open, secret] = known[id] ?? [{}, {}];
  const from = id === 'smtp' ? 'a@shop.example' : '+15005550006';
  return { id, channel: presetOf(id).channels[0], preset: id, from, [id]: { ...open, ...secret } };
};

t.test('every preset that has options of its own stands here', async (t) => {
  const ids = presets.map(({ id }) => id).filter((id) => !['http', 'simulator'].includes(id));
  t.same(Object.keys(known).sort(), ids.sort());
});

for (const [id, [open, secret]] of Object.entries(known)) {
  t.test(id, async (t) => {
    const preset = presetOf(id);
    const { faults, prepared } = load(documentOf(id));
    t.same(faults, []);
    const masked = preset.transport?.(prepared)?.secrets ?? [];
    for (const value of Object.values(secret)) t.ok(masked.includes(value.trim()), 'may stand in no log');
    const placeholders = Object.fromEntries(Object.keys(secret).map((name) => [name, '${stored}']));
    t.same(preset.hide?.({ ...open, ...secret }), { ...open, ...placeholders });
    const references = Object.fromEntries(Object.keys(secret).map((name) => [name, '${env:SECRET}']));
    t.same(preset.hide?.({ ...open, ...references }), { ...open, ...references }, 'a name is no secret');
    if (id === 'smtp') return;
    const proxy = 'http://me:proxy-password@proxy.example:3128';
    t.match(preset.hide?.({ ...open, proxy }), { proxy: 'http://${stored}@proxy.example:3128' });
  });
}

t.test('a token in the address of a webhook', async (t) => {
  const url = 'https://own.example/send?token=in-the-url';
  const { prepared } = load({ preset: 'webhook', webhook: { url, secret: webhookSecret } });
  t.ok(presetOf('webhook').transport?.(prepared)?.secrets.includes('in-the-url'), 'may stand in no log');
  t.match(presetOf('webhook').hide?.({ url }), { url: 'https://own.example/send?token=${stored}' });
});

t.test('kept for the same host, void for another', async (t) => {
  await forEachDatabase(t, async (t, storage) => {
    const save = (raw: Record<string, unknown>, position: number) =>
      storage.transaction((tx) => section(storage).save(tx, { raw, resolved: raw }, position, now));
    for (const [position, [id, [, secret]]] of Object.entries(known).entries()) {
      await save(documentOf(id), position);
      const list = await section(storage).list(storage.db);
      const shown = structuredClone(list.get(id)) as Record<string, Record<string, unknown>>;
      for (const value of Object.values(secret)) t.notOk(JSON.stringify(shown).includes(value), id);
      t.same(
        section(storage).check?.({ raw: shown, resolved: shown }, {} as Candidate),
        [],
        `${id} is checked`,
      );
      await save(shown, position);
      t.ok(
        await section(storage).same(storage.db, { raw: documentOf(id), resolved: {} }, position),
        `${id} kept`,
      );

      Object.assign(shown[id] ?? {}, elsewhere[id] ?? { baseUrl: 'https://evil.example' });
      const refusal = await save(shown, position).then(
        () => null,
        (error) => error,
      );
      t.equal(refusal?.code, 'provider_refused', id);
      t.same(
        refusal?.errors.map(({ path }: Fault) => path).sort(),
        Object.keys(secret)
          .map((name) => `${id}.${name}`)
          .sort(),
      );
    }
  });
});
