/** A page whose body breaks off in the middle, through a real pipe: no half of it in the tables, and none of it twice later. */
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { openWorkshop, type Workshop } from './workshop.ts';

let shop: Workshop;

beforeAll(async () => {
  shop = await openWorkshop({
    program: 'tap-dcapi',
    profile: 'small',
    tap: { pages_per_run: 0, backoff_ms: 1, streams: ['dcapi_systems', 'patch_system_mapping'] },
  });
});
afterAll(() => shop.close());

interface Truth {
  readonly systems: readonly string[];
  /** Patches by system. */
  readonly pairs: ReadonlyMap<string, number>;
}

async function truth(): Promise<Truth> {
  const { streams } = (await shop.control('manifest?ids=1')) as { streams: Record<string, { ids: string[] }> };
  const pairs = Map.groupBy(streams.patch_system_mapping?.ids ?? [], (id) => id.split('/')[0] ?? '');
  return {
    systems: streams.dcapi_systems?.ids ?? [],
    pairs: new Map([...pairs].map(([system, own]) => [system, own.length])),
  };
}

/** Systems whose own count, or whose rows in the mapping, are not as many as they have in truth. */
function wrong({ pairs }: Truth): readonly unknown[] {
  return shop
    .query(
      `SELECT resource_id, s.patch_count AS told, count(m.patch_id) AS rows
       FROM patch_system_mapping m FULL JOIN dcapi_systems s USING (resource_id) GROUP BY 1`,
    )
    .filter(({ resource_id, told, rows }) => {
      const there = pairs.get(String(resource_id)) ?? 0;
      return told !== there || rows !== there;
    });
}

const count = (table: string) => shop.query(`SELECT count(*) AS n FROM ${table}`)[0]?.n;

// A page of 30 systems with 183 patches each is too large to be parsed at once: it is read on another way.
describe.each([
  ['an ordinary page', 0],
  ['a large page', 3],
])('%s', (_size, heavy) => {
  beforeEach(async () => {
    await shop.fresh();
    await shop.control('config', { dcapi_heavy_page: heavy });
  });

  test.each([
    [{ type: 'truncatedJson' }, 'json_parse_error'],
    [{ type: 'reset', after_bytes: 90_000 }, 'network_error'],
  ])('that ends with %o leaves a gap and no row, and the next run completes it', async (action, error_type) => {
    const there = await truth();
    // Three attempts on the way, three more at the end of the run.
    await shop.control('faults', { match: { path: '/systemreport/patches$', pages: [3, 3] }, times: 6, action });
    const first = await shop.run();
    expect(first.exitCode, first.lines.join('\n')).toBe(2);
    expect(count('dcapi_systems')).toBe(136);
    expect(wrong(there)).toEqual([]);
    expect(shop.query('SELECT page_num, error_type, attempts, resolved_at FROM dcapi_extraction_gaps')).toEqual([
      { page_num: 3, error_type, attempts: 2, resolved_at: null },
    ]);
    const second = await shop.run();
    expect(second.exitCode, second.lines.join('\n')).toBe(0);
    expect(wrong(there)).toEqual([]);
    expect(count('dcapi_systems')).toBe(there.systems.length);
    expect(count('patch_system_mapping')).toBe([...there.pairs.values()].reduce((sum, own) => sum + own, 0));
    expect(shop.query('SELECT page_num FROM dcapi_extraction_gaps WHERE resolved_at IS NULL')).toEqual([]);
    expect(shop.query('SELECT systems_extracted, coverage_pct FROM dcapi_extraction_checkpoints')).toEqual([
      { systems_extracted: 166, coverage_pct: 100 },
    ]);
  });
});
