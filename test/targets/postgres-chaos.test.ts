import { expect, test } from 'vitest';
import { startServer } from '../postgres/server.ts';
import { needsOwnServer } from '../postgres/shared.ts';
import { type Break, breakLoads } from './postgres-chaos.ts';

const KINDS: readonly Break[] = ['killed', 'terminated', 'restarted', 'answer lost'];

test('a load that breaks and is started again ends as if nothing had happened', async (context) => {
  needsOwnServer(context);
  const server = await startServer();
  try {
    const report = await breakLoads(server, KINDS, 20260301);
    process.stdout.write(`breaks of target-postgres ${JSON.stringify(report)}\n`);
    expect(report.struck).toEqual(Object.fromEntries(KINDS.map((kind) => [kind, 1])));
  } finally {
    await server.stop();
  }
}, 240_000);
