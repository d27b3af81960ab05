import { spawn } from 'node:child_process';
import { once } from 'node:events';
import type { ServerResponse } from 'node:http';
import t, { type Test } from 'tap';
import { systemRandom } from '../../src/lib/ids.ts';
import { createOtp, otpDefaults, otpSettings } from '../../src/otp/index.ts';
import type { IssuedCode } from '../../src/otp/types.ts';
import { writeTogether } from '../../src/storage/index.ts';
import type { Storage } from '../../src/storage/types.ts';
import { startGateway } from '../delivery/hostile-gateway.ts';
import {
  crypto,
  httpProvider,
  type Instance,
  keyBytes,
  openBench,
  saveChannels,
} from '../delivery/service-support.ts';
import { forEachDatabase, postgresOnly } from '../helpers/database.ts';
import { startVerify, verifyProvider } from '../helpers/verify-server.ts';

/* Codes that a gateway makes itself: what is sent, who is asked, and what passes. */

const asker = new URL('killed-asker.ts', import.meta.url).pathname;
const to = '+447700900123';
const settings = otpSettings({ ...otpDefaults, resendAfter: '0s' });
const scope = 'login:1:second';
const wrongOf = (code: string) => (code[0] === '9' ? '1' : '9') + code.slice(1);

/** One login’s codes, with short words for what happens to them. */
async function open(t: Test, storage: Storage, providers: Record<string, unknown>[]) {
  const bench = await openBench(t, storage, providers);
  const otpOf = ({ delivery }: Instance) => createOtp({ crypto, random: systemRandom, delivery });
  const otp = otpOf(bench);
  bench.delivery.onOutcome((db, { reference }, { status }, now) => {
    if (status === 'accepted') return [otp.accepting(db, reference, now)];
    return status === 'unknown' ? [] : [otp.dropping(db, reference, now)];
  });
  const type = async (typed: string, by = otp) => {
    const reservation = await by.reserve(storage.db, scope, settings);
    if (reservation.status !== 'reserved') return reservation.status;
    const found = await by.check(reservation, typed, bench.now);
    return typeof found === 'object' ? found.codeId : found;
  };
  return {
    ...{ bench, otp, otpOf, type },
    async issue(): Promise<IssuedCode> {
      const expiresAt = new Date(bench.now.getTime() + 900_000);
      const request = { scope, userId: 'usr_1', settings, expiresAt };
      const issued = await storage.transaction((tx) => otp.issue(tx, request, bench.now));
      if ('refused' in issued) throw new Error(issued.refused);
      return issued;
    },
    async send() {
      const issued = await this.issue();
      const { code, codeId: reference } = issued;
      const message = await bench.queue({ to, code, reference, text: `Your code is ${code}` });
      const outcome = await bench.delivery.send(message);
      return { ...issued, message, outcome: outcome.status };
    },
    /** True once. */
    pass(codeId: string) {
      const { guard, riders } = otp.consuming(storage.db, codeId, bench.now);
      return writeTogether(storage.db, [guard], riders);
    },
  };
}

/** All on one database of each kind: opening one takes longer than any of them. */
const stories: [name: string, work: (t: Test, storage: Storage) => Promise<void>][] = [];
const story = (...one: (typeof stories)[number]) => void stories.push(one);

story('the gateway is asked, and nothing of ours passes', async (t, storage) => {
  const verify = await startVerify(t);
  const login = await open(t, storage, [verifyProvider('verify', verify.url)]);
  t.ok(login.bench.delivery.keepsCodes('sms'));
  t.notOk(login.bench.delivery.keepsCodes('voice'));
  const { code, codeId } = await login.send();
  const theirs = verify.codeOf(to);
  t.notMatch(verify.sent[0]?.fields, { CustomCode: code });
  t.equal(await login.type(wrongOf(theirs)), 'wrong');
  if (code !== theirs) t.equal(await login.type(code), 'wrong', 'nobody was sent ours');
  t.equal(await login.type(` ${theirs.slice(0, 3)}-${theirs.slice(3)} `), codeId, 'as people type');
  t.ok(await login.pass(codeId));
  t.notOk(await login.pass(codeId), 'once');
  t.equal(await login.type(theirs), 'none');
  t.same(
    verify.checks.map(({ fields }) => fields),
    [wrongOf(theirs), code, theirs].map((Code) => ({ To: to, Code })),
  );
  t.match(verify.checks[0], { authorization: /^Basic / });
});

