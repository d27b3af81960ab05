import type { Words } from '../../delivery/types.ts';
import { type Text, text } from '../../lib/texts.ts';

/** What a method's message says where `messages.yaml` says nothing. */
export function codeWords(
  translate: (locale: string, text: Text) => string,
  method: string,
  { locale, code, app, minutes }: { locale: string; code: string; app: string; minutes: number },
): Words {
  return {
    text: translate(locale, text(`${method}.message`, { code, app, count: minutes })),
    subject: translate(locale, text(`${method}.subject`, { app })),
  };
}
