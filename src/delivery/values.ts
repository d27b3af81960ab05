import { phoneParts } from './destination.ts';
import type { Dispatch } from './preset.ts';
import type { Values } from './template/template.ts';
import { spoken } from './vendor/speech.ts';

/**
 * What the placeholders stand for in one message. What it does not have (the app of an account page, an attribute
 * that the user lacks) is empty.
 */
export function valuesOf(message: Dispatch): Values {
  const fixed: Record<string, string | null | undefined> = {
    'ctx.num': message.to,
    'ctx.msg': message.text,
    'ctx.otp': message.code,
    'ctx.subject': message.subject ?? message.app?.name,
    'ctx.id': message.id,
    'ctx.callback': message.callback,
    'ctx.from': message.from,
    'ctx.locale': message.locale,
    'ctx.app.id': message.app?.id,
    'ctx.app.name': message.app?.name,
  };
  return (name) => {
    if (Object.hasOwn(fixed, name)) return fixed[name] ?? '';
    if (name === 'ctx.speech') return spoken(message);
    if (name.startsWith('num.')) return numberPart(message.to, name.slice('num.'.length));
    const attribute = name.slice('ctx.user.'.length);
    const attributes = message.user?.attributes ?? {};
    return Object.hasOwn(attributes, attribute) ? textOf(attributes[attribute]) : '';
  };
}

function numberPart(to: string, part: string): string {
  if (part === 'digits') return to.replace(/[^0-9]/g, '');
  const parts = phoneParts(to);
  return (part === 'national' ? parts?.national : parts?.country) ?? '';
}

function textOf(value: unknown): string {
  if (value === null || value === undefined) return '';
  return typeof value === 'object' ? JSON.stringify(value) : String(value);
}
