/** Sweeps over many runs: both page sizes that the requirement names, resuming, coverage, faults on the way. */
import { describe, expect, it } from 'vitest';
import type { Output } from '../contract/tap/outside.ts';
import { REPORT, startDcapi } from './dcapi-extraction.ts';
import { HOSTILE, idsIn, runsToTheEnd } from './extraction.ts';

const BOTH = ['dcapi_systems', 'patch_system_mapping'];

const pairsIn = (outputs: readonly Output[]) => idsIn(outputs, 'patch_system_mapping', 'resource_id', 'patch_id');

/** Without what a message costs to keep: 165,850 rows are looked at in one pass each. */
function counted(outputs: readonly Output[]): { readonly systems: number; readonly pairs: number } {
  const pairs = new Set<string>();
  const systems = new Set<string>();
  for (const output of outputs) {
    for (const { resource_id } of output.records('dcapi_systems')) systems.add(String(resource_id));
    for (const { resource_id, patch_id } of output.records('patch_system_mapping'))
      pairs.add(`${resource_id}/${patch_id}`);
  }
  return { systems: systems.size, pairs: pairs.size };
}

// 165,850 rows in small pieces take minutes; the batches below run in hostile mode too, on the small profile.
describe.skipIf(HOSTILE)('3,317 systems in batches of 50 pages', () => {
  it.each([
    ['s1-dcapi-30', 111, 3],
    ['s1-dcapi-5', 664, 14],
  ])('%s: %i pages take %i runs', async (scenario, pages, runs) => {
    const extraction = await startDcapi({ scenario }, { streams: BOTH });
    const outputs = await runsToTheEnd(extraction, {}, 20, () => extraction.clock.advance(6 * 3_600_000));
    const [idle] = outputs.slice(-1);
    expect(outputs).toHaveLength(runs + 1);
    expect(outputs.map(({ code }) => code)).toEqual(outputs.map(() => 0));
    expect(idle?.summary).toContain('nothing to do');
    expect(counted(outputs)).toEqual({ systems: 3_317, pairs: 165_850 });
    const marks = outputs.flatMap((output) => output.table('dcapi_extraction_checkpoints'));
    expect(marks).toHaveLength(runs);
    for (const [run, mark] of marks.entries()) {
      const last = Math.min(pages, 50 * (run + 1));
      expect(mark).toMatchObject({ last_page: last, total_pages: pages, total_systems: 3_317 });
    }
    expect(marks.at(-1)).toMatchObject({ systems_extracted: 3_317, patches_extracted: 165_850, coverage_pct: 100 });
    expect(
      new Set(outputs.flatMap((output) => output.table('snapshots').map(({ snapshot_id }) => snapshot_id))).size,
    ).toBe(1);
  });
});

describe('a sweep', () => {
  it('goes on where the run before left it, with one snapshot and all counts', async () => {
    const extraction = await startDcapi({}, { streams: BOTH, pages_per_run: 2 });
    const first = await extraction.run();
    expect(first.table('dcapi_extraction_checkpoints')).toMatchObject([{ last_page: 2, systems_extracted: 60 }]);
    const outputs = [first, ...(await runsToTheEnd(extraction))];
    expect(pairsIn(outputs)).toEqual([...extraction.ids('patch_system_mapping')].sort());
    const last = outputs.flatMap((output) => output.table('dcapi_extraction_checkpoints')).at(-1);
    expect(last).toMatchObject({ systems_extracted: 166, patches_extracted: pairsIn(outputs).length });
  });

  it('counts the patches of a page that is read again once', async () => {
    const extraction = await startDcapi({}, { streams: BOTH, pages_per_run: 0 });
    extraction.tenant.addFault({
      match: { path: REPORT, pages: [3, 3] },
      times: 1,
      action: { type: 'duplicateAcrossPages', count: 5 },
    });
    const output = await extraction.run();
    expect(output.code, output.summary).toBe(0);
    const [mark] = output.table('dcapi_extraction_checkpoints');
    expect(mark?.patches_extracted).toBe(output.table('patch_system_mapping').length);
  });

  it('that shrinks steps back and loses nobody', async () => {
    const extraction = await startDcapi({}, { streams: BOTH, pages_per_run: 0 });
    extraction.tenant.addFault({
      match: { path: REPORT, pages: [3, 3] },
      times: 1,
      action: { type: 'shrinkTotal', count: 10 },
    });
    const output = await extraction.run();
    expect(output.code, output.summary).toBe(0);
    const there = new Set(extraction.ids('dcapi_systems'));
    expect(there.size).toBe(156);
    const read = new Set(output.table('dcapi_systems').map(({ resource_id }) => String(resource_id)));
    expect([...there].filter((id) => !read.has(id))).toEqual([]);
  });

  it('leaves a page that stays unreadable as a gap of the systems, and reads it later', async () => {
    const extraction = await startDcapi({}, { streams: BOTH, pages_per_run: 0 });
    extraction.tenant.addFault({
      id: 'down',
      match: { path: REPORT, pages: [4, 4] },
      times: 6,
      action: { type: 'burst503' },
    });
    const first = await extraction.run();
    expect(first.code).toBe(2);
    expect(first.summary).toContain('dcapi_systems 136 of 166');
    expect(first.table('dcapi_extraction_gaps')).toMatchObject([
      { stream: 'dcapi_systems', page_num: 4, error_type: '5xx_server_error', resolved_at: null },
    ]);
    expect(
      first
        .table('endpoint_runs')
        .filter(({ gaps }) => gaps === 1)
        .map(({ stream, status }) => [stream, status]),
    ).toEqual([
      ['dcapi_systems', 'partial'],
      ['patch_system_mapping', 'partial'],
    ]);
    expect(first.messages.filter(({ type }) => type === 'ACTIVATE_VERSION')).toEqual([]);
    expect(first.events('extraction_progress').at(-1)).toMatchObject({ errors_total: 1 });
    const second = await extraction.run();
    expect(second.code, second.summary).toBe(0);
    expect(pairsIn([first, second])).toEqual([...extraction.ids('patch_system_mapping')].sort());
    expect(second.messages.filter(({ type }) => type === 'ACTIVATE_VERSION').map(({ stream }) => stream)).toEqual(BOTH);
  });

  it.each(['truncatedJson', 'emptyBody', 'htmlThrottle', 'reset'] as const)(
    'survives %s now and then',
    async (type) => {
      const extraction = await startDcapi({}, { streams: BOTH, pages_per_run: 0 });
      extraction.tenant.addFault({ match: { path: REPORT, pages: [2, 4] }, times: 2, action: { type } });
      const output = await extraction.run();
      expect(output.code, output.summary).toBe(0);
      expect(output.records('dcapi_systems')).toHaveLength(166);
      expect(pairsIn([output])).toEqual([...extraction.ids('patch_system_mapping')].sort());
      expect(output.records('patch_system_mapping')).toHaveLength(extraction.ids('patch_system_mapping').length);
    },
  );
});

