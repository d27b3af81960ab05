import fc from 'fast-check';
import t from 'tap';
import { read } from './support.ts';

/*
 * Whatever a message holds arrives as it was: ten thousand random values through each place, read back by the parser
 * that a gateway would use.
 */
const runs = { numRuns: 10_000 };
const anyText = fc.oneof(
  fc.string({ unit: 'grapheme' }),
  fc.string({ unit: 'binary' }),
  fc
    .array(
      fc.constantFrom(
        '"',
        '\\',
        '\n',
        '\r',
        '\t',
        '&',
        '#',
        '%',
        '+',
        '$ctx.num',
        '{{body}}',
        '$1',
        '$&',
        '<',
        ']]>',
        "'",
        '/',
        '?',
        '.',
        '😀',
        'ש',
        '\u2028',
        '&amp;',
        '%41',
      ),
    )
    .map((parts) => parts.join('')),
);

const payload = (template: string, contentType: string) => {
  const provider = read({ payload: template, contentType });
  return (text: string) => provider.send({ text }).body ?? '';
};

t.test('JSON, bare and quoted', async (t) => {
  const render = payload('{"bare":$ctx.msg,"quoted":"<$ctx.msg>","k$ctx.msg":1}', 'JSON');
  fc.assert(
    fc.property(anyText, (text) => {
      const read = JSON.parse(render(text));
      return read.bare === text && read.quoted === `<${text}>` && Object.keys(read).includes(`k${text}`);
    }),
    runs,
  );
  t.pass('unchanged');
});

t.test('form', async (t) => {
  const render = payload('first=1&text=$ctx.msg&last=a$ctx.msg', 'FORM');
  fc.assert(
    fc.property(anyText, (text) => {
      const read = [...new URLSearchParams(render(text))];
      return (
        JSON.stringify(read) ===
        JSON.stringify([
          ['first', '1'],
          ['text', text],
          ['last', `a${text}`],
        ])
      );
    }),
    runs,
  );
  t.pass('unchanged');
});

t.test('URL, path and query', async (t) => {
  const provider = read({ url: 'https://sms.example/to/a$ctx.msg/x?text=$ctx.msg&last=1' });
  fc.assert(
    fc.property(anyText, (text) => {
      const url = new URL(provider.send({ text }).path, 'https://sms.example');
      const segments = url.pathname.split('/');
      return (
        segments.length === 4 &&
        decodeURIComponent(segments[2] ?? '') === `a${text}` &&
        url.searchParams.get('text') === text &&
        url.searchParams.get('last') === '1' &&
        url.hash === ''
      );
    }),
    runs,
  );
  t.pass('unchanged');
});

t.test('header', async (t) => {
  const provider = read({ headers: 'X-First: 1, X-Text: a$ctx.msg|, X-Last: 2' });
  fc.assert(
    fc.property(anyText, (text) => {
      const refused = /\p{Cc}/u.test(text);
      try {
        const headers = provider.send({ text }).headers;
        return !refused && headers.length === 3 && headers[1]?.[1] === `a${text}|`;
      } catch (error) {
        return refused && (error as Error).name === 'EncodingError';
      }
    }),
    runs,
  );
  t.pass('unchanged, or refused');
});

t.test('XML, text and attribute', async (t) => {
  const render = payload('<m a="$ctx.msg" b=\'$ctx.msg\'>[$ctx.msg]</m>', 'XML');
  // XML 1.0 has no way at all to write these.
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is refused
  const impossible = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]/;
  fc.assert(
    fc.property(anyText, (text) => {
      try {
        const read = parseXml(render(text));
        return read.a === text && read.b === text && read.content === `[${text}]`;
      } catch (error) {
        return impossible.test(text) && (error as Error).name === 'EncodingError';
      }
    }),
    runs,
  );
  t.pass('unchanged, or refused');
});

/** A strict reader of the one element above, with the normalisations of XML 1.0 sections 2.11 and 3.3.3. */
function parseXml(source: string): { a: string; b: string; content: string } {
  const document = source.replace(/\r\n?/g, '\n');
  const match = /^<m a="([^"<]*)" b='([^'<]*)'>([^<]*)<\/m>$/.exec(document);
  if (match === null) throw new Error(`not well-formed: ${source}`);
  const [, a = '', b = '', content = ''] = match;
  if (content.includes(']]>')) throw new Error('the end of a CDATA section in text');
  const attribute = (raw: string) => unescaped(raw.replace(/[\t\n]/g, ' '));
  return { a: attribute(a), b: attribute(b), content: unescaped(content) };
}

const named: Record<string, string> = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'" };

function unescaped(raw: string): string {
  return raw.replace(/&([^;&]*);?/g, (reference, name: string) => {
    const code = /^#(\d+)$/.exec(name)?.[1];
    const value = code === undefined ? named[name] : String.fromCodePoint(Number(code));
    if (value === undefined || !reference.endsWith(';')) throw new Error(`unknown reference ${reference}`);
    return value;
  });
}
