/** Figures from the design, reproduced: what deletions, moves and gaps cost a sweep of 3,362 systems, 25 a page. */
import { describe, expect, it } from 'vitest';
import { KeySet } from '../../http/key-set.ts';
import type { SweepState } from '../../http/sweep-state.ts';
import { fraction } from '../../simulators/draw.ts';
import { ListServer, sweepOnce, sweepToTheEnd, UNREADABLE } from './list-server.ts';

const TOTAL = 3_362;
const PAGE = 25;
const SEEDS = Array.from({ length: 200 }, (_, seed) => seed);

/** Removes rows at drawn places. */
function removeDrawn(server: ListServer, seed: number, what: string, count: number): void {
  for (let at = 0; at < count; at += 1) {
    server.remove(Math.floor(fraction(seed, what, at) * server.rows.length));
  }
}

function lost(server: ListServer, seen: ReadonlySet<string>): number {
  return server.rows.filter((row) => !seen.has(row)).length;
}

describe('3,362 rows at 25 a page', () => {
  it('loses none when 40 vanish during the sweep and 200 while it rests at page 60', async () => {
    let requests = 0;
    for (const seed of SEEDS) {
      const server = new ListServer(TOTAL, PAGE);
      const leaving = new Set(Array.from({ length: 40 }, (_, at) => 1 + Math.floor(fraction(seed, 'when', at) * 130)));
      server.before = ({ seq }) => {
        if (leaving.has(seq)) removeDrawn(server, seed, `during ${seq}`, 1);
        return undefined;
      };
      const { rows } = await sweepToTheEnd(
        server,
        (run) => ({ pagesPerRun: run === 1 ? 60 : 0, checkpointPages: 50 }),
        (run) => {
          if (run === 1) removeDrawn(server, seed, 'rest', 200);
        },
      );
      expect(lost(server, rows), `seed ${seed}`).toBe(0);
      requests += server.asked.length;
    }
    // 60 pages twice and the rest once would be a fresh start.
    expect(requests / SEEDS.length).toBeLessThan(60 + 127);
  });

  it('loses none when six pages were missed and 200 rows vanish before they are tried again', async () => {
    for (const seed of SEEDS) {
      const server = new ListServer(TOTAL, PAGE);
      const missing = new Set(Array.from({ length: 6 }, (_, at) => 3 + Math.floor(fraction(seed, 'gap', at) * 130)));
      let healed = false;
      server.before = ({ page }) => (!healed && missing.has(page) ? UNREADABLE : undefined);
      const { rows, runs } = await sweepToTheEnd(
        server,
        () => ({ checkpointPages: 50 }),
        () => {
          healed = true;
          removeDrawn(server, seed, 'before the retry', 200);
        },
      );
      expect(runs[0]?.state?.gaps.map(({ page }) => page)).toEqual([...missing].sort((a, b) => a - b));
      expect(lost(server, rows), `seed ${seed}`).toBe(0);
    }
  });

  it('finds rows that moved unseen from unread pages to read ones by looking a second time', async () => {
    const server = new ListServer(TOTAL, PAGE);
    server.before = ({ seq, page }) => {
      // A row of a later page takes a place on an earlier one, the total stays.
      if (seq > 135 || seq % 10 !== 0) return undefined;
      const [row] = server.rows.splice(page * PAGE + 40, 1);
      if (row !== undefined) server.rows.splice((page - 2) * PAGE, 0, row);
      return undefined;
    };
    const { states, rows, requests } = await sweepOnce(server, undefined, { checkpointPages: 5 });
    expect(requests.length).toBeGreaterThan(135);
    expect(states.some(({ second_look }) => typeof second_look === 'number')).toBe(true);
    expect(states.at(-1)).toMatchObject({ distinct: TOTAL, second_look: 'done', finished: true });
    expect(lost(server, new Set(rows))).toBe(0);
  });

  it('looks a second time only once', async () => {
    const server = new ListServer(99, 10);
    server.report = () => ({ total: 100 });
    const { state, requests } = await sweepOnce(server, undefined);
    expect(state).toMatchObject({ distinct: 99, total: 100, second_look: 'done', finished: true });
    expect(requests.filter((page) => page === 1)).toHaveLength(2);
    expect((await sweepOnce(server, state)).requests).toEqual([]);
  });

  it('records a gap with the total it was seen at, tries it first next time and resolves it', async () => {
    const server = new ListServer(100, 10);
    let healed = false;
    server.before = ({ page }) => (!healed && page === 4 ? UNREADABLE : undefined);
    const first = await sweepOnce(server, undefined, { pagesPerRun: 6 });
    expect(first.state?.gaps).toMatchObject([
      { page: 4, total: 100, error_type: '5xx_server_error', attempts: 1, created_at: expect.any(String) },
    ]);
    healed = true;
    server.remove(5, 23);
    const second = await sweepOnce(server, first.state, { pagesPerRun: 6 });
    expect(second.requests.slice(0, 4)).toEqual([4, 1, 2, 3]);
    expect(second.state).toMatchObject({ gaps: [], finished: true });
    expect(lost(server, new Set([...first.rows, ...second.rows]))).toBe(0);
  });

  it('counts as broken when the first three pages cannot be read', async () => {
    const server = new ListServer(100, 10);
    server.before = () => UNREADABLE;
    const { state, requests } = await sweepOnce(server, undefined);
    expect(requests).toEqual([1, 2, 3]);
    expect(state).toBeUndefined();
  });

  it('reads on when only the first two pages fail, and comes back for them', async () => {
    const server = new ListServer(100, 10);
    server.before = ({ seq }) => (seq < 3 ? UNREADABLE : undefined);
    const { state, rows } = await sweepOnce(server, undefined);
    expect(state).toMatchObject({ gaps: [], distinct: 100, finished: true });
    expect(new Set(rows).size).toBe(100);
  });

  it('widens a gap too that is older than the first total', async () => {
    const server = new ListServer(20, 10);
    server.before = ({ seq }) => {
      // Page 1 fails, page 2 tells the total, then a row joins at the start and page 1 is tried again.
      if (seq === 3) server.rows.unshift('new');
      return seq === 1 ? UNREADABLE : undefined;
    };
    const { rows, requests } = await sweepOnce(server, undefined);
    expect(requests.slice(0, 4)).toEqual([1, 2, 1, 2]);
    expect(lost(server, new Set(rows))).toBe(0);
  });

  it('keeps a gap that stays unreadable and counts the attempts', async () => {
    const server = new ListServer(50, 10);
    server.before = ({ page }) => (page === 4 ? UNREADABLE : undefined);
    let state: SweepState | undefined;
    for (const attempts of [2, 3, 4]) {
      state = (await sweepOnce(server, state)).state;
      expect(state).toMatchObject({ finished: true, gaps: [{ page: 4, attempts }] });
    }
  });
});

describe('the state of a sweep over 1,000,000 systems', () => {
  it('fits in a few megabytes', ({ annotate }) => {
    for (const [count, most] of [
      [TOTAL, 6],
      [1_000_000, 4.5],
    ] as const) {
      const keys = new KeySet();
      for (let at = 0; at < count; at += 1) keys.add(String(52_500_000_000_000_000n + BigInt(at) * 40n));
      const characters = keys.encode().join('').length;
      annotate(`${count} keys: ${characters} characters, ${(characters / count).toFixed(2)} a key`);
      expect(characters / count).toBeLessThan(most);
    }
  });
});
