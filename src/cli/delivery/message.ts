import { Command, Option } from 'commander';
import { readEnvironment } from '../../config/index.ts';
import type { MessageDesk, MessageEntry, MessagePreview, PreviewOf } from '../../delivery/index.ts';
import type { CommandDeps } from '../command.ts';
import { withSide } from '../server/backend.ts';
import { askServer } from '../server/control.ts';

export function messageCommand(deps: CommandDeps): Command {
  const command = new Command('message').description('what messages say');
  command
    .command('list')
    .description('the texts in force beside the built-in ones, and what each is for')
    .action(() => withDesk(deps, async (desk) => deps.write(table(await desk.list()))));
  command
    .command('preview')
    .description('a message as it would go out, with a sample code, and how much room it takes')
    .option('--app <id>', 'the app (default: one that no text is for)')
    .option('--locale <tag>', 'the language', 'en')
    .addOption(
      new Option('--channel <channel>', 'how it goes out').choices(['sms', 'voice', 'email']).default('sms'),
    )
    .addOption(
      new Option('--purpose <purpose>', 'what the code is for')
        .choices(['login-code', 'enrol-code', 'reset-code'])
        .default('login-code'),
    )
    .action((wanted: PreviewOf) =>
      withDesk(deps, async (desk) => {
        const preview = await desk.preview(wanted);
        deps.write(page(preview));
        for (const { message, mend } of preview.findings) deps.writeError(`warning: ${message}: ${mend}\n`);
      }),
    );
  return command;
}

const withDesk = (deps: CommandDeps, work: (desk: MessageDesk) => Promise<void>): Promise<void> =>
  withSide<MessageDesk>(deps, readEnvironment(deps.variables), {
    here: (context) => context.messages,
    there: (socket) => ({
      list: () => askServer(socket, 'message/list', {}),
      preview: (wanted) => askServer(socket, 'message/preview', wanted),
    }),
    work,
  });

function table(entries: MessageEntry[]): string {
  if (entries.length === 0) return 'None: every message is built in. See config/messages.yaml.\n';
  const width = Math.max(...entries.map(({ id }) => id.length));
  return entries
    .map(({ id, document: { app, locale, channel, purpose, ...says } }) => {
      const members = Object.entries(says).map(([name, value]) => `${name}: ${JSON.stringify(value)}`);
      return `${id.padEnd(width)}  ${members.join('  ')}\n`;
    })
    .join('');
}

function page({ channel, from, length, locale, subject, text }: MessagePreview): string {
  const head = `${channel}, ${locale}, ${from === null ? 'built in' : `by ${from}`}`;
  const lines = [head, '', ...(subject === null ? [] : [`Subject: ${subject}`, '']), text];
  if (length !== null) {
    const { encoding, segments, units } = length;
    const unit = encoding === 'GSM-7' ? 'septets' : 'units';
    lines.push('', `${encoding}, ${units} ${unit}, ${segments === 1 ? '1 message' : `${segments} messages`}`);
  }
  return lines.map((line) => `${line}\n`).join('');
}
