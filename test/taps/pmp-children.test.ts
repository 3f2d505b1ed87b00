/** Streams that cost a request per row of another one: they go on, miss and find again like any other. */
import { describe, expect, it } from 'vitest';
import { type Output, object } from '../contract/tap/outside.ts';
import { Extraction, HOSTILE, idsIn, runsToTheEnd } from './extraction.ts';

const PAIR = ['resource_id', 'patch_id'];
const REPORT = '/api/1.4/patch/systemreport';
const REPORTS = { streams: ['system_reports'], pages_per_run: 0 };

const CHILDREN = [
  {
    stream: 'system_reports',
    path: REPORT,
    list: '/api/1.4/patch/scandetails',
    parameter: 'resid',
    parents: 'systems',
  },
  {
    stream: 'patch_details',
    path: '/api/1.4/patch/allpatchdetails',
    list: '/api/1.4/patch/allpatches',
    parameter: 'patchid',
    parents: 'patches',
  },
];

/** In hostile mode only where replies are read in a way of their own: which requests are made is the same in any pieces. */
const unlessHostile = it.skipIf(HOSTILE);

const pairs = (outputs: readonly Output[], stream: string) => idsIn(outputs, stream, ...PAIR);
const truth = (extraction: Extraction, stream: string) => [...extraction.ids(stream)].sort();

/** What was asked for since a request: pages of the parents, and parents. */
function asked(
  extraction: Extraction,
  since = 0,
): { readonly pages: readonly number[]; readonly of: readonly string[] } {
  const requests = extraction.tenant.requests.slice(since);
  return {
    pages: requests.flatMap(({ path, page }) => (path.endsWith('/scandetails') && page !== null ? [page] : [])),
    of: [...new Set(requests.flatMap(({ path, query }) => (path === REPORT ? [String(query.resid)] : [])))],
  };
}

/** A system of a page of 25, by its place there, that has patches. */
function systemOn(extraction: Extraction, page: number, place = 0): string {
  const withPatches = new Set(extraction.ids('system_reports').map((pair) => pair.split('/')[0]));
  const ids = extraction.ids('systems').slice((page - 1) * 25, page * 25);
  return ids.filter((id) => withPatches.has(id))[place] ?? expect.fail(`no system on page ${page}`);
}

describe.each(CHILDREN)('$stream', ({ stream, path, list, parameter, parents }) => {
  it('asks once for each parent, and every record carries the parent it belongs to', async () => {
    const extraction = await Extraction.start({}, { streams: [stream], pages_per_run: 0, page_size: 1000 });
    if (HOSTILE) {
      extraction.tenant.shrink('scandetails', 130);
      extraction.tenant.shrink('allpatches', 200);
    }
    const output = await extraction.run();
    expect(output.code).toBe(0);
    expect(pairs([output], stream)).toEqual(truth(extraction, stream));
    expect(output.records(stream)).toHaveLength(extraction.ids(stream).length);
    const requests = extraction.tenant.requests.filter((request) => request.path === path);
    expect(requests.map(({ query }) => query[parameter]).sort()).toEqual([...extraction.ids(parents)].sort());
    // Whoever has no patch, or no system, has no record and is read all the same.
    const run = output.table('endpoint_runs').find((row) => row.stream === stream);
    const total = extraction.ids(parents).length;
    expect(run).toMatchObject({ status: 'ok', rows: total, total, gaps: 0 });
  });

  it('reads several pages of one parent', async () => {
    const extraction = await Extraction.start({}, { streams: [stream], pages_per_run: 0, page_size: 5 });
    extraction.tenant.shrink('scandetails', 140);
    extraction.tenant.shrink('allpatches', 230);
    const output = await extraction.run();
    expect(output.code).toBe(0);
    expect(pairs([output], stream)).toEqual(truth(extraction, stream));
    const last = extraction.tenant.requests.filter((request) => request.path === path).map(({ page }) => page ?? 0);
    expect(Math.max(...last)).toBeGreaterThan(1);
  });

  unlessHostile('goes on in batches of pages of its parents, with a bookmark of its own', async () => {
    const extraction = await Extraction.start({}, { streams: [stream, parents], pages_per_run: 3 });
    const outputs = await runsToTheEnd(extraction, {}, 10, () => extraction.clock.advance(3_600_000));
    expect(outputs.map(({ code }) => code)).toEqual(outputs.map(() => 0));
    expect(pairs(outputs, stream)).toEqual(truth(extraction, stream));
    expect(outputs[0]?.states.at(-1)).toMatchObject({
      bookmarks: { [stream]: { next_page: 4, finished: false }, [parents]: { next_page: 4, finished: false } },
    });
    // Neither stream reads for the other: each asks for every page of the list, and the last one of a batch again.
    const pages = Math.ceil(extraction.ids(parents).length / 25);
    const batches = Math.ceil(pages / 3);
    const lists = extraction.tenant.requests.filter((request) => request.path === list);
    expect(lists).toHaveLength(2 * (pages + batches - 1));
  });

  it('is unavailable where the server lacks it, after one question', async () => {
    const extraction = await Extraction.start({}, { streams: [stream, 'patch_summary'], pages_per_run: 0 });
    extraction.tenant.addFault({ match: { path: `${path}$` }, action: { type: 'errorEnvelope', code: '10022' } });
    const output = await extraction.run();
    expect(output.code).toBe(2);
    expect(output.table('endpoint_runs')).toContainEqual(expect.objectContaining({ stream, status: 'unavailable' }));
    expect(output.table('patch_summary')).toHaveLength(1);
    expect(extraction.tenant.requests.filter((request) => request.path === path)).toHaveLength(1);
  });
});

