import { expect, test } from 'vitest';
import { killTarget } from '../targets/killing.ts';

const KILLS = Number(process.env.TAPWORKS_KILLS ?? 100);
const SEED = Number(process.env.TAPWORKS_SEED ?? Date.now() % 1_000_000);

test(`${KILLS} kills of target-sqlite (seed ${SEED})`, async () => {
  const report = await killTarget(KILLS, SEED);
  process.stdout.write(`kills of target-sqlite ${JSON.stringify(report)}\n`);
  expect(report.kills).toBeGreaterThanOrEqual(KILLS);
  expect(report.ahead).toBeGreaterThan(0);
}, 1_800_000);
