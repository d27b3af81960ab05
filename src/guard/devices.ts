import type { Crypto } from '../crypto/types.ts';
import { newId, type RandomSource } from '../lib/ids.ts';

/** Users that one browser may be known for; the one who was here longest ago gives way. */
const USERS_PER_DEVICE = 5;

const SEPARATOR = '~';

/**
 * What a browser is known by: an id of its own and, for each user who has logged in with it, a mac over both. It
 * opens nothing; it only sets the tries of a known browser apart from those of strangers.
 */
export function createDevices(crypto: Crypto, random: RandomSource) {
  return {
    /** The cookie's new value after `userId` has logged in; `previous` is its value before, from anywhere. */
    deviceToken(userId: string, previous: string | undefined): string {
      const [id, marks] = parse(previous);
      if (id === undefined) {
        const fresh = newId('dev', random);
        return [fresh, crypto.mac('device', fresh, userId)].join(SEPARATOR);
      }
      const others = marks.filter((mark) => !crypto.verifyMac(mark, 'device', id, userId));
      return [id, crypto.mac('device', id, userId), ...others].slice(0, 1 + USERS_PER_DEVICE).join(SEPARATOR);
    },

    /** The browser's id if this user has logged in with it before, else null. */
    readDevice(token: string | undefined, userId: string): string | null {
      const [id, marks] = parse(token);
      if (id === undefined) return null;
      return marks.some((mark) => crypto.verifyMac(mark, 'device', id, userId)) ? id : null;
    },
  };
}

/** The parts of a value that a browser sent; nothing of one that cannot be ours. */
function parse(token: string | undefined): [id: string | undefined, marks: string[]] {
  const [id, ...marks] = (token ?? '').split(SEPARATOR);
  const ours = /^dev_[\w-]{22}$/.test(id ?? '') && marks.length <= USERS_PER_DEVICE;
  return ours ? [id, marks] : [undefined, []];
}
