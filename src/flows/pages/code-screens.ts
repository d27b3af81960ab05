import type { MessageState } from '../../delivery/types.ts';
import { type Text, text } from '../../lib/texts.ts';
import type { OtpSettings } from '../../otp/types.ts';
import type { MethodScreen, Sent, View } from '../method.ts';
import type { Action, Field, Notice } from '../types.ts';
import { countryChoices } from './countries.ts';

/*
 * The pages of methods that send a code. Texts are the method's own: `<id>.heading`, `<id>.sentTo`, …
 */

/** Asks for the number that is to be set up. */
export function numberScreen(id: string, { locale, typed }: Pick<View, 'locale' | 'typed'>): MethodScreen {
  const none = { value: '', label: text(`${id}.countryNone`) };
  const country: Field = {
    ...{ name: 'country', type: 'select', label: text(`${id}.country`), autocomplete: 'country' },
    ...{ value: typed.country ?? '', required: false, choices: [none, ...countryChoices(locale)] },
  };
  const phone: Field = {
    ...{ name: 'phone', type: 'tel', label: text(`${id}.phone`), autocomplete: 'tel', inputmode: 'tel' },
    ...{ value: typed.phone ?? '', required: true, focus: true, maxLength: 64 },
  };
  return {
    heading: text(`${id}.headingPhone`),
    sentence: text(`${id}.sentencePhone`),
    fields: [country, phone],
    actions: [primary('submit', `${id}.send`)],
    notices: [],
  };
}

export type CodeView = Pick<View, 'alone' | 'codes' | 'delivery' | 'enrol' | 'now' | 'sent' | 'settings'> & {
  /** The button that sends it to the user's other number. */
  other?: { name: string; label: Text } | null;
};

/** Where the code went, and the field for it; before anything was sent, one button that sends. */
export function codeScreen(id: string, view: CodeView): MethodScreen {
  const { enrol, now, sent } = view;
  if (!sent) {
    return {
      heading: text(`${id}.headingSend`),
      sentence: text(`${id}.sentenceSend`),
      fields: [],
      actions: [primary('send', `${id}.send`)],
      notices: [],
    };
  }
  const codes = view.codes(view.settings);
  const field: Field = {
    ...{ name: 'code', type: 'code', label: text(`${id}.code`), autocomplete: 'one-time-code' },
    ...{ inputmode: codes.alphabet === 'numeric' ? 'numeric' : 'text', length: codes.length },
    // Room for the blanks and hyphens that come with pasting.
    ...{ required: true, focus: true, maxLength: codes.length * 2 + 2 },
  };
  const issued = sent.codeId !== null;
  // An earlier code stays valid when a later message was lost; of the first one nobody has anything to type.
  const typing = issued && !(sent.count === 1 && isUndelivered(view));
  const next = Math.max(issued ? sent.at + codes.resendAfterMs : 0, sent.refused?.until ?? 0);
  const waits = next > now ? { enabledAt: next } : {};
  const resend: Action = {
    ...(typing
      ? { name: 'resend', label: text(`${id}.resend`), style: 'secondary' }
      : { name: 'send', label: text(`${id}.send`), style: 'primary' }),
    skipsValidation: true,
    ...waits,
  };
  const other: Action[] = view.other
    ? [{ ...view.other, style: 'secondary', skipsValidation: true, ...waits }]
    : [];
  const { finished, nowhere } = endOf(sent, codes);
  return {
    heading: text(typing ? `${id}.heading` : `${id}.headingNone`),
    ...(typing && !isUndelivered(view) ? { sentence: sentenceOf(id, view) } : {}),
    fields: typing ? [field] : [],
    actions: [
      ...(typing ? [primary('submit', `${id}.next`)] : []),
      ...(finished || nowhere ? [] : [resend]),
      ...(finished ? [] : other),
      ...(enrol ? [link('change-number', `${id}.changeNumber`)] : []),
      ...(typing ? [link('not-mine', `${id}.notMine`)] : []),
    ],
    notices: noticesOf(id, view),
  };
}

/** Rules about the number itself: it gets none, however long one waits. */
const nowhereReasons = ['country', 'number-type'];

/** `finished`: no message at all goes out any more in this login. `nowhere`: none to the number at hand. */
function endOf({ count, number, refused }: Sent, { resends }: OtpSettings) {
  const ended = refused?.until === null;
  const ofNumber = ended && nowhereReasons.includes(refused.reason) && refused.number !== undefined;
  return {
    finished: count > resends || (ended && !ofNumber),
    nowhere: ofNumber && refused.number === number,
  };
}

const undelivered: (MessageState | null)[] = ['rejected', 'unavailable', 'failed', 'stopped'];

const isUndelivered = ({ sent, delivery }: CodeView): boolean =>
  sent !== null && sent.last2 !== null && undelivered.includes(delivery);

/** Where the code went; before a factor was passed a sentence that is true for every name. */
function sentenceOf(id: string, { sent, delivery }: CodeView): Text {
  const last2 = sent?.last2 ?? null;
  if (last2 === null) return text(`${id}.sent`);
  if (delivery === 'queued' || delivery === 'sending') return text(`${id}.sending`, { last2 });
  if (delivery === 'calling') return text(`${id}.calling`, { last2 });
  if (delivery === 'unknown') return text(`${id}.slow`, { last2 });
  if (delivery === 'delivered') return text(`${id}.delivered`, { last2 });
  return text(`${id}.sentTo`, { last2 });
}

/** Rules that look beyond this user: that a code was asked for already would not be true. */
const beyondUser = [
  ...['address', 'network', 'destinations', 'prefix', 'conversion', 'budget'],
  ...['lookup', 'sim-swap'],
];

function noticesOf(id: string, view: CodeView): Notice[] {
  const { alone, delivery, now, sent } = view;
  if (!sent) return [];
  const { refused, last2 } = sent;
  if (refused && nowhereReasons.includes(refused.reason)) {
    return [{ tone: 'warning', text: text('flows.codeNowhere') }];
  }
  if (refused?.until === null) return [{ tone: 'warning', text: text(`${id}.noMore`) }];
  if (refused && refused.until > now) {
    const held = beyondUser.includes(refused.reason);
    return [{ tone: 'warning', text: text(held ? 'flows.codeHeld' : `${id}.wait`) }];
  }
  if (last2 !== null && isUndelivered(view)) {
    // What was refused will be refused again: to try once more would be no advice.
    const why = delivery === 'stopped' || delivery === 'rejected' ? delivery : 'notSent';
    return [{ tone: 'error', text: text(`${id}.${why}${alone ? 'Alone' : ''}`, { last2 }) }];
  }
  return [];
}

const primary = (name: string, label: string): Action => ({
  ...{ name, label: text(label), style: 'primary', skipsValidation: false },
});

const link = (name: string, label: string): Action => ({
  ...{ name, label: text(label), style: 'link', skipsValidation: true },
});
