import { afterAll, beforeAll, expect, test } from 'vitest';
import { killAndResume } from '../pipe/kill-and-resume.ts';
import { openWorkshop, type Workshop } from '../pipe/workshop.ts';

const KILLS = Number(process.env.TAPWORKS_KILLS ?? 20);
const SEED = Number(process.env.TAPWORKS_SEED ?? Date.now() % 1_000_000);

let shop: Workshop;

beforeAll(async () => {
  shop = await openWorkshop({
    program: 'tap-dcapi',
    profile: 'full',
    tap: { checkpoint_pages: 2, pages_per_run: 0, streams: ['dcapi_systems', 'patch_system_mapping'] },
    target: { batch_rows: 2_000 },
  });
  await shop.control('config', { latency_ms: 20 });
});
afterAll(() => shop.close());

test(`${KILLS} kills of tap-dcapi | target-sqlite (seed ${SEED})`, async () => {
  const report = await killAndResume(shop, KILLS, SEED);
  process.stdout.write(`kill-and-resume of tap-dcapi ${JSON.stringify(report)}\n`);
  expect(report.kills).toBeGreaterThanOrEqual(KILLS);
}, 1_800_000);
