import { createRequire } from 'node:module';
import type * as Cel from '@marcbachmann/cel-js';
import { isWithin, networkFault } from '../../lib/network.ts';
import { type FactType, factTypes, type ToDuration } from './facts.ts';

/*
 * The language of conditions. Loaded with the first condition that is checked or asked: most gateways have none, and a
 * start does not wait for it.
 */
const require = createRequire(import.meta.url);

const library = (): typeof Cel => require('@marcbachmann/cel-js') as typeof Cel;

/** The library sets no limit to what a condition costs; its size is one. */
const limits = { maxAstNodes: 300, maxDepth: 30, maxListElements: 200, maxMapEntries: 50 };

function environmentOf(attributes: FactType): Cel.Environment {
  const { Environment } = library();
  const environment = new Environment({ limits });
  for (const [name, type] of Object.entries(factTypes(attributes))) {
    if (typeof type === 'string') environment.registerVariable(name, type);
    else environment.registerVariable({ name, schema: type } as Cel.RegisterVariableDeclaration);
  }
  return environment.registerFunction('string.inRange(string): bool', inRange);
}

/** Throws for what is no address or network: neither yes nor no. */
function inRange(address: string, network: string): boolean {
  if (networkFault(network) !== null || networkFault(address) !== null) throw new RangeError('no network');
  return isWithin(address, [network]);
}

/**
 * Knows each attribute that is declared and no other: for the check at saving. A number may stand beside a whole one, as
 * it may when the condition runs.
 */
export function strictEnvironment(attributes: Record<string, string>): Cel.Environment {
  const same = (left: number, right: bigint): boolean => left === Number(right);
  // The library mirrors it for what stands the other way round.
  return environmentOf(attributes).registerOperator('double == int', same);
}

let lenient: Cel.Environment | undefined;

/**
 * Takes every attribute for whatever it is: for running conditions that were saved when others were declared. It has
 * `matches` by another name, because the library's own cannot be replaced, and is not to be used: it is backtracking.
 */
export function runningEnvironment(found: (text: string, pattern: string) => boolean): Cel.Environment {
  lenient ??= environmentOf('map<string, dyn>');
  return lenient.clone().registerFunction(`string.${linearMatches}(string): bool`, found);
}

/** What calls of `matches` are renamed to before a condition runs. */
export const linearMatches = 'matchesInLinearTime';

type DurationClass = new (seconds: bigint, nanos: number) => unknown;

let Duration: DurationClass | undefined;

/** The library keeps the class of its durations to itself. */
export const toDuration: ToDuration = (ms) => {
  Duration ??= (library().evaluate('duration("1s")') as { constructor: DurationClass }).constructor;
  return new Duration(BigInt(Math.trunc(ms / 1000)), (ms % 1000) * 1_000_000);
};

/** Nodes of a condition and of everything in it, with the number of comprehensions (`exists`, `all`, …) around each. */
export function* nodesOf(node: Cel.ASTNode, around = 0): Generator<{ node: Cel.ASTNode; around: number }> {
  yield { node, around };
  const within = isMacro(node) ? around + 1 : around;
  if (node.op === 'rcall') {
    const [, receiver, args] = node.args;
    yield* nodesOf(receiver, around);
    for (const arg of args) yield* nodesOf(arg, within);
    return;
  }
  for (const child of children(node.args)) yield* nodesOf(child, around);
}

function children(args: unknown): Cel.ASTNode[] {
  if (Array.isArray(args)) return args.flatMap(children);
  return typeof args === 'object' && args !== null && 'op' in args ? [args as Cel.ASTNode] : [];
}

const macros = new Set(['all', 'exists', 'exists_one', 'map', 'filter']);

export const isMacro = (node: Cel.ASTNode): boolean =>
  node.op === 'rcall' && macros.has(node.args[0]) && node.args[2].length > 1;

/** The text, where the node is one that stands in the condition itself. */
export const literalOf = (node: Cel.ASTNode | undefined): string | null =>
  node?.op === 'value' && typeof node.args === 'string' ? node.args : null;
