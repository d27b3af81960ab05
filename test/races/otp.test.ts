import t from 'tap';
import { postgresOnly } from '../helpers/database.ts';
import { at, codesOn, settings, wrong } from '../otp/fixture.ts';

const times = <T>(n: number, work: (i: number) => Promise<T>) =>
  Promise.all(Array.from({ length: n }, (_, i) => work(i)));

await postgresOnly(t, async (t, storage) => {
  t.test('of 200 wrong codes at once at most 5 are compared', async (t) => {
    const codes = codesOn(storage);
    const { code } = await codes.issue(0);
    const answers = await times(200, () => codes.type(wrong(code), 1));
    t.equal(answers.filter((answer) => answer === 'wrong').length, 5);
    t.equal(answers.filter((answer) => answer === 'exhausted').length, 195);
  });

  t.test('… and with a resend in the middle at most 5 for each code', async (t) => {
    const codes = codesOn(storage);
    const { code } = await codes.issue(0);
    const [answers] = await Promise.all([
      times(200, () => codes.type(wrong(code), 30)),
      codes.issue(30).then((newer) => codes.accepted(newer, 30)),
    ]);
    const compared = answers.filter((answer) => answer === 'wrong').length;
    t.ok(compared >= 5 && compared <= 10, `${compared} compared`);
  });

  t.test('of 50 uses of one code at once exactly one counts', async (t) => {
    const codes = codesOn(storage);
    const { codeId } = await codes.issue(0);
    const used = await times(50, () => codes.consume(codeId, 1));
    t.equal(used.filter(Boolean).length, 1);
  });

  t.test('of two live codes used at once exactly one counts', async (t) => {
    const pairs = [];
    for (let i = 0; i < 40; i++) {
      const codes = codesOn(storage);
      pairs.push({ codes, older: await codes.issue(0), newer: await codes.issue(30) });
    }
    for (const { codes, older, newer } of pairs) {
      const used = await times(16, (i) => codes.consume(i % 2 ? older.codeId : newer.codeId, 31));
      t.equal(used.filter(Boolean).length, 1);
    }
  });

  t.test('of 20 resends at once one is sent', async (t) => {
    const codes = codesOn(storage);
    const issued = await times(20, () => codes.tryIssue(0));
    t.equal(issued.filter((one) => 'code' in one).length, 1);
    const again = await times(20, () => codes.tryIssue(30));
    t.equal(again.filter((one) => 'code' in one).length, 1);
    t.match(await codes.find(31), { sends: 2 });
  });

  t.test('sends never exceed their number', async (t) => {
    const codes = codesOn(storage);
    const issued = await times(40, () => codes.tryIssue(0, { resendAfterMs: 0 }));
    t.equal(issued.filter((one) => 'code' in one).length, settings.resends + 1);
  });

  t.test('news of several codes at once leave the newest accepted one', async (t) => {
    const codes = codesOn(storage);
    const made = [];
    for (let i = 0; i < 6; i++) made.push(await codes.issue(i * 30));
    await Promise.all(made.map((code) => codes.accepted(code, 200)));
    t.match(await codes.find(201), { codeId: made.at(-1)!.codeId, triesLeft: 5 });
    t.equal(await codes.consume(made[0]!.codeId, 201), false);
    t.strictSame((await codes.find(201))?.codeExpiresAt, at(450));
  });
});
