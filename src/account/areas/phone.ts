import { type Catalogue, type Text, text } from '../../lib/texts.ts';
import { normalisePhone } from '../../users/index.ts';
import { heldBack } from '../factors/change.ts';
import { isOfUse } from '../factors/demands.ts';
import type { BegunProof, NumberPlace, ProofState } from '../factors/phone-code.ts';
import { removeFirst, removeSecond, swapNumbers } from '../factors/phone-numbers.ts';
import { problemOf, showChallenge, showCode, showNumbers, showSecond } from '../factors/phone-pages.ts';
import { createPhoneProof, type PhoneProof } from '../factors/phone-proof.ts';
import type { AccountDeps, Answer, Area, Submitted, Visit } from '../types.ts';

export const phoneTexts: Catalogue = {
  'account.phone.title': 'Phone number',
  'account.phone.state': 'Ends in {last2}',
  'account.phone.stateTwo': 'Ends in {last2}, a second one in {second}',
  'account.phone.stateNone': 'None',
  'account.phone.action': 'Change it',
  'account.phone.actionAdd': 'Add one',
  'account.phone.headingAdd': 'Add your phone number',
  'account.phone.heading': 'Change your phone number',
  'account.phone.present': 'Your number is ••••• {last2}.',
  'account.phone.sentence':
    'We send a code to the new number. It is yours here once you have typed that code.',
  'account.phone.same': 'That is the number you have already.',
  'account.phone.isSecond': 'That is your second number. You can make it the first one below.',
  'account.phone.many': 'These were many numbers. Please try again in an hour.',
  'account.phone.noMore': 'We cannot send another code to this number now. Please try again later.',
  'account.phone.locked': {
    one: 'Too many tries. You can try again in {count} minute.',
    other: 'Too many tries. You can try again in {count} minutes.',
  },
  'account.phone.closed': 'Too many tries. Please ask for help to change your number.',
  'account.phone.gone': 'That took too long. Please type the number once more.',
  'account.phone.changed': 'Your new phone number is saved.',
  'account.phone.removeHeading': 'Remove the number',
  'account.phone.removeFirst': 'Remove the first number',
  'account.phone.removeSentence': 'Without a number we cannot send you codes.',
  'account.phone.removeOfTwo': 'Your second number, ••••• {last2}, then takes its place.',
  'account.phone.remove': 'Remove it',
  'account.phone.removed': 'Your phone number is removed.',
  'account.phone.promoted': 'The number is removed. Codes go to ••••• {last2} now.',
  'account.phone.required':
    'Everybody is asked for a code by {apps}, so your number has to stay. You can change it here.',
  'account.phone.locked-out':
    'Without a number you could not sign in to {apps} any more, so it has to stay. You can change it here.',
  'account.phone.secondHeading': 'Second number',
  'account.phone.secondPresent':
    'Your second number is ••••• {last2}. When you sign in you can have the code sent there instead.',
  'account.phone.secondNone':
    'For when your phone is not at hand: when you sign in you can have the code sent to the other number instead.',
  'account.phone.secondAdd': 'Add a second number',
  'account.phone.secondSentence':
    'We send a code to it. It is your second number once you have typed that code.',
  'account.phone.secondAdded': 'Your second phone number is saved.',
  'account.phone.makeFirst': 'Make it the first one',
  'account.phone.swapped': 'Your numbers have changed places. Codes go to ••••• {last2} first.',
  'account.phone.removeSecond': 'Remove the second number',
  'account.phone.secondRemoved': 'Your second phone number is removed.',
  'account.phone.moved':
    'Nothing was changed, because your numbers have changed in the meantime. Please look again.',
};

const place = '/account/phone';
const codePlace = `${place}/code`;
const secondPlace = `${place}/second`;

/**
 * The numbers that codes go to. A new one counts once it is proved; to go without one takes the word of every app. A second
 * one is for when the first is not at hand.
 */
export function phoneArea(deps: AccountDeps): Area {
  const proof = createPhoneProof(deps);
  return {
    id: 'phone',
    async card({ user: { phone, secondPhone } }) {
      const shown = phone !== null || (deps.delivery.has('sms') && (await isOfUse(deps, 'sms-otp')));
      if (!shown) return null;
      return {
        title: text('account.phone.title'),
        state: stateOf(phone, secondPhone),
        action: {
          label: text(phone === null ? 'account.phone.actionAdd' : 'account.phone.action'),
          href: place,
        },
      };
    },
    routes(area) {
      const own = { sensitive: true, enrols: true };
      const keeps = ['phone', 'country'];
      const ofNumbers = { sensitive: true, page: 'phone' };
      area.get('phone', async (visit) =>
        (await proof.begun(visit)) ? { to: codePlace } : showNumbers(deps, visit),
      );
      area.post('phone', { ...own, keeps }, (visit) => begin(deps, proof, visit, 'first'));
      area.get('phone/second', async (visit) => {
        if (await proof.begun(visit)) return { to: codePlace };
        return mayHaveSecond(visit) ? showSecond(visit) : { to: place };
      });
      area.post('phone/second', { ...own, keeps }, (visit) => begin(deps, proof, visit, 'second'));
      area.get('phone/code', async (visit) => {
        const begun = await proof.begun(visit);
        return begun ? codePage(deps, proof, visit, begun) : { to: place };
      });
      area.post('phone/code', own, (visit) => take(deps, proof, visit));
      area.post('phone/remove', ofNumbers, (visit) => removeFirst(deps, visit));
      area.post('phone/second/remove', ofNumbers, (visit) => removeSecond(deps, visit));
      area.post('phone/second/first', ofNumbers, (visit) => swapNumbers(deps, visit));
    },
  };
}

