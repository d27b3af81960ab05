import type { Migration } from 'kysely/migration';
import * as first from './0001-first-login.ts';
import * as sessionGaps from './0003-session-gaps.ts';
import * as logoutNotices from './0005-logout-notices.ts';
import * as sendGuard from './0006-send-guard.ts';
import * as deliveryRouting from './0007-delivery-routing.ts';
import * as vendorCodes from './0008-vendor-codes.ts';
import * as messageTexts from './0009-message-texts.ts';
import * as guardLookups from './0011-guard-lookups.ts';
import * as devices from './0012-devices.ts';
import * as flowVersions from './0013-flow-versions.ts';
import * as credentials from './0014-credentials.ts';
import * as data from './0017-data.ts';
import * as secondPhone from './0018-second-phone.ts';
import * as sessionCountry from './0019-session-country.ts';

/** Every migration in the order in which it is applied. Forward only; a landed file is never edited. */
export const migrations: Record<string, Migration> = {
  '0001-first-login': first,
  '0003-session-gaps': sessionGaps,
  '0005-logout-notices': logoutNotices,
  '0006-send-guard': sendGuard,
  '0007-delivery-routing': deliveryRouting,
  '0008-vendor-codes': vendorCodes,
  '0009-message-texts': messageTexts,
  '0011-guard-lookups': guardLookups,
  '0012-devices': devices,
  '0013-flow-versions': flowVersions,
  '0014-credentials': credentials,
  '0017-data': data,
  '0018-second-phone': secondPhone,
  '0019-session-country': sessionCountry,
};