story('what cannot be a code is not asked about', async (t, storage) => {
  const verify = await startVerify(t);
  const login = await open(t, storage, [verifyProvider('verify', verify.url)]);
  await login.send();
  t.equal(await login.type('12'), 'wrong');
  t.equal(await login.type("' or 1=1"), 'wrong');
  t.equal(verify.checks.length, 0);
  login.bench.now = new Date(login.bench.now.getTime() + 301_000);
  t.equal(await login.type(verify.codeOf(to)), 'wrong', 'nor about one that has run out here');
  t.equal(verify.checks.length, 0);
});

const slow = (response: ServerResponse) => void setTimeout(() => response.end(), 3_000).unref();
const unanswered: Record<string, [(response: ServerResponse) => void, string]> = {
  'cut off': [(response) => response.destroy(), 'unchecked'],
  'cut in the answer': [
    (response) => {
      response.writeHead(200, { 'content-length': '100' });
      response.write('{"status":"approved"}', () => response.destroy());
    },
    'unchecked',
  ],
  slow: [slow, 'unchecked'],
  broken: [(response) => response.writeHead(500).end('{"status":"approved"}'), 'unchecked'],
  busy: [(response) => response.writeHead(503).end(), 'unchecked'],
  'no JSON': [(response) => response.writeHead(200).end('approved'), 'unchecked'],
  'used up': [(response) => response.writeHead(404).end('{"code":20404}'), 'gone'],
  'tried too often': [(response) => response.writeHead(429).end('{"code":60202}'), 'gone'],
};

story('no answer, no pass', async (t, storage) => {
  const verify = await startVerify(t);
  const login = await open(t, storage, [verifyProvider('verify', verify.url, { timeout: '1s' })]);
  for (const [what, [behave, expected]] of Object.entries(unanswered)) {
    await storage.db.deleteFrom('otp_challenges').execute();
    await storage.db.deleteFrom('provider_breakers').execute();
    await login.bench.delivery.reload();
    await login.send();
    verify.instead = { check: behave };
    t.equal(await login.type(verify.codeOf(to)), expected, what);
  }
  verify.instead = {};
  const { codeId } = await login.send();
  t.equal(await login.type(verify.codeOf(to)), codeId, 'when it answers again it passes');
});

story('a gateway that is left alone is not asked, and neither is one that is gone', async (t, storage) => {
  const verify = await startVerify(t);
  const login = await open(t, storage, [verifyProvider('verify', verify.url)]);
  await login.send();
  verify.instead = {
    check: (response) => response.writeHead(429, { 'retry-after': '60' }).end('{"code":20429}'),
  };
  t.equal(await login.type('111111'), 'unchecked');
  t.equal(await login.type('222222'), 'unchecked');
  t.equal(verify.checks.length, 1, 'it has asked to be left alone');
  await storage.db.deleteFrom('providers').execute();
  await login.bench.delivery.reload();
  t.equal(await login.type('333333'), 'unchecked');
  t.equal(verify.checks.length, 1);
});

story('what somebody types does not switch the gateway off', async (t, storage) => {
  const verify = await startVerify(t);
  const login = await open(t, storage, [verifyProvider('verify', verify.url)]);
  await login.send();
  verify.instead = { check: (response) => response.writeHead(400).end('{"code":60200}') };
  for (let n = 0; n < 5; n += 1) t.equal(await login.type('AAAAAA'), 'unchecked');
  t.equal(verify.checks.length, 5);
  t.same(await storage.db.selectFrom('provider_breakers').selectAll().execute(), []);
  t.equal((await login.send()).outcome, 'accepted');
});

story('the next provider sends our text with our code, and nothing is asked', async (t, storage) => {
  const verify = await startVerify(t);
  const gateway = await startGateway(t);
  const login = await open(t, storage, [
    verifyProvider('verify', verify.url),
    httpProvider('plain', `${gateway.url}/ok`),
  ]);
  verify.instead = { send: (response) => response.writeHead(503).end() };
  const { code, codeId, message } = await login.send();
  t.match(gateway.received[0]?.body, code, 'our text');
  t.same(
    await storage.db.selectFrom('messages').select(['provider_id', 'keeps_code']).execute(),
    [{ provider_id: 'plain', keeps_code: false }],
    message.id,
  );
  t.equal(await login.type(wrongOf(code)), 'wrong');
  t.equal(await login.type(code), codeId);
  t.equal(verify.checks.length, 0);
});

