import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { parse } from 'yaml';
import { readEnvironment } from '../../src/config/index.ts';
import { createBrowser } from '../../src/demo/index.ts';
import { serve } from '../../src/server.ts';
import { alice, freePort, postgresUrl, standard, testEnvironment } from '../helpers/gateway.ts';
import { sallyport, temporary } from './support.ts';

const steps = {
  password: '[{ id: first, options: [password] }]',
  twice: '[{ id: first, options: [password] }, { id: second, options: [sms-otp], when: WHEN }]',
};
const flow = (name: string, written: string) => `id: password-sms\nname: ${name}\nsteps: ${written}\n`;
const night = `'now.getHours("UTC") >= 22'`;

t.test('versions of a flow, from the template to the rollback', { timeout: 120_000 }, async (t) => {
  const options = { databaseUrl: await postgresUrl(t), env: { LOG_LEVEL: 'silent' } };
  const env = await testEnvironment(t, options, standard('http://localhost:1/'));
  const command = (...args: string[]) => sallyport(env, args);
  const folder = temporary(t);
  const file = (name: string, text: string) => {
    writeFileSync(join(folder, name), text);
    return join(folder, name);
  };
  await command('migrate');
  t.match(await command('flow', 'list'), { code: 0, output: /^None of your own/ });
  t.match(await command('config', 'apply'), { code: 0, output: /^\+ flows password-sms$/m });
  t.match(await command('flow', 'list'), {
    output: /^password-sms {2}version 1 .* Password, then a code by SMS {2}shop\n@account /,
  });

  await t.test('templates', async (t) => {
    const list = await command('flow', 'template');
    for (const name of ['password-sms', 'new-device', 'night-time']) t.match(list.output, name);
    t.match(list.output, '--set group=staff');
    const printed = await command('flow', 'template', 'step-up-by-group', '--set', 'group=finance');
    t.match(parse(printed.output), {
      flows: [{ id: 'step-up-by-group', steps: [{}, { when: /"finance"/ }] }],
    });
    t.match(await command('flow', 'check', file('template.yaml', printed.output)), {
      code: 0,
      output: 'No faults in step-up-by-group.\n',
    });
    t.match(await command('flow', 'template', 'nothing'), { code: 1, errors: /There are password,/ });
    t.match(await command('flow', 'template', 'age-of-user', '--set', 'age=old'), {
      code: 1,
      errors: /^age: must be a number of years$/m,
    });
    t.match(await command('flow', 'template', 'age-of-user', '--set', 'age'), { code: 2 });
  });

  await t.test('what is wrong with a file', async (t) => {
    const misspelt = steps.twice.replace('WHEN', `'user.gruops.size() > 0'`);
    const checked = await command('flow', 'check', file('misspelt.yaml', flow('Odd', misspelt)));
    t.equal(checked.code, 1);
    t.match(checked.errors, /misspelt\.yaml: flows\[0\]\.steps\[1\]\.when: “user\.gruops” is no fact/);
    const call = file(
      'call.json',
      JSON.stringify({ id: 'x', name: 'X', steps: [{ id: 'a', options: ['call'] }] }),
    );
    t.match(await command('flow', 'draft', call), {
      code: 1,
      errors: /flows\[0\]\.steps\[0\]\.options\[0\]: /,
    });
    t.match(await command('flow', 'draft', call), { errors: `${call}: flows[0].steps` }, 'in which file');
    const one = { id: 'x', name: 'X', steps: [{ id: 'a', options: ['password'] }] };
    const twice = file('twice.json', JSON.stringify([one, { ...one, name: 'Y' }]));
    for (const verb of ['check', 'draft']) {
      t.match(await command('flow', verb, twice), {
        code: 1,
        errors: `${twice}: flows[1].id: is that of flows[0], too: “x”\n1 fault`,
      });
    }
    t.match(await command('flow', 'check', file('text.yaml', 'hello')), { code: 1, errors: /holds no flow/ });
    t.match(await command('flow', 'check', join(folder, 'absent.yaml')), { code: 1, errors: /absent\.yaml/ });
  });

  const later = file('later.yaml', flow('Code at night', steps.twice.replace('WHEN', night)));
  t.match(await command('flow', 'draft', later, '--note', 'for the night shift'), {
    code: 0,
    output: /“password-sms”, version 2\. No sign-in takes it yet/,
  });
  const simulate = (...args: string[]) =>
    command('flow', 'simulate', 'password-sms', '--user', alice.username, ...args);
  const atNight = await simulate('--version', '2', '--at', '2026-03-01T23:00:00Z', '--app', 'shop');
  t.match(atNight, { code: 0, output: /second +asked +condition-holds +sms-otp/ });
  t.match(atNight.output, /signed in; acr urn:sallyport:acr:2, amr pwd sms mfa/);
  const byDay = await simulate('--version', '2', '--at', '2026-03-01T12:00:00Z', '--json');
  t.match(JSON.parse(byDay.output), {
    version: 2,
    end: 'finished',
    steps: [{}, { is: 'skipped', rule: 'condition' }],
  });
  t.match(await simulate('--session', 'password=5m', '--device', 'known'), {
    output: /first +satisfied +session +password/,
  });
  t.match(await simulate('--at', 'tonight'), { code: 1, errors: /^at: “tonight” is no moment/m });
  t.match(await simulate('--device', 'old'), { code: 2 });
  t.match(await command('flow', 'simulate', 'password-sms'), { code: 2 }, 'of whom?');
  t.match(await command('flow', 'simulate', 'password-sms', '--user', 'nobody'), {
    code: 1,
    errors: /no user/,
  });

  for (const share of ['abc', '0', '100', '1.234']) {
    t.match(await command('flow', 'publish', 'password-sms', '--share', share), { code: 2 }, share);
  }
  t.match(await command('flow', 'publish', 'password-sms', '--share', '12.5'), {
    code: 0,
    output: 'New sign-ins of 12.5 % of the browsers take version 2 of “password-sms” instead of version 1.\n',
  });
  t.match(await command('flow', 'list'), { output: /version 1 {2}version 2 for 12\.5 %/ });
  t.match(await command('flow', 'publish', 'password-sms', '--replaces', '7'), {
    code: 1,
    errors: 'Of “password-sms” version 1 is published, not version 7 as you have seen it',
  });
  t.match(await command('flow', 'publish', 'password-sms'), {
    code: 0,
    output: 'All new sign-ins take version 2 of “password-sms” instead of version 1.\n',
  });
  const shown = await command('flow', 'show', 'password-sms');
  t.match(shown.output, /^2 +published +since .* by cli.* made .* for the night shift$/m);
  t.match(shown.output, /^Used by shop\.$/m);
  t.match(parse((await command('flow', 'show', 'password-sms', '--yaml', '--version', '1')).output), {
    flows: [standard('').flows[0]],
  });
  t.match(await command('flow', 'show', 'password-sms', '--version', '9'), {
    code: 1,
    errors: /no version 9/,
  });
  t.match(await command('flow', 'show', 'nothing'), { code: 1, errors: /no flow “nothing”/ });
  t.match(
    await command('config', 'diff'),
    { output: /^~ flows password-sms/m },
    'the files say something else',
  );
  t.match(
    parse(
      (await command('config', 'export')).output.split('---\n').find((one) => /^# flows/.test(one)) ?? '',
    ),
    {
      flows: [{ name: 'Code at night' }],
    },
  );

  t.match(await command('flow', 'rollback', 'password-sms'), {
    code: 0,
    output: /^All new sign-ins take version 1 of “password-sms” again; version 2 is taken back\.$/m,
  });
  t.match(await command('config', 'diff'), { output: 'The files and the database say the same.\n' });
  t.match(await command('flow', 'rollback', 'password-sms'), {
    code: 1,
    errors: /What .* had before version 1/,
  });
  t.match(await command('flow', 'publish', 'password-sms'), { code: 1, errors: /has no draft/ });
  await command('flow', 'draft', later);
  t.match(await command('flow', 'archive', 'password-sms'), { code: 0, output: /Archived: version 3/ });

  t.match(await command('flow', 'figures', 'password-sms', '--since', '1d'), {
    code: 0,
    output: /^password-sms, .*\n0 sign-ins begun: 0 finished/,
  });
  t.match(await command('flow', 'figures', 'password-sms', '--since', '999999d'), {
    code: 0,
    output: /^password-sms, 1970-01-01T00:00:00\.000Z to /,
  });
  t.match((await command('flow', 'show', 'password-sms')).output, /^2 +archived +from .* by cli/m);
  t.match(JSON.parse((await command('flow', 'figures', 'password-sms', '--json')).output), { steps: [] });
  t.match(await command('flow', 'figures', 'password-sms', '--since', 'week'), { code: 2 });
});

t.test('what one app lets the password set up passes the step of another', { timeout: 60_000 }, async (t) => {
  const files = standard('http://localhost:1/');
  const first = { id: 'first', options: ['password'] };
  const code = { id: 'second', options: ['sms-otp'] };
  const easy = { id: 'easy', name: 'Easy', steps: [first, { ...code, onUnavailable: 'enrol' }] };
  const strict = { id: 'strict', name: 'Strict', steps: [first, code] };
  const apps = ['easy', 'strict'].map((flow) => ({ ...files.apps[0], id: flow, flow }));
  const options = { databaseUrl: await postgresUrl(t), env: { LOG_LEVEL: 'silent' } };
  const env = await testEnvironment(t, options, { ...files, apps, flows: [easy, strict] });
  const command = (...args: string[]) => sallyport(env, args);
  const warning =
    'steps[1]: lets nobody set up “sms-otp” with the password alone, but “easy” (steps[1]) does';
  for (const verb of ['validate', 'apply']) {
    if (verb === 'apply') await command('migrate');
    const ran = await command('config', verb);
    t.equal(ran.code, 0);
    t.match(ran.errors, `warning: flows.yaml: flows[1].${warning}`, verb);
    t.equal(ran.errors.split('\n').length, 2, 'once, and nothing of the other');
  }
  const file = join(temporary(t), 'flow.json');
  writeFileSync(file, JSON.stringify(strict));
  const checked = await command('flow', 'check', file);
  t.match(checked, { code: 0, output: 'No faults in strict.\n' });
  t.match(checked.errors, `warning: ${file}: flows[0].${warning}`);
  writeFileSync(file, JSON.stringify({ ...strict, steps: [first, { ...code, onUnavailable: 'enrol' }] }));
  t.equal((await command('flow', 'check', file)).errors, '');
});

const lastLine = ({ output }: { output: string }): string => output.trimEnd().split('\n').at(-1) ?? '';

t.test('flows that are built in', { timeout: 60_000 }, async (t) => {
  const options = { databaseUrl: await postgresUrl(t), env: { LOG_LEVEL: 'silent' } };
  const files = standard('http://localhost:1/');
  const recovery = { enabled: true, channels: ['email', 'sms'] };
  const env = await testEnvironment(t, options, { ...files, gateway: { ...files.gateway, recovery } });
  const command = (...args: string[]) => sallyport(env, args);
  await command('migrate');
  await command('config', 'apply');
  const list = await command('flow', 'list');
  t.match(list.output, /^@account +built in +Account +account$/m);
  t.match(list.output, /^@recovery:sms +built in +Recovery +\(no app\)$/m, 'the channel that has a provider');

  const shown = await command('flow', 'show', '@account');
  t.match(shown, {
    code: 0,
    output: /^Account \(@account\)\nUsed by account\.\nIt is built in: .*account\.flow/,
  });
  t.match(shown.output, /- sms-otp\n/);
  const copy = await command('flow', 'show', '@account', '--yaml');
  const file = join(temporary(t), 'flow.yaml');
  writeFileSync(file, copy.output);
  t.match(await command('flow', 'check', file), { code: 1, errors: /flows\[0\]\.id: begins with @: / });
  writeFileSync(file, copy.output.replace('"@account"', 'own'));
  t.match(
    await command('flow', 'check', file),
    { code: 0 },
    'a copy by another name is a flow like any other',
  );

  const simulated = await command('flow', 'simulate', '@account', '--user', alice.username);
  t.equal(simulated.code, 0);
  t.match(simulated.output, /^alice in @account, version -/);
  t.match(lastLine(simulated), /^signed in; acr urn:sallyport:acr:2, amr pwd sms mfa$/);
  t.match(await command('flow', 'simulate', '@recovery:sms', '--user', alice.username), {
    code: 1,
    errors: /signs nobody in/,
  });
  t.match(await command('flow', 'figures', '@account'), { code: 0, output: /^@account, .*\n0 sign-ins/ });
  t.match(await command('flow', 'figures', '@recovery:sms'), { code: 0 });

  for (const args of [
    ['publish', '@account'],
    ['publish', '@account', '--version', '1'],
    ['rollback', '@account', '--to', '1'],
    ['archive', '@recovery:sms', '--version', '1'],
    ['show', '@account', '--version', '2'],
    ['simulate', '@account', '--version', '2', '--user', alice.username],
    ['figures', '@account', '--version', '2'],
  ]) {
    const ran = await command('flow', ...args);
    t.match(ran, { code: 1, errors: /^“@\w+(:sms)?” is built in and has no versions/ }, args.join(' '));
  }
  t.match(await command('flow', 'show', '@other'), { code: 1, errors: /There is no flow “@other”/ });
});

t.test('beside the server that holds the database', { timeout: 60_000 }, async (t) => {
  const options = { databaseUrl: null, env: { PORT: String(await freePort()), LOG_LEVEL: 'silent' } };
  const env = await testEnvironment(t, options, standard('http://localhost:1/'));
  const server = await serve(readEnvironment(env));
  t.teardown(() => server.close());
  const command = (...args: string[]) => sallyport(env, args);
  const file = join(temporary(t), 'flow.yaml');
  writeFileSync(file, flow('Password', steps.password));
  t.match(await command('flow', 'check', file), { code: 0 });
  t.match(await command('flow', 'draft', file), { code: 0, output: /version 2/ });
  t.match(await command('flow', 'publish', 'password-sms', '--share', '1'), {
    output: /^New sign-ins of 1 %/,
  });
  t.match(await command('flow', 'rollback', 'password-sms'), { output: /take version 1 of/ });
  t.match(await command('flow', 'simulate', 'password-sms', '--user', alice.username), {
    output: /signed in/,
  });
  t.match(await command('flow', 'archive', 'password-sms', '--version', '1'), {
    code: 1,
    errors: /is the published one/,
  });
  t.match(await command('flow', 'show', 'password-sms'), { output: /^1 +published/m });
  t.match(await command('flow', 'figures', 'password-sms'), { code: 0 });
  t.match(await command('flow', 'list'), { output: /^password-sms {2}version 1/ });
  t.match(await command('flow', 'show', '@account'), { output: /It is built in/ });
  t.match(await command('flow', 'publish', '@account'), {
    code: 1,
    errors: /is built in and has no versions/,
  });
  await createBrowser().open(new URL('/account', server.issuer));
  const { output } = await command('flow', 'figures', '@account');
  t.match(output, /^1 sign-ins begun: 0 finished, 0 failed, 0 abandoned, 1 under way$/m);
  t.match(output, /^password +password +1 +0 +0 +0 +- +-$/m);
  writeFileSync(file, flow('Password', '[{ id: first, options: [sms-otp] }]'));
  t.match(await command('flow', 'draft', file), {
    code: 1,
    errors: /flows\[0\]\.steps\[0\]\.options\[0\]: /,
  });
});
