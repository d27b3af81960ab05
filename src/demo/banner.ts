import { stripVTControlCharacters } from 'node:util';

/** What a person sees who has just started the demo: what to open, what to type, where the code will be. */
export function banner(at: {
  shop: string;
  simulator: string;
  password: string;
  backupCode: string;
}): string {
  const lines = [
    '\x1b[1mSallyport is running.\x1b[0m',
    '',
    `1. Open the demo shop    ${at.shop}`,
    `2. Sign in with          user name \x1b[1mdemo\x1b[0m, password \x1b[1m${at.password}\x1b[0m`,
    `3. Read the code at      ${at.simulator}`,
    `   or use a backup code  ${at.backupCode}`,
    '',
    'Everything stays on this machine. Stop with Ctrl+C.',
  ];
  const width = Math.max(...lines.map((line) => stripVTControlCharacters(line).length));
  const rule = '─'.repeat(width + 4);
  const rows = lines.map(
    (line) => `│  ${line}${' '.repeat(width - stripVTControlCharacters(line).length)}  │`,
  );
  return `\n╭${rule}╮\n${rows.join('\n')}\n╰${rule}╯\n\n`;
}
