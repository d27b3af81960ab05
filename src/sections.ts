import { accountSection } from './account/index.ts';
import { appsSection } from './apps/index.ts';
import { auditSection, createAudit } from './audit/index.ts';
import type { Audit } from './audit/types.ts';
import { createReferences, gatewaySections, processVariables } from './config/index.ts';
import type { ConfigSection, Environment, References } from './config/types.ts';
import { createCrypto, createPasswords } from './crypto/index.ts';
import type { Crypto, Passwords } from './crypto/types.ts';
import { channelsSection, messagesSection, providersSection } from './delivery/index.ts';
import { flowsSection, passwordAlone, recoverySection } from './flows/index.ts';
import { guardSection } from './guard/index.ts';
import { keysSection } from './keys.ts';
import { systemClock } from './lib/clock.ts';
import { type RandomSource, systemRandom } from './lib/ids.ts';
import { otpSection } from './otp/index.ts';
import { sessionsSection } from './sessions/index.ts';
import type { Revisions } from './storage/types.ts';
import { createLog, metricsSection } from './telemetry/index.ts';
import { attributesSection, createUsers, passwordsSection, usersSection } from './users/index.ts';
import type { Users } from './users/types.ts';

interface SectionParts {
  environment: Environment;
  crypto: Crypto;
  references: References;
  passwords: Passwords;
  users: Users;
  random: RandomSource;
  audit: Audit;
  revisions: Pick<Revisions, 'bump'>;
}

/** Every section of the configuration, in the order in which they depend on each other. */
export function sectionsOf(parts: SectionParts): ConfigSection[] {
  const { environment, crypto, references, revisions, random, audit, users, passwords } = parts;
  const { demo, issuer } = environment;
  return [
    ...gatewaySections,
    metricsSection,
    otpSection,
    sessionsSection,
    keysSection,
    auditSection,
    guardSection({ crypto }),
    passwordsSection,
    accountSection,
    providersSection({ crypto, references, revisions }),
    channelsSection({ revisions }),
    attributesSection,
    flowsSection({ revisions, random, audit }),
    recoverySection,
    appsSection({ issuer, demo }),
    messagesSection({ issuer, revisions }),
    usersSection({ users, passwords, demo, passwordAlone }),
  ];
}

/** What the files may say. For commands that look at files only: it has no database and cannot save. */
export async function createSections(environment: Environment): Promise<ConfigSection[]> {
  const crypto = createCrypto([{ id: 'none', bytes: systemRandom(32) }]);
  const passwords = createPasswords();
  const log = createLog({ level: 'silent' });
  const revisions = {
    bump: async () => {
      throw new Error('these sections were made without a database');
    },
  };
  return sectionsOf({
    environment,
    crypto,
    references: createReferences(processVariables),
    passwords,
    users: createUsers({ crypto, passwords, clock: systemClock, log, demo: environment.demo }),
    random: systemRandom,
    audit: createAudit(),
    revisions,
  });
}
