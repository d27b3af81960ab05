import { oidcClientTs } from './browser.ts';
import { expressOpenidConnect, passport } from './express.ts';
import { oauth4webapi, openidClient } from './openid-client.ts';
import { spring } from './spring.ts';
import type { AppFacts } from './types.ts';

const libraries = [openidClient, oauth4webapi, passport, expressOpenidConnect, oidcClientTs, spring] as const;

export interface LibrarySettings {
  name: string;
  settings: string;
  /** What the app's entry has to say otherwise. */
  needs: string[];
}

/** Settings of every library that can prove itself as the app does. */
export const settingsFor = (facts: AppFacts): LibrarySettings[] =>
  libraries
    .filter(({ speaks }) => speaks.includes(facts.app.tokenEndpointAuthMethod))
    .map((library) => ({
      name: library.name,
      settings: library.settings(facts),
      needs: library.needs?.(facts.app) ?? [],
    }));
