import type { ASTNode, Environment } from '@marcbachmann/cel-js';
import { networkFault } from '../../lib/network.ts';
import { closest } from '../../lib/suggest.ts';
import { isMacro, literalOf, nodesOf, strictEnvironment } from './cel.ts';
import { longestCondition, sentenceOf } from './condition.ts';
import { type FactType, factTypes } from './facts.ts';
import { patternFault } from './patterns.ts';

/** What is wrong, and where in the condition. */
interface Finding {
  at: number;
  message: string;
}

/**
 * Everything that is wrong with a condition, as sentences that name the place.
 * @param attributes CEL types of the attributes that users may have.
 */
export function conditionFaults(source: string, attributes: Record<string, string>): string[] {
  if (source.length > longestCondition) return [`is longer than ${longestCondition} characters`];
  const environment = strictEnvironment(attributes);
  const facts = factTypes(attributes);
  try {
    const parsed = environment.parse(source);
    const findings = [...nodesOf(parsed.ast)].flatMap(({ node, around }) =>
      nodeFindings(node, around, environment, facts),
    );
    findings.push(...patternFindings(parsed.ast));
    const checked = parsed.check();
    if (checked.error) findings.push(libraryFinding(checked.error, source, facts));
    else if (checked.type !== 'bool') {
      findings.push({ at: 0, message: notBoolean(source.trim(), checked.type, facts) });
    }
    if (findings.length === 0) findings.push(...constantFindings(parsed.ast, facts));
    return findings.toSorted((a, b) => a.at - b.at).map((finding) => placed(finding, source));
  } catch (error) {
    return [placed(libraryFinding(error, source, facts), source)];
  }
}

function notBoolean(source: string, type: string | undefined, facts: Record<string, FactType>): string {
  const members = typeAt(source.split('.'), facts);
  return typeof members === 'object'
    ? `“${source}” is no fact by itself; there are ${Object.keys(members).join(', ')} in it`
    : `must be true or false, and is of the type ${type}`;
}

function placed({ at, message }: Finding, source: string): string {
  const before = source.slice(0, at).split('\n');
  const character = (before.at(-1)?.length ?? 0) + 1;
  const line = source.trimEnd().includes('\n') ? `line ${before.length}, ` : '';
  return `${message} (${line}character ${character})`;
}

/** What the library found. Misspelt names get what was probably meant. */
function libraryFinding(error: unknown, source: string, facts: Record<string, FactType>): Finding {
  const { code, range } = error as { code?: string; range?: { start: number; end: number } };
  const at = range?.start ?? 0;
  const word = source.slice(at, range?.end ?? at);
  if (code === 'unknown_variable') {
    return { at, message: `“${word}” is no fact${meaning(word, Object.keys(facts))}` };
  }
  const [path = ''] = /[\w.]*$/.exec(source.slice(0, Math.max(0, at - 1))) ?? [];
  const owner = typeAt(path.split('.'), facts);
  if (code === 'no_such_key' && typeof owner === 'object') return unknownMember(at, path, word, owner);
  const [, limit = '', most] = /^Exceeded (\w+) \((\d+)\)/.exec(sentenceOf(error)) ?? [];
  if (Object.hasOwn(limited, limit)) return { at, message: `has more than ${most} ${limited[limit]}` };
  return { at, message: `cannot be used: ${sentenceOf(error)}` };
}

const limited: Record<string, string> = {
  maxDepth: 'levels within each other',
  maxAstNodes: 'parts',
  maxListElements: 'entries in a list',
  maxMapEntries: 'entries in a map',
};

function unknownMember(at: number, path: string, word: string, owner: Record<string, FactType>): Finding {
  const known = Object.keys(owner);
  const hint = path === 'user.attributes' ? '; attributes.yaml declares none of this name' : '';
  return { at, message: `“${path}.${word}” is no fact${meaning(word, known)}${hint}` };
}

function meaning(word: string, known: string[]): string {
  const near = closest(word, known);
  if (near !== undefined) return `; did you mean “${near}”?`;
  return known.length === 0 ? '' : `; there are ${known.join(', ')}`;
}

function typeAt(path: string[], facts: Record<string, FactType>): FactType | undefined {
  let type: FactType | undefined = facts;
  for (const name of path) type = typeof type === 'object' ? type[name] : undefined;
  return type;
}

