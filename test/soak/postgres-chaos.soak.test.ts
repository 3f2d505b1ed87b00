import { expect, test } from 'vitest';
import { startServer } from '../postgres/server.ts';
import { needsOwnServer } from '../postgres/shared.ts';
import { BREAKS, breakLoads } from '../targets/postgres-chaos.ts';

const KILLS = Number(process.env.TAPWORKS_KILLS ?? 5 * BREAKS.length);
const SEED = Number(process.env.TAPWORKS_SEED ?? Date.now() % 1_000_000);

test(`${KILLS} breaks of target-postgres (seed ${SEED})`, async (context) => {
  needsOwnServer(context);
  const server = await startServer();
  try {
    const kinds = Array.from({ length: KILLS }, (_, place) => BREAKS[place % BREAKS.length] as (typeof BREAKS)[number]);
    const report = await breakLoads(server, kinds, SEED);
    process.stdout.write(`breaks of target-postgres ${JSON.stringify(report)}\n`);
    for (const kind of BREAKS) expect(report.struck[kind]).toBeGreaterThanOrEqual(Math.floor(KILLS / BREAKS.length));
  } finally {
    await server.stop();
  }
}, 3_600_000);