describe('systems without patches', () => {
  it('count for coverage and are told once', async () => {
    const extraction = await startDcapi({ scenario: 'zero-patches' }, { streams: BOTH, pages_per_run: 0 });
    const output = await extraction.run();
    expect(output.code, output.summary).toBe(0);
    const empty = output.table('dcapi_systems').filter(({ patch_count }) => patch_count === 0);
    expect(empty.length).toBeGreaterThan(30);
    expect(output.table('dcapi_systems')).toHaveLength(extraction.ids('dcapi_systems').length);
    expect(output.table('dcapi_extraction_checkpoints')).toMatchObject([{ coverage_pct: 100 }]);
    expect(output.events('systems_without_patches')).toMatchObject([
      { systems: empty.length, stream: 'dcapi_systems' },
    ]);
  });

  it('have a patch_count that is the number of their rows', async () => {
    const extraction = await startDcapi({ scenario: 'zero-patches' }, { streams: BOTH, pages_per_run: 0 });
    const output = await extraction.run();
    const rows = Map.groupBy(output.table('patch_system_mapping'), ({ resource_id }) => resource_id);
    for (const { resource_id, patch_count } of output.table('dcapi_systems'))
      expect([resource_id, patch_count]).toEqual([resource_id, rows.get(resource_id)?.length ?? 0]);
  });
});

describe('one stream of the two', () => {
  it.each(BOTH)('%s alone: the other is skipped, and read when it is wanted', async (name) => {
    const other = BOTH.find((each) => each !== name) ?? '';
    const extraction = await startDcapi({}, { pages_per_run: 0 });
    const first = await extraction.run({ streams: [name] });
    expect(first.code, first.summary).toBe(0);
    expect(first.records(other)).toEqual([]);
    expect(first.table('endpoint_runs').find(({ stream }) => stream === name)).toMatchObject({ status: 'ok' });
    expect(first.table('endpoint_runs').find(({ stream }) => stream === other)).toMatchObject({ status: 'skipped' });
    expect(first.table('dcapi_extraction_checkpoints')).toMatchObject([{ coverage_pct: 100 }]);
    const idle = await extraction.run({ streams: [name] });
    expect(idle.stdout).toBe('');
    const both = await extraction.run({ streams: BOTH });
    expect(both.code, both.summary).toBe(0);
    expect(pairsIn([both])).toEqual([...extraction.ids('patch_system_mapping')].sort());
    expect(idsIn([both], 'dcapi_systems')).toEqual([...extraction.ids('dcapi_systems')].sort());
  });
});

describe('--status and --reset', () => {
  it('tell of systems and patches', async () => {
    const extraction = await startDcapi({}, { pages_per_run: 3 });
    const output = await extraction.run();
    const requests = extraction.tenant.requests.length;
    const status = JSON.parse((await extraction.run({}, ['--status'])).stdout);
    const [mark] = output.table('dcapi_extraction_checkpoints');
    expect(status).toMatchObject({
      status: 'running',
      last_page: 3,
      total_pages: 6,
      systems_extracted: 90,
      total_systems: 166,
      patches_extracted: mark?.patches_extracted,
      coverage_pct: 54.2,
      target_met: false,
      gaps: [],
    });
    expect((await extraction.run({}, ['--reset'])).code).toBe(0);
    expect(extraction.tenant.requests).toHaveLength(requests);
    const over = await extraction.run();
    expect(over.events('extraction_progress')[0]).toMatchObject({ page: 1 });
  });
});
