import { expect, it } from 'vitest';
import { Extraction, idsIn } from './extraction.ts';

it('reads 3,362 systems in batches of 50 pages and then has nothing to do', async () => {
  const extraction = await Extraction.start({ profile: 'full' }, { streams: ['systems'], pages_per_run: 50 });
  const outputs = [];
  const expected = [
    { last_page: 50, systems_extracted: 1_250, coverage_pct: 37.2 },
    { last_page: 100, systems_extracted: 2_500, coverage_pct: 74.4 },
    { last_page: 135, systems_extracted: 3_362, coverage_pct: 100 },
  ];
  for (const checkpoint of expected) {
    const output = await extraction.run();
    outputs.push(output);
    expect(output.code).toBe(0);
    expect(output.records('extraction_checkpoints').at(-1)).toMatchObject({
      ...checkpoint,
      total_pages: 135,
      total_systems: 3_362,
    });
    extraction.clock.advance(6 * 3_600_000);
  }
  expect(idsIn(outputs)).toEqual([...extraction.ids('systems')].sort());
  // Nothing failed: each page once, and the last one of each batch again when the next begins.
  expect(extraction.apiRequests).toBe(135 + 2);
  expect(new Set(outputs.flatMap((output) => output.records('systems').map((row) => row.snapshot_id))).size).toBe(1);

  const requests = extraction.tenant.requests.length;
  const idle = await extraction.run();
  expect(idle.code).toBe(0);
  expect(idle.stdout).toBe('');
  expect(idle.summary).toContain('nothing to do');
  expect(extraction.tenant.requests).toHaveLength(requests);
});

it('writes a checkpoint every ten pages', async () => {
  const extraction = await Extraction.start({ profile: 'full' }, { streams: ['systems'], pages_per_run: 50 });
  const output = await extraction.run();
  const pages = output.records('extraction_checkpoints').map((row) => row.last_page);
  expect(pages).toEqual([10, 20, 30, 40, 50]);
  expect(output.states.length).toBeGreaterThanOrEqual(5);
});

it('goes on beyond the coverage target to the last page', async () => {
  const extraction = await Extraction.start(
    { profile: 'full' },
    { streams: ['systems'], pages_per_run: 0, coverage_target: 0.5 },
  );
  const output = await extraction.run();
  expect(output.records('extraction_checkpoints').at(-1)).toMatchObject({ last_page: 135, coverage_pct: 100 });
});
