import { text } from '../lib/texts.ts';
import type { Answer, Area, Visit } from './types.ts';

/** A card for each area that has something to say, with its state and one way on. */
export async function overviewPage(areas: readonly Area[], visit: Visit): Promise<Answer> {
  const cards = await Promise.all(areas.map((area) => area.card(visit, visit.locale)));
  const { name, username } = visit.user;
  return {
    page: {
      view: 'account/overview',
      title: text('account.title'),
      data: { name: name ?? username, cards: cards.filter((card) => card !== null) },
    },
  };
}
