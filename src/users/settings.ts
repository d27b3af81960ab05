import type { SettingSection } from '../config/types.ts';
import type { Fault } from '../lib/problem.ts';
import { Type } from '../lib/schema.ts';

/** The member `passwords` of gateway.yaml, defaults filled in. */
export interface PasswordsDocument {
  breachCheck: {
    enabled: boolean;
    /** The first five hexadecimal digits of a SHA-1 are put behind it. */
    url: string;
  };
}

const group = <T extends Parameters<typeof Type.Object>[0]>(members: T) =>
  Type.Partial(Type.Object(members), { additionalProperties: false, default: {} });

/** The member `passwords` of gateway.yaml. */
export const passwordsSection: SettingSection = {
  kind: 'setting',
  member: 'passwords',
  schema: group({
    breachCheck: group({
      enabled: Type.Boolean({
        default: false,
        description:
          'Whether a new password is looked up in lists of stolen ones. Five digits of its SHA-1 leave the machine.',
      }),
      url: Type.String({
        default: 'https://api.pwnedpasswords.com/range/',
        maxLength: 2000,
        description: 'Where the lists are; the five digits are put behind it.',
      }),
    }),
  }),
  check: (value) => faultsOfUrl((value as PasswordsDocument).breachCheck.url),
};

function faultsOfUrl(written: string): Fault[] {
  const path = 'breachCheck.url';
  const url = URL.parse(written);
  if (url?.protocol !== 'https:') return [{ path, message: 'must be an https URL' }];
  if (url.username !== '' || url.password !== '') {
    return [{ path, message: 'may hold no user name and no password: the lookup sends none' }];
  }
  if (!url.href.endsWith('/') || url.search !== '' || url.hash !== '') {
    return [{ path, message: "must end with '/', for five digits are put behind it" }];
  }
  return [];
}
