import t from 'tap';
import { createDevices } from '../../src/guard/devices.ts';
import { systemRandom } from '../../src/lib/ids.ts';
import { crypto } from './fixture.ts';

const { deviceToken, readDevice } = createDevices(crypto, systemRandom);

t.test('a browser is known for who has logged in with it, and for nobody else', async (t) => {
  const token = deviceToken('usr_1', undefined);
  const id = readDevice(token, 'usr_1');
  t.match(id, /^dev_[\w-]{22}$/);
  t.equal(readDevice(token, 'usr_2'), null);
  t.notMatch(token, /usr_1/, 'whom it is known for does not stand in it');

  const both = deviceToken('usr_2', token);
  t.equal(readDevice(both, 'usr_1'), id);
  t.equal(readDevice(both, 'usr_2'), id);
  t.equal(deviceToken('usr_2', both), both, 'a further login changes nothing');
  t.not(readDevice(deviceToken('usr_1', undefined), 'usr_1'), id, 'another browser has another id');
});

t.test('the sixth user takes the place of the one who was there longest ago', async (t) => {
  let token: string | undefined;
  for (const user of ['a', 'b', 'c', 'd', 'e']) token = deviceToken(user, token);
  token = deviceToken('a', token);
  token = deviceToken('f', token);
  t.equal(readDevice(token, 'b'), null);
  for (const user of ['a', 'c', 'd', 'e', 'f']) t.ok(readDevice(token, user), user);
  t.ok(token.length < 400);
});

t.test('nothing that a browser makes up is believed', async (t) => {
  const token = deviceToken('usr_1', undefined);
  const [id, mark] = token.split('~') as [string, string];
  const [otherId] = deviceToken('usr_1', undefined).split('~') as [string];
  for (const forged of [
    undefined,
    '',
    id,
    `${id}~`,
    `${id}~k1.AAAA`,
    `${otherId}~${mark}`,
    `${id}~${mark}x`,
    `x~${mark}`,
    [id, ...Array(50).fill(mark)].join('~'),
  ]) {
    t.equal(readDevice(forged, 'usr_1'), null, String(forged));
  }
  const renewed = deviceToken('usr_1', 'x'.repeat(100_000));
  t.ok(readDevice(renewed, 'usr_1'), 'a cookie of nonsense is replaced');
  t.ok(renewed.length < 100);
});