unlessHostile('loses no report when the run is killed, wherever that is', async () => {
  const extraction = await Extraction.start({}, REPORTS);
  const whole = await extraction.run();
  const expected = truth(extraction, 'system_reports');
  const ends = whole.messages.flatMap(({ type }, index) => (type === 'STATE' ? [index] : []));
  // A checkpoint per page of parents: seven, one before the first and one at the end.
  expect(ends.length).toBeGreaterThanOrEqual(8);
  for (const end of ends) {
    extraction.clock.advance(600_000);
    await extraction.writeState(object(whole.messages[end]).value ?? null);
    const since = extraction.tenant.requests.length;
    const rest = await extraction.run();
    expect(rest.code).toBe(0);
    const before = whole.messages
      .slice(0, end)
      .filter(({ type, stream }) => type === 'RECORD' && stream === 'system_reports')
      .map(({ record }) => PAIR.map((name) => object(record)[name]).join('/'));
    expect([...new Set([...before, ...pairs([rest], 'system_reports')])].sort()).toEqual(expected);
    // What was confirmed is not asked for again but for the page before.
    const read = ends.indexOf(end);
    expect(asked(extraction, since).pages.length).toBeLessThanOrEqual(Math.max(0, 7 - read + 1));
  }
});

describe('a report that cannot be read', () => {
  unlessHostile('leaves its page open, stops none of the others, and is found in the next run', async () => {
    const extraction = await Extraction.start({}, { ...REPORTS, streams: ['system_reports', 'patch_summary'] });
    const broken = systemOn(extraction, 3, 4);
    extraction.tenant.addFault({ match: { path: REPORT, query: { resid: broken } }, action: { type: 'burst503' } });
    const first = await extraction.run();
    expect(first.code).toBe(2);
    expect(first.table('patch_summary')).toHaveLength(1);
    const missing = truth(extraction, 'system_reports').filter((pair) => pair.startsWith(`${broken}/`));
    expect(missing.length).toBeGreaterThan(0);
    const rest = truth(extraction, 'system_reports').filter((pair) => !missing.includes(pair));
    expect(pairs([first], 'system_reports')).toEqual(rest);
    expect(first.table('extraction_gaps')).toMatchObject([
      {
        stream: 'system_reports',
        page_num: 3,
        error_type: '5xx_server_error',
        error_message: expect.stringMatching(/^1 of 25 could not be read/),
        attempts: 2,
        resolved_at: null,
      },
    ]);
    expect(first.table('endpoint_runs').find(({ stream }) => stream === 'system_reports')).toMatchObject({
      status: 'partial',
      gaps: 1,
      rows: 167,
      total: 168,
    });

    const since = extraction.tenant.requests.length;
    const again = await extraction.run();
    expect(again.code).toBe(2);
    expect(again.table('extraction_gaps')).toMatchObject([{ page_num: 3, attempts: 3, resolved_at: null }]);
    expect(asked(extraction, since).pages).toEqual([3]);

    extraction.tenant.removeFaults();
    const healed = await extraction.run();
    expect(healed.code).toBe(0);
    expect(healed.table('extraction_gaps')).toMatchObject([{ page_num: 3, resolved_at: expect.any(String) }]);
    expect(pairs([first, healed], 'system_reports')).toEqual(truth(extraction, 'system_reports'));
    expect(healed.table('snapshots')).toMatchObject([{ status: 'complete' }]);
  });

  unlessHostile('is named by a line of the log, its parent with it', async () => {
    const extraction = await Extraction.start({}, REPORTS);
    const broken = systemOn(extraction, 1, 2);
    extraction.tenant.addFault({ match: { path: REPORT, query: { resid: broken } }, action: { type: 'burst503' } });
    const output = await extraction.run();
    const lines = output.events('page_extraction_failed');
    expect(lines.length).toBeGreaterThanOrEqual(3);
    for (const line of lines) expect(line).toMatchObject({ stream: 'system_reports', parent: broken, page: 1 });
  });

  it('in its second page only: the pairs of the first page are brought, and all of them later', async () => {
    const extraction = await Extraction.start({}, { ...REPORTS, page_size: 10 });
    const broken = systemOn(extraction, 1, 1);
    extraction.tenant.addFault({
      match: { path: REPORT, query: { resid: broken }, pages: [2, 2] },
      action: { type: 'truncatedJson' },
    });
    const first = await extraction.run();
    const of = (outputs: readonly Output[]) =>
      pairs(outputs, 'system_reports').filter((pair) => pair.startsWith(`${broken}/`));
    const all = truth(extraction, 'system_reports').filter((pair) => pair.startsWith(`${broken}/`));
    expect(all.length).toBeGreaterThan(10);
    expect(of([first]).length).toBeLessThan(all.length);
    expect(first.table('extraction_gaps')).toMatchObject([{ error_type: 'json_parse_error', resolved_at: null }]);
    extraction.tenant.removeFaults();
    const healed = await extraction.run();
    expect(healed.code).toBe(0);
    expect(of([healed])).toEqual(all);
  });

  unlessHostile('of every parent: the stream has not failed, its pages are all open', async () => {
    const extraction = await Extraction.start({}, { ...REPORTS, streams: ['system_reports', 'patch_summary'] });
    extraction.tenant.addFault({ match: { path: REPORT }, action: { type: 'error500' } });
    extraction.tenant.shrink('scandetails', 100);
    const output = await extraction.run({ max_attempts: 1 });
    expect(output.code).toBe(2);
    expect(output.table('extraction_gaps').map(({ page_num }) => page_num)).toEqual([1, 2, 3]);
    extraction.tenant.removeFaults();
    const healed = await extraction.run();
    expect(healed.code).toBe(0);
    expect(pairs([healed], 'system_reports')).toEqual(truth(extraction, 'system_reports'));
  });
});

