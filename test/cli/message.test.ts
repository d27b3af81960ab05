import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { readEnvironment } from '../../src/config/index.ts';
import { serve } from '../../src/server.ts';
import { freePort, postgresUrl, standard, testEnvironment } from '../helpers/gateway.ts';
import { demoWith, sallyport } from './support.ts';

const files = {
  ...standard('http://127.0.0.1:9/'),
  messages: [
    {
      app: 'shop',
      locale: 'de',
      text: '„{{app}}“: {{code}} – gültig {{minutes}} Minuten auf {{host}}, heute.',
    },
    { app: 'shop', channel: 'voice', text: 'Your code is {{code}}.' },
    { channel: 'email', subject: '{{app}}: sign in' },
  ],
};

t.test('texts are listed and shown as they go out', async (t) => {
  // Not the embedded one: each command would start it anew.
  const env = await testEnvironment(t, { databaseUrl: await postgresUrl(t) }, files);
  const variables = { ...env, LOG_LEVEL: 'silent', ISSUER: 'https://id.example' };
  const message = (...args: string[]) => sallyport(variables, ['message', ...args]);
  t.match(await message('list'), { code: 0, output: /^None: every message is built in/ });
  t.strictSame(await message('preview'), {
    code: 0,
    errors: '',
    output: [
      'sms, en, built in',
      '',
      '123456 is your code for Our shop. It is valid for 5 minutes. Do not share it with anyone.',
      '',
      '@id.example #123456',
      '',
      'GSM-7, 110 septets, 1 message',
      '',
    ].join('\n'),
  });
  const applied = await sallyport(variables, ['config', 'apply']);
  t.equal(applied.code, 0);
  t.match(
    applied.errors,
    /^warning: messages\.yaml: messages\[0\]\.text: goes out as 2 messages.*„ \(U\+201E\)/m,
  );

  const { output: listed } = await message('list');
  t.match(listed, /^\*\/\*\/email\/\* {5}subject: "\{\{app\}\}: sign in"\n/m);
  t.match(listed, /^shop\/\*\/voice\/\* {2}text: "Your code is \{\{code\}\}\."\n/m);
  const german = await message('preview', '--app', 'shop', '--locale', 'de-AT');
  t.equal(german.code, 0, 'a warning is no failure');
  t.match(
    german.output,
    'sms, de-AT, by shop/de/*/*\n\n„Shop“: 123456 – gültig 5 Minuten auf id.example, heute.\n\n@id',
  );
  t.match(german.output, 'UCS-2, 77 units, 2 messages\n');
  t.match(
    german.errors,
    /^warning: goes out as 2 messages.*because of „ \(U\+201E\), “ \(U\+201C\), – \(U\+2013\): .*1 message then\n$/,
  );

  const call = await message('preview', '--app', 'shop', '--channel', 'voice');
  t.equal(call.output, 'voice, en, by shop/*/voice/*\n\nYour code is 1, 2, 3, 4, 5, 6.\n', 'as it is spoken');
  const mail = await message('preview', '--app', 'shop', '--channel', 'email', '--locale', 'fr');
  t.match(
    mail.output,
    /^email, fr, built in\n\nSubject: Shop: sign in\n\n123456 est votre code pour Shop\..*\n$/,
  );
  const bare = await message('preview', '--channel', 'email', '--locale', 'de', '--purpose', 'enrol-code');
  t.match(bare.output, 'Subject: Our shop: sign in');

  const wrong: [args: string[], code: number, errors: RegExp][] = [
    [['preview', '--app', 'shpo'], 1, /app: there is no app 'shpo'; did you mean 'shop'\?/],
    [['preview', '--locale', 'no language'], 1, /locale: /],
    [['preview', '--channel', 'fax'], 2, /Allowed choices are sms, voice, email/],
  ];
  for (const [args, code, errors] of wrong) t.match(await message(...args), { code, errors });
});

t.test('while a server holds the embedded database it is asked', async (t) => {
  const env = await testEnvironment(t, { databaseUrl: null }, files);
  const running = await serve(
    readEnvironment({ ...env, PORT: String(await freePort()), LOG_LEVEL: 'silent' }),
  );
  t.teardown(() => running.close());
  const shown = await sallyport(env, ['message', 'preview', '--app', 'shop', '--channel', 'voice']);
  t.match(shown, { code: 0, output: /^voice, en, by shop/ });
  t.match(await sallyport(env, ['message', 'list']), { code: 0, output: /^shop\/de\/\*\/\*/m });
  t.match(await sallyport(env, ['message', 'preview', '--app', 'x']), { code: 1, errors: /no app 'x'/ });
  const tried = await running.context.messages.preview({
    ...{ app: 'shop', locale: 'de' },
    document: { app: 'shop', locale: 'de', text: '{{code}} neu' },
  });
  t.match(tried, { from: 'shop/de/*/*', text: '123456 neu\n\n@localhost #123456', findings: [] }, 'unsaved');
  await t.rejects(running.context.messages.preview({ document: { text: 'no code' } }), {
    ...{ status: 400, errors: [{ path: 'text' }] },
  });
  await t.rejects(running.context.messages.preview({ document: { txt: 'no code' } }), {
    ...{ status: 400, errors: [{ path: 'txt' }] },
  });
});

t.test('faults and warnings of files', async (t) => {
  const folder = demoWith(t, {});
  const write = (text: string) => writeFileSync(join(folder, 'messages.yaml'), text);
  const validate = () => sallyport({}, ['config', 'validate', folder]);
  write('messages:\n  - { app: shop, text: "Hello {{name}}" }\n  - { locale: de, subject: "{{code}}" }\n');
  const { code, errors } = await validate();
  t.equal(code, 1);
  t.match(errors, /messages\.yaml: messages\[0\]\.text: unknown placeholder \{\{name\}\}/);
  t.match(errors, /messages\.yaml: messages\[0\]\.app: there is no app 'shop'/);
  t.match(errors, /messages\.yaml: messages\[1\]\.subject: stands in the logs/);
  write('messages:\n  - { locale: de, text: "{{code}}" }\n  - { locale: DE, text: "{{code}}!" }\n');
  t.match((await validate()).errors, /messages\[1\]: has the same name as messages\[0\]: '\*\/de\/\*\/\*'/);
  write(`messages:\n  - text: "{{code}} ${'a'.repeat(200)}"\n`);
  t.match(await validate(), {
    code: 0,
    errors: /^warning: messages\.yaml: messages\[0\]\.text: goes out as 2/,
  });
});