story('the other way round: the second makes its own', async (t, storage) => {
  const verify = await startVerify(t);
  const gateway = await startGateway(t, { busy: (response) => void response.writeHead(503).end() });
  const login = await open(t, storage, [
    httpProvider('plain', `${gateway.url}/busy`),
    verifyProvider('verify', verify.url),
  ]);
  const { code, codeId } = await login.send();
  if (code !== verify.codeOf(to)) t.equal(await login.type(code), 'wrong', 'ours surely never went out');
  t.equal(await login.type(verify.codeOf(to)), codeId);
});

story('what is no code is not for it, and does not make it look broken', async (t, storage) => {
  const verify = await startVerify(t);
  const gateway = await startGateway(t);
  const alone = await open(t, storage, [verifyProvider('verify', verify.url)]);
  t.ok(alone.bench.delivery.has('sms'));
  t.notOk(alone.bench.delivery.has('sms', 'texts'));
  const outcome = await alone.bench.delivery.send(await alone.bench.queue({ to, code: null }));
  t.match(outcome, { status: 'unavailable', reason: /^no provider for sms/ });
  t.same(await storage.db.selectFrom('provider_breakers').selectAll().execute(), []);
  const both = await open(t, storage, [
    verifyProvider('verify', verify.url),
    httpProvider('plain', `${gateway.url}/ok`),
  ]);
  t.ok(both.bench.delivery.has('sms', 'texts'));
  await both.bench.delivery.send(await both.bench.queue({ to, code: null, text: 'Your number was changed' }));
  t.equal(gateway.received.length, 1);
  t.equal(verify.sent.length, 0);
});

story('a message that may have gone out: either code passes, one try for both', async (t, storage) => {
  const verify = await startVerify(t);
  const gateway = await startGateway(t);
  const login = await open(t, storage, [
    verifyProvider('verify', verify.url),
    httpProvider('plain', `${gateway.url}/ok`),
  ]);
  let theirs = '';
  verify.instead = { send: (response) => response.destroy() };
  const first = await login.send();
  t.equal(first.outcome, 'unknown');
  t.equal(gateway.received.length, 0, 'no second message by itself');
  verify.instead = {
    check(response) {
      const approved = verify.checks.at(-1)?.fields.Code === theirs;
      response.writeHead(200).end(JSON.stringify({ status: approved ? 'approved' : 'pending' }));
    },
  };
  theirs = '888888';
  const second = await login.issue();
  const { code, codeId: reference } = second;
  // The outcome of it is not known yet either: both codes live.
  const queued = await login.bench.queue({ to, code, reference, text: `Your code is ${code}` });
  await storage.db
    .updateTable('messages')
    .set({ status: 'sending', provider_id: 'plain' })
    .where('id', '=', queued.id)
    .execute();
  t.equal(await login.type(code), second.codeId, 'ours, by the other provider');
  t.equal(verify.checks.length, 0, 'compared here first: Twilio counts tries, too');
  t.equal(await login.type(wrongOf(code)), 'wrong');
  t.equal(await login.type(theirs), first.codeId, 'theirs');
  for (let n = 0; n < 2; n++) await login.type(wrongOf(code));
  t.equal(await login.type(code), 'exhausted', 'five tries, whatever they were compared with');
  t.equal(verify.checks.length, 4);
});

story('sent again: the same verification is asked once about a try', async (t, storage) => {
  const verify = await startVerify(t);
  const login = await open(t, storage, [
    verifyProvider('verify', verify.url),
    verifyProvider('calls', verify.url, {}, { channel: 'voice' }),
  ]);
  await saveChannels(storage, [{ id: 'sms', workflow: [{ after: '25s', channel: 'voice' }] }]);
  await login.bench.delivery.reload();
  const { codeId } = await login.send();
  login.bench.now = new Date(login.bench.now.getTime() + 26_000);
  await login.bench.delivery.followUp(login.bench.now);
  while (verify.sent.length < 2) await new Promise((resolve) => setTimeout(resolve, 5));
  t.same(
    verify.sent.map(({ fields }) => fields.Channel),
    ['sms', 'call'],
  );
  t.equal(await login.type('000000'), 'wrong');
  t.equal(verify.checks.length, 1, 'two messages, one verification');
  t.equal(await login.type(verify.codeOf(to)), codeId);
  const again = await login.send();
  t.notOk(await login.pass(codeId), 'the older one is dead');
  t.equal(await login.type(verify.codeOf(to)), again.codeId, 'theirs is the newer one’s now');
  t.ok(await login.pass(again.codeId));
});

