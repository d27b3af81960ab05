import t from 'tap';
import { keeping } from '../../src/lib/memo.ts';

t.test('an answer is found once for a text, as long as it is kept', async (t) => {
  const asked: string[] = [];
  const lengthOf = keeping((text) => {
    asked.push(text);
    return text === '' ? null : text.length;
  }, 2);
  t.strictSame(['one', 'one', '', ''].map(lengthOf), [3, 3, null, null]);
  t.strictSame(asked, ['one', ''], 'also where the answer is nothing');
  t.equal(lengthOf('three'), 5);
  t.equal(lengthOf('one'), 3);
  t.strictSame(asked, ['one', '', 'three', 'one'], 'no more than two are kept');
});

t.test('what fails is asked again', async (t) => {
  let calls = 0;
  const failing = keeping(() => {
    calls += 1;
    throw new RangeError('no');
  });
  t.throws(() => failing('x'), RangeError);
  t.throws(() => failing('x'), RangeError);
  t.equal(calls, 2);
});
