import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { SWEEP_STATE_SCHEMA } from '../../http/sweep-state.ts';
import { compileSchema } from '../../singer/check.ts';
import { ListServer, type SweepOptions, sweepOnce, sweepToTheEnd, UNREADABLE, type WholeSweep } from './list-server.ts';

const RUNS = { numRuns: 400 };
const checkState = compileSchema(SWEEP_STATE_SCHEMA);

/** What goes wrong and when, by request number over all runs; nothing goes wrong after the last one. */
interface Course {
  readonly total: number;
  readonly size: number;
  readonly pagesPerRun: number;
  readonly checkpointPages: number;
  /** Request number to places where a row vanishes or joins before its answer. */
  readonly changes: ReadonlyMap<number, readonly number[]>;
  readonly failures: ReadonlySet<number>;
  /** Run number to the request of that run at which it dies. */
  readonly deaths: ReadonlyMap<number, number>;
  /** Rows that vanish or join after a run. */
  readonly betweenRuns: ReadonlyMap<number, number>;
}

const LAST_TROUBLE = 60;
const when = fc.integer({ min: 1, max: LAST_TROUBLE });

const course: fc.Arbitrary<Course> = fc.record({
  total: fc.integer({ min: 0, max: 120 }),
  size: fc.integer({ min: 1, max: 12 }),
  pagesPerRun: fc.constantFrom(0, 0, 1, 2, 3, 7),
  checkpointPages: fc.integer({ min: 1, max: 4 }),
  changes: fc
    .array(fc.tuple(when, fc.array(fc.nat(200), { minLength: 1, maxLength: 9 })), { maxLength: 12 })
    .map((entries) => new Map(entries)),
  failures: fc.uniqueArray(when, { maxLength: 12 }).map((list) => new Set(list)),
  deaths: fc
    .array(fc.tuple(fc.integer({ min: 1, max: 8 }), fc.integer({ min: 1, max: 12 })), { maxLength: 5 })
    .map((list) => new Map(list)),
  betweenRuns: fc
    .array(fc.tuple(fc.integer({ min: 1, max: 8 }), fc.integer({ min: 1, max: 30 })), { maxLength: 3 })
    .map((list) => new Map(list)),
});

function optionsOf({ pagesPerRun, checkpointPages, deaths }: Course): (run: number) => SweepOptions {
  return (run) => {
    const diesAt = deaths.get(run);
    return { pagesPerRun, checkpointPages, ...(diesAt !== undefined && { diesAt }) };
  };
}

type Change = 'vanish' | 'join' | 'stay';

let joined = 0;

function change(server: ListServer, kind: Change, position: number): void {
  const at = position % Math.max(1, server.rows.length);
  if (kind === 'vanish') server.remove(at);
  if (kind !== 'join') return;
  joined += 1;
  server.rows.splice(at, 0, `new${joined}`);
}

/** Plays a course to its end. `kind` says what the rows do meanwhile. */
async function play(given: Course, kind: Change): Promise<WholeSweep & { readonly server: ListServer }> {
  const server = new ListServer(given.total, given.size);
  server.before = ({ seq }) => {
    for (const position of given.changes.get(seq) ?? []) change(server, kind, position);
    return given.failures.has(seq) ? UNREADABLE : undefined;
  };
  const between = (run: number) => {
    for (let at = 0; at < (given.betweenRuns.get(run) ?? 0); at += 1) change(server, kind, at * 7);
  };
  return { ...(await sweepToTheEnd(server, optionsOf(given), between)), server };
}

