import { afterAll, beforeAll, expect, test } from 'vitest';
import { killAndResume } from './kill-and-resume.ts';
import { openWorkshop, type Workshop } from './workshop.ts';

let shop: Workshop;

beforeAll(async () => {
  shop = await openWorkshop({
    profile: 'small',
    tap: { checkpoint_pages: 2, pages_per_run: 0 },
    target: { batch_rows: 40 },
  });
  await shop.control('config', { latency_ms: 15 });
});
afterAll(() => shop.close());

test('a pipe killed inside a page, inside a transaction and between commit and state ends as if nothing had happened', async () => {
  const report = await killAndResume(shop, 3, 20260301);
  process.stdout.write(`kill-and-resume ${JSON.stringify(report)}\n`);
  expect(report.kills).toBeGreaterThanOrEqual(3);
  for (const kind of ['inside a page', 'inside a transaction', 'between commit and state'] as const)
    expect(report.struck[kind], kind).toBeGreaterThan(0);
}, 180_000);
