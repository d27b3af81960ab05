/**
 * /account: where people look after their own account. The frame decides who may see a page, checks each form, and asks
 * for a fresh second factor before what is sensitive; an area is one part with its card and its pages.
 *
 * Owns the member `account` of gateway.yaml, the built-in app `account` with its flow, the pages in `views/account`, and
 * the cookies `sp-continue`, `sp-flash` and `sp-return`. It has no table: what it changes belongs to others.
 * Not here: logging in (flows), what a session is (sessions), what users have (users), messages (notices).
 *
 * Routes: /account and below; GET /.well-known/change-password.
 */
import type { FastifyPluginAsync } from 'fastify';
import type { Catalogue } from '../lib/texts.ts';
import { areaTexts, createAreas } from './areas/index.ts';
import { accountRoutes } from './frame.ts';
import { frameTexts } from './texts.ts';
import type { AccountDeps } from './types.ts';

export { accountApp, accountFlow, accountFlowId, accountId, type BuiltInDeps } from './app.ts';
export { type AccountDocument, accountSection } from './settings.ts';
export type { AccountDeps } from './types.ts';

export const texts: Catalogue = { ...frameTexts, ...areaTexts };

export const createAccount = (deps: AccountDeps): { plugin: FastifyPluginAsync } => ({
  plugin: accountRoutes(deps, createAreas(deps)),
});
