/** Vulnerabilities of systems, where the server tells their changes: all once, by cursor, then what changed. */
import { describe, expect, it } from 'vitest';
import type { Json } from '../../singer/lossless.ts';
import { type Output, object } from '../contract/tap/outside.ts';
import { readReport, startDcapi } from './dcapi-extraction.ts';
import { type Extraction, idsIn } from './extraction.ts';

const STREAM = 'system_vulnerabilities';
const CHANGES = '/dcapi/threats/detailedinfo/vulnerabilities';
const WHOLE = '/dcapi/threats/systemreport/vulnerabilities';
const HOUR = 3_600_000;

const SETTINGS = { streams: [STREAM], pages_per_run: 0, page_size: 50, snapshot_max_age_hours: 24 };

async function start(settings: Readonly<Record<string, Json>> = {}): Promise<Extraction> {
  const extraction = await startDcapi({}, { ...SETTINGS, ...settings });
  extraction.tenant.configure({ vuln: 'on' });
  return extraction;
}

const idsOf = (outputs: readonly Output[]) => idsIn(outputs, STREAM, 'resource_id', 'vulnerability_id');
const truth = (extraction: Extraction) => [...extraction.ids(STREAM)].sort();
const rowsOf = (outputs: readonly Output[]) => outputs.flatMap((output) => output.records(STREAM)).length;
const activated = (output: Output) =>
  output.messages.filter(({ type }) => type === 'ACTIVATE_VERSION').map(({ stream }) => stream);
const book = (output: Output) => output.table('endpoint_runs').find(({ stream }) => stream === STREAM);

/** What the server was asked at the endpoint of changes, since the last time. */
function asked(extraction: Extraction, from = 0): readonly Readonly<Record<string, string>>[] {
  return extraction.tenant.requests
    .slice(from)
    .filter(({ path }) => path === CHANGES)
    .map(({ query }) => query);
}

async function bookmark(extraction: Extraction): Promise<Readonly<Record<string, Json>>> {
  return object(object((await extraction.state()).bookmarks)[STREAM]);
}

describe('a first reading', () => {
  it('brings every row once, and counts as whole', async () => {
    const extraction = await start();
    const output = await extraction.run();
    expect(output.code, output.summary).toBe(0);
    expect(idsOf([output])).toEqual(truth(extraction));
    expect(rowsOf([output])).toBe(truth(extraction).length);
    expect(book(output)).toMatchObject({ status: 'ok', path: CHANGES, rows: 761, total: 761, pages: 16, gaps: 0 });
    expect(activated(output)).toEqual([STREAM]);
    expect(output.events('schema_drift')).toEqual([]);
    expect(asked(extraction).filter(({ updatedTime }) => updatedTime !== undefined)).toEqual([]);
    expect((await extraction.run()).stdout).toBe('');
  });

  it('pauses after pages_per_run pages, and goes on behind the cursor while systems leave', async () => {
    const extraction = await start({ pages_per_run: 6, checkpoint_pages: 2 });
    const first = await extraction.run();
    const saved = first.states.map(({ bookmarks }) => object(bookmarks)[STREAM]).filter((each) => each !== undefined);
    expect(new Set(saved.map((each) => object(each).pages))).toEqual(new Set([2, 4, 6]));
    expect(rowsOf([first])).toBe(300);
    expect(book(first)).toMatchObject({ status: 'partial', rows: 300, total: 761, pages: 6 });
    expect(await bookmark(extraction)).toMatchObject({ cursor: expect.any(String), pages: 6, finished: false });
    const leaving = extraction.tenant.manifest({ ids: true, stream: STREAM }).streams[STREAM]?.ids ?? [];
    extraction.tenant.shrink('dcapi_systems', 20);
    const [second, third] = [await extraction.run(), await extraction.run()];
    expect([first, second, third].map(({ code }) => code)).toEqual([0, 0, 0]);
    const read = idsOf([first, second, third]);
    expect(truth(extraction).filter((id) => !read.includes(id))).toEqual([]);
    expect(read.filter((id) => !leaving.includes(id))).toEqual([]);
    // Nothing twice: the cursor is the place, not a page number.
    expect(rowsOf([first, second, third])).toBe(read.length);
    expect(await bookmark(extraction)).toMatchObject({ cursor: null, finished: true });
  });

  it('stops at a page that cannot be read, and goes on from there', async () => {
    const extraction = await start();
    extraction.tenant.addFault({ match: { path: CHANGES, nth: 4 }, times: 3, action: { type: 'burst503' } });
    const first = await extraction.run();
    expect(first.code).toBe(1);
    expect(book(first)).toMatchObject({ status: 'failed', rows: 150, pages: 3, path: CHANGES });
    expect(rowsOf([first])).toBe(150);
    const second = await extraction.run();
    expect(second.code, second.summary).toBe(0);
    expect(rowsOf([first, second])).toBe(761);
    expect(idsOf([first, second])).toEqual(truth(extraction));
  });

  it('starts over when the server does not know its cursor any more', async () => {
    const extraction = await start({ pages_per_run: 5 });
    await extraction.run();
    const state = await extraction.state();
    const forgotten = { ...(await bookmark(extraction)), cursor: 'forgotten' };
    await extraction.writeState({ ...state, bookmarks: { ...object(state.bookmarks), [STREAM]: forgotten } });
    const output = await extraction.run({ pages_per_run: 0 });
    expect(output.code, output.summary).toBe(0);
    expect(output.events('cursor_refused')).toHaveLength(1);
    expect(idsOf([output])).toEqual(truth(extraction));
    expect(book(output)).toMatchObject({ status: 'ok', rows: 761 });
  });
});

