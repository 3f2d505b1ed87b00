/**
 * A process that outlives the owner of a server. `node keeper.ts FOLDER` waits for the end of its standard input, which
 * comes when the owner closes it or dies in whatever way, and then discards the server and its folder.
 */
import { discard } from './left-overs.ts';

const folder = process.argv[2];
if (folder === undefined) throw new Error('keeper.ts: the folder of a server is missing');

// The owner's terminal and its process group are none of the keeper's business.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => {});
process.stdin.on('error', () => {});
process.stdin.on('close', () => discard(folder));
process.stdin.resume();
