import { type Catalogue, type Text, text } from '../../lib/texts.ts';
import { sendRiders } from '../../storage/index.ts';
import { normalisePhone } from '../../users/index.ts';
import { endOthers, heldBack } from '../factors/change.ts';
import { appsInUse, isOfUse, Losing, whyNot } from '../factors/demands.ts';
import type { BegunProof, ProofState } from '../factors/phone-code.ts';
import { problemOf, showCode, showNumber } from '../factors/phone-pages.ts';
import { createPhoneProof, type PhoneProof } from '../factors/phone-proof.ts';
import type { AccountDeps, Answer, Area, Submitted, Visit } from '../types.ts';

export const phoneTexts: Catalogue = {
  'account.phone.title': 'Phone number',
  'account.phone.state': 'Ends in {last2}',
  'account.phone.stateNone': 'None',
  'account.phone.action': 'Change it',
  'account.phone.actionAdd': 'Add one',
  'account.phone.headingAdd': 'Add your phone number',
  'account.phone.heading': 'Change your phone number',
  'account.phone.present': 'Your number is ••••• {last2}.',
  'account.phone.sentence':
    'We send a code to the new number. It is yours here once you have typed that code.',
  'account.phone.same': 'That is the number you have already.',
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
  'account.phone.removeSentence': 'Without a number we cannot send you codes.',
  'account.phone.remove': 'Remove it',
  'account.phone.removed': 'Your phone number is removed.',
  'account.phone.required':
    'Everybody is asked for a code by {apps}, so your number has to stay. You can change it here.',
  'account.phone.locked-out':
    'Without a number you could not sign in to {apps} any more, so it has to stay. You can change it here.',
};

const place = '/account/phone';
const codePlace = `${place}/code`;

/** The number that codes go to. A new one counts once it is proved; to go without one takes the word of every app. */
export function phoneArea(deps: AccountDeps): Area {
  const proof = createPhoneProof(deps);
  return {
    id: 'phone',
    async card({ user: { phone } }) {
      const shown = phone !== null || (deps.delivery.has('sms') && (await isOfUse(deps, 'sms-otp')));
      if (!shown) return null;
      return {
        title: text('account.phone.title'),
        state:
          phone === null
            ? text('account.phone.stateNone')
            : text('account.phone.state', { last2: phone.slice(-2) }),
        action: {
          label: text(phone === null ? 'account.phone.actionAdd' : 'account.phone.action'),
          href: place,
        },
      };
    },
    routes(area) {
      const own = { sensitive: true, enrols: true };
      area.get('phone', async (visit) =>
        (await proof.begun(visit)) ? { to: codePlace } : showNumber(visit),
      );
      area.post('phone', { ...own, keeps: ['phone', 'country'] }, (visit) => begin(deps, proof, visit));
      area.get('phone/code', async (visit) => {
        const begun = await proof.begun(visit);
        return begun ? codePage(deps, proof, visit, begun) : { to: place };
      });
      area.post('phone/code', own, (visit) => take(deps, proof, visit));
      area.post('phone/remove', { sensitive: true, page: 'phone' }, (visit) => remove(deps, visit));
    },
  };
}

const codePage = async (
  deps: AccountDeps,
  proof: PhoneProof,
  visit: Visit,
  begun: BegunProof,
  problem?: Text,
): Promise<Answer> => {
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

async function begin(deps: AccountDeps, proof: PhoneProof, visit: Submitted): Promise<Answer> {
  const { phone: typed = '', country = '' } = visit.body;
  if (heldBack(visit)) return showNumber(visit, null, 403);
  const phone = normalisePhone(typed, country || undefined);
  const wrong = (said: string) => showNumber(visit, { field: 'phone', text: text(said) });
  if (phone === null) return wrong('sms-otp.badNumber');
  if (visit.user.phoneVerified && phone === visit.user.phone) return wrong('account.phone.same');
  const state = await proof.begin(visit, phone);
  if (state === 'too-many-numbers') return wrong('account.phone.many');
  const begun = await proof.begun(visit);
  return begun ? afterSending(deps, proof, visit, begun, state) : { to: place };
}

async function take(deps: AccountDeps, proof: PhoneProof, visit: Submitted): Promise<Answer> {
  const { action = 'submit', code = '' } = visit.body;
  if (action === 'change-number') {
    await proof.cancel(visit);
    return { to: place };
  }
  if (heldBack(visit)) return showNumber(visit, null, 403);
  const begun = await proof.begun(visit);
  if (!begun) return showNumber(visit, { field: 'phone', text: text('account.phone.gone') });
  if (action === 'send' || action === 'resend') {
    return afterSending(deps, proof, visit, begun, await proof.resend(visit, begun));
  }
  if (code === '') return codePage(deps, proof, visit, begun, text('sms-otp.empty'));
  const checked = await proof.check(visit, code);
  if (checked.is === 'changed') return { to: '/account', done: text('account.phone.changed') };
  const said = problemOf(checked, visit.now);
  const lost = checked.is === 'gone' || checked.is === 'taken';
  return lost ? showNumber(visit, { field: 'phone', text: said }) : codePage(deps, proof, visit, begun, said);
}

/** Giving the number up must be no way around the code: what it would do in each app is looked at with it already gone. */
async function remove(deps: AccountDeps, visit: Submitted): Promise<Answer> {
  const { audit, flows, notices, storage, users } = deps;
  const { by, locale, now, user } = visit;
  if (heldBack(visit)) return showNumber(visit, null, 403);
  const apps = await appsInUse(deps);
  const phone = user.phoneVerified ? user.phone : null;
  const notice = { kind: 'phone-removed' as const, locale, ip: by.ip ?? null, phone };
  const told = await notices.drafting(storage.db, user, notice, now);
  try {
    const removed = await storage.transaction(async (tx) => {
      const present = await users.lock(tx, user.id);
      if (!present?.phone) return false;
      await users.removePhone(tx, user.id, now);
      const left = { ...present, phone: null, phoneVerified: false };
      const losses = await flows.losses(tx, apps, left, 'sms-otp');
      if (losses.length > 0) throw new Losing(losses);
      await endOthers(deps, tx, visit);
      const event = { ...by, subject: user.id, name: 'user.factor_removed', data: { factor: 'sms-otp' } };
      await sendRiders(tx, [...told.riders, ...audit.riders(tx, now, [event])]);
      return true;
    });
    if (removed) told.send();
  } catch (error) {
    if (!(error instanceof Losing)) throw error;
    const why = whyNot('account.phone', error.losses, locale);
    const more = why.map((said) => ({ tone: 'error' as const, text: said }));
    return showNumber(visit, null, 409, more);
  }
  return { to: '/account', done: text('account.phone.removed') };
}
