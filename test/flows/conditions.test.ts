import t from 'tap';
import { conditionFaults } from '../../src/flows/conditions/check.ts';
import { createCondition } from '../../src/flows/conditions/condition.ts';
import { ageOf, type ConditionFacts } from '../../src/flows/conditions/facts.ts';

const attributes = { level: 'double', tags: 'list<string>', staff: 'bool', birthdate: 'string' };

const facts: ConditionFacts = {
  user: {
    groups: ['staff', 'night'],
    attributes: { level: 3, tags: ['a'], birthdate: '1990-03-02' },
    created: new Date('2026-01-01T00:00:00Z'),
  },
  app: { id: 'shop', firstParty: true },
  request: { ip: '10.1.2.3', userAgent: 'Mozilla/5.0', country: null },
  device: { known: false },
  session: { active: true, methods: ['password'], ageMs: 120_500 },
  acr: ['urn:sallyport:acr:2'],
  now: new Date('2026-03-01T23:30:00Z'),
};

t.test('what can be saved, and what it says', async (t) => {
  for (const [source, said] of [
    ['"staff" in user.groups', true],
    ['!("admins" in user.groups)', true],
    ['user.groups.exists(g, g.startsWith("ni"))', true],
    ['user.groups.filter(g, g != "staff").all(g, g == "night")', true],
    ['user.attributes.level > 3', false],
    ['user.attributes.level == 3', true],
    ['user.attributes.level >= 2.5', true],
    ['user.attributes.tags.exists(x, x == "a")', true],
    ['user.attributes.staff', null],
    ['has(user.attributes.staff) && user.attributes.staff', false],
    ['user.age < 36', true],
    ['user.created < now - duration("24h")', true],
    ['app.id == "shop" && app.firstParty', true],
    ['request.ip.inRange("10.0.0.0/8")', true],
    ['!request.ip.inRange("192.168.0.0/16")', true],
    ['request.country != "DE"', null],
    ['request.country != "DE" || true', true],
    ['request.country == "DE" && false', false],
    ['request.userAgent.matches("^Mozilla/[0-9]")', true],
    ['user.groups.exists(g, g.matches("^st"))', true],
    ['!device.known', true],
    ['session.active && session.age > duration("2m")', true],
    ['session.methods.exists(m, m == "sms-otp")', false],
    ['"urn:sallyport:acr:2" in acr', true],
    ['now.getHours("Europe/Berlin") < 6 || now.getHours("Europe/Berlin") >= 22', true],
    ['now > timestamp("2026-03-01T00:00:00Z")', true],
    ['user.groups.size() > 1 ? device.known : true', false],
  ] as const) {
    t.strictSame(conditionFaults(source, attributes), [], source);
    t.equal(createCondition(source).evaluate(facts).is, said, source);
  }
});

