import { afterAll, beforeAll, expect, test } from 'vitest';
import { killAndResume } from './kill-and-resume.ts';
import { openWorkshop, type Workshop } from './workshop.ts';

let shop: Workshop;

beforeAll(async () => {
  shop = await openWorkshop({
    program: 'tap-dcapi',
    profile: 'small',
    tap: { checkpoint_pages: 2, pages_per_run: 0, page_size: 8 },
    target: { batch_rows: 500 },
  });
  await shop.control('config', { latency_ms: 15, vuln: 'on' });
});
afterAll(() => shop.close());

test('tap-dcapi | target-sqlite, killed three times at least, ends as if nothing had happened', async () => {
  const report = await killAndResume(shop, 3, 20260301);
  process.stdout.write(`kill-and-resume of tap-dcapi ${JSON.stringify(report)}\n`);
  expect(report.kills).toBeGreaterThanOrEqual(3);
  for (const kind of ['inside a page', 'inside a transaction', 'between commit and state'] as const)
    expect(report.struck[kind], kind).toBeGreaterThan(0);
  const { streams } = (await shop.control('manifest')) as { streams: Record<string, { rows: number }> };
  for (const table of ['dcapi_systems', 'patch_system_mapping', 'dcapi_patches', 'system_vulnerabilities'])
    expect(shop.query(`SELECT count(*) AS n FROM ${table}`), table).toEqual([{ n: streams[table]?.rows }]);
  expect(shop.query('SELECT systems_extracted, coverage_pct FROM dcapi_extraction_checkpoints')).toEqual([
    { systems_extracted: 166, coverage_pct: 100 },
  ]);
}, 180_000);
