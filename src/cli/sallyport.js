#!/usr/bin/env node
// Plain JavaScript, so that a Node too old for the rest still reads this far and can say so.
import module from 'node:module';

const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
if (major < 24 || (major === 24 && minor < 7)) {
  console.error(
    `Sallyport needs Node 24.7 or later, and this is ${process.version}. ` +
      'npm run sallyport -- … uses the Node that npm ci has installed beside it.',
  );
  process.exit(1);
}

module.enableCompileCache();
const { main } = await import('./main.ts');
await main(process.argv.slice(2));
