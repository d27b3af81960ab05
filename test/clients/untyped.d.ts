/** Libraries that bring no types of their own; what the tests use of them. */
declare module 'passport' {
  import type { RequestHandler } from 'express';

  interface Passport {
    use(strategy: object): void;
    serializeUser(write: (user: object, done: (error: null, stored: object) => void) => void): void;
    deserializeUser(read: (stored: object, done: (error: null, user: object) => void) => void): void;
    session(): RequestHandler;
    authenticate(name: string): RequestHandler;
  }
  const passport: Passport;
  export = passport;
}

declare module 'passport-openidconnect' {
  export interface Options {
    issuer: string;
    authorizationURL: string;
    tokenURL: string;
    userInfoURL: string;
    clientID: string;
    clientSecret: string;
    callbackURL: string;
    scope: string[];
  }
  export interface Profile {
    id: string;
    displayName?: string;
    username?: string;
    emails?: { value: string }[];
  }
  type Verify = (issuer: string, profile: Profile, done: (error: null, user: object) => void) => void;
  export class Strategy {
    constructor(options: Options & { skipUserProfile: boolean }, verify: Verify);
  }
}

declare module 'express-session' {
  import type { RequestHandler } from 'express';

  function session(options: { secret: string; resave: boolean; saveUninitialized: boolean }): RequestHandler;
  export = session;
}
