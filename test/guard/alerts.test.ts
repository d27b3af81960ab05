import { createHmac } from 'node:crypto';
import { setImmediate as nextTurn } from 'node:timers/promises';
import t from 'tap';
import { type AlertsDocument, alertsFaults, createAlerts } from '../../src/guard/alerts.ts';
import { systemRandom } from '../../src/lib/ids.ts';
import { forEachDatabase } from '../helpers/database.ts';
import { recordingLog } from '../helpers/log.ts';
import { at } from './fixture.ts';

const key = Buffer.alloc(32, 5);
const rules: AlertsDocument = {
  url: 'https://alerts.example.test/hook',
  secret: `whsec_${key.toString('base64')}`,
};

const decided = (members: object) => ({
  ...{
    rule: 'conversion',
    action: 'refuse' as const,
    figures: { unverified: 9 },
    appId: 'shop',
    country: 'UZ',
  },
  ...members,
});

t.test('alerts are signed, told once an hour, and tried again', (t) =>
  forEachDatabase(t, async (t, storage) => {
    const posted: { body: string; headers: Record<string, string> }[] = [];
    const answers = [503, 200];
    const log = recordingLog();
    let seconds = 0;
    const alerts = createAlerts({
      ...{ counters: storage.counters, random: systemRandom, log, rules: () => rules },
      clock: { now: () => at(seconds) },
      async post(url, body, headers) {
        t.equal(url.href, rules.url);
        posted.push({ body, headers });
        return answers.shift() ?? 200;
      },
    });
    const until = async (n: number) => {
      for (let i = 0; i < 5_000 && posted.length < n; i += 1) await new Promise((go) => setTimeout(go, 1));
      t.equal(posted.length, n);
    };
    alerts.tell(decided({}));
    await until(2);
    const [first, second] = posted;
    if (!first || !second) return;
    t.equal(first.headers['webhook-id'], second.headers['webhook-id'], 'the second try is the same alert');
    const signed = `${second.headers['webhook-id']}.${second.headers['webhook-timestamp']}.${second.body}`;
    const signature = createHmac('sha256', key).update(signed).digest('base64');
    t.equal(second.headers['webhook-signature'], `v1,${signature}`);
    t.match(JSON.parse(second.body), {
      type: 'guard.conversion.low',
      data: { rule: 'conversion', country: 'UZ', app: 'shop', figures: { unverified: 9 } },
    });

    alerts.tell(decided({}));
    alerts.tell(decided({ rule: 'number' }));
    alerts.tell(decided({ rule: 'none', action: 'allow' }));
    alerts.tell(decided({ country: 'KZ' }));
    await until(3);
    seconds = 2 * 3_600;
    alerts.tell(decided({}));
    alerts.tell(decided({ rule: 'prefix', figures: { blockBegun: at(1).toISOString() } }));
    alerts.tell(decided({ rule: 'budget', action: 'record', figures: { percent: 80, most: 5 } }));
    alerts.tell(decided({ rule: 'budget', figures: { spent: 5, most: 5 } }));
    await until(7);
    t.strictSame(
      posted
        .slice(3)
        .map(({ body }) => JSON.parse(body).type)
        .sort(),
      ['guard.budget.spent', 'guard.budget.warning', 'guard.conversion.low', 'guard.prefix.blocked'],
    );
    await alerts.close();
    await nextTurn();
    t.equal(posted.length, 7);
  }),
);

t.test('a close does not wait for the next try', (t) =>
  forEachDatabase(t, async (t, storage) => {
    const log = recordingLog();
    let tries = 0;
    const alerts = createAlerts({
      ...{ counters: storage.counters, random: systemRandom, log, rules: () => rules },
      clock: { now: () => at(0) },
      async post() {
        tries += 1;
        throw new Error('refused');
      },
    });
    alerts.tell(decided({}));
    for (let i = 0; i < 1_000 && tries === 0; i += 1) await new Promise((go) => setTimeout(go, 1));
    const began = performance.now();
    await alerts.close();
    t.ok(performance.now() - began < 900);
    t.ok(tries <= 2);
  }),
);

t.test('an address needs a secret', async (t) => {
  t.strictSame(alertsFaults({ url: '', secret: '' }), []);
  t.strictSame(alertsFaults(rules), []);
  t.match(alertsFaults({ ...rules, secret: 'short' }), [{ path: 'alerts.secret' }]);
  t.match(alertsFaults({ ...rules, url: 'https://' }), [{ path: 'alerts.url' }]);
});
