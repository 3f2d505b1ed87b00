/** Which snapshot a run belongs to: one sweep is one snapshot, however many runs it takes. */
import { expect, it } from 'vitest';
import type { Output } from '../contract/tap/outside.ts';
import { Extraction } from './extraction.ts';

const HOUR = 3_600_000;
const WHOLE = { streams: ['systems'], pages_per_run: 0 };
const BATCH = { streams: ['systems'], pages_per_run: 3 };

const idOf = (output: Output) => output.table('snapshots').at(-1)?.snapshot_id;
const pagesOf = (extraction: Extraction, from: number) =>
  extraction.tenant.requests
    .slice(from)
    .filter(({ path }) => path.endsWith('/scandetails'))
    .map(({ page }) => page);

it('is named by its start, and every record carries it', async () => {
  const extraction = await Extraction.start({}, WHOLE);
  const output = await extraction.run();
  for (const row of output.records('systems')) {
    expect(row).toMatchObject({ snapshot_id: 1_768_478_400, extracted_at: '2026-01-15T12:00:00Z' });
  }
});

it('goes on for 14 batches of one every 6 hours and longer, up to 168 hours', async () => {
  const extraction = await Extraction.start({}, BATCH);
  const first = await extraction.run();
  extraction.clock.advance(167 * HOUR);
  const second = await extraction.run();
  expect(idOf(second)).toBe(idOf(first));
  expect(second.table('extraction_checkpoints')).toMatchObject([{ last_page: 6 }]);
});

it('starts over when an unfinished sweep is older than sweep_max_age_hours', async () => {
  const extraction = await Extraction.start({}, { ...BATCH, sweep_max_age_hours: 24 });
  const first = await extraction.run();
  extraction.clock.advance(25 * HOUR);
  const from = extraction.tenant.requests.length;
  const second = await extraction.run();
  expect(idOf(second)).not.toBe(idOf(first));
  expect(pagesOf(extraction, from)).toEqual([1, 2, 3]);
});

it('starts over when the config names another snapshot_id while a sweep is open', async () => {
  const extraction = await Extraction.start({}, BATCH);
  await extraction.run({ snapshot_id: 7 });
  const from = extraction.tenant.requests.length;
  const same = await extraction.run({ snapshot_id: 7 });
  expect(idOf(same)).toBe(7);
  expect(pagesOf(extraction, from)).toEqual([3, 4, 5, 6]);
  const other = await extraction.run({ snapshot_id: 8 });
  expect(idOf(other)).toBe(8);
  expect(other.table('extraction_checkpoints')).toMatchObject([{ last_page: 3, systems_extracted: 75 }]);
});

it('stays finished for good without snapshot_max_age_hours', async () => {
  const extraction = await Extraction.start({}, WHOLE);
  await extraction.run();
  const requests = extraction.tenant.requests.length;
  extraction.clock.advance(10_000 * HOUR);
  const later = await extraction.run();
  expect(later.code).toBe(0);
  expect(extraction.tenant.requests).toHaveLength(requests);
});

it('is followed by a fresh one once a finished one is older than snapshot_max_age_hours', async () => {
  const extraction = await Extraction.start({}, { ...WHOLE, snapshot_max_age_hours: 24 });
  const first = await extraction.run();
  extraction.clock.advance(23 * HOUR);
  expect((await extraction.run()).summary).toContain('nothing to do');
  extraction.clock.advance(2 * HOUR);
  const second = await extraction.run();
  expect(idOf(second)).toBe(Number(idOf(first)) + 25 * 3_600 + 1);
  expect(second.table('systems')).toHaveLength(168);
});

it('takes in a newly selected stream after it was finished, and reads the others no more', async () => {
  const extraction = await Extraction.start({}, WHOLE);
  const first = await extraction.run();
  extraction.clock.advance(HOUR);
  const second = await extraction.run({ streams: ['systems', 'all_systems'] });
  expect(second.code).toBe(0);
  expect(idOf(second)).toBe(idOf(first));
  expect(second.table('all_systems')).toHaveLength(167);
  expect(second.records('systems')).toEqual([]);
  for (const row of second.records('all_systems')) expect(row.extracted_at).toBe('2026-01-15T12:00:00Z');
});

it('keeps the bookmarks of deselected streams, and what it does not know', async () => {
  const extraction = await Extraction.start({}, { ...WHOLE, streams: ['systems', 'all_systems'] });
  await extraction.run();
  const state = await extraction.state();
  await extraction.writeState({
    ...state,
    note: 'ours',
    bookmarks: { ...(state.bookmarks as object), foreign: { offset: 3 } },
  });
  const output = await extraction.run({ streams: ['patch_summary'] });
  expect(output.states.at(-1)).toMatchObject({
    note: 'ours',
    bookmarks: {
      foreign: { offset: 3 },
      systems: { finished: true, distinct: 168 },
      all_systems: { finished: true, distinct: 167 },
      patch_summary: { finished: true },
    },
  });
});

it('keeps the bookmark of a deselected stream in a new snapshot, and does not take it for read there', async () => {
  const extraction = await Extraction.start({}, { ...WHOLE, streams: ['systems', 'all_systems'] });
  await extraction.run({ snapshot_id: 1 });
  const alone = await extraction.run({ snapshot_id: 2, streams: ['systems'] });
  expect(alone.states.at(-1)).toMatchObject({ bookmarks: { all_systems: { finished: true, distinct: 167 } } });
  const both = await extraction.run({ snapshot_id: 2 });
  expect(both.records('systems')).toEqual([]);
  expect(both.table('all_systems')).toHaveLength(167);
  expect(both.records('all_systems')[0]).toMatchObject({ snapshot_id: 2 });
});

it('reads streams that are not paged once per snapshot', async () => {
  const extraction = await Extraction.start({}, { streams: ['systems', 'patch_summary'], pages_per_run: 3 });
  const counts = [];
  for (let run = 0; run < 3; run += 1) counts.push((await extraction.run()).records('patch_summary').length);
  expect(counts).toEqual([1, 0, 0]);
});

it('warns when coverage falls because the server reports more systems than before', async () => {
  const extraction = await Extraction.start({}, { ...BATCH, pages_per_run: 6 });
  await extraction.run();
  extraction.tenant.grow('scandetails', 400);
  const output = await extraction.run({ pages_per_run: 1 });
  expect(output.events('coverage_fell')).toMatchObject([
    { coverage_pct_before: 89.3, coverage_pct: expect.any(Number) },
  ]);
});
