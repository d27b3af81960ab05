import type { ProviderDraft } from '../preset.ts';
import { EncodingError } from '../template/encode.ts';
import { type Node, parseTemplate, type TemplateFault } from '../template/parse.ts';
import type { Constants } from '../template/template.ts';

/** Reads the templates of one provider, and remembers which secrets they hold. */
export interface TemplateReader {
  constants: Constants;
  /** Values that were looked up: they may stand in no log. */
  secrets: Set<string>;
  /** Parses a template and hands it on; null when something about it was reported. */
  read<T>(path: string, source: string, compile: Compile<T>): T | null;
  /** The same, but a string that is nothing but one reference names the whole template, for instance a file. */
  readWhole<T>(path: string, source: string, compile: Compile<T>): T | null;
}

type Compile<T> = (nodes: Node[], faults: TemplateFault[]) => T;

const onlyReference = /^\s*\$\{(?:env|file):[^}]*\}\s*$/;

export function createReader(draft: ProviderDraft): TemplateReader {
  const secrets = new Set<string>();
  const known = draft.document.secrets ?? {};
  const remember = (value: string) => {
    secrets.add(value);
    return value;
  };
  const constants: Constants = {
    secret: (name) => remember(draft.resolve(known[name] ?? '')),
    reference: (written) => remember(draft.resolve(written)),
    derived: (text) => void remember(text),
  };
  function read<T>(path: string, source: string, compile: Compile<T>): T | null {
    const { nodes, faults } = parseTemplate(source);
    faults.push(...missing(nodes, draft));
    let result: T | null = null;
    if (faults.length === 0) {
      try {
        result = compile(nodes, faults);
      } catch (error) {
        if (!(error instanceof EncodingError)) throw error;
        faults.push({ at: 0, message: error.message });
      }
    }
    for (const { at, message } of faults) draft.fault(path, `${placeIn(source, at)}: ${message}`);
    return faults.length === 0 ? result : null;
  }
  return {
    constants,
    secrets,
    read,
    readWhole: (path, written, compile) =>
      read(path, onlyReference.test(written) ? draft.resolve(written.trim()) : written, compile),
  };
}

/** What the template asks for and the provider does not have. */
function missing(nodes: Node[], draft: ProviderDraft): TemplateFault[] {
  const { document } = draft;
  return nodes.flatMap((node): TemplateFault[] => {
    if (node.kind === 'function') return missing(node.nodes, draft);
    if (node.kind === 'secret' && !Object.hasOwn(document.secrets ?? {}, node.name)) {
      return [{ at: node.at, message: `there is no secret “${node.name}”: add it under secrets` }];
    }
    if (node.kind === 'value' && node.name === 'ctx.from' && document.from === undefined) {
      return [{ at: node.at, message: '$ctx.from needs the provider’s from' }];
    }
    return [];
  });
}

function placeIn(source: string, at: number): string {
  const before = source.slice(0, at).split('\n');
  const column = (before.at(-1)?.length ?? 0) + 1;
  return source.includes('\n') ? `line ${before.length}, character ${column}` : `character ${column}`;
}
