import { type PreparedSmtp, prepareSmtp, SmtpOptions } from '../mail/options.ts';
import { deliver } from '../mail/session.ts';
import type { DirectPreset, Dispatch } from '../preset.ts';
import { render } from '../template/template.ts';
import { valuesOf } from '../values.ts';
import { hideMembers } from '../vendor/vendor.ts';

/** E-mail to a server of one's own: RFC 5321, by nodemailer (https://nodemailer.com/smtp/). */
export const smtp = {
  id: 'smtp',
  channels: ['email'],
  options: SmtpOptions,
  prepare: prepareSmtp,
  transport: ({ transport }) => transport,
  hide: (options) => hideMembers(options, ['password']),
  async send(message, { now }, prepared, timeoutMs) {
    if (prepared === null) return { status: 'unavailable', reason: 'the provider was not loaded' };
    if (!/^[^\s<>@\p{Cc}]+@[^\s<>@\p{Cc}]+$/u.test(message.to)) {
      return { status: 'rejected', reason: 'this is no address of a mailbox' };
    }
    const content = await compose(message, prepared, now);
    const from = /<([^<>]+)>\s*$/.exec(message.from ?? '')?.[1] ?? message.from ?? '';
    const envelope = { from: from.trim(), to: message.to };
    return deliver(prepared, { envelope, content }, Math.min(timeoutMs, prepared.transport.timeoutMs));
  },
} satisfies DirectPreset<PreparedSmtp>;

async function compose(message: Dispatch, { subject, domain }: PreparedSmtp, now: Date): Promise<Buffer> {
  // Loaded with the first mail: a start that sends none does not need it.
  const { default: MailComposer } = await import('nodemailer/lib/mail-composer');
  const composer = new MailComposer({
    from: message.from ?? '',
    to: { name: '', address: message.to },
    subject: render(subject, valuesOf(message)) || domain,
    text: message.text,
    date: now,
    messageId: `<${message.id}@${domain}>`,
    // RFC 3834: nobody's holiday notice is to answer.
    headers: { 'Auto-Submitted': 'auto-generated', 'Content-Language': message.locale },
    disableFileAccess: true,
    disableUrlAccess: true,
  });
  return composer.compile().build();
}