function stateOf(phone: string | null, second: string | null): Text {
  if (phone === null) return text('account.phone.stateNone');
  const last2 = phone.slice(-2);
  return second === null
    ? text('account.phone.state', { last2 })
    : text('account.phone.stateTwo', { last2, second: second.slice(-2) });
}

const mayHaveSecond = ({ user: { phoneVerified, secondPhone } }: Visit): boolean =>
  phoneVerified && secondPhone === null;

/** What is shown of a number that is being proved: what the browser has to do first, or the field for the code. */
const codePage = async (
  deps: AccountDeps,
  proof: PhoneProof,
  visit: Visit,
  begun: BegunProof,
  problem?: Text,
): Promise<Answer> => {
  if (begun.task) return showChallenge(visit, begun.task, problem);
  const state = await proof.state(visit, begun);
  return showCode(deps, visit, { begun, state, codes: proof.codes(), ...(problem && { problem }) });
};

/** Shown at once where nothing was sent: reloading must not try again. */
const afterSending = (
  deps: AccountDeps,
  proof: PhoneProof,
  visit: Visit,
  begun: BegunProof,
  state: ProofState,
): Answer | Promise<Answer> =>
  state.refused ? showCode(deps, visit, { begun, state, codes: proof.codes() }) : { to: codePlace };

async function begin(
  deps: AccountDeps,
  proof: PhoneProof,
  visit: Submitted,
  which: NumberPlace,
): Promise<Answer> {
  const { body, user } = visit;
  if (which === 'second' && !mayHaveSecond(visit)) return { to: place };
  const show = (problem: Parameters<typeof showSecond>[1], status?: number) =>
    which === 'second' ? showSecond(visit, problem, status) : showNumbers(deps, visit, problem, status);
  if (heldBack(visit)) return show(null, 403);
  const phone = normalisePhone(body.phone ?? '', body.country || undefined);
  const wrong = (said: string) => show({ field: 'phone', text: text(said) });
  if (phone === null) return wrong('sms-otp.badNumber');
  if (user.phoneVerified && phone === user.phone) return wrong('account.phone.same');
  if (phone === user.secondPhone) return wrong('account.phone.isSecond');
  const state = await proof.begin(visit, { phone, which });
  if (state === 'too-many-numbers') return wrong('account.phone.many');
  const begun = await proof.begun(visit);
  return begun ? afterSending(deps, proof, visit, begun, state) : { to: place };
}

async function take(deps: AccountDeps, proof: PhoneProof, visit: Submitted): Promise<Answer> {
  const { action = 'submit', code = '' } = visit.body;
  const begun = await proof.begun(visit);
  const back = begun?.which === 'second' ? secondPlace : place;
  if (action === 'change-number') {
    await proof.cancel(visit);
    return { to: back };
  }
  if (heldBack(visit)) return showNumbers(deps, visit, null, 403);
  if (!begun) return showNumbers(deps, visit, { field: 'phone', text: text('account.phone.gone') });
  if (action === 'prove') return prove(deps, proof, visit, begun);
  if (action === 'send' || action === 'resend') {
    return afterSending(deps, proof, visit, begun, await proof.resend(visit, begun));
  }
  if (code === '') return codePage(deps, proof, visit, begun, text('sms-otp.empty'));
  const checked = await proof.check(visit, code);
  if (checked.is === 'changed') {
    const said = begun.which === 'second' ? 'account.phone.secondAdded' : 'account.phone.changed';
    return { to: '/account', done: text(said) };
  }
  const said = problemOf(checked, visit.now);
  const lost = checked.is === 'gone' || checked.is === 'taken';
  if (!lost) return codePage(deps, proof, visit, { ...begun, task: null }, said);
  const problem = { field: 'phone' as const, text: said };
  return back === secondPlace && mayHaveSecond(visit)
    ? showSecond(visit, problem)
    : showNumbers(deps, visit, problem);
}

async function prove(
  deps: AccountDeps,
  proof: PhoneProof,
  visit: Submitted,
  begun: BegunProof,
): Promise<Answer> {
  const proved = await proof.prove(visit, begun);
  if (proved === null) return { to: codePlace };
  if (!('is' in proved)) return afterSending(deps, proof, visit, begun, proved);
  return begun.task ? showChallenge(visit, begun.task, proved.text) : { to: codePlace };
}
