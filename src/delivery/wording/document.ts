import { type Static, Type } from '../../lib/schema.ts';
import type { Channel } from '../types.ts';

/** One entry of `messages.yaml`: whom it is for, and what it changes. */
export const MessageSchema = Type.Object(
  {
    app: Type.Optional(Type.String({ minLength: 1, description: 'Id of an app; every app by default' })),
    locale: Type.Optional(
      Type.String({
        pattern: '^[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})*$',
        description:
          'A language as de or de-AT, which is served by de where nothing says de-AT; every one by default',
      }),
    ),
    channel: Type.Optional(
      Type.Enum(['sms', 'voice', 'email'], { description: 'Every way of sending by default' }),
    ),
    purpose: Type.Optional(
      Type.Enum(['login-code', 'enrol-code', 'reset-code'], {
        description:
          'A code to sign in with, one that proves a number just given, or one that replaces a forgotten password; all by default',
      }),
    ),
    text: Type.Optional(
      Type.String({
        minLength: 1,
        maxLength: 2_000,
        description: 'With {{code}}, and {{app}}, {{minutes}} and {{host}} where they are wanted',
      }),
    ),
    subject: Type.Optional(
      Type.String({
        minLength: 1,
        maxLength: 200,
        description: 'Of a mail; with {{app}}, {{minutes}} and {{host}}, never with the code',
      }),
    ),
    autofill: Type.Optional(
      Type.Boolean({
        description:
          'True by default: an SMS ends with the line @host #code, by which browsers fill the code in',
      }),
    ),
    transliterate: Type.Optional(
      Type.Boolean({
        description:
          'An SMS that would not fit the alphabet of GSM for a quote, a dash or an accent is sent without them',
      }),
    ),
  },
  { additionalProperties: false },
);

export type MessageDocument = Static<typeof MessageSchema>;

/** For whom texts are looked up; null: for whatever no entry speaks of. */
export interface About {
  app: string | null;
  locale: string | null;
  channel: Channel | null;
  purpose: string | null;
}

/** Whom an entry is for. */
export const aboutOf = ({ app, locale, channel, purpose }: MessageDocument): About => ({
  ...{ app: app ?? null, locale: locale ?? null },
  ...{ channel: channel ?? null, purpose: purpose ?? null },
});

/** `shop/de/sms/*`: there is one entry for each. */
export const keyOf = ({ app, locale, channel, purpose }: About): string =>
  [app, locale?.toLowerCase(), channel, purpose].map((part) => part ?? '*').join('/');
