import t from 'tap';
import { postgresOnly } from '../helpers/database.ts';
import { beginAll, startFleet } from '../helpers/fleet.ts';

const entry = new URL('asking-instance.ts', import.meta.url).pathname;

t.test('four processes at once spend no more than one message beyond the budget', (t) =>
  postgresOnly(t, async (t, storage, { url }) => {
    const sends = {
      ...{ perPrefix: [], conversion: { hourly: 1_000, daily: 1_000 } },
      ...{ prices: '*,,*,EUR,0.07', budgets: [{ perDay: '1 EUR' }] },
    };
    const fleet = await startFleet(t, 4, entry, [url ?? '', JSON.stringify({ sends })]);
    const told = Promise.all(fleet.map((member) => member.line()));
    beginAll(fleet);
    const allowed = (await told).map(Number);
    t.equal(
      allowed.reduce((sum, n) => sum + n, 0),
      15,
      `15 × 0.07 is the first sum that reaches 1: ${allowed}`,
    );
    const { marks } = await storage.db
      .selectFrom('send_histories')
      .select('marks')
      .where('key', 'like', 'budget:%')
      .executeTakeFirstOrThrow();
    t.equal(Math.round(marks.spent ?? 0), 1_050_000);
  }),
);
