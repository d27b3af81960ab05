/** A process of its own that types a code, for a test that kills it while the gateway is being asked. */
import { migrations } from '../../migrations/index.ts';
import { createAudit } from '../../src/audit/index.ts';
import { createDelivery } from '../../src/delivery/index.ts';
import { systemRandom } from '../../src/lib/ids.ts';
import { createOtp, otpDefaults, otpSettings } from '../../src/otp/index.ts';
import { openStorage } from '../../src/storage/index.ts';
import { cryptoOf, issuer } from '../delivery/service-support.ts';
import { references } from '../delivery/support.ts';
import { silent } from '../helpers/log.ts';

const [databaseUrl = '', key = '', time = '', scope = '', typed = ''] = process.argv.slice(2);
const clock = { now: () => new Date(time) };
const crypto = cryptoOf(Buffer.from(key, 'base64'));
const storage = await openStorage({ databaseUrl, dataDir: '', migrations, clock, log: silent });
const delivery = await createDelivery({
  ...{ storage, clock, crypto, references, issuer, log: silent, audit: createAudit() },
});
const otp = createOtp({ crypto, random: systemRandom, delivery });
const reservation = await otp.reserve(storage.db, scope, otpSettings(otpDefaults));
if (reservation.status === 'reserved') await otp.check(reservation, typed, clock.now());
await delivery.close();
await storage.close();
