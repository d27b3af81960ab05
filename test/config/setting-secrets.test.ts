import t, { type Test } from 'tap';
import { createConfiguration, createReferences, createSettings } from '../../src/config/index.ts';
import { createCrypto } from '../../src/crypto/index.ts';
import { type GuardDocument, guardSection } from '../../src/guard/index.ts';
import { json } from '../../src/storage/index.ts';
import type { Storage } from '../../src/storage/types.ts';
import { forEachDatabase } from '../helpers/database.ts';
import { silent } from '../helpers/log.ts';
import { folderWith } from './fixtures.ts';

const crypto = createCrypto([{ id: 'k1', bytes: Buffer.alloc(32, 3) }]);
const sections = [guardSection({ crypto })];
const variables = { ALERT_SECRET: `whsec_${Buffer.alloc(32, 8).toString('base64')}` };
const literal = 'captcha-secret-0123456789';
// biome-ignore lint/suspicious/noTemplateCurlyInString: this is how references and placeholders are written
const words = { reference: '${env:ALERT_SECRET}', stored: '${stored}' };

const gateway = ({ captcha = literal, kind = 'turnstile', url = 'https://alerts.example.test/' } = {}) => `
guard:
  challenge: { kind: ${kind}, siteKey: public, secret: '${captcha}' }
  alerts: { url: '${url}', secret: '${words.reference}' }
`;

function world(t: Test, storage: Storage) {
  const references = createReferences(variables);
  const clock = { now: () => new Date('2026-03-01T10:00:00Z') };
  const configuration = createConfiguration({ sections, storage, references, clock, log: silent });
  const settings = createSettings({ sections, storage, log: silent });
  return {
    configuration,
    async apply(text: string) {
      const { documents, faults } = configuration.read(folderWith(t, { 'gateway.yaml': text }));
      t.strictSame(faults, []);
      return configuration.apply(documents, { prune: false }).then(
        (changes) => changes.map(({ action, paths }) => `${action} ${paths}`),
        (error: { faults: { path: string; message: string }[] }) =>
          error.faults.map(({ path, message }) => `${path} ${message}`),
      );
    },
    async inForce() {
      await settings.load();
      const { alerts, challenge } = settings.get<GuardDocument>('guard');
      return [challenge.secret, alerts.secret];
    },
  };
}

const everything = async ({ db }: Storage) =>
  JSON.stringify([
    await db.selectFrom('settings').selectAll().execute(),
    await db.selectFrom('setting_secrets').selectAll().execute(),
  ]);

t.test('secrets of settings are sealed, written out or behind a reference', (t) =>
  forEachDatabase(t, async (t, storage) => {
    const { apply, configuration, inForce } = world(t, storage);
    t.strictSame(await apply(gateway()), ['create ']);
    const rows = await everything(storage);
    for (const secret of [literal, variables.ALERT_SECRET]) t.notOk(rows.includes(secret), 'not in clear');
    t.strictSame(await inForce(), [literal, variables.ALERT_SECRET]);
    t.strictSame(await apply(gateway()), [], 'the same again');

    const { 'gateway.yaml': exported = '' } = await configuration.export();
    t.match(exported, words.stored);
    t.match(exported, words.reference);
    t.notMatch(exported, literal);
    t.strictSame(await apply(exported), [], 'an export comes back as what it was');
    t.strictSame(await inForce(), [literal, variables.ALERT_SECRET]);

    t.strictSame(await apply(gateway({ captcha: 'another-secret' })), ['update ']);
    t.strictSame(await inForce(), ['another-secret', variables.ALERT_SECRET]);
    t.match(await apply('guard: {}'), [/^update /]);
    t.strictSame(await inForce(), ['', '']);
    t.strictSame(await storage.db.selectFrom('setting_secrets').selectAll().execute(), []);
  }),
);

t.test('a secret that is kept stays with whom it was meant for', (t) =>
  forEachDatabase(t, async (t, storage) => {
    const { apply, inForce } = world(t, storage);
    const place = 'gateway.yaml: guard.challenge.secret';
    t.match(await apply(gateway({ captcha: words.stored })), [
      `${place} says ${words.stored}, and nothing is stored: write the secret itself`,
    ]);
    await apply(gateway());
    t.match(await apply(gateway({ captcha: words.stored, kind: 'hcaptcha' })), [
      `${place} was meant for another challenge.kind: it must be given again`,
    ]);
    t.match(await apply(gateway({ captcha: `x${words.stored}` })), [
      `${place} ${words.stored} only stands alone: write the secret again`,
    ]);
    t.strictSame(await apply(gateway({ captcha: words.stored })), []);
    t.strictSame(await inForce(), [literal, variables.ALERT_SECRET]);
  }),
);

t.test('what an earlier version kept in clear works, is not exported, and is sealed at the next apply', (t) =>
  forEachDatabase(t, async (t, storage) => {
    const { apply, configuration, inForce } = world(t, storage);
    await apply(gateway());
    await storage.db.deleteFrom('setting_secrets').execute();
    const challenge = { kind: 'turnstile', siteKey: 'public', secret: literal };
    const alerts = { url: 'https://alerts.example.test/', secret: variables.ALERT_SECRET };
    await storage.db
      .updateTable('settings')
      .set({
        document: json({
          raw: { challenge, alerts: { ...alerts, secret: words.reference } },
          resolved: { challenge, alerts },
        }),
      })
      .where('section', '=', 'guard')
      .execute();
    t.strictSame(await inForce(), [literal, variables.ALERT_SECRET]);
    t.notMatch((await configuration.export())['gateway.yaml'], literal);
    t.match(await apply(gateway()), [/^update /]);
    t.notOk((await everything(storage)).includes(literal));
    t.strictSame(await inForce(), [literal, variables.ALERT_SECRET]);
  }),
);
