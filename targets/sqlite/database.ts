/** Opening an SQLite file so that every later failure is one line that says what to do. */
import { closeSync, constants, fsyncSync, openSync, statSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import Sqlite, { type Database } from 'better-sqlite3';
import { ConnectorError, systemCode, textOf } from '../../singer/errors.ts';
import type { Run } from '../../singer/stream.ts';

/** How long another writer is waited for. Longer than any commit of ours; a rebuild of a very large table may take longer. */
const BUSY_MS = 30_000;

const CACHE_KIB = 8_192;

/** Of a new file; one that is there keeps its own. Loads take 8 % less processor time than with SQLite's 4 KiB. */
const PAGE_BYTES = 16_384;

export type Synchronous = 'off' | 'normal' | 'full' | 'extra';

/**
 * Opens or creates the file: write-ahead log, mode 600 for a new file (SQLite gives its -wal and -shm files the same).
 * @throws ConnectorError `destination` when it cannot be written, is no database, or stays locked.
 */
export async function openDatabase(path: string, synchronous: Synchronous, run: Run): Promise<Database> {
  let db: Database | undefined;
  try {
    // The driver gives names like ":memory:" a meaning of their own and trims blanks; a whole path is only a path.
    const file = resolve(path);
    createFile(file);
    db = new Sqlite(file, { timeout: BUSY_MS });
    db.pragma(`page_size = ${PAGE_BYTES}`);
    await useWriteAheadLog(db, run);
    db.pragma(`synchronous = ${synchronous}`);
    // The driver's build takes 16 MB for pages; loads are as fast with half of it.
    db.pragma(`cache_size = -${CACHE_KIB}`);
    // The driver's build turns this on; a rebuild would then delete rows of tables that refer to the rebuilt one.
    db.pragma('foreign_keys = OFF');
    // Views may name a table that is being rebuilt; they are right again at the end of it.
    db.pragma('legacy_alter_table = ON');
    // Takes the write lock once: a file that cannot be written is refused before any record is read.
    db.exec('BEGIN IMMEDIATE; ROLLBACK');
    return db;
  } catch (cause) {
    db?.close();
    throw destinationError(path, 'open', cause);
  }
}

function createFile(path: string): void {
  const { O_RDWR, O_CREAT, O_EXCL } = constants;
  let file: number;
  try {
    file = openSync(path, O_RDWR | O_CREAT | O_EXCL, 0o600);
  } catch (cause) {
    if (systemCode(cause) !== 'EEXIST') throw cause;
    // Only looked at: closing a second handle would drop the locks of another connection in this process (POSIX).
    if (statSync(path).isDirectory()) throw Object.assign(new Error('is a directory'), { code: 'EISDIR', cause });
    return;
  }
  closeSync(file);
  // SQLite makes its data durable; that the file is in its folder is for whoever created it to make durable.
  const folder = openSync(dirname(path), constants.O_RDONLY);
  fsyncSync(folder);
  closeSync(folder);
}

/** Changing the journal mode ignores the busy timeout, and two targets may open a new file at once: so it is tried again. */
async function useWriteAheadLog(db: Database, run: Run): Promise<void> {
  const end = run.clock.now() + BUSY_MS;
  for (;;) {
    try {
      const mode = db.pragma('journal_mode = WAL', { simple: true });
      if (mode !== 'wal') run.log.info('journal_mode', `SQLite keeps this file in journal mode ${String(mode)}`);
      return;
    } catch (cause) {
      if (!systemCode(cause)?.startsWith('SQLITE_BUSY') || run.clock.now() >= end) throw cause;
      await run.clock.sleep(5 + run.clock.random() * 20, run.signal);
    }
  }
}

/** What went wrong with the file, in user's words. */
export function destinationError(path: string, doing: 'open' | 'write', cause: unknown): unknown {
  const code = systemCode(cause);
  if (cause instanceof ConnectorError || code === undefined) return cause;
  const [problem, hint] = explain(code);
  return new ConnectorError(
    'destination',
    `cannot ${doing} the database ${path}: ${problem ?? textOf(cause)}`,
    { path },
    { cause, ...(hint !== undefined && { hint }) },
  );
}

function explain(code: string): readonly [string | undefined, string | undefined] {
  const allowed = 'check that this user may write the file and its folder';
  if (code === 'ENOENT') return ['its folder does not exist', 'create the folder, or correct the setting database'];
  if (code === 'ENOTDIR') return ['a part of its path is a file, not a folder', 'correct the setting database'];
  if (code === 'EISDIR') return ['it is a folder', 'name a file in the setting database'];
  if (code === 'EACCES' || code === 'EPERM' || code === 'EROFS') return ['writing there is not allowed', allowed];
  if (code === 'SQLITE_NOTADB') {
    return [
      'the file is not an SQLite database',
      'name another file in the setting database; this one was left as it is',
    ];
  }
  if (code === 'SQLITE_FULL' || code === 'ENOSPC' || code === 'EDQUOT') {
    return [
      'the disk is full',
      'free some space and run again; nothing confirmed was lost, the last batch was not written',
    ];
  }
  if (code.startsWith('SQLITE_BUSY') || code === 'SQLITE_LOCKED') {
    return [`another program has kept it locked for ${BUSY_MS / 1000} s`, 'end that program, then run again'];
  }
  if (code.startsWith('SQLITE_READONLY') || code.startsWith('SQLITE_CANTOPEN') || code === 'SQLITE_PERM') {
    return ['it can be read but not written', allowed];
  }
  if (code.startsWith('SQLITE_IOERR')) {
    return [
      `the file system reports an error (${code})`,
      'look for a full disk, a file size limit or a lost network drive; the last batch was not written',
    ];
  }
  if (code.startsWith('SQLITE_CORRUPT')) {
    return ['the database is damaged', 'restore it from a backup, or load into a new file'];
  }
  return [undefined, undefined];
}
