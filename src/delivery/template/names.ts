import { closest } from '../../lib/suggest.ts';

/** Placeholders that a message fills in. `ctx.user.<attribute>` is known for every attribute. */
const known = [
  'ctx.num',
  'ctx.msg',
  'ctx.otp',
  'ctx.id',
  'ctx.callback',
  'ctx.from',
  'ctx.locale',
  'ctx.speech',
  'ctx.subject',
  'ctx.app.id',
  'ctx.app.name',
  'num.national',
  'num.digits',
  'num.country',
];

/** The other spelling in use, `{{mobile}}`. */
export const handlebars: Record<string, string> = { mobile: 'ctx.num', body: 'ctx.msg' };

/** What people write instead, too far from the right name for a comparison of letters. */
const meant: Record<string, string> = {
  'ctx.app': '$ctx.app.name',
  'ctx.body': '$ctx.msg',
  'ctx.code': '$ctx.otp',
  'ctx.message': '$ctx.msg',
  'ctx.mobile': '$ctx.num',
  'ctx.number': '$ctx.num',
  'ctx.phone': '$ctx.num',
  'ctx.text': '$ctx.msg',
  'ctx.to': '$ctx.num',
  'ctx.user': '$ctx.user.<attribute>',
};

export function isKnown(name: string): boolean {
  return known.includes(name) || /^ctx\.user\.\w+$/.test(name);
}

/** The placeholder that was probably meant, as it is written; undefined when nothing is near. */
export function suggestion(name: string): string | undefined {
  const synonym = meant[name.toLowerCase()];
  if (synonym !== undefined) return synonym;
  const near = closest(name, [...known, ...Object.keys(handlebars)]);
  return near === undefined || near.includes('.') ? near && `$${near}` : `{{${near}}}`;
}
