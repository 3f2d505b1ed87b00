/**
 * A process that owns a server, for tests that end it. `node owner.ts` starts one, says which as a line of JSON, and lives
 * until a signal or the end of its standard input. With `--stop` it stops its server at once.
 */
import { startServer } from './server.ts';

const server = await startServer();
const { url, folder, pid, keeper } = server;
process.stdout.write(`${JSON.stringify({ url, folder, pid, keeper })}\n`);
if (process.argv.includes('--stop')) await server.stop();
else process.stdin.resume().on('end', () => server.stop());