describe('a later reading', () => {
  it('asks for what changed, and tells nobody that the rest is gone', async () => {
    const extraction = await start();
    const first = await extraction.run();
    const before = new Set(truth(extraction));
    extraction.clock.advance(25 * HOUR);
    extraction.tenant.grow('dcapi_systems', 8);
    const seen = extraction.tenant.requests.length;
    const second = await extraction.run();
    expect(second.code, second.summary).toBe(0);
    const joined = truth(extraction).filter((id) => !before.has(id));
    expect(joined.length).toBeGreaterThan(5);
    expect(joined.filter((id) => !idsOf([second]).includes(id))).toEqual([]);
    expect(idsOf([first, second])).toEqual(truth(extraction));
    // What came within the hour before the first reading may come again.
    expect(rowsOf([second])).toBeLessThan(joined.length + 50);
    expect(new Set(asked(extraction, seen).map(({ updatedTime }) => updatedTime)).size).toBe(1);
    expect(activated(second)).toEqual([]);
    expect(book(second)).toMatchObject({ status: 'ok', rows: rowsOf([second]), path: CHANGES });
    const [{ snapshot_id: one } = {}, { snapshot_id: other } = {}] = [first, second].map((run) => book(run) ?? {});
    expect(one).not.toBe(other);
  });

  it('is whole again once the last whole one is old, so that rows which vanished are told', async () => {
    const extraction = await start({ sweep_max_age_hours: 60 });
    const ends: (readonly unknown[])[] = [];
    for (let day = 0; day < 4; day += 1) {
      if (day === 1) extraction.tenant.shrink('dcapi_systems', 30);
      const output = await extraction.run();
      expect(output.code, output.summary).toBe(0);
      ends.push(activated(output));
      extraction.clock.advance(25 * HOUR);
    }
    expect(ends).toEqual([[STREAM], [], [], [STREAM]]);
  });

  it('that was cut short is asked for again from its start', async () => {
    const extraction = await start();
    const first = await extraction.run();
    extraction.clock.advance(25 * HOUR);
    extraction.tenant.grow('dcapi_systems', 60);
    const second = await extraction.run({ pages_per_run: 1 });
    expect(await bookmark(extraction)).toMatchObject({ finished: false });
    // Past its age: a new snapshot.
    extraction.clock.advance(169 * HOUR);
    const third = await extraction.run({ sweep_max_age_hours: 168 });
    expect(third.code, third.summary).toBe(0);
    expect(idsOf([first, third])).toEqual(truth(extraction));
    expect(second.code).toBe(0);
  });
});

describe('a server without the endpoint', () => {
  it('is read whole, page by page', async () => {
    const extraction = await start();
    extraction.tenant.configure({ vuln_changes: false });
    const output = await extraction.run();
    expect(output.code, output.summary).toBe(0);
    expect(idsOf([output])).toEqual(truth(extraction));
    expect(book(output)).toMatchObject({ status: 'ok', path: WHOLE, rows: 761, total: null });
    expect(activated(output)).toEqual([STREAM]);
    expect(asked(extraction)).toHaveLength(1);
    expect((await extraction.run()).stdout).toBe('');
  });

  it('that gains it later is asked with the next snapshot, one that loses it is read whole again', async () => {
    const extraction = await start();
    const paths: unknown[] = [];
    for (const vuln_changes of [false, true, false]) {
      extraction.tenant.configure({ vuln_changes });
      const output = await extraction.run();
      expect(output.code, output.summary).toBe(0);
      expect(idsOf([output])).toEqual(truth(extraction));
      paths.push(book(output)?.path);
      extraction.clock.advance(25 * HOUR);
    }
    expect(paths).toEqual([WHOLE, CHANGES, WHOLE]);
  });

  it('is what an MSP server is: it is not even asked', async () => {
    const extraction = await startDcapi({ scenario: 'msp' }, SETTINGS);
    extraction.tenant.configure({ vuln: 'on' });
    const output = await extraction.run();
    expect(output.code, output.summary).toBe(0);
    expect(idsOf([output])).toEqual(truth(extraction));
    expect(asked(extraction)).toEqual([]);
  });

  it('is what a server is that pages without a cursor', async () => {
    const open = (id: number) => ({ vulnerabilityid: id, vulnerability_status: 'open', updatedtime: '1768000000000' });
    const body = (total: number, rows: Readonly<Record<string, unknown>>) =>
      JSON.stringify({ metadata: { pageLimit: 30, totalRecords: total }, message_response: rows });
    const { output } = await readReport(
      () => '',
      { streams: [STREAM] },
      {
        [CHANGES]: body(2, { vulnerabilities: [{ resource_id: '1', ...open(7) }] }),
        [WHOLE]: body(1, { systemreport: [{ resource_id: '1', vulnerabilities: [open(7), open(8)] }] }),
      },
    );
    expect(output.code, output.summary).toBe(0);
    expect(idsOf([output])).toEqual(['1/7', '1/8']);
    expect(book(output)).toMatchObject({ status: 'ok', path: WHOLE });
  });
});
