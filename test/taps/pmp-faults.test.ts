/**
 * Every way in which ManageEngine misbehaves, one row each, with what has to come of it. Profile small: 168 systems on
 * seven pages. Faults strike the fourth page unless they say otherwise.
 */
import { describe, expect, it } from 'vitest';
import type { Action } from '../../simulators/manageengine/actions.ts';
import type { Output } from '../contract/tap/outside.ts';
import { Extraction, HOSTILE, idsIn } from './extraction.ts';

const SYSTEMS = { streams: ['systems'], pages_per_run: 0, page_delay_ms: 0, request_timeout_seconds: 1 };

interface Seen {
  readonly extraction: Extraction;
  readonly output: Output;
  /** Ids that the server lists after the run. */
  readonly ids: readonly string[];
  /** Waits of a second and more, in milliseconds. */
  readonly waits: readonly number[];
  readonly requests: number;
}

interface Row {
  readonly fault: string;
  readonly action: Action;
  readonly match?: { readonly pages?: readonly [number, number]; readonly nth?: number; readonly path?: string };
  readonly times?: number;
  readonly settings?: Readonly<Record<string, number>>;
  /** Said of the outcome, and asserted. */
  readonly outcome: string;
  expect(seen: Seen): void;
}

/** The last state of every row of extraction_gaps. */
const gaps = (output: Output) => output.table('extraction_gaps');

function everySystem({ output, ids }: Seen): void {
  expect(output.code).toBe(0);
  expect(idsIn([output])).toEqual([...ids].sort());
  expect(gaps(output)).toEqual([]);
}

function gapOf(type: string) {
  return ({ output, ids }: Seen): void => {
    expect(output.code).toBe(2);
    expect(idsIn([output])).toHaveLength(ids.length - 25);
    expect(gaps(output)).toMatchObject([{ page_num: 4, error_type: type, resolved_at: null }]);
  };
}

const FOR_EVER = Number.MAX_SAFE_INTEGER;

