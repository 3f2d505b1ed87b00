/** Sweeps of 3,317 systems in batches of 50 pages through a real pipe, then the same again over what the first left. */
import { expect } from 'vitest';
import { openWorkshop } from './workshop.ts';

const START = Date.UTC(2026, 2, 1);
const SIX_HOURS = 6 * 3_600_000;

/** Two sweeps of a vendor that does not change, a run every six hours; each must take `runs` runs over `pages` pages. */
export async function sweepTwice(scenario: string, pages: number, runs: number): Promise<void> {
  const shop = await openWorkshop({
    program: 'tap-dcapi',
    profile: 'full',
    scenario,
    tap: {
      streams: ['dcapi_systems', 'patch_system_mapping'],
      snapshot_id: undefined,
      // The run after the last one of a sweep is the first to find it older.
      snapshot_max_age_hours: runs * 6 - 1,
    },
  });
  try {
    const { streams } = (await shop.control('manifest')) as { streams: Record<string, { rows: number }> };
    const expected = [streams.dcapi_systems?.rows, streams.patch_system_mapping?.rows];
    expect(expected).toEqual([3_317, 165_850]);
    const count = (table: string) => shop.query(`SELECT count(*) AS n FROM ${table}`)[0]?.n;
    const counts = () => [count('dcapi_systems'), count('patch_system_mapping')];
    for (let run = 1; run <= 2 * runs; run += 1) {
      const now = new Date(START + (run - 1) * SIX_HOURS).toISOString();
      const { exitCode, lines } = await shop.run({ env: { ...shop.env, TAPWORKS_NOW: now } });
      expect(exitCode, lines.join('\n')).toBe(0);
      const batch = ((run - 1) % runs) + 1;
      const [mark] = shop.query('SELECT * FROM dcapi_extraction_checkpoints ORDER BY updated_at DESC LIMIT 1');
      expect(mark).toMatchObject({ last_page: Math.min(pages, 50 * batch), total_pages: pages });
      if (run < runs) expect(Number(count('dcapi_systems'))).toBeLessThan(3_317);
      else expect(counts()).toEqual(expected);
      if (batch === runs) expect(mark).toMatchObject({ coverage_pct: 100, patches_extracted: 165_850 });
    }
    expect(shop.query('SELECT status, coverage_pct FROM snapshots')).toEqual([
      { status: 'complete', coverage_pct: 100 },
      { status: 'complete', coverage_pct: 100 },
    ]);
    for (const table of ['dcapi_systems', 'patch_system_mapping']) {
      expect(shop.query(`SELECT DISTINCT snapshot_id FROM ${table}`)).toHaveLength(1);
      const marked = 'NATURAL LEFT JOIN (SELECT NULL AS _sdc_deleted_at) WHERE _sdc_deleted_at IS NOT NULL';
      expect(count(`${table} ${marked}`)).toBe(0);
    }
  } finally {
    await shop.close();
  }
}
