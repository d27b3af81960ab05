import { challengeScreen, codeScreen, numberScreen } from '../../flows/index.ts';
import type { Action, Field } from '../../flows/types.ts';
import type { Task } from '../../guard/types.ts';
import { type Text, text } from '../../lib/texts.ts';
import type { OtpSettings } from '../../otp/types.ts';
import type { AccountDeps, Answer, Notice, Visit } from '../types.ts';
import { heldBack } from './change.ts';
import { type FieldProblem, minutesUntil, withProblem } from './fields.ts';
import type { BegunProof, ProofState } from './phone-code.ts';
import type { Checked } from './phone-proof.ts';
import { stampOf } from './stamp.ts';

/** A visit, and what was typed where a form of it was sent. */
type Asked = Visit & { body?: Record<string, string> };

const lastOf = (number: string | null): string | null => number?.slice(-2) ?? null;

/** The numbers as they are, with the form for another first one. */
export function showNumbers(
  deps: Pick<AccountDeps, 'crypto'>,
  visit: Asked,
  problem: FieldProblem | null = null,
  status = problem ? 422 : 200,
  more: Notice[] = [],
): Answer {
  const { user } = visit;
  const heading = text(user.phone === null ? 'account.phone.headingAdd' : 'account.phone.heading');
  const two = {
    ...{ last2: lastOf(user.phone), second: lastOf(user.secondPhone) },
    ...{ addsSecond: user.phoneVerified, stamp: stampOf(deps, user) },
  };
  return formPage('account/phone', heading, visit, { problem, status, more, data: two });
}

/** Asks for a second number. */
export const showSecond = (
  visit: Asked,
  problem: FieldProblem | null = null,
  status = problem ? 422 : 200,
): Answer =>
  formPage('account/phone-second', text('account.phone.secondAdd'), visit, {
    ...{ problem, status, more: [] },
    data: { last2: lastOf(visit.user.phone) },
  });

function formPage(
  view: string,
  heading: Text,
  visit: Asked,
  page: { problem: FieldProblem | null; status: number; more: Notice[]; data: object },
): Answer {
  const { body, locale, typed } = visit;
  const { data, more, problem, status } = page;
  const held = heldBack(visit);
  const fields: Field[] = numberScreen('sms-otp', { locale, typed: body ?? typed }).fields;
  return {
    page: {
      ...{ view, title: heading, status, error: problem !== null || more.length > 0 },
      notices: [...(held ? [{ tone: 'warning' as const, text: held }] : []), ...more],
      data: { heading, held: held !== null, fields: withProblem(fields, problem), ...data },
    },
  };
}

/** What the browser has to do before a code is sent: the page of a login, with the one other way that there is here. */
export function showChallenge({ now }: Visit, task: Task, problem?: Text): Answer {
  const other: Action = {
    ...{ name: 'change-number', label: text('sms-otp.changeNumber'), style: 'link', skipsValidation: true },
  };
  const { actions, challenge, fields, heading, sentence = null } = challengeScreen(task, [other]);
  return {
    page: {
      ...{ view: 'account/phone-code', title: heading, challenge },
      ...(problem && { error: true, status: 422, notices: [{ tone: 'error' as const, text: problem }] }),
      data: { screen: { heading, sentence, at: now.getTime(), actions, fields, challenge } },
    },
  };
}

export interface CodePage {
  begun: BegunProof;
  state: ProofState;
  codes: OtpSettings;
  problem?: Text;
}

/** Where the code went, and the field for it. */
export async function showCode(
  { delivery, storage }: Pick<AccountDeps, 'delivery' | 'storage'>,
  { now }: Visit,
  { begun, codes, problem, state }: CodePage,
): Promise<Answer> {
  const screen = codeScreen('sms-otp', {
    ...{ alone: true, enrol: true, settings: {}, codes: () => codes, now: now.getTime() },
    sent: { ...state, suffix: '', last2: begun.phone.slice(-2) },
    delivery: state.codeId === null ? null : await delivery.state(storage.db, state.codeId),
  });
  const { heading, sentence = null } = screen;
  return {
    page: {
      ...{ view: 'account/phone-code', title: heading, notices: noticesOf(state, screen.notices, now) },
      error: problem !== undefined || state.refused !== null,
      status: state.refused ? 429 : problem ? 422 : 200,
      data: {
        screen: {
          ...{ heading, sentence, at: now.getTime(), actions: screen.actions.filter(isOwn) },
          fields: withProblem(screen.fields, problem ? { field: 'code', text: problem } : null),
        },
      },
    },
  };
}

/** Whoever types here asked for it. */
const isOwn = ({ name }: Action): boolean => name !== 'not-mine';

function noticesOf({ refused }: ProofState, others: Notice[], now: Date): Notice[] {
  if (refused?.reason === 'lock') {
    const until = refused.until === null ? null : new Date(refused.until);
    return [{ tone: 'error', text: lockedText(until, now) }];
  }
  const nowhere = refused?.reason === 'country' || refused?.reason === 'number-type';
  if (refused?.until !== null || nowhere) return others;
  return [{ tone: 'warning', text: text('account.phone.noMore') }];
}

const lockedText = (until: Date | null, now: Date): Text =>
  until === null
    ? text('account.phone.closed')
    : text('account.phone.locked', { count: minutesUntil(until, now) });

export function problemOf(checked: Exclude<Checked, { is: 'changed' }>, now: Date): Text {
  switch (checked.is) {
    case 'locked':
      return lockedText(checked.until, now);
    case 'wrong':
      return text('sms-otp.wrong', { count: checked.left });
    case 'unchecked':
      return text('sms-otp.unchecked', { count: checked.left });
    case 'gone':
      return text('account.phone.gone');
    case 'taken':
      return text('sms-otp.numberTaken');
    case 'used':
      return text('sms-otp.used');
    case 'expired':
      return text('sms-otp.expired');
    case 'exhausted':
      return text('sms-otp.exhausted');
  }
}