describe('a list of parents that moves', () => {
  unlessHostile('shrinks between two batches: no report of a system that stayed is missing', async () => {
    const extraction = await Extraction.start({}, { ...REPORTS, pages_per_run: 3 });
    const first = await extraction.run();
    extraction.tenant.shrink('scandetails', 30);
    const outputs = [first, ...(await runsToTheEnd(extraction, {}, 10))];
    const seen = new Set(pairs(outputs, 'system_reports'));
    expect(truth(extraction, 'system_reports').filter((pair) => !seen.has(pair))).toEqual([]);
    expect(outputs.flatMap((output) => output.events('step_back')).length).toBeGreaterThan(0);
    expect(outputs.at(-1)?.code).toBe(0);
  });

  unlessHostile('shrinks while it is read', async () => {
    const extraction = await Extraction.start({}, REPORTS);
    extraction.tenant.addFault({
      match: { path: '/scandetails$', pages: [4, 4], nth: 1 },
      action: { type: 'shrinkTotal', count: 27 },
    });
    const output = await extraction.run();
    expect(output.code).toBe(0);
    const seen = new Set(pairs([output], 'system_reports'));
    expect(truth(extraction, 'system_reports').filter((pair) => !seen.has(pair))).toEqual([]);
  });

  it('a report that shrinks while it is read loses no patch that stayed', async () => {
    const extraction = await Extraction.start({}, { ...REPORTS, page_size: 10 });
    extraction.tenant.shrink('scandetails', 150);
    const victim = systemOn(extraction, 1);
    extraction.tenant.addFault({
      match: { path: REPORT, query: { resid: victim }, pages: [2, 2], nth: 1 },
      action: { type: 'shrinkTotal', count: 6 },
    });
    const output = await extraction.run();
    expect(output.code).toBe(0);
    const seen = new Set(pairs([output], 'system_reports'));
    expect(truth(extraction, 'system_reports').filter((pair) => !seen.has(pair))).toEqual([]);
  });
});

unlessHostile('stops in the middle of a page of parents, and the next run loses nothing', async () => {
  const extraction = await Extraction.start({}, REPORTS);
  const middle = systemOn(extraction, 3, 10);
  extraction.tenant.addFault({
    match: { path: REPORT, query: { resid: middle }, nth: 1 },
    action: { type: 'error500' },
  });
  const stopped = await extraction.run({}, [], {
    onLog: ({ event_type }, stop) => {
      if (event_type === 'page_extraction_failed') stop();
    },
  });
  expect(stopped.code).toBe(143);
  expect(stopped.states.at(-1)).toMatchObject({ bookmarks: { system_reports: { next_page: 3 } } });
  const rest = await extraction.run();
  expect(rest.code).toBe(0);
  expect(pairs([stopped, rest], 'system_reports')).toEqual(truth(extraction, 'system_reports'));
});
