/**
 * Kills `tap-servicedesk-sqlite | target-sqlite` (`kill -9`) and starts it again until it is through. The tables must be
 * those of an undisturbed run, and nothing may be set aside twice.
 */
import type { ChildProcess } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Sqlite from 'better-sqlite3';
import { expect } from 'vitest';
import { type PipeEnding, runPipe } from '../../runner/pipe.ts';
import { generate } from '../../simulators/servicedesk/generate.ts';
import { DEFAULTS } from '../simulators/servicedesk-files.ts';
import { random } from './killing.ts';

type Struck = 'before the first state' | 'inside a table' | 'between two tables' | 'behind the last state';

export interface KillReport {
  readonly seed: number;
  readonly kills: number;
  readonly rounds: number;
  /** Where the kills struck, as the state file tells, by the side that was killed. */
  readonly struck: Readonly<Record<string, number>>;
}

/** Differ between two readings of the same rows. */
const OF_A_RUN = new Set(['reject_id', 'run_id', 'at', '_sdc_table_version']);

interface Saved {
  readonly sweep: unknown;
  readonly bookmarks: { readonly [stream: string]: { readonly progress?: unknown } };
}

class Shop {
  readonly folder = mkdtempSync(join(tmpdir(), 'tapworks-servicedesk-'));
  readonly #at = (name: string) => join(this.folder, name);
  readonly source = this.#at('source.db');
  readonly #state = this.#at('state.json');

  async open(rows: number): Promise<void> {
    await generate(this.source, this.#at('manifest.json'), { ...DEFAULTS, rows, profile: 'dirty', seed: 5 });
    writeFileSync(this.#at('tap.json'), JSON.stringify({ database: this.source, batch_state_every: 150 }));
    writeFileSync(this.#at('target.json'), JSON.stringify({ database: this.#at('loaded.db'), batch_rows: 100 }));
  }

  run(more: { onStart?(tap: ChildProcess, target: ChildProcess): void; onState?(): void } = {}): Promise<PipeEnding> {
    return runPipe({
      tap: { name: 'tap-servicedesk-sqlite', args: ['--config', this.#at('tap.json')] },
      target: { name: 'target-sqlite', args: ['--config', this.#at('target.json')] },
      state: this.#state,
      stderr: () => undefined,
      ...more,
    });
  }

  get saved(): Saved | undefined {
    try {
      return JSON.parse(readFileSync(this.#state, 'utf8')) as Saved;
    } catch {
      return undefined;
    }
  }

  fresh(): void {
    for (const name of ['loaded.db', 'loaded.db-wal', 'loaded.db-shm', 'state.json'])
      rmSync(this.#at(name), { force: true });
  }

  /** Rows of every table, sorted. */
  tables(): Readonly<Record<string, readonly string[]>> {
    const db = new Sqlite(this.#at('loaded.db'), { readonly: true });
    try {
      expect(db.pragma('integrity_check', { simple: true })).toBe('ok');
      const names = db
        .prepare(
          `SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE '\\_tapworks%' ESCAPE '\\' ORDER BY name`,
        )
        .pluck()
        .all() as string[];
      const text = (row: object) => JSON.stringify(Object.entries(row).filter(([column]) => !OF_A_RUN.has(column)));
      return Object.fromEntries(
        names.map((name) => [
          name,
          (db.prepare(`SELECT * FROM "${name}"`).safeIntegers(false).all() as object[]).map(text).sort(),
        ]),
      );
    } finally {
      db.close();
    }
  }

  close(): void {
    rmSync(this.folder, { recursive: true, force: true });
  }
}

const tick = () => new Promise<void>((resolve) => setImmediate(resolve));

/** Runs the pipe and kills a side of it; undefined when it was through before. */
async function runAndKill(shop: Shop, states: number, span: number, next: () => number): Promise<string | undefined> {
  const side = next() < 0.5 ? 'tap' : 'target';
  // Half of the kills wait for a state, so that they strike the reading on a slow machine as well.
  const wanted = next() < 0.5 ? 1 + Math.floor(next() * states) : undefined;
  const moment = next() * span;
  let [confirmed, ended] = [0, false];
  let victim: ChildProcess | undefined;
  const started = performance.now();
  const running = shop
    .run({
      onStart: (tap, target) => {
        victim = side === 'tap' ? tap : target;
      },
      onState: () => {
        confirmed += 1;
      },
    })
    .finally(() => {
      ended = true;
    });
  while (!ended && (wanted === undefined ? performance.now() - started < moment : confirmed < wanted)) await tick();
  victim?.kill('SIGKILL');
  const ending = await running;
  if (ending[side].signal !== 'SIGKILL') {
    expect([ending.tap.code, ending.target.code]).toEqual([0, 0]);
    return undefined;
  }
  return `${side} ${struck(shop.saved)}`;
}

function struck(saved: Saved | undefined): Struck {
  if (saved === undefined) return 'before the first state';
  if (saved.sweep === null) return 'behind the last state';
  const inside = Object.values(saved.bookmarks ?? {}).some(({ progress }) => progress !== undefined);
  return inside ? 'inside a table' : 'between two tables';
}

/** Kills until there were so many kills, beginning anew each time the pipe is through. */
export async function killServiceDesk(rows: number, kills: number, seed: number): Promise<KillReport> {
  const next = random(seed);
  const shop = new Shop();
  try {
    await shop.open(rows);
    let states = 0;
    const started = performance.now();
    const undisturbed = await shop.run({
      onState: () => {
        states += 1;
      },
    });
    const span = performance.now() - started;
    expect(undisturbed.exitCode).toBe(0);
    expect(states).toBeGreaterThan(10);
    const expected = shop.tables();
    expect(Object.keys(expected)).toContain('_sd_rejects');
    shop.fresh();
    const found: Record<string, number> = {};
    let [done, rounds] = [0, 0];
    const compare = () => {
      rounds += 1;
      expect(shop.saved?.sweep).toBeNull();
      const got = shop.tables();
      expect(Object.keys(got)).toEqual(Object.keys(expected));
      for (const [table, wanted] of Object.entries(expected)) {
        const have = got[table] ?? [];
        const [known, present] = [new Set(wanted), new Set(have)];
        const lost = wanted.filter((row) => !present.has(row)).slice(0, 2);
        const extra = have.filter((row) => !known.has(row)).slice(0, 2);
        expect({ table, rows: have.length, lost, extra }).toEqual({ table, rows: wanted.length, lost: [], extra: [] });
      }
      shop.fresh();
    };
    while (done < kills) {
      const place = await runAndKill(shop, states, span, next);
      if (place === undefined) {
        compare();
        continue;
      }
      done += 1;
      found[place] = (found[place] ?? 0) + 1;
      // All is there, and one more run would be another reading.
      if (shop.saved?.sweep === null) compare();
    }
    expect((await shop.run()).exitCode).toBe(0);
    compare();
    return { seed, kills: done, rounds, struck: found };
  } finally {
    shop.close();
  }
}
