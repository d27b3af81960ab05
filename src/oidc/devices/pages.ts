import { type Client, type ErrorOut, errors, type KoaContextWithOIDC } from 'oidc-provider';
import type { DeviceConfirmView, DeviceView, Page } from '../../http/types.ts';
import { type Text, text } from '../../lib/texts.ts';
import { requestOf } from '../unit.ts';

/** Where a person types the code of a device, and where the answer goes. */
export const devicePath = '/device';
export const deviceAuthorizationPath = '/device/authorize';

/** Where the browser comes back to from a login that was begun for a device. */
export const deviceResumePath = (key: string): string => `${devicePath}/${key}`;

/** What is known of a device, from its own request. It is shown to the person who is asked, and to nobody else. */
export function deviceInfo(context: KoaContextWithOIDC): Record<string, string | null> {
  const { ip, headers } = requestOf(context);
  return { ip, userAgent: headers['user-agent']?.slice(0, 200) ?? null };
}

type Show = (context: KoaContextWithOIDC, page: Page, appId?: string) => Promise<void>;

/** The three pages of the device flow, drawn by `show`. */
export function createDevicePages(show: Show) {
  const formOf = ({ oidc }: KoaContextWithOIDC) => ({
    actionUrl: devicePath,
    xsrf: (oidc.session?.state as { secret?: string } | undefined)?.secret ?? '',
  });

  return {
    deviceInfo,

    async userCodeInputSource(
      context: KoaContextWithOIDC,
      _form: string,
      _out?: ErrorOut,
      error?: Error & { userCode?: string },
    ): Promise<void> {
      // The new secret of the form goes out in a cookie. The library would save the session for it, even one of nobody.
      if (context.oidc.session) Object.assign(context.oidc.session, { touched: false });
      if (error?.name === 'AbortedError') return show(context, finished('denied'));
      const typed = (requestOf(context).query as { user_code?: unknown }).user_code;
      const code = error?.userCode ?? (typeof typed === 'string' ? typed.slice(0, 20) : '');
      const fault = error === undefined ? null : faultOf(error);
      const data: DeviceView = { ...formOf(context), code, fault };
      const title = text('device.title');
      await show(context, { view: 'oidc/device', title, error: fault !== null, data });
    },

    async userCodeConfirmSource(
      context: KoaContextWithOIDC,
      _form: string,
      client: Client,
      device: Record<string, unknown>,
      code: string,
    ): Promise<void> {
      const data: DeviceConfirmView = {
        ...formOf(context),
        code,
        appName: client.clientName ?? client.clientId,
        address: told(device.ip),
        userAgent: told(device.userAgent),
      };
      const title = text('device.confirmTitle');
      await show(context, { view: 'oidc/device-confirm', title, data }, client.clientId);
    },

    successSource: (context: KoaContextWithOIDC) =>
      show(context, finished('done'), context.oidc.client?.clientId),
  };
}

const told = (value: unknown): string | null => (typeof value === 'string' && value !== '' ? value : null);

const finished = (how: 'done' | 'denied'): Page => ({
  view: 'oidc/device-done',
  title: text(`device.${how}Title`),
  data: { heading: text(`device.${how}Title`), sentence: text(`device.${how}Sentence`) },
});

function faultOf(error: Error): Text {
  if (error.name === 'AlreadyUsedError') return text('device.used');
  if (['NotFoundError', 'ExpiredError', 'NoCodeError'].includes(error.name)) return text('device.wrong');
  // A form from before: its secret has been replaced since. Typing the code again is all it takes.
  return text(error instanceof errors.InvalidRequest ? 'device.wrong' : 'device.failed');
}
