import { expect, test } from 'vitest';
import { killServiceDesk } from '../pipe/servicedesk-kills.ts';

const KILLS = Number(process.env.TAPWORKS_KILLS ?? 20);
const SEED = Number(process.env.TAPWORKS_SEED ?? Date.now() % 1_000_000);

test(`${KILLS} kills (seed ${SEED})`, async () => {
  const report = await killServiceDesk(20_000, KILLS, SEED);
  process.stdout.write(`servicedesk-kills ${JSON.stringify(report)}\n`);
  expect(report.kills).toBe(KILLS);
}, 1_800_000);
