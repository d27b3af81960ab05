// Put before a gateway by `node --import`: SIGUSR2 collects all garbage, so that what stays can be measured.
import v8 from 'node:v8';
import vm from 'node:vm';

v8.setFlagsFromString('--expose-gc');
const collect = vm.runInNewContext('gc');
process.on('SIGUSR2', () => collect());
