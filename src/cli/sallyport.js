#!/usr/bin/env node
// Plain JavaScript, so that a Node too old for the rest still reads this far and can say so.
import module from 'node:module';
import v8 from 'node:v8';

const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
if (major < 24 || (major === 24 && minor < 7)) {
  console.error(
    `Sallyport needs Node 24.7 or later, and this is ${process.version}. ` +
      'npm run sallyport -- … uses the Node that npm ci has installed beside it.',
  );
  process.exit(1);
}

module.enableCompileCache();
// An import of node:http reads all its members, and these three load Node's own HTTP client: 30 ms and 13 MB of memory
// for what nothing here uses. `fetch` still loads it when it is called.
const http = process.getBuiltinModule('node:http');
for (const member of ['WebSocket', 'CloseEvent', 'MessageEvent']) delete http[member];
// Loading code leaves garbage behind for which the heap would grow by some 30 MB that an idle server never gives back.
v8.setFlagsFromString('--semi-space-growth-factor=1');
const { main } = await import('./main.ts');
await main(process.argv.slice(2));
// V8's own value: requests are served faster with room.
v8.setFlagsFromString('--semi-space-growth-factor=2');
