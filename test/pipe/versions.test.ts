/** Systems that leave the tenant, through a real pipe: marked once a reading is whole, and not before. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openWorkshop, type Workshop } from './workshop.ts';

const HOUR = 3_600_000;
const START = Date.UTC(2026, 2, 1, 6);

let shop: Workshop;
afterAll(() => shop.close());

/** One run of the pipe, so many hours after the first one. */
async function runAt(hours: number): Promise<number> {
  const { exitCode } = await shop.run({
    env: { ...shop.env, TAPWORKS_NOW: new Date(START + hours * HOUR).toISOString() },
  });
  return exitCode;
}

/** Systems in the table, present and marked as gone. */
function systems(): { readonly present: readonly string[]; readonly gone: readonly string[] } {
  const rows = shop.query('SELECT * FROM systems ORDER BY resource_id');
  const ids = (marked: boolean) =>
    rows.filter((row) => (row._sdc_deleted_at != null) === marked).map(({ resource_id }) => String(resource_id));
  return { present: ids(false), gone: ids(true) };
}

/** The same at the server. */
async function truth(): Promise<ReturnType<typeof systems>> {
  const { streams } = (await shop.control('manifest?ids=1&stream=systems')) as {
    streams: { systems: { ids: string[]; removed: string[] } };
  };
  return { present: [...streams.systems.ids].sort(), gone: [...streams.systems.removed].sort() };
}

describe('30 of 168 systems leave', () => {
  beforeAll(async () => {
    shop = await openWorkshop({
      profile: 'small',
      tap: {
        streams: ['systems'],
        snapshot_id: undefined,
        snapshot_max_age_hours: 24,
        pages_per_run: 3,
        max_attempts: 1,
      },
    });
  });

  test('a first reading in batches marks nothing', async () => {
    for (const hours of [0, 6, 12]) expect(await runAt(hours)).toBe(0);
    expect(systems()).toEqual(await truth());
    expect(systems().present).toHaveLength(168);
  });

  test('batches of the second reading mark nothing while pages are to come', async () => {
    await shop.control('shrink', { count: 30 });
    const before = systems();
    expect(await runAt(40)).toBe(0);
    expect(systems()).toEqual(before);
    // 138 systems are six pages: the second batch comes to the last one, but page 5 is missing.
    await shop.control('faults', { match: { path: '/scandetails$', pages: [5, 5] }, times: 2, action: 'burst503' });
    expect(await runAt(46)).toBe(2);
    expect(systems()).toEqual(before);
    expect(shop.query('SELECT page_num FROM extraction_gaps WHERE resolved_at IS NULL')).toEqual([{ page_num: 5 }]);
  });

  test('the run that closes the gap marks the 30 and nobody else', async () => {
    expect(await runAt(52)).toBe(0);
    expect(systems()).toEqual(await truth());
    expect(systems().gone).toHaveLength(30);
    expect(shop.query('SELECT DISTINCT _sdc_deleted_at FROM systems WHERE _sdc_deleted_at IS NOT NULL')).toEqual([
      { _sdc_deleted_at: expect.stringMatching(/^2026-03-03T10:00:\d\d(\.\d+)?Z$/) },
    ]);
  });

  test('a run with nothing to do, and one that finds the same, leave the marks as they are', async () => {
    const marks = () => shop.query('SELECT resource_id, _sdc_deleted_at FROM systems ORDER BY 1');
    const before = marks();
    expect(await runAt(53)).toBe(0);
    for (const hours of [90, 96]) expect(await runAt(hours)).toBe(0);
    expect(marks()).toEqual(before);
  });

  test('those who come back are present again', async () => {
    await shop.control('reset', {});
    await shop.control('config', { token_limit: false });
    for (const hours of [130, 136, 142]) expect(await runAt(hours)).toBe(0);
    expect(systems()).toEqual({ present: (await truth()).present, gone: [] });
    expect(systems().present).toHaveLength(168);
  });
});

describe('snapshots that the settings number', () => {
  beforeAll(async () => {
    await shop.close();
    shop = await openWorkshop({
      profile: 'small',
      tap: { streams: ['systems', 'patch_summary'], pages_per_run: 0 },
      target: { hard_delete: true },
    });
  });

  test('a higher number takes out who left, and keeps the single objects of earlier ones', async () => {
    expect(await runAt(0)).toBe(0);
    await shop.control('shrink', { count: 30 });
    const next = join(shop.folder, 'next.json');
    await writeFile(next, '{"snapshot_id":8}');
    expect(
      (await shop.run({ tap: { name: 'tap-pmp', args: ['--config', shop.tapConfig, '--config', next] } })).exitCode,
    ).toBe(0);
    expect(systems()).toEqual({ present: (await truth()).present, gone: [] });
    expect(shop.query('SELECT snapshot_id FROM patch_summary ORDER BY 1')).toEqual([
      { snapshot_id: 7 },
      { snapshot_id: 8 },
    ]);
  });
});
