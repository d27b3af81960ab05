import { setTimeout as delay } from 'node:timers/promises';
import t from 'tap';
import { createCable } from '../helpers/cable.ts';
import { generousGuard, postgresUrl, shop, startGateway } from '../helpers/gateway.ts';
import { createTestApp } from '../helpers/relying-party.ts';
import { emptyJournal, keepBusy, logIn, people } from './people.ts';

t.test('the database restarts for 3 s under load: 503 meanwhile, and every login goes on', async (t) => {
  const cable = await createCable(t, await postgresUrl(t));
  const persons = people(8);
  const lines: string[] = [];
  const gateway = await startGateway(t, {
    databaseUrl: cable.url,
    files: { users: persons, gateway: { guard: generousGuard, otp: { resendAfter: '1s' } } },
    logTo: (line) => void lines.push(line),
  });
  const app = await createTestApp(gateway, shop);
  const journal = emptyJournal();
  let done = false;
  const busy = keepBusy(
    persons,
    journal,
    () => done,
    (person) => logIn(app, gateway.sms, person, journal),
  );
  const began = performance.now();
  while (journal.logins < persons.length && performance.now() - began < 30_000) await delay(100);
  t.ok(journal.logins >= persons.length, 'people log in');

  await cable.pull();
  const pulled = performance.now();
  let probes = 0;
  while (performance.now() - pulled < 3_000) {
    const url = (await app.begin()).url;
    for (const answer of [
      await fetch(url, { redirect: 'manual' }),
      await fetch(`${gateway.issuer}/readyz`),
    ]) {
      probes += 1;
      if (answer.status !== 503 || !answer.headers.get('retry-after')) {
        t.fail(`${new URL(answer.url).pathname} answers ${answer.status}, without the database`);
      }
      await answer.body?.cancel();
    }
    await delay(100);
  }
  t.ok(probes > 20, `${probes} answers were 503 with Retry-After`);
  const during = journal.logins;
  await cable.plug();
  const plugged = performance.now();
  while (journal.logins - during < persons.length && performance.now() - plugged < 30_000) await delay(100);
  done = true;
  await busy;

  t.ok(journal.askedBack >= persons.length, `people were asked to come back: ${journal.askedBack}`);
  t.same(journal.faults, [], 'and nobody met anything else');
  // What was written as the connection broke stays written, though its answer was lost: that sign-in was used.
  t.ok(journal.begunAnew <= persons.length, `sign-ins that had to begin anew: ${journal.begunAnew}`);
  t.ok(journal.logins - during >= persons.length, `everybody was logged in: ${journal.logins - during}`);
  t.notOk(
    lines.some((line) => line.includes('"status":500')),
    'nothing was answered 500',
  );
});
