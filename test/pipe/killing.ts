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

/** The last API request of the simulator's log, and whether its answer was delivered. */
async function pageInFlight(shop: Workshop): Promise<boolean> {
  const { requests } = (await shop.control('requests')) as { requests: readonly { path: string; finished: boolean }[] };
  const last = requests.filter(({ path }) => path.startsWith('/api/')).at(-1);
  return last !== undefined && !last.finished;
}

/** Runs the pipe and kills one side of it. Tells what was struck, or undefined when the pipe ended before the moment came. */
export async function runAndKill(
  shop: Workshop,
  aim: Aim,
  next: () => number,
): Promise<{ struck: Struck; side: 'tap' | 'target' } | undefined> {
  let ended = false;
  let children: { tap: ChildProcess; target: ChildProcess } | undefined;
  const running = shop
    .run({
      onStart: (tap, target) => {
        children = { tap, target };
      },
    })
    .finally(() => {
      ended = true;
    });
  while (children === undefined) await tick();
  const { tap, target } = children;
  const side = aim === 'inside a page' ? 'tap' : aim === 'any' ? (next() < 0.5 ? 'tap' : 'target') : 'target';
  const victim = side === 'tap' ? tap : target;
  // The first moments are start-up; a random share of what follows makes the moment.
  const wait = performance.now() + 150 + next() * 700;
  const db = await watch(shop, aim, victim, () => ended || performance.now() > wait + 4_000, wait);
  const struck: Struck = ended ? 'elsewhere' : (db ?? 'elsewhere');
  if (ended) {
    await running;
    return undefined;
  }
  const page = side === 'tap' ? await pageInFlight(shop) : false;
  victim.kill('SIGKILL');
  await running;
  if (side === 'tap') return { side, struck: page ? 'inside a page' : 'elsewhere' };
  return { side, struck };
}

/** Waits for the aimed moment, freezes the victim there and says where it stands. */
async function watch(
  shop: Workshop,
  aim: Aim,
  victim: ChildProcess,
  over: () => boolean,
  wait: number,
): Promise<Struck | undefined> {
  let db: Database.Database | undefined;
  try {
    let version: unknown;
    let mark = stateMark(shop.state);
    for (;;) {
      await tick();
      if (over()) {
        freeze(victim);
        return undefined;
      }
      if (performance.now() < wait) continue;
      if (aim === 'inside a page' || aim === 'any') {
        freeze(victim);
        db = observe(shop.database);
        return db !== undefined && locked(db) ? 'inside a transaction' : undefined;
      }
      db ??= observe(shop.database);
      if (db === undefined) continue;
      // A burst of looks without giving way: the moments aimed at last a millisecond or less.
      const end = performance.now() + 20;
      while (performance.now() < end) {
        if (aim === 'inside a transaction') {
          if (!locked(db)) continue;
          freeze(victim);
          return locked(db) ? 'inside a transaction' : undefined;
        }
        const before = mark;
        mark = stateMark(shop.state);
        const now = db.pragma('data_version', { simple: true });
        const committed = version !== undefined && now !== version;
        version = now;
        if (!committed || before !== mark) continue;
        freeze(victim);
        return stateMark(shop.state) === mark && !locked(db) ? 'between commit and state' : undefined;
      }
    }
  } finally {
    db?.close();
  }
}
