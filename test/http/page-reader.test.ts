/** One request ahead of the work: it must save time and change nothing else. */
import { spawn, spawnSync } from 'node:child_process';
import { createInterface } from 'node:readline';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Http } from '../../http/exchange.ts';
import { HttpFailure, type Ruling } from '../../http/judge.ts';
import { sweepPages } from '../../http/numbered-pages.ts';
import { type NumberedEndpoint, PageReader } from '../../http/page-reader.ts';
import type { SweepState } from '../../http/sweep-state.ts';
import { Stop } from '../../singer/io.ts';
import { HOSTILE } from '../taps/extraction.ts';
import { endpointOf, ListServer, type SweepRun, sweepOnce, UNREADABLE } from './list-server.ts';
import { clientFor, closeLater, type Reply, serve } from './replies.ts';
import { type MemoryRun, memoryRun } from './run.ts';

const LIMITS = { pagesPerRun: 0, checkpointPages: 1 };
const turn = () => new Promise((resolve) => setImmediate(resolve));

/** The pages that had been asked for when the rows of each page were handed on. */
async function askedAtRows(server: ListServer, pagesPerRun = 0, since?: SweepState): Promise<number[][]> {
  const seen: number[][] = [];
  for await (const { rows } of sweepPages(endpointOf(server), server, since, { ...LIMITS, pagesPerRun }, memoryRun()))
    for await (const _group of rows) seen.push([...server.asked]);
  return seen;
}

describe('while the rows of a page are worked on', () => {
  it('the next one has been asked for', async () => {
    expect(await askedAtRows(new ListServer(10, 3))).toEqual([
      [1, 2],
      [1, 2, 3],
      [1, 2, 3, 4],
      [1, 2, 3, 4],
    ]);
  });

  it('its request has reached the server, though nobody asks for another row', async () => {
    const arrived = new Map<number, () => void>();
    const secondAsked = new Promise<void>((resolve) => arrived.set(2, resolve));
    const { run, http, endpoint } = await pages((page) => {
      arrived.get(page)?.();
      return page;
    });
    for await (const { rows } of sweepPages(endpoint, http, undefined, LIMITS, run)) {
      for await (const _group of rows) await secondAsked;
      break;
    }
  });

  it('its request is on the wire before that work begins, which may block everything here', async () => {
    const url = await serverOfItsOwn();
    const run = memoryRun();
    const endpoint: NumberedEndpoint = { ...endpointOf(new ListServer(30, 10)), url: `${url}/list` };
    const reader = new PageReader(endpoint, clientFor(run));
    await reader.read(1, () => 2).next();
    // Nothing of this process runs until the other one has answered, which it does when page 2 was asked for.
    const ask = `fetch(${JSON.stringify(`${url}/seen?page=2`)}).then(({ ok }) => process.exit(ok ? 0 : 1))`;
    const { status } = spawnSync(process.execPath, ['-e', ask], { timeout: 10_000 });
    expect(status).toBe(0);
    await reader.discard();
  });

  it('that is one page and no more', async () => {
    const server = new ListServer(100, 1);
    const rows = new PageReader(endpointOf(server), server).read(1, () => 2);
    await rows.next();
    for (let at = 0; at < 20; at += 1) await turn();
    expect(server.asked).toEqual([1, 2]);
  });

  it('nothing is asked for beyond the last page, nor of an empty list', async () => {
    expect((await askedAtRows(new ListServer(9, 3))).at(-1)).toEqual([1, 2, 3]);
    expect((await askedAtRows(new ListServer(10, 3))).at(-1)).toEqual([1, 2, 3, 4]);
    const empty = new ListServer(0, 3);
    expect(await askedAtRows(empty)).toEqual([]);
    expect(empty.asked).toEqual([1]);
  });

  it('nothing beyond pages_per_run, of a first run and of one that goes on', async () => {
    const server = new ListServer(100, 10);
    expect((await askedAtRows(server, 3)).at(-1)).toEqual([1, 2, 3]);
    const { state } = await sweepOnce(new ListServer(100, 10), undefined, { pagesPerRun: 3 });
    const next = new ListServer(100, 10);
    // The last page is read again, and counts for nothing.
    expect(await askedAtRows(next, 3, state)).toEqual([
      [3, 4],
      [3, 4, 5],
      [3, 4, 5, 6],
      [3, 4, 5, 6],
    ]);
  });

  it.each([-25, 5])('nothing when the total has just changed by %i: it decides where to go on', async (change) => {
    const server = new ListServer(100, 10);
    server.before = ({ seq }) => {
      if (seq === 4 && change < 0) server.remove(0, -change);
      if (seq === 4 && change > 0) for (let at = 0; at < change; at += 1) server.rows.push(`new${at}`);
      return undefined;
    };
    const seen = await askedAtRows(server);
    expect(seen.find((asked) => asked.at(-1) === 4)).toEqual([1, 2, 3, 4]);
    expect(seen.filter((asked) => asked.length === 4)).toHaveLength(2);
  });

  it('nothing while gaps are tried again', async () => {
    const server = new ListServer(60, 10);
    let healed = false;
    server.before = ({ page }) => (!healed && (page === 2 || page === 4) ? UNREADABLE : undefined);
    const { state } = await sweepOnce(server, undefined);
    healed = true;
    server.asked.length = 0;
    expect(await askedAtRows(server, 0, state)).toEqual([[2], [2, 4]]);
  });

  it('nothing when the page size is not the one that was known', async () => {
    const server = new ListServer(100, 10);
    const { state } = await sweepOnce(server, undefined, { pagesPerRun: 4 });
    server.asked.length = 0;
    server.size = 20;
    await askedAtRows(server, 0, state);
    // Page 4 of another size, once more, and then from the start.
    expect(server.asked.slice(0, 4)).toEqual([4, 4, 1, 2]);
  });
});