const ROWS: readonly Row[] = [
  {
    fault: 'expireToken',
    action: { type: 'expireToken' },
    outcome: 'one refresh, the page again, no loss',
    expect: (seen) => {
      everySystem(seen);
      expect(seen.output.events('token_refresh').map(({ reason }) => reason)).toEqual(['batch_start', '401']);
      expect(seen.requests).toBe(8);
    },
  },
  {
    fault: 'unauthorizedLoop',
    action: { type: 'unauthorizedLoop' },
    times: FOR_EVER,
    outcome: 'the run ends after three refusals in a row',
    expect: ({ output, requests }) => {
      expect(output.code).toBe(1);
      expect(requests).toBe(3 + 3);
      expect(output.stderr).toContain('refused the credentials 3 times in a row');
    },
  },
  {
    fault: 'refreshLimit',
    action: { type: 'refreshLimit' },
    match: { path: '^/oauth/' },
    outcome: 'waits a minute and asks again',
    expect: (seen) => {
      everySystem(seen);
      expect(seen.waits).toEqual([60_000]);
    },
  },
  {
    fault: 'refreshDenied',
    action: { type: 'refreshDenied' },
    match: { path: '^/oauth/' },
    outcome: 'fatal, and says what to do',
    expect: ({ output, requests }) => {
      expect(output.code).toBe(1);
      expect(output.stderr).toContain('create a new one in the API console');
      expect(requests).toBe(0);
    },
  },
  {
    fault: 'rate429 with seconds',
    action: { type: 'rate429', retry_after: 'seconds', seconds: 7 },
    outcome: 'waits as long as asked',
    expect: (seen) => {
      everySystem(seen);
      expect(seen.waits).toContain(7_000);
    },
  },
  {
    fault: 'rate429 with a date',
    action: { type: 'rate429', retry_after: 'date', seconds: 9 },
    outcome: 'waits until then',
    expect: (seen) => {
      everySystem(seen);
      expect(seen.waits.some((ms) => ms > 7_000 && ms <= 9_000)).toBe(true);
    },
  },
  {
    fault: 'rate429 without a time',
    action: { type: 'rate429', retry_after: 'none' },
    outcome: 'waits a minute',
    expect: (seen) => {
      everySystem(seen);
      expect(seen.waits).toContain(60_000);
    },
  },
  {
    fault: 'lockout',
    action: { type: 'lockout', per_minute: 4, for_ms: 50_000 },
    match: { pages: [1, FOR_EVER] },
    times: FOR_EVER,
    outcome: 'slows down and brings everything',
    expect: (seen) => {
      everySystem(seen);
      expect(seen.output.events('page_extraction_failed').length).toBeGreaterThan(0);
      // Once throttled, requests keep their distance.
      expect(seen.waits.filter((ms) => ms >= 1_000 && ms <= 8_000).length).toBeGreaterThan(1);
    },
  },
  {
    fault: 'htmlThrottle',
    action: { type: 'htmlThrottle' },
    outcome: 'taken for throttling, although its status is 200',
    expect: (seen) => {
      everySystem(seen);
      expect(seen.waits).toContain(60_000);
      expect(seen.output.events('page_extraction_failed')).toMatchObject([{ error_type: 'html_response', page: 4 }]);
    },
  },
  {
    fault: 'htmlLogin once',
    action: { type: 'htmlLogin' },
    outcome: 'one new token, then the page',
    expect: (seen) => {
      everySystem(seen);
      expect(seen.output.events('token_refresh')).toHaveLength(2);
    },
  },
  {
    fault: 'htmlLogin for ever',
    action: { type: 'htmlLogin' },
    times: FOR_EVER,
    outcome: 'ends the stream, the pages before are safe',
    expect: ({ output }) => {
      expect(output.code).toBe(1);
      expect(output.table('endpoint_runs').find(({ stream }) => stream === 'systems')).toMatchObject({
        status: 'failed',
        rows: 75,
      });
    },
  },
  {
    fault: 'emptyBody once',
    action: { type: 'emptyBody' },
    outcome: 'read at the second attempt',
    expect: everySystem,
  },
  {
    fault: 'emptyBody for ever',
    action: { type: 'emptyBody' },
    times: FOR_EVER,
    outcome: 'a gap',
    expect: gapOf('empty_response'),
  },
  {
    fault: 'truncatedJson twice',
    action: { type: 'truncatedJson' },
    times: 2,
    outcome: 'read at the third attempt',
    expect: everySystem,
  },
  {
    fault: 'truncatedJson for ever',
    action: { type: 'truncatedJson' },
    times: FOR_EVER,
    outcome: 'a gap',
    expect: gapOf('json_parse_error'),
  },
  {
    fault: 'burst503 twice',
    action: { type: 'burst503' },
    times: 2,
    outcome: 'backs off 1 s, then 2 s',
    expect: (seen) => {
      everySystem(seen);
      expect(seen.waits).toEqual([1_000, 2_000]);
    },
  },
  {
    fault: 'burst503 for ever',
    action: { type: 'burst503' },
    times: FOR_EVER,
    outcome: 'a gap',
    expect: gapOf('5xx_server_error'),
  },
  { fault: 'error500', action: { type: 'error500' }, outcome: 'read at the second attempt', expect: everySystem },
  {
    fault: 'slow',
    action: { type: 'slow', ms: 200 },
    settings: { request_timeout_seconds: 30 },
    outcome: 'waited for',
    expect: (seen) => {
      everySystem(seen);
      expect(seen.output.events('page_extraction_failed')).toEqual([]);
    },
  },
  {
    fault: 'hang',
    action: { type: 'hang' },
    outcome: 'given up after the time limit, read at the second attempt',
    expect: (seen) => {
      everySystem(seen);
      expect(seen.output.events('page_extraction_failed')).toMatchObject([{ error_type: 'network_timeout' }]);
    },
  },
  {
    fault: 'reset',
    action: { type: 'reset' },
    outcome: 'read at the second attempt',
    expect: (seen) => {
      everySystem(seen);
      expect(seen.output.events('page_extraction_failed')).toMatchObject([{ error_type: 'network_error' }]);
    },
  },
  {
    fault: 'reset in the middle of the body',
    action: { type: 'reset', after_bytes: 2_000 },
    outcome: 'read at the second attempt',
    expect: everySystem,
  },
  {
    fault: 'errorEnvelope',
    action: { type: 'errorEnvelope' },
    times: FOR_EVER,
    outcome: 'refused by contract: not asked again at once, a gap',
    expect: (seen) => {
      gapOf('contract_error')(seen);
      // Once on the way and once more at the end of the run.
      expect(seen.requests).toBe(8);
      expect(seen.waits).toEqual([]);
    },
  },
  {
    fault: 'duplicateAcrossPages',
    action: { type: 'duplicateAcrossPages', count: 5 },
    outcome: 'systems count once',
    expect: ({ output, ids }) => {
      expect(output.code).toBe(0);
      expect(idsIn([output])).toEqual([...ids].sort());
      expect(output.table('extraction_checkpoints')[0]).toMatchObject({ systems_extracted: ids.length });
    },
  },
  {
    fault: 'moveSystem',
    action: { type: 'moveSystem' },
    outcome: 'the shortfall is noticed and the list looked at again',
    expect: (seen) => {
      everySystem(seen);
      expect(seen.output.events('second_look')).toHaveLength(1);
    },
  },
  {
    fault: 'shrinkTotal',
    action: { type: 'shrinkTotal', count: 30 },
    outcome: 'a new end, no false gap, nobody lost who stayed',
    expect: ({ output, ids }) => {
      expect(output.code).toBe(0);
      const seen = new Set(idsIn([output]));
      expect(ids.filter((id) => !seen.has(id))).toEqual([]);
      expect(gaps(output)).toEqual([]);
      expect(output.events('step_back')).toHaveLength(1);
    },
  },
  {
    fault: 'growTotal',
    action: { type: 'growTotal', count: 30 },
    outcome: 'a new end, and those who joined are read',
    expect: (seen) => {
      everySystem(seen);
      expect(seen.ids).toHaveLength(198);
    },
  },
  {
    fault: 'growTotal at the start',
    action: { type: 'growTotal', count: 3, at: 'start' },
    outcome: 'rows moved to later pages, and those who joined are read',
    expect: everySystem,
  },
  {
    fault: 'wrongLimit once',
    action: { type: 'wrongLimit', limit: 10 },
    outcome: 'asked for once more',
    expect: everySystem,
  },
  {
    fault: 'wrongLimit for ever',
    action: { type: 'wrongLimit', limit: 10 },
    match: { pages: [1, FOR_EVER] },
    times: FOR_EVER,
    settings: { page_size: 50 },
    outcome: 'the size that comes counts, not the one that was asked for',
    expect: (seen) => {
      everySystem(seen);
      expect(seen.requests).toBe(17);
    },
  },
  {
    fault: 'badRow, not an object',
    action: { type: 'badRow', kind: 'nonObject' },
    outcome: 'the other rows are kept, and it is told',
    expect: (seen) => {
      everySystem(seen);
      expect(seen.output.events('bad_rows')).toMatchObject([{ stream: 'systems', rows: 1 }]);
    },
  },
  {
    fault: 'badRow, an unknown code',
    action: { type: 'badRow', kind: 'unknownEnum' },
    outcome: 'kept as it came: landing tables hold what the vendor says',
    expect: (seen) => {
      everySystem(seen);
      expect(seen.output.records('systems').filter((row) => row.resource_health_status === 99)).toHaveLength(1);
    },
  },
  {
    fault: 'badRow, times in seconds',
    action: { type: 'badRow', kind: 'secondsTime' },
    outcome: 'read as the instants they are',
    expect: (seen) => {
      everySystem(seen);
      const years = seen.output.records('systems').map((row) => String(row.last_scan_time ?? '2026').slice(0, 4));
      expect(years.filter((year) => !/^202[2-6]$/.test(year))).toEqual([]);
    },
  },
];

