import type { FastifyReply } from 'fastify';
import { captchaParts } from '../../guard/index.ts';
import type { Task } from '../../guard/types.ts';
import { text } from '../../lib/texts.ts';
import type { MethodScreen } from '../method.ts';
import type { Action, ScreenChallenge } from '../types.ts';

/**
 * The page before a message that has to be earned. The proof of work goes by itself; whoever runs no script finds the
 * button open after the wait, and the other ways below it.
 */
export function challengeScreen(
  task: Task,
  ways: Action[],
): MethodScreen & { name: string; challenge: ScreenChallenge } {
  const works = task.kind === 'proof-of-work';
  const prove: Action = {
    ...{ name: 'prove', label: text('flows.continue'), style: 'primary', skipsValidation: true },
    ...(works ? { enabledAt: task.waitUntil } : {}),
  };
  return {
    name: 'challenge',
    heading: text('flows.challengeHeading'),
    sentence: text(works ? 'flows.challengeWork' : 'flows.challengeCaptcha'),
    fields: [],
    actions: [prove, ...ways],
    notices: [],
    challenge: shown(task),
  };
}

function shown(task: Task): ScreenChallenge {
  if (task.kind === 'proof-of-work') return { kind: task.kind, salt: task.salt, bits: task.bits };
  const { script, widget } = captchaParts(task.kind);
  return { kind: task.kind, siteKey: task.siteKey, script, widget };
}

/** A captcha's script and frame are allowed on the page that shows them, and nowhere else. */
export function widenPolicy(reply: FastifyReply, challenge: ScreenChallenge): void {
  if (challenge.kind === 'proof-of-work') return;
  const { policy } = captchaParts(challenge.kind);
  const present = String(reply.raw.getHeader('content-security-policy') ?? '');
  const directives = present.split(';').map((directive) => directive.trim());
  for (const [name, sources] of Object.entries(policy)) {
    if (sources.length === 0) continue;
    const at = directives.findIndex((directive) => directive.startsWith(`${name} `));
    const widened = `${directives[at] ?? name} ${sources.join(' ')}`;
    directives.splice(at < 0 ? directives.length : at, 1, widened);
  }
  reply.header('content-security-policy', directives.join('; '));
}