/** A list of 30 rows in a process of its own, which also tells when a page was asked for. */
async function serverOfItsOwn(): Promise<string> {
  const program = `
    const asked = new Map();
    const page = (number) => asked.get(number) ?? asked.set(number, Promise.withResolvers()).get(number);
    require('node:http').createServer((request, response) => {
      const { pathname, searchParams } = new URL(request.url, 'http://list');
      const number = Number(searchParams.get('page'));
      if (pathname === '/seen') return page(number).promise.then(() => response.end());
      page(number).resolve();
      const rows = Array.from({ length: 10 }, (_, at) => ({ id: 'r' + ((number - 1) * 10 + at) }));
      response.end(JSON.stringify({ rows, total: 30, size: 10 }));
    }).listen(0, '127.0.0.1', function () { console.log(this.address().port); });`;
  const child = spawn(process.execPath, ['-e', program], { stdio: ['ignore', 'pipe', 'inherit'] });
  closeLater(async () => child.kill());
  for await (const port of createInterface({ input: child.stdout })) return `http://127.0.0.1:${port}`;
  throw new Error('the server did not start');
}

/** A real server of 30 rows on three pages, what reads it, and the run. `act` is told of each page; 0 answers nothing. */
async function pages(act: (page: number) => number | Reply, env: { readonly run?: MemoryRun } = {}) {
  const run = env.run ?? memoryRun();
  const server = await serve((_number, request): Reply | undefined => {
    const page = Number(new URL(request.url ?? '', 'http://list').searchParams.get('page'));
    const acted = act(page);
    if (typeof acted !== 'number') return acted;
    const rows = Array.from({ length: 10 }, (_, at) => ({ id: `r${(page - 1) * 10 + at}` }));
    return acted === 0 ? undefined : { body: JSON.stringify({ rows, total: 30, size: 10 }) };
  });
  const http = clientFor(run, { ...(HOSTILE && { smallBody: 0 }) });
  const endpoint: NumberedEndpoint = { ...endpointOf(new ListServer(30, 10)), url: server.url };
  return { run, http, endpoint, server };
}

/** Reads a sweep and acts once the first rows have come. */
async function read(endpoint: NumberedEndpoint, http: Http, run: MemoryRun, atFirstRows: () => void) {
  const ids: string[] = [];
  let state: SweepState | undefined;
  for await (const page of sweepPages(endpoint, http, undefined, LIMITS, run)) {
    for await (const group of page.rows) {
      if (ids.length === 0) atFirstRows();
      ids.push(...group.map(({ id }) => String(id)));
    }
    state = page.state;
  }
  return { ids, state };
}