describe('a fault of the server', () => {
  it.each(ROWS.map((row) => [row.fault, row.outcome, row] as const))('%s: %s', async (_fault, _outcome, row) => {
    const extraction = await Extraction.start({}, { ...SYSTEMS, ...row.settings });
    if (HOSTILE) extraction.tenant.configure({ chunk_bytes: 4_093 });
    extraction.tenant.addFault({
      match: row.match ?? { path: '/scandetails$', pages: [4, 4] },
      ...(row.times !== FOR_EVER && { times: row.times ?? 1 }),
      action: row.action,
    });
    const output = await extraction.run();
    row.expect({
      extraction,
      output,
      ids: extraction.ids('systems'),
      waits: extraction.clock.sleeps.filter((ms) => ms >= 1_000),
      requests: extraction.apiRequests,
    });
  });

  it('dailyQuota: ends in order, and the next day goes on where it stopped', async () => {
    const extraction = await Extraction.start({}, { ...SYSTEMS, checkpoint_pages: 1 });
    extraction.tenant.addFault({ action: { type: 'dailyQuota', calls: 5 } });
    const first = await extraction.run();
    expect(first.code).toBe(2);
    expect(idsIn([first])).toHaveLength(125);
    extraction.clock.advance(24 * 3_600_000);
    extraction.tenant.removeFaults();
    const second = await extraction.run();
    expect(second.code).toBe(0);
    expect(idsIn([first, second])).toEqual([...extraction.ids('systems')].sort());
  });
});

describe('s0-resilient', () => {
  it('recovers at least 70 % of the transient failures within the run, and every page in the end', async () => {
    const extraction = await Extraction.start(
      { profile: 'full', scenario: 's0-resilient' },
      { streams: ['systems', 'patches', 'all_systems'], pages_per_run: 50 },
    );
    let [transient, recovered] = [0, 0];
    const unresolved = new Set<string>();
    for (let run = 1; run <= 20; run += 1) {
      const output = await extraction.run();
      const key = ({ stream, page }: Readonly<Record<string, unknown>>) => `${stream} ${page}`;
      const lost = new Set(output.events('gap_logged').map(key));
      for (const page of lost) unresolved.add(page);
      for (const event of output.events('gap_resolved')) unresolved.delete(key(event));
      // Pages that failed in this run; those of the 17 that nobody can read for half an hour are no transient ones.
      const failed = new Set(
        output
          .events('page_extraction_failed')
          .filter(({ error_type: type, stream }) => type !== 'json_parse_error' && stream !== undefined)
          .map(key),
      );
      const persistent = new Set(
        extraction.tenant.faults.flatMap(({ id, rule }) =>
          id.startsWith('gap-') ? [`systems ${rule.match?.pages?.[0]}`] : [],
        ),
      );
      for (const page of failed) {
        if (persistent.has(page)) continue;
        transient += 1;
        if (!lost.has(page)) recovered += 1;
      }
      extraction.clock.advance(3_600_000);
      if (output.events('batch_complete').some(({ requests }) => requests === 0)) break;
    }
    expect(transient).toBeGreaterThan(5);
    expect(recovered / transient).toBeGreaterThanOrEqual(0.7);
    expect([...unresolved]).toEqual([]);
  });
});
