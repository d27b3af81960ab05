/**
 * The credentials of `config/demo`, known to everyone who has read this repository. They are refused wherever the
 * demo does not run: when configuration is applied, and again when somebody presents them.
 */
export const demoCredentials = {
  appSecret: 'demo-only-secret-do-not-use-anywhere-else',
  password: 'correct-horse-demo',
  backupCodes: ['DEM00-C0DE1', 'DEM00-C0DE2', 'DEM00-C0DE3', 'DEM00-C0DE4', 'DEM00-C0DE5'],
} as const;