describe('a request that went out ahead', () => {
  it('and is not answered does not hold up a run that is stopped', async () => {
    const { run, http, endpoint } = await pages((page) => (page === 2 ? 0 : page));
    const { ids, state } = await read(endpoint, http, run, run.stop);
    expect(ids).toHaveLength(10);
    expect(state).toMatchObject({ next_page: 2, gaps: [], finished: false });
    // Waits for every request that is still open.
    await http.close();
  });

  it('and is not answered does not hold up whoever wants no more rows', async () => {
    const { run, http, endpoint } = await pages((page) => (page === 2 ? 0 : page));
    for await (const { rows } of sweepPages(endpoint, http, undefined, LIMITS, run)) {
      for await (const _group of rows) break;
      break;
    }
    await http.close();
    expect(http.stats.lost).toBe(0);
  });

  it('and waits for its turn or another attempt is given up too', async () => {
    const run = memoryRun();
    let waiting: () => void = () => undefined;
    const waits = new Promise<void>((resolve) => (waiting = resolve));
    // A wait that only its signal ends.
    const clock = Object.assign(run.clock, {
      sleep: (_ms: number, signal?: AbortSignal) =>
        new Promise<void>((_resolve, reject) => {
          signal?.addEventListener('abort', () => reject(signal.reason), { once: true });
          waiting();
        }),
    });
    const { http, endpoint } = await pages((page) => (page === 2 ? { status: 503 } : page), { run: { ...run, clock } });
    for await (const { rows } of sweepPages(endpoint, http, undefined, LIMITS, run)) {
      for await (const _group of rows) await waits;
      break;
    }
    await http.close();
  });

  it('and fails costs its own page, not the one that is worked on', async () => {
    const server = new ListServer(40, 10);
    server.before = ({ page }) => (page === 2 ? UNREADABLE : undefined);
    const { rows, states } = await sweepOnce(server, undefined, { pagesPerRun: 1 });
    expect([rows.length, states.at(-1)?.gaps]).toEqual([10, []]);
    const whole = await sweepOnce(server, undefined);
    expect(whole.states[0]).toMatchObject({ next_page: 2, gaps: [], distinct: 10 });
    expect(whole.states[1]).toMatchObject({ next_page: 3, gaps: [{ page: 2, error_type: '5xx_server_error' }] });
    expect(whole.rows).toHaveLength(30);
  });

  it('and fails while nobody looks is no unhandled failure', async () => {
    const unhandled: unknown[] = [];
    const note = (thrown: unknown) => unhandled.push(thrown);
    process.on('unhandledRejection', note);
    const server = new ListServer(40, 10);
    server.before = ({ page }) => (page === 2 ? UNREADABLE : undefined);
    const reader = new PageReader(endpointOf(server), server);
    const rows = reader.read(1, () => 2);
    await rows.next();
    for (let at = 0; at < 5; at += 1) await turn();
    await expect(reader.read(2, () => undefined).next()).rejects.toBeInstanceOf(HttpFailure);
    await rows.next();
    await reader.discard();
    process.off('unhandledRejection', note);
    expect(unhandled).toEqual([]);
  });

  it('and finds the stream closed ends it after the rows before', async () => {
    const closed: Ruling = { reaction: 'login', type: 'html_response', message: 'got a sign-in page' };
    const server = new ListServer(40, 10);
    server.before = ({ page }) => (page === 3 ? closed : undefined);
    const ids: string[] = [];
    let state: SweepState | undefined;
    const reading = (async () => {
      for await (const page of sweepPages(endpointOf(server), server, undefined, LIMITS, memoryRun())) {
        for await (const group of page.rows) ids.push(...group.map(({ id }) => String(id)));
        state = page.state;
      }
    })();
    await expect(reading).rejects.toMatchObject({ message: 'got a sign-in page' });
    expect(ids).toHaveLength(20);
    expect(state).toMatchObject({ next_page: 3, distinct: 20 });
  });

  it('is given up when another page is asked for', async () => {
    const run = memoryRun();
    const { http, endpoint } = await pages((page) => (page === 2 ? 0 : page), { run });
    const reader = new PageReader(endpoint, http);
    for await (const _group of reader.read(1, () => 2));
    for await (const _group of reader.read(3, () => 4));
    await reader.discard();
    await http.close();
  });

  it('is a stop like any other to the run', async () => {
    const { run, http, endpoint } = await pages((page) => (page === 2 ? 0 : page));
    const reader = new PageReader(endpoint, http);
    for await (const _group of reader.read(1, () => 2)) run.stop();
    await expect(reader.read(2, () => undefined).next()).rejects.toBeInstanceOf(Stop);
    await http.close();
  });
});

