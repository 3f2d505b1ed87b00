/** `kill -9` of tap-plex in the middle of the bills of materials and of the histories, and what is in the tables after that. */
import type { ChildProcess } from 'node:child_process';
import { expect } from 'vitest';
import { random } from './killing.ts';
import type { Call, PlexWorkshop } from './plex-workshop.ts';

/** What a kill struck. */
export interface Kill {
  readonly side: 'tap' | 'target';
  /** The request that was the last one to arrive, and how many of its kind had. */
  readonly path: string;
  readonly calls: number;
}

const AIMS = [/^\/engineering\/v1\/boms$/, /-history\//] as const;

/** Runs the pipe and kills one side of it once `wanted` requests of a kind have arrived; undefined when it ended before. */
async function killOnce(
  shop: PlexWorkshop,
  aim: RegExp,
  wanted: number,
  side: Kill['side'],
): Promise<Kill | undefined> {
  let last = (await shop.calls()).at(-1)?.seq ?? 0;
  const struck: Call[] = [];
  let children: Readonly<Record<Kill['side'], ChildProcess>> | undefined;
  let ended = false;
  const running = shop
    .run({
      onStart: (tap, target) => {
        children = { tap, target };
      },
    })
    .finally(() => {
      ended = true;
    });
  for (;;) {
    if (ended) {
      const { exitCode, lines } = await running;
      expect(exitCode, lines.slice(-4).join('\n')).toBe(0);
      return undefined;
    }
    for (const call of await shop.calls(last)) {
      last = call.seq;
      if (aim.test(call.path)) struck.push(call);
    }
    if (struck.length < wanted || children === undefined) continue;
    children[side].kill('SIGKILL');
    await running;
    return { side, path: struck.at(-1)?.path ?? '', calls: struck.length };
  }
}

/**
 * Kills and restarts until there were `kills` kills; whenever the pipe completes, its tables must equal those of a run that
 * nobody disturbed. Tells where each kill struck.
 */
export async function killAndResume(shop: PlexWorkshop, kills: number, seed: number): Promise<readonly Kill[]> {
  const next = random(seed);
  const slow = (path: string, ms: number) => ({ match: { path }, action: { type: 'delay', ms } });
  await shop.control('faults', [slow('/engineering/v1/boms', 10), slow('/**/*-history/*', 30)]);
  const undisturbed = await shop.run();
  expect(undisturbed.exitCode, undisturbed.lines.slice(-4).join('\n')).toBe(0);
  const expected = shop.tables();
  await shop.fresh();
  const struck: Kill[] = [];
  while (struck.length < kills) {
    const aim = AIMS[struck.length % AIMS.length] ?? AIMS[0];
    // Of 200 parts and of 8 slices each of four histories.
    const wanted = 1 + Math.floor(next() * (aim === AIMS[0] ? 190 : 30));
    const kill = await killOnce(shop, aim, wanted, next() < 0.7 ? 'tap' : 'target');
    if (kill === undefined) {
      compare(shop, expected);
      await shop.fresh();
    } else struck.push(kill);
  }
  const last = await shop.run();
  expect(last.exitCode, last.lines.slice(-4).join('\n')).toBe(0);
  compare(shop, expected);
  return struck;
}

function compare(shop: PlexWorkshop, expected: Readonly<Record<string, readonly string[]>>): void {
  const found = shop.tables();
  expect(Object.keys(found)).toEqual(Object.keys(expected));
  for (const [table, rows] of Object.entries(expected)) {
    const have = found[table] ?? [];
    const [known, present] = [new Set(rows), new Set(have)];
    const lost = rows.filter((row) => !present.has(row));
    const extra = have.filter((row) => !known.has(row));
    expect({ table, rows: have.length, lost: lost.slice(0, 1), extra: extra.slice(0, 1) }).toEqual({
      table,
      rows: rows.length,
      lost: [],
      extra: [],
    });
  }
}
