const escapeHtml = (value: unknown): string =>
  String(value).replace(/&/g, '&amp;').replace(/</g, '&lt;').replace(/>/g, '&gt;').replace(/"/g, '&quot;');

const style = `
  :root { color-scheme: light dark; --ink: #1d2433; --soft: #5b6475; --paper: #fbfaf7; --card: #fff; --line: #e2ded5; --accent: #9a3412; }
  @media (prefers-color-scheme: dark) {
    :root { --ink: #ece9e2; --soft: #a8adb8; --paper: #17181c; --card: #202228; --line: #363942; --accent: #fdba74; }
  }
  * { box-sizing: border-box; }
  body { margin: 0; font: 1rem/1.5 system-ui, sans-serif; color: var(--ink); background: var(--paper); }
  main { max-width: 38rem; margin: 0 auto; padding: 3rem 1.25rem; }
  h1 { font-size: 1.75rem; margin: 0 0 .5rem; }
  p { color: var(--soft); margin: .25rem 0 1.5rem; }
  a.button, button { display: inline-block; font: inherit; font-weight: 600; min-height: 2.75rem; padding: .6rem 1.25rem; border: 0;
    border-radius: .5rem; background: var(--accent); color: var(--card); text-decoration: none; cursor: pointer; }
  a.button:focus-visible, button:focus-visible { outline: 2px solid var(--ink); outline-offset: 2px; }
  dl { display: grid; grid-template-columns: max-content 1fr; gap: .5rem 1.25rem; background: var(--card);
    border: 1px solid var(--line); border-radius: .5rem; padding: 1.25rem; margin: 0 0 1.5rem; overflow-wrap: anywhere; }
  dt { color: var(--soft); } dd { margin: 0; font-family: ui-monospace, monospace; font-size: .875rem; align-self: center; }
`;

const page = (title: string, body: string): string => `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escapeHtml(title)}</title><style>${style}</style></head><body><main>${body}</main></body></html>`;

/** The claims that tell a developer the most, in the order in which they are read. */
const shown = [
  'sub',
  'preferred_username',
  'name',
  'email',
  'phone_number',
  'amr',
  'acr',
  'auth_time',
  'iss',
];

/** The shop's only page: a way in, or what the gateway said of who came in. */
export function homePage(claims: Record<string, unknown> | undefined, hint: string | undefined): string {
  if (claims === undefined) {
    return page(
      'Demo shop',
      `<h1>Demo shop</h1><p>A small application that leaves signing in to Sallyport.</p>
       <a class="button" href="/login">Sign in</a>${hint === undefined ? '' : `<p><br>${escapeHtml(hint)}</p>`}`,
    );
  }
  const rows = shown
    .filter((name) => claims[name] !== undefined)
    .map((name) => `<dt>${escapeHtml(name)}</dt><dd>${escapeHtml(JSON.stringify(claims[name]))}</dd>`);
  return page(
    'Demo shop',
    `<h1>Hello, ${escapeHtml(claims.name ?? claims.preferred_username ?? 'there')}</h1>
     <p>You are signed in. This is what the shop was told about you:</p>
     <dl>${rows.join('')}</dl>
     <form method="post" action="/logout"><button>Sign out</button></form>`,
  );
}

/** Says what went wrong between shop and gateway: the reader of the demonstration is a developer. */
export const errorPage = (message: string): string =>
  page(
    'Error · Demo shop',
    `<h1>That did not work</h1><p>${escapeHtml(message)}</p><a class="button" href="/">Back</a>`,
  );