story('with codes of ours nothing is asked', async (t, storage) => {
  const verify = await startVerify(t);
  const login = await open(t, storage, [verifyProvider('verify', verify.url, { customCode: true })]);
  t.notOk(login.bench.delivery.keepsCodes('sms'));
  const { code, codeId } = await login.send();
  t.match(verify.sent[0]?.fields, { CustomCode: code, Channel: 'sms' });
  t.equal(await login.type(wrongOf(code)), 'wrong');
  t.equal(await login.type(code), codeId);
  t.equal(verify.checks.length, 0);
});

story('killed between the approval and the pass', async (t, storage) => {
  const verify = await startVerify(t);
  const login = await open(t, storage, [verifyProvider('verify', verify.url)]);
  const { codeId } = await login.send();
  const theirs = verify.codeOf(to);
  t.equal(await login.type(theirs), codeId, 'and then nothing is written any more');
  t.equal(await login.type(theirs), 'gone', 'used up at Twilio: no pass without its word');
  const again = await login.send();
  t.equal(await login.type(verify.codeOf(to)), again.codeId);
  t.ok(await login.pass(again.codeId));
});

t.test('one login', async (t) => {
  await forEachDatabase(t, async (t, storage) => {
    for (const [name, work] of stories) {
      await t.test(name, async (t) => {
        for (const table of [
          'otp_challenges',
          'providers',
          'channels',
          'provider_breakers',
          'messages',
        ] as const)
          await storage.db.deleteFrom(table).execute();
        await work(t, storage);
      });
    }
  });
});

t.test('killed while the gateway was asked', async (t) => {
  await postgresOnly(t, async (t, storage, { url }) => {
    const verify = await startVerify(t);
    const login = await open(t, storage, [verifyProvider('verify', verify.url)]);
    const { codeId } = await login.send();
    const values = [url ?? '', keyBytes.toString('base64'), login.bench.now.toISOString(), scope];
    const child = spawn(process.execPath, [asker, ...values, verify.codeOf(to)], {
      stdio: ['ignore', 'inherit', 'inherit'],
    });
    t.teardown(() => child.kill('SIGKILL'));
    verify.instead = { check: () => void child.kill('SIGKILL') };
    t.strictSame(await once(child, 'exit'), [null, 'SIGKILL']);
    t.equal(verify.checks.length, 1);
    const found = await login.otp.find(storage.db, scope, settings, login.bench.now);
    t.match(found, { triesLeft: 4, codeId }, 'the try is spent, the code is not');
    verify.instead = {};
    t.equal(await login.type(verify.codeOf(to)), codeId, 'and can be typed again');
    t.ok(await login.pass(codeId));
  });
});

t.test('many at once', async (t) => {
  await postgresOnly(t, async (t, storage, database) => {
    const verify = await startVerify(t);
    const login = await open(t, storage, [verifyProvider('verify', verify.url)]);
    const other = login.otpOf(await login.bench.another(await database.another()));
    const race = async (typed: () => string) => {
      verify.checks.splice(0);
      const attempts = Array.from({ length: 24 }, async (_, n) => {
        const found = await login.type(typed(), n % 2 ? login.otp : other);
        return found.startsWith('otp_') ? ((await login.pass(found)) ? 'passed' : 'late') : found;
      });
      const results = await Promise.all(attempts);
      return (name: string) => results.filter((one) => one === name).length;
    };

    await login.send();
    const wrong = wrongOf(verify.codeOf(to));
    const guessed = await race(() => wrong);
    t.equal(verify.checks.length, 5, 'five tries reach Twilio');
    t.equal(guessed('wrong'), 5);
    t.equal(guessed('exhausted'), 19);

    await storage.db.deleteFrom('otp_challenges').execute();
    await login.send();
    verify.instead = {
      check(response) {
        const approved = verify.checks.at(-1)?.fields.Code === verify.codeOf(to);
        response.writeHead(200).end(JSON.stringify({ status: approved ? 'approved' : 'pending' }));
      },
    };
    const right = await race(() => verify.codeOf(to));
    t.ok(verify.checks.length <= 5);
    t.equal(right('passed'), 1, 'even where Twilio approves it again and again');
  });
});
