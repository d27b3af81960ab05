import type { PastEvent } from '../../audit/types.ts';
import { after } from '../../lib/clock.ts';
import { type Catalogue, type Text, text } from '../../lib/texts.ts';
import { deviceOf } from '../../sessions/index.ts';
import type { Db } from '../../storage/types.ts';
import { deviceName } from '../device-name.ts';
import type { AccountDeps, Answer, Area, Visit } from '../types.ts';
import { whenOf } from '../when.ts';

const shownMs = 90 * 24 * 60 * 60_000;
const pageSize = 25;

export const activityTexts: Catalogue = {
  'account.activity.title': 'Recent activity',
  'account.activity.state': 'The last 90 days',
  'account.activity.action': 'Look through it',
  'account.activity.sentence': 'What happened in your account in the last 90 days, the newest first.',
  'account.activity.none': 'Nothing has happened yet.',
  'account.activity.older': 'Older',
  'account.activity.newest': 'Back to the newest',
  'account.activity.login': 'You signed in to {app}',
  'account.activity.loginFailed': 'A sign-in to {app} did not succeed',
  'account.activity.stepFailed': 'Something wrong was typed when signing in to {app}',
  'account.activity.locked': 'Too many wrong tries when signing in to {app}',
  'account.activity.codeSent': 'A code was sent to sign in to {app}',
  'account.activity.sessionEnded': 'A browser was signed out',
  'account.activity.deviceRemembered': 'A browser was remembered',
  'account.activity.deviceForgotten': 'A browser was forgotten',
  'account.activity.codesMade': 'New backup codes were made',
  'account.activity.codeUsed': 'A backup code was used',
  'account.activity.codeOff': 'The code by message was switched off',
  'account.activity.codeOn': 'The code by message was switched on',
  'account.activity.factorAdded': 'A way of signing in was added',
  'account.activity.factorRemoved': 'A way of signing in was removed',
  'account.activity.changed': 'Your details were changed',
  'account.activity.passwordChanged': 'Your password was changed',
  'account.activity.phoneChanged': 'Your phone number was changed',
  'account.activity.recovered': 'A forgotten password was replaced',
  'account.activity.disabled': 'Your account was switched off',
  'account.activity.created': 'Your account was made',
  'account.activity.exported': 'Your data was downloaded',
  'account.activity.deletionAsked': 'The deletion of your account was asked for',
  'account.activity.deletionCancelled': 'Your account will not be deleted after all',
};

/** What is told of, and how. Steps on the way of a login that succeeded are not. */
const words: Record<string, string> = {
  'login.finished': 'login',
  'login.step.failed': 'stepFailed',
  'login.locked': 'locked',
  'code.issued': 'codeSent',
  'session.revoked': 'sessionEnded',
  'device.remembered': 'deviceRemembered',
  'device.revoked': 'deviceForgotten',
  'backup_codes.created': 'codesMade',
  'backup_codes.used': 'codeUsed',
  'user.code_off': 'codeOff',
  'user.code_on': 'codeOn',
  'user.factor_added': 'factorAdded',
  'user.factor_removed': 'factorRemoved',
  'user.changed': 'changed',
  'user.recovered': 'recovered',
  'user.disabled': 'disabled',
  'user.created': 'created',
  'user.data_exported': 'exported',
  'user.deletion_asked': 'deletionAsked',
  'user.deletion_cancelled': 'deletionCancelled',
};
/** By the member of the profile; the others are told alike. */
const changes: Record<string, string> = { password: 'passwordChanged', phone: 'phoneChanged' };
const told = Object.keys(words);

function sentenceOf({ data, name, result }: PastEvent, app: string): Text {
  const failed = name === 'login.finished' && result !== 'ok';
  const changed = name === 'user.changed' ? changes[String(data?.member)] : undefined;
  const word = failed ? 'loginFailed' : (changed ?? words[name]);
  return text(`account.activity.${word}`, { app });
}

/** What the record of events says of this account, in words. */
export function activityArea({ apps, audit, settings, storage }: AccountDeps): Area {
  const { db } = storage;
  const gateway = () => settings.get<string>('name');

  async function page({ locale, now, query, user }: Visit): Promise<Answer> {
    const wish = { names: told, since: after(now, -shownMs), before: query.before ?? null };
    const events = await audit.history(db, user.id, { ...wish, limit: pageSize + 1 });
    const shown = events.slice(0, pageSize);
    const names = await namesOf(db, shown);
    // Two sessions of one browser that became one: nobody was signed out. A reset has an event of its own.
    const list = shown
      .filter(({ reason, result }) => reason !== 'merged' && result !== 'recovered')
      .map((event) => ({
        said: sentenceOf(event, names.get(event.appId ?? '') ?? gateway()),
        at: whenOf(event.at, now, locale),
        device: event.userAgent === null ? null : deviceName(deviceOf(event.userAgent)),
        ip: event.ip,
      }));
    const last = shown.at(-1);
    const older = events.length > pageSize && last ? `?before=${encodeURIComponent(last.place)}` : null;
    return {
      page: {
        view: 'account/activity',
        title: text('account.activity.title'),
        data: { events: list, older, first: query.before === undefined },
      },
    };
  }

  async function namesOf(db: Db, events: PastEvent[]): Promise<Map<string, string>> {
    const ids = [...new Set(events.flatMap(({ appId }) => appId ?? []))];
    const found = await Promise.all(ids.map((id) => apps.find(db, id)));
    return new Map(found.flatMap((app) => (app ? [[app.id, app.name] as const] : [])));
  }

  return {
    id: 'activity',
    card: async () => ({
      title: text('account.activity.title'),
      state: text('account.activity.state'),
      action: { label: text('account.activity.action'), href: '/account/activity' },
    }),
    routes(area) {
      area.get('activity', page);
    },
  };
}
