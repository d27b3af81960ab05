import type { App } from './apps/types.ts';
import { createMessageDesk, type MessageDesk } from './delivery/index.ts';
import { codeWords, texts } from './flows/index.ts';
import { createLocales } from './http/index.ts';
import type { Storage } from './storage/types.ts';

/** Texts as commands look at them: beside those of the configuration the built-in ones, which logins send. */
export function createMessages(deps: {
  storage: Storage;
  issuer: URL;
  apps(): Promise<App[]>;
  localesDir: string;
}): MessageDesk {
  return createMessageDesk({
    ...deps,
    otherwise: (about) => codeWords(createLocales(texts, deps.localesDir).translate, 'sms-otp', about),
  });
}
