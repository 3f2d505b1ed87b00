/** The simulator's courses of events, each to its end: nothing that stayed may be missing. */
import { describe, expect, it } from 'vitest';
import type { Output } from '../contract/tap/outside.ts';
import { Extraction, HOSTILE, idsIn, runsToTheEnd } from './extraction.ts';

const HOUR = 3_600_000;
const SYSTEMS = { streams: ['systems'], pages_per_run: 50 };

interface Course {
  readonly extraction: Extraction;
  readonly outputs: readonly Output[];
  readonly before: readonly string[];
}

async function course(scenario: string, settings = {}, seed = 1): Promise<Course> {
  const extraction = await Extraction.start(
    { profile: 'full', scenario, seed },
    { ...SYSTEMS, request_timeout_seconds: 1 },
  );
  const before = extraction.ids('systems');
  const outputs = await runsToTheEnd(extraction, settings, 20, () => extraction.clock.advance(HOUR));
  return { extraction, outputs, before };
}

function expectNothingLost({ extraction, outputs, before }: Course): void {
  const after = new Set(extraction.ids('systems'));
  const stayed = before.filter((id) => after.has(id));
  const seen = new Set(idsIn(outputs));
  expect(stayed.filter((id) => !seen.has(id))).toEqual([]);
  // Every id is one that the server has or had, digit for digit.
  const known = new Set([...before, ...after]);
  expect([...seen].filter((id) => !known.has(id))).toEqual([]);
}

function expectTokensWithinLimit(times: readonly number[]): void {
  for (const time of times) {
    expect(times.filter((other) => other >= time && other < time + 600_000).length).toBeLessThanOrEqual(10);
  }
}

function sum(outputs: readonly Output[], field: string): number {
  return outputs
    .flatMap((output) => output.events('batch_complete'))
    .reduce((total, line) => total + Number(line[field]), 0);
}

describe('scenario', () => {
  // Byte by byte one course of events is as good as three.
  it.each(HOSTILE ? [1] : [1, 2, 3])(
    'hostile, seed %i: loses nothing and tells what was retried',
    { timeout: 120_000 },
    async (seed) => {
      const played = await course('hostile', { pages_per_run: 50 }, seed);
      expectNothingLost(played);
      expectTokensWithinLimit(played.extraction.tokenRequests);
      expect(played.outputs.map(({ code }) => code)).not.toContain(1);
      expect(sum(played.outputs, 'pages_retried')).toBeGreaterThan(10);
      expect(sum(played.outputs, 'pages_recovered') + sum(played.outputs, 'pages_lost')).toBe(
        sum(played.outputs, 'pages_retried'),
      );
      expect(played.outputs[0]?.summary).toMatch(/pages retried \d+, recovered \d+, lost \d+/);
    },
  );

  it('precision: ids of 17 digits arrive digit for digit', async () => {
    const { extraction, outputs } = await course('precision');
    const ids = extraction.ids('systems');
    expect(ids.every((id) => id.length === 17)).toBe(true);
    expect(idsIn(outputs)).toEqual([...ids].sort());
    const branches = new Set(outputs.flatMap((output) => output.records('systems').map((row) => row.branch_office_id)));
    for (const branch of branches) if (branch !== null) expect(branch).toMatch(/^\d{17}$/);
  });

  it('two-runs-shrink: steps back when the total falls', async () => {
    const played = await course('two-runs-shrink');
    expectNothingLost(played);
    expect(played.extraction.ids('systems')).toHaveLength(3_302);
    expect(played.outputs.flatMap((output) => output.events('step_back'))).toHaveLength(2);
  });

  it('outage: pages of ten bad minutes become gaps and are read in the next run', async () => {
    const played = await course('outage');
    expectNothingLost(played);
    const [, second, third] = played.outputs;
    const gaps = second?.table('extraction_gaps') ?? [];
    expect(gaps.length).toBeGreaterThan(0);
    for (const gap of gaps)
      expect(gap).toMatchObject({ stream: 'systems', error_type: '5xx_server_error', resolved_at: null });
    const healed = third?.table('extraction_gaps') ?? [];
    expect(healed.map(({ page_num }) => page_num).sort()).toEqual(gaps.map(({ page_num }) => page_num).sort());
    for (const gap of healed) expect(gap.resolved_at).toMatch(/^2026-01-15T/);
    expect(third?.code).toBe(0);
  });

  it('token-60s: replaces the token in time and never because it was refused', async () => {
    const extraction = await Extraction.start(
      { profile: 'full', scenario: 'token-60s' },
      { ...SYSTEMS, pages_per_run: 0, page_delay_ms: 2_000 },
    );
    const output = await extraction.run();
    expect(output.code).toBe(0);
    expect(idsIn([output])).toHaveLength(3_362);
    const refreshes = output.events('token_refresh');
    expect(refreshes.length).toBeGreaterThanOrEqual(4);
    expect(refreshes.map(({ reason }) => reason)).toEqual([
      'batch_start',
      ...Array(refreshes.length - 1).fill('proactive'),
    ]);
    for (const { token_age_seconds } of refreshes.slice(1)) {
      expect(token_age_seconds).toBeGreaterThanOrEqual(48);
      expect(token_age_seconds).toBeLessThan(60);
    }
    expect(extraction.tenant.requests.filter(({ status }) => status === 401)).toEqual([]);
  });

  it('token-60s at a slow pace: waits for the token budget rather than break the limit', async () => {
    const extraction = await Extraction.start(
      { profile: 'full', scenario: 'token-60s' },
      { ...SYSTEMS, pages_per_run: 0, page_delay_ms: 8_000 },
    );
    const output = await extraction.run();
    expect(output.code).toBe(0);
    expect(idsIn([output])).toHaveLength(3_362);
    expect(output.events('token_budget').length).toBeGreaterThan(0);
    const times = extraction.tokenRequests;
    for (const time of times) {
      expect(times.filter((other) => other >= time && other < time + 600_000).length).toBeLessThanOrEqual(8);
    }
  });

  it('s0-resilient: 17 unreadable pages become gaps, later runs resolve all of them', async () => {
    const played = await course('s0-resilient');
    expectNothingLost(played);
    expectTokensWithinLimit(played.extraction.tokenRequests);
    const rows = played.outputs.flatMap((output) => output.records('extraction_gaps'));
    const opened = new Set(rows.filter(({ resolved_at }) => resolved_at === null).map(({ page_num }) => page_num));
    const resolved = new Set(rows.filter(({ resolved_at }) => resolved_at !== null).map(({ page_num }) => page_num));
    expect(opened.size).toBeGreaterThanOrEqual(17);
    expect(resolved).toEqual(opened);
    expect(played.outputs.at(-1)?.code).toBe(0);
  });
});
