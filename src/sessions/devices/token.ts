import type { Crypto } from '../../crypto/types.ts';

/** Users that one browser may be remembered for; the one who was here longest ago gives way. */
const usersPerBrowser = 5;
const between = '~';

/** One user's part of the cookie. */
export interface Presented {
  id: string;
  generation: number;
}

/**
 * The cookie of remembered devices: for each user the id of a device, which value in a row of values this is, and a keyed
 * hash over both and the user. Nobody can make the next value, and of an old one it can be told that it was ours: then
 * it was copied. Two tabs that come with the same value get the same next one.
 */
export function createTokens(crypto: Crypto) {
  const proofOf = (userId: string, { generation, id }: Presented) =>
    [id, String(generation), userId] as const;

  function partsOf(cookie: string | undefined): { part: string; presented: Presented; proof: string }[] {
    const parts = (cookie ?? '').split(between).slice(0, usersPerBrowser);
    return parts.flatMap((part) => {
      const [, id, generation, proof] = /^(rdv_[\w-]{22})\.(\d{1,9})\.([\w.-]{20,120})$/.exec(part) ?? [];
      if (id === undefined || proof === undefined) return [];
      return [{ part, presented: { id, generation: Number(generation) }, proof }];
    });
  }

  return {
    /** The devices that the cookie names, whether or not it is true. */
    named: (cookie: string | undefined): string[] => partsOf(cookie).map(({ presented }) => presented.id),

    /** Nothing when no part of the cookie is the user's. Reads nothing. */
    read(cookie: string | undefined, userId: string): Presented | null {
      const own = partsOf(cookie).find(({ presented, proof }) =>
        crypto.verifyMac(proof, 'remembered-device', ...proofOf(userId, presented)),
      );
      return own?.presented ?? null;
    },

    /** The cookie with this part for the user, beside those of others. */
    write(cookie: string | undefined, userId: string, present: Presented): string {
      const proof = crypto.mac('remembered-device', ...proofOf(userId, present));
      const mine = this.read(cookie, userId)?.id;
      const others = partsOf(cookie).filter(({ presented: { id } }) => id !== present.id && id !== mine);
      const parts = [[present.id, present.generation, proof].join('.'), ...others.map(({ part }) => part)];
      return parts.slice(0, usersPerBrowser).join(between);
    },
  };
}
