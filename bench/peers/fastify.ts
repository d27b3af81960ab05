/** The floor of any HTTP answer: Fastify as it comes, one route. */
import Fastify from 'fastify';

const server = Fastify();
server.get('/', async () => ({ ok: true }));
await server.listen({ port: 0, host: '127.0.0.1' });
process.on('disconnect', () => process.exit());
const address = server.server.address();
process.send?.({ port: typeof address === 'object' ? address?.port : 0 });