describe('a sweep of a page-numbered list', () => {
  it('loses no row that was there from start to end while rows vanish, pages fail and runs die', async () => {
    await fc.assert(
      fc.asyncProperty(course, async (given) => {
        const { server, rows } = await play(given, 'vanish');
        expect(server.rows.filter((row) => !rows.has(row))).toEqual([]);
      }),
      RUNS,
    );
  });

  it('loses no row that was there from start to end while rows join', async () => {
    await fc.assert(
      fc.asyncProperty(course, async (given) => {
        const { server, rows } = await play(given, 'join');
        const old = server.rows.filter((row) => row.startsWith('r'));
        expect(old).toHaveLength(given.total);
        expect(old.filter((row) => !rows.has(row))).toEqual([]);
      }),
      RUNS,
    );
  });

  it('ends with every row seen once gaps heal, and counts them right, when the rows stay as they are', async () => {
    await fc.assert(
      fc.asyncProperty(course, async (given) => {
        const { server, rows, state } = await play(given, 'stay');
        expect([...rows].sort()).toEqual([...server.rows].sort());
        expect(state).toMatchObject({ distinct: given.total, total: given.total, gaps: [], finished: true });
      }),
      RUNS,
    );
  });

  it('writes only states that fit its schema', async () => {
    await fc.assert(
      fc.asyncProperty(course, async (given) => {
        const { runs } = await play(given, 'vanish');
        for (const { states } of runs) for (const state of states) expect(checkState(state)).toEqual([]);
      }),
      { numRuns: 150 },
    );
  });

  it('makes no request once it is finished and has no gap', async () => {
    await fc.assert(
      fc.asyncProperty(course, async (given) => {
        const { server, state } = await play(given, 'vanish');
        const again = await sweepOnce(server, state);
        expect(again.requests).toEqual([]);
      }),
      { numRuns: 100 },
    );
  });

  it('counts only new pages towards pages_per_run', async () => {
    await fc.assert(
      fc.asyncProperty(course, async (given) => {
        const { runs } = await play(given, 'vanish');
        let next = 1;
        for (const { state } of runs) {
          if (given.pagesPerRun > 0) expect((state?.next_page ?? 1) - next).toBeLessThanOrEqual(given.pagesPerRun);
          next = state?.next_page ?? 1;
        }
      }),
      { numRuns: 150 },
    );
  });

  it('needs a bounded number of requests', async () => {
    await fc.assert(
      fc.asyncProperty(course, async (given) => {
        const { runs } = await play(given, 'vanish');
        const pages = Math.ceil(given.total / given.size);
        for (const { requests } of runs) expect(requests.length).toBeLessThanOrEqual(100 + 12 * pages);
      }),
      { numRuns: 150 },
    );
  });

  it('ends a run against a server that changes its total or its page size with every answer', async () => {
    const wild = fc.record({
      total: fc.integer({ min: 1, max: 200 }),
      size: fc.integer({ min: 1, max: 10 }),
      swing: fc.integer({ min: 1, max: 400 }),
      sizes: fc.boolean(),
    });
    await fc.assert(
      fc.asyncProperty(wild, async ({ total, size, swing, sizes }) => {
        const server = new ListServer(total, size);
        server.report = ({ seq }) => ({
          total: Math.max(0, total + (seq % 2 === 0 ? 0 : -swing)),
          ...(sizes && { size: size + (seq % 3) }),
        });
        const { requests } = await sweepOnce(server, undefined);
        expect(requests.length).toBeLessThanOrEqual(2 * (100 + 12 * Math.ceil(total / size)));
      }),
      RUNS,
    );
  });

  it('comes to its end although two totals take turns, as behind a load balancer', async () => {
    const server = new ListServer(1_000, 10);
    server.report = ({ seq }) => ({ total: seq % 2 === 0 ? 1_000 : 850 });
    const { state, rows } = await sweepOnce(server, undefined);
    expect(state?.finished).toBe(true);
    expect(new Set(rows).size).toBeGreaterThanOrEqual(850);
  });

  it('pauses a run against a server whose total grows faster than it is read', async () => {
    const server = new ListServer(100, 5);
    server.report = ({ seq }) => ({ total: 100 + 50 * seq });
    server.before = ({ page }) => {
      for (let row = server.rows.length; row < page * 5; row += 1) server.rows.push(`r${row}`);
      return undefined;
    };
    const { state, requests } = await sweepOnce(server, undefined);
    expect(requests.length).toBeLessThanOrEqual(400);
    expect(state?.finished).toBe(false);
  });
});
