/** What tests and bench configure a gateway with. Loads nothing: the bench reads it in the process that measures. */
export interface Files {
  gateway: object;
  apps: object[];
  flows: object[];
  providers: object[];
  channels?: object[];
  messages?: object[];
  attributes?: object[];
  users: object[];
}

export const alice = {
  username: 'alice',
  password: 'seven quiet lanterns',
  phone: '+447700900123',
  backupCodes: ['KTQ7X-M3WPA', 'R9HCF-2VNDE', 'W4JYB-8TKGM'],
};

export const shop = {
  id: 'shop',
  secret: 'a-long-secret-of-the-shop-0123456789',
  redirectUri: 'http://localhost:4501/callback',
};

/** Limits that many sign-ins within a second from one address and to one number do not meet. */
export const generousGuard = {
  sends: { perNumber: [], perUser: [], perAddress: [], perNetwork: [], perPrefix: [] },
  passwords: { perAccount: 100, perDevice: 100, perAddress: 100_000 },
};

/** A configuration with one app, one flow, one provider that speaks to `smsUrl`, and Alice. */
export function standard(smsUrl: string): Files {
  return {
    gateway: { name: 'Sallyport', guard: generousGuard },
    apps: [
      {
        id: shop.id,
        name: 'Shop',
        secret: shop.secret,
        redirectUris: [shop.redirectUri],
        postLogoutRedirectUris: ['http://localhost:4501/'],
        firstParty: true,
        flow: 'password-sms',
      },
    ],
    flows: [
      {
        id: 'password-sms',
        name: 'Password, then a code by SMS',
        steps: [
          { id: 'first', options: ['password'] },
          { id: 'second', options: [{ 'sms-otp': {} }, 'backup-code'], userMayDisable: true },
        ],
      },
    ],
    providers: [
      {
        id: 'main',
        channel: 'sms',
        preset: 'http',
        http: {
          method: 'POST',
          url: smsUrl,
          headers: { 'Content-Type': 'application/json' },
          payload: '{"to":$ctx.num,"text":$ctx.msg}',
          allowPrivateNetwork: true,
        },
      },
    ],
    users: [{ ...alice, name: 'Alice', email: 'alice@example.test' }],
  };
}
