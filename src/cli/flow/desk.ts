import { readEnvironment } from '../../config/index.ts';
import type { FlowDesk } from '../../flows/index.ts';
import type { CommandDeps } from '../command.ts';
import { withSide } from '../server/backend.ts';
import { askServer } from '../server/control.ts';

/** Does `work` on the flows of the database, or of the server that holds it. */
export const withDesk = (deps: CommandDeps, work: (desk: FlowDesk) => Promise<void>): Promise<void> =>
  withSide<FlowDesk>(deps, readEnvironment(deps.variables), {
    here: (context) => context.flows,
    there: (socket) => {
      const ask =
        <Input extends unknown[], Answer>(name: string) =>
        (...input: Input): Promise<Answer> =>
          askServer(socket, `flow/${name}`, input);
      return {
        ...{ list: ask('list'), show: ask('show'), check: ask('check'), draft: ask('draft') },
        ...{ publish: ask('publish'), rollBack: ask('rollback'), archive: ask('archive') },
        ...{ simulate: ask('simulate'), figures: ask('figures') },
      };
    },
    work,
  });
