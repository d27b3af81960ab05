import { Problem } from '../../lib/problem.ts';
import type { FlowDocument } from '../documents/schema.ts';

/** A flow that the gateway brings along. It has no versions, and nothing can be saved under its id. */
export interface BuiltInFlow {
  document: FlowDocument;
  /** What it is for, and where another one is named instead. */
  about: string;
}

/** The gateway's own pages, as far as flows are concerned. */
export interface OwnPages {
  flows: BuiltInFlow[];
  /** Pages as apps, with the flow that they ask for. */
  apps: { id: string; flow: string }[];
}

/** As the settings and providers are at this moment. */
export type ReadOwnPages = () => Promise<OwnPages>;

/** No file can give a flow an id that begins like this. */
export const isBuiltIn = (id: unknown): id is string => typeof id === 'string' && id.startsWith('@');

export async function findBuiltIn(read: ReadOwnPages, id: string): Promise<BuiltInFlow | undefined> {
  return isBuiltIn(id) ? (await read()).flows.find(({ document }) => document.id === id) : undefined;
}

export const unchangeable = (id: string, about: string): Problem =>
  new Problem({
    ...{ status: 409, code: 'flow_built_in' },
    message: `“${id}” is built in and has no versions: nothing of it can be saved, published or taken back. It is ${about}.`,
  });