t.test('what cannot, and where', async (t) => {
  const long = `device.known || ${'"x" == "y" || '.repeat(80)}true`;
  for (const [source, ...said] of [
    ['user.age', /must be true or false, and is of the type int \(character 1\)/],
    ['device', /“device” is no fact by itself; there are known in it \(character 1\)/],
    [' user', /“user” is no fact by itself; there are groups, attributes, age, created in it/],
    ['user.attributes', /“user\.attributes” is no fact by itself; there are level/],
    ['1 +', /Unexpected token: EOF \(character 4\)/],
    ['devise.known', /“devise” is no fact; did you mean “device”\? \(character 1\)/],
    ['user.gruops.size() > 0', /“user\.gruops” is no fact; did you mean “groups”\? \(character 6\)/],
    ['user.attributes.lvel == 1', /did you mean “level”\?; attributes\.yaml declares none of this name/],
    ['has(user.typo)', /“user\.typo” is no fact/],
    ['has(user.attributes.levl)', /did you mean “level”/],
    ['app.id == "x" &&\n  app.firstPart', /did you mean “firstParty”\? \(line 2, character 7\)/],
    ['user.groups == "staff"', /no such overload/],
    ['true', /asks about no fact/],
    ['"staff" == "staff"', /asks about no fact/],
    ['dyn(user).typo == 1', /dyn\(\) cannot be used/],
    ['cel.bind(x, user.groups, x.size() > 0)', /cel\.bind\(\) cannot be used/],
    ['request.userAgent.split(" ").size() > 2', /split\(\) cannot be used/],
    ['b"{}".json().x == user.age', /json\(\) cannot be used/],
    [
      'user.groups.exists(g, user.groups.exists(h, g == h))',
      /exists\(\) cannot stand within another of its kind \(character 23\)/,
    ],
    ['session.age > duration("zz")', /“zz” is no duration: write it like “90m” or “24h” \(character 24\)/],
    ['now > timestamp("2026-99-01T00:00:00Z")', /is no timestamp/],
    ['now.getHours("Nix/Berlin") > 1', /“Nix\/Berlin” is no time zone/],
    ['request.ip.inRange("10.0.0.0/33")', /is no address and no network/],
    ['request.ip.inRange(request.userAgent)', /needs the network itself/],
    ['request.userAgent.matches("(a")', /“\(a” is no regular expression that can be used/],
    ['request.userAgent.matches("(?=a)")', /is no regular expression that can be used/],
    ['request.userAgent.matches("a{900}")', /too large/],
    ['request.userAgent.matches(app.id)', /needs the regular expression itself/],
    ['device.knwon && now.getHours("x/y") > 1', /“x\/y” is no time zone/, /did you mean “known”/],
    [long, /is longer than 1000 characters/],
    [`${'('.repeat(60)}device.known${')'.repeat(60)}`, /has more than 30 levels within each other \(char/],
    [`device.known ||${'1>2||'.repeat(120)}true`, /has more than 300 parts/],
    [`user.age in [${'1,'.repeat(250)}1]`, /has more than 200 entries in a list/],
  ] as [string, ...RegExp[]][]) {
    const found = conditionFaults(source, attributes);
    t.equal(found.length, said.length, `${source}: ${found.join(' | ')}`);
    for (const pattern of said) t.match(found.join('\n'), pattern, source);
  }
});

t.test('whatever fails when it is asked is no no', async (t) => {
  const bare: ConditionFacts = { ...facts, app: undefined, request: undefined, device: undefined };
  for (const source of [
    '!device.known',
    'device.known',
    'app.id == "shop"',
    'request.ip.inRange("10.0.0.0/8")',
    'this is no condition',
    'user.attributes.gone > 1',
    'user.attributes.birthdate > 1',
    'now.getHours("Nix/Berlin") > 1',
    'user.groups',
    'request.userAgent.matches("(a")',
    `device.known || ${'"x" == "y" || '.repeat(80)}true`,
  ]) {
    const verdict = createCondition(source).evaluate(bare);
    t.equal(verdict.is, null, source);
    t.ok(verdict.is === null && verdict.why.length > 0, 'and says why');
  }
  const odd = createCondition('!request.ip.inRange("10.0.0.0/8")');
  const request = { ip: 'somewhere', userAgent: null, country: null };
  t.equal(odd.evaluate({ ...facts, request }).is, null, 'an address that is none');
});

t.test('no expression stops the process', async (t) => {
  const started = performance.now();
  for (const pattern of ['^(a+)+$', '(a|aa)+$', '(a*)*b', '([a-z]+)*!', '.*.*.*=.*x']) {
    for (const length of [30, 300, 16_000]) {
      const condition = createCondition(`request.userAgent.matches("${pattern}")`);
      const userAgent = `${'a'.repeat(length)}#`;
      const { is } = condition.evaluate({ ...facts, request: { ip: '::1', userAgent, country: null } });
      t.not(is, true, `${pattern} on ${length} characters`);
    }
  }
  t.ok(performance.now() - started < 1_000, `${Math.round(performance.now() - started)} ms`);
});

t.test('whole years', async (t) => {
  for (const [birthdate, at, years] of [
    ['1990-03-02', '2026-03-01T23:59:59Z', 35],
    ['1990-03-02', '2026-03-02T00:00:00Z', 36],
    ['2008-02-29', '2026-02-28T12:00:00Z', 17],
    ['2008-02-29', '2026-03-01T00:00:00Z', 18],
    ['2026-03-01', '2026-03-01T00:00:00Z', 0],
    ['2027-01-01', '2026-03-01T00:00:00Z', null],
    ['1990-13-02', '2026-03-01T00:00:00Z', null],
    ['1990-3-2', '2026-03-01T00:00:00Z', null],
    [19900302, '2026-03-01T00:00:00Z', null],
    [undefined, '2026-03-01T00:00:00Z', null],
  ] as const) {
    t.equal(ageOf(birthdate, new Date(at)), years, `${birthdate} at ${at}`);
  }
});
