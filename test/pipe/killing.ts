/**
 * Kills one side of a running pipe (`kill -9`) at a chosen kind of moment and tells what the kill really struck. The
 * side is stopped first (SIGSTOP), so that what is seen from outside cannot change before the kill.
 */
import type { ChildProcess } from 'node:child_process';
import { readFileSync, statSync } from 'node:fs';
import Database from 'better-sqlite3';
import type { Workshop } from './workshop.ts';

/** What a kill struck. `elsewhere`: none of the three. */
export type Struck = 'inside a page' | 'inside a transaction' | 'between commit and state' | 'elsewhere';

/** Where a kill is aimed. `any` picks a side and a moment at random. */
export type Aim = Exclude<Struck, 'elsewhere'> | 'any';

/** Deterministic numbers from a seed (mulberry32). */
export function random(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

const tick = () => new Promise<void>((resolve) => setImmediate(resolve));

function stopped(pid: number): boolean {
  try {
    return /^\d+ \(.*\) [TZ]/.test(readFileSync(`/proc/${pid}/stat`, 'utf8'));
  } catch {
    return true;
  }
}

function freeze(child: ChildProcess): void {
  if (child.pid === undefined) return;
  child.kill('SIGSTOP');
  while (!stopped(child.pid)) {
    // A stop signal is delivered within microseconds; nothing else can tell that it was.
  }
}

function stateMark(path: string): string {
  try {
    const { ino, mtimeNs, size } = statSync(path, { bigint: true });
    return `${ino}:${mtimeNs}:${size}`;
  } catch {
    return 'none';
  }
}

/** True while another connection holds the write lock: a transaction is open. */
function locked(db: Database.Database): boolean {
  try {
    db.exec('BEGIN IMMEDIATE');
    db.exec('ROLLBACK');
    return false;
  } catch (thrown) {
    if (thrown instanceof Database.SqliteError && thrown.code === 'SQLITE_BUSY') return true;
    throw thrown;
  }
}

function observe(path: string): Database.Database | undefined {
  try {
    const db = new Database(path, { fileMustExist: true, timeout: 0 });
    db.pragma('data_version');
    return db;
  } catch {
    return undefined;
  }
}

/** True when the last page that was asked for was not delivered. */
async function pageUnfinished(shop: Workshop): Promise<boolean> {
  const { requests } = (await shop.control('requests')) as { requests: readonly { path: string; finished: boolean }[] };
  const last = requests.filter(({ path }) => /^\/(dc)?api\//.test(path)).at(-1);
  return last !== undefined && !last.finished;
}

/** Runs the pipe and kills one side of it. Tells what was struck, or undefined when the pipe ended before the moment came. */
export async function runAndKill(
  shop: Workshop,
  aim: Aim,
  next: () => number,
): Promise<{ struck: Struck; side: 'tap' | 'target' } | undefined> {
  let ended = false;
  let reading = false;
  let children: { tap: ChildProcess; target: ChildProcess } | undefined;
  const lines: string[] = [];
  const running = shop
    .run({
      onStart: (tap, target) => {
        children = { tap, target };
      },
      stderr: (_side, line) => {
        lines.push(line);
        if (line.includes('extraction_progress')) reading = true;
      },
    })
    .finally(() => {
      ended = true;
    });
  while (children === undefined) await tick();
  const { tap, target } = children;
  const side = aim === 'inside a page' ? 'tap' : aim === 'any' ? (next() < 0.5 ? 'tap' : 'target') : 'target';
  const victim = side === 'tap' ? tap : target;
  // Most moments lie in the reading, which starts later on a busy machine; one in eight random ones in the start-up.
  const early = aim === 'any' && next() < 0.125;
  const delay = next() * (early ? 300 : 500);
  if (!early) while (!reading && !ended) await tick();
  const wait = performance.now() + delay;
  const db = await watch(shop, aim, victim, () => ended || performance.now() > wait + 4_000, wait);
  const struck: Struck = ended ? 'elsewhere' : (db ?? 'elsewhere');
  if (ended) {
    const { tap: tapEnding, target: targetEnding } = await running;
    const codes = [tapEnding.code, targetEnding.code];
    if (codes.some((code) => code !== 0))
      throw new Error(`the pipe ended with ${codes.join(' and ')} by itself:\n${lines.slice(-6).join('\n')}`);
    return undefined;
  }
  victim.kill('SIGKILL');
  // Asked at once: the simulator takes its time for an answer and does not notice that nobody waits for it any more.
  const page = side === 'tap' && (await pageUnfinished(shop));
  await running;
  if (side === 'tap') return { side, struck: page ? 'inside a page' : 'elsewhere' };
  return { side, struck };
}

/** Lets the victim run for about a millisecond. */
function step(victim: ChildProcess): void {
  victim.kill('SIGCONT');
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1);
}

/**
 * Waits for the aimed moment, freezes the victim there and says where it stands. The moments aimed at last a
 * millisecond or two, too short to see and hit on a busy machine; so the victim is stepped: run a millisecond, freeze,
 * look, and again until the look shows what is wanted.
 */
async function watch(
  shop: Workshop,
  aim: Aim,
  victim: ChildProcess,
  over: () => boolean,
  wait: number,
): Promise<Struck | undefined> {
  while (performance.now() < wait && !over()) await tick();
  // No look before a shot at a page: the answer may arrive meanwhile.
  if (aim === 'inside a page') return undefined;
  freeze(victim);
  const db = observe(shop.database);
  try {
    if (aim === 'any' || db === undefined) return db !== undefined && locked(db) ? 'inside a transaction' : undefined;
    const version = () => db.pragma('data_version', { simple: true });
    let before = { version: version(), mark: stateMark(shop.state) };
    while (!over()) {
      const burst = performance.now() + 30;
      while (performance.now() < burst) {
        step(victim);
        freeze(victim);
        if (aim === 'inside a transaction') {
          if (locked(db)) return 'inside a transaction';
          continue;
        }
        const now = { version: version(), mark: stateMark(shop.state) };
        if (now.version !== before.version && now.mark === before.mark && !locked(db))
          return 'between commit and state';
        before = now;
      }
      await tick();
    }
    return undefined;
  } finally {
    db?.close();
  }
}
