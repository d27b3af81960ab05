import fastifyView from '@fastify/view';
import type { FastifyInstance } from 'fastify';
import { text } from '../lib/texts.ts';
import type { Assets } from './assets.ts';
import type { Locales } from './locales.ts';
import { compileOptions, loadTemplates } from './templates.ts';
import type { Page } from './types.ts';

export interface Pages {
  render(page: Page & { locale: string }): Promise<string>;
  /** Throws when a template is faulty. */
  check(): Promise<void>;
}

export interface PagesDeps {
  app: FastifyInstance;
  viewsDir: string;
  locales: Locales;
  assets: Assets;
  /** The gateway's name, shown where no app is known. */
  name: () => string;
  /** Whom to ask where the app does not say. */
  helpContact: () => string | null;
}

/** Hosted pages: a template inside `layouts/page`, everything a person reads translated while it is rendered. */
export async function createPages(deps: PagesDeps): Promise<Pages> {
  const { app, viewsDir, locales } = deps;
  const { engine, check } = loadTemplates({
    viewsDir,
    translate: locales.translate,
    assetUrl: deps.assets.url,
  });
  await app.register(fastifyView, {
    engine: { handlebars: engine },
    root: viewsDir,
    viewExt: 'hbs',
    layout: 'layouts/page.hbs',
    production: true,
    options: { compileOptions },
  });
  return {
    check,
    render({ view, title, error = false, app: relyingParty = null, locale, data }) {
      const state = locales.translate(locale, title);
      const announced = error ? locales.translate(locale, text('page.errorTitle', { title: state })) : state;
      return app.view(view, {
        ...data,
        locale,
        app: relyingParty,
        gateway: deps.name(),
        help: relyingParty?.helpContact ?? deps.helpContact(),
        title: `${announced} · ${relyingParty?.name ?? deps.name()}`,
      });
    },
  };
}