describe('the fields of the first page', () => {
  async function told(rows: readonly object[], smallBody: number): Promise<readonly (readonly string[])[]> {
    const run = memoryRun();
    const body = JSON.stringify({ rows, total: 40, size: 20 });
    const server = await serve((_number, _request, response): undefined => {
      // In pieces of half a row.
      for (let at = 0; at < body.length; at += 40) response.write(body.slice(at, at + 40));
      response.end();
    });
    const http = clientFor(run, { smallBody });
    const fields: string[][] = [];
    const endpoint: NumberedEndpoint = {
      ...endpointOf(new ListServer(40, 20)),
      url: server.url,
      firstFields: (names) => fields.push([...names].sort()),
    };
    const reader = new PageReader(endpoint, http);
    for (const page of [1, 2]) for await (const _group of reader.read(page, () => undefined));
    return fields;
  }

  it.each([0, 300_000])('are told once, those of all its rows (small bodies up to %i)', async (smallBody) => {
    const rows = Array.from({ length: 20 }, (_, at) => ({
      id: `r${at}`,
      name: 'x'.repeat(700),
      ...(at === 0 && { first: 1 }),
      ...(at === 19 && { last: 1 }),
    }));
    expect(await told(rows, smallBody)).toEqual([['first', 'id', 'last', 'name']]);
  });

  it('are those of the next page when the first one holds no row', async () => {
    expect(await told([], 0)).toEqual([]);
  });
});

describe('a sweep', () => {
  const when = fc.integer({ min: 1, max: 40 });
  const course = fc.record({
    total: fc.integer({ min: 0, max: 120 }),
    size: fc.integer({ min: 1, max: 12 }),
    pagesPerRun: fc.constantFrom(0, 0, 1, 2, 3, 7),
    checkpointPages: fc.integer({ min: 1, max: 4 }),
    changes: fc
      .array(fc.tuple(when, fc.array(fc.tuple(fc.nat(200), fc.boolean()), { minLength: 1, maxLength: 5 })), {
        maxLength: 8,
      })
      .map((entries) => new Map(entries)),
    failures: fc.uniqueArray(when, { maxLength: 10 }).map((list) => new Set(list)),
  });
  type Course = typeof course extends fc.Arbitrary<infer Drawn> ? Drawn : never;

  /** Six runs of the same course of events, which depends on nothing but the requests. */
  async function played(given: Course, ahead: boolean): Promise<readonly SweepRun[]> {
    const server = new ListServer(given.total, given.size);
    server.before = ({ seq }) => {
      for (const [place, joins] of given.changes.get(seq) ?? []) {
        const at = place % Math.max(1, server.rows.length);
        if (joins) server.rows.splice(at, 0, `new${seq}.${place}.${server.rows.length}`);
        else server.remove(at);
      }
      return given.failures.has(seq) ? UNREADABLE : undefined;
    };
    // Whatever follows up rows is never ahead: here it only hands them on.
    const endpoint: NumberedEndpoint = {
      ...endpointOf(server),
      ...(!ahead && {
        children: async function* (rows) {
          yield rows;
          return { read: rows, failures: [] };
        },
      }),
    };
    const { pagesPerRun, checkpointPages } = given;
    const runs: SweepRun[] = [];
    for (let run = 0; run < 6; run += 1)
      runs.push(await sweepOnce(server, runs.at(-1)?.state, { pagesPerRun, checkpointPages, endpoint }));
    return runs;
  }

  it('asks for the same pages in the same order, and brings the same rows and states, as one without', async () => {
    let further = 0;
    await fc.assert(
      fc.asyncProperty(course, async (given) => {
        const [ahead, plain] = [await played(given, true), await played(given, false)];
        expect(ahead.map(({ requests }) => requests)).toEqual(plain.map(({ requests }) => requests));
        expect(ahead.map(({ rows }) => rows)).toEqual(plain.map(({ rows }) => rows));
        expect(ahead.map(({ state }) => state)).toEqual(plain.map(({ state }) => state));
        if (ahead.some(({ state }) => (state?.distinct ?? 0) > 0)) further += 1;
      }),
      { numRuns: 300 },
    );
    // Most courses get somewhere.
    expect(further).toBeGreaterThan(150);
  });
});
