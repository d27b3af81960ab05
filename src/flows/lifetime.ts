/** How long one sign-in may take. Not prolonged by anything. */
export const lifetimeMs = 15 * 60_000;