/** Calls that hide from the check what they are asked about, or that make more of a condition than it says. */
const refused: Record<string, string> = {
  dyn: 'dyn() cannot be used: misspelt members would not be noticed in it',
  json: 'json() cannot be used: what it reads is not known when the condition is saved',
  split: 'split() cannot be used',
  bind: 'cel.bind() cannot be used: write the value where it is needed',
};

function nodeFindings(
  node: ASTNode,
  around: number,
  environment: Environment,
  facts: Record<string, FactType>,
): Finding[] {
  if (node.op !== 'call' && node.op !== 'rcall') return [];
  const at = node.pos;
  const [name] = node.args;
  const refusal = Object.hasOwn(refused, name) ? refused[name] : undefined;
  if (refusal !== undefined) return [{ at, message: refusal }];
  if (isMacro(node) && around > 0) {
    return [{ at, message: `${name}() cannot stand within another of its kind` }];
  }
  return node.op === 'call'
    ? callFindings(node, environment, facts)
    : literalFindings(name, node.args[2][0], at);
}

function callFindings(
  { args: [name, [argument]] }: ASTNode & { op: 'call' },
  environment: Environment,
  facts: Record<string, FactType>,
): Finding[] {
  if (argument === undefined) return [];
  if (name === 'has') return hasFindings(argument, facts);
  const literal = literalOf(argument);
  if (literal === null || (name !== 'duration' && name !== 'timestamp')) return [];
  try {
    environment.evaluate(`${name}(${JSON.stringify(literal)})`);
    return [];
  } catch {
    const example = name === 'duration' ? '“90m” or “24h”' : '“2026-01-31T08:00:00Z”';
    return [{ at: argument.pos, message: `“${literal}” is no ${name}: write it like ${example}` }];
  }
}

/** The library takes any member for one that may be there. */
function hasFindings(argument: ASTNode, facts: Record<string, FactType>): Finding[] {
  const path: string[] = [];
  let node = argument;
  while (node.op === '.') {
    path.unshift(node.args[1]);
    node = node.args[0];
  }
  if (node.op !== 'id' || path.length === 0) return [];
  const owner = [node.args, ...path.slice(0, -1)];
  const members = typeAt(owner, facts);
  const word = path.at(-1) ?? '';
  if (typeof members !== 'object' || Object.hasOwn(members, word)) return [];
  return [unknownMember(argument.pos, owner.join('.'), word, members)];
}

function literalFindings(name: string, argument: ASTNode | undefined, at: number): Finding[] {
  const literal = literalOf(argument);
  if (name === 'inRange') {
    const message = literal === null ? 'inRange() needs the network itself' : networkFault(literal);
    return message === null ? [] : [{ at: argument?.pos ?? at, message }];
  }
  if (literal !== null && name.startsWith('get') && !isTimeZone(literal)) {
    const message = `“${literal}” is no time zone: write it like “Europe/Berlin”`;
    return [{ at: argument?.pos ?? at, message }];
  }
  return [];
}

function isTimeZone(name: string): boolean {
  try {
    return new Intl.DateTimeFormat('en', { timeZone: name }) !== null;
  } catch {
    return false;
  }
}

/** Regular expressions are compiled now, so they have to stand in the condition. */
function patternFindings(ast: ASTNode): Finding[] {
  const patterns: { at: number; source: string }[] = [];
  for (const { node } of nodesOf(ast)) {
    if (node.op !== 'rcall' || node.args[0] !== 'matches') continue;
    const source = literalOf(node.args[2][0]);
    const at = node.args[2][0]?.pos ?? node.pos;
    if (source === null) return [{ at, message: 'matches() needs the regular expression itself' }];
    patterns.push({ at, source });
  }
  const fault = patternFault(patterns.map(({ source }) => source));
  const pattern = fault && patterns[fault.at];
  return fault && pattern ? [{ at: pattern.at, message: `“${pattern.source}” ${fault.message}` }] : [];
}

function constantFindings(ast: ASTNode, facts: Record<string, FactType>): Finding[] {
  for (const { node } of nodesOf(ast)) {
    if (node.op === 'id' && Object.hasOwn(facts, node.args)) return [];
  }
  return [{ at: 0, message: 'asks about no fact: the step would apply to everyone alike, or to nobody' }];
}
