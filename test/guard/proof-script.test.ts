import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createContext, runInContext } from 'node:vm';
import t from 'tap';
import { isSolved } from '../../src/guard/challenge.ts';

const script = readFileSync(join(import.meta.dirname, '../../views/assets/proof.js'), 'utf8');

/** Runs the page's script on a page with one task, until the form goes out. */
const solvedInPage = (salt: string, bits: number) =>
  new Promise<{ proof: string; disabled: boolean }>((resolve) => {
    const button = { disabled: true };
    const form = {
      querySelector: () => button,
      requestSubmit: (pressed: unknown) => {
        if (pressed === button) resolve({ proof: field.value, disabled: button.disabled });
      },
    };
    const field = { dataset: { salt, bits: String(bits) }, value: '', form };
    const document = { querySelectorAll: () => [field] };
    runInContext(script, createContext({ document, performance, setTimeout }));
  });

t.test('what the page works out is what the server asks for', async (t) => {
  for (let n = 0; n < 20; n += 1) {
    const salt = Buffer.alloc(16, n * 13).toString('base64url');
    const { disabled, proof } = await solvedInPage(salt, 10);
    t.ok(isSolved({ salt, bits: 10 }, proof), `${salt}: ${proof}`);
    t.equal(disabled, false, 'a disabled button would not be sent along');
  }
});

t.test('the bits count', async (t) => {
  t.equal(isSolved({ salt: 'x', bits: 33 }, '0'), false);
  const passing = Array.from({ length: 4_096 }, (_, nonce) =>
    isSolved({ salt: 'x', bits: 6 }, String(nonce)),
  );
  const share = passing.filter(Boolean).length / passing.length;
  t.ok(share > 1 / 128 && share < 1 / 32, String(share));
});
