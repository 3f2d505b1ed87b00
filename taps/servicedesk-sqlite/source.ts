/** The SQLite file: opened for reading only, all of it at one moment, and no byte of it changed. */
import {
  chmodSync,
  closeSync,
  constants,
  copyFileSync,
  existsSync,
  mkdtempSync,
  openSync,
  readSync,
  rmSync,
  statSync,
  writeSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import Sqlite, { type Database } from 'better-sqlite3';
import { quoted } from '../../profiles/tables.ts';
import { ConnectorError, systemCode, textOf } from '../../singer/errors.ts';
import type { Log } from '../../singer/log.ts';
import { type FilePrint, isSamePrint } from './file-print.ts';

export interface SourceOptions {
  readonly database: string;
  readonly snapshot: 'transaction' | 'vacuum_into';
  /** Milliseconds that another program's lock is waited for. */
  readonly busyMs: number;
}

const MAGIC = 'SQLite format 3\0';
/** The smallest file that SQLite makes. */
const SMALLEST = 512;

/** What stands at byte 18 of a file that is not in WAL mode. */
const LOGLESS = Buffer.from([1, 1]);

/** Everything is read once, so a large cache buys nothing: 2 MB keep the time of the driver's 16 MB. */
const CACHE_KIB = 2_048;

/** An open file whose content stands still until `close`. */
export class Source {
  readonly db: Database;
  /** The file of the settings, whole. */
  readonly path: string;
  /** How the file looked when the snapshot was taken; unknown if somebody wrote at that very moment. */
  readonly print: FilePrint | undefined;
  /** `PRAGMA schema_version`: another one after any change of tables or indexes. */
  readonly schemaVersion: number;
  /** Whether texts are kept as UTF-8, so that their bytes are what JSON needs. */
  readonly isUtf8: boolean;
  readonly #copy: string | undefined;
  readonly #rows = new Map<string, number>();

  private constructor(
    db: Database,
    path: string,
    print: FilePrint | undefined,
    schemaVersion: number,
    copy: string | undefined,
  ) {
    this.db = db;
    this.path = path;
    this.print = print;
    this.#copy = copy;
    this.schemaVersion = schemaVersion;
    this.isUtf8 = db.pragma('encoding', { simple: true }) === 'UTF-8';
  }

  /** @throws ConnectorError `upstream` when it is no database, is locked for too long or cannot be read. */
  static open({ database, snapshot, busyMs }: SourceOptions, log: Log): Source {
    const path = resolve(database);
    checkFile(path);
    let db: Database | undefined;
    let copy: string | undefined;
    try {
      const before = printOf(path);
      const print = () => (isSamePrint(before, printOf(path)) ? before : undefined);
      const original = openReadOnly(path, busyMs);
      db = original;
      if (original !== undefined && snapshot === 'transaction') {
        original.exec('BEGIN');
        // A transaction begins with its first read.
        original.prepare('SELECT count(*) FROM main.sqlite_schema').get();
        return new Source(original, path, print(), schemaVersionOf(original), undefined);
      }
      // A copy made by VACUUM counts on its own.
      const schemaVersion = original === undefined ? undefined : schemaVersionOf(original);
      copy = mkdtempSync(join(tmpdir(), 'tapworks-snapshot-'));
      const file = join(copy, 'copy.db');
      if (original === undefined) {
        copyWithoutLog(path, file);
        log.warn(
          'read_as_immutable',
          `${path} is in WAL mode and its folder cannot be written to; a copy is read, as of a file that nobody changes meanwhile`,
          { path },
        );
      } else {
        original.prepare('VACUUM INTO ?').run(file);
        original.close();
      }
      const seen = print();
      db = new Sqlite(file, { readonly: true, fileMustExist: true });
      prepare(db);
      // An open file needs no name, and what has none outlives no process. Windows keeps it until it is closed.
      const kept = removed(copy) ? undefined : copy;
      return new Source(db, path, seen, schemaVersion ?? schemaVersionOf(db), kept);
    } catch (cause) {
      db?.close();
      if (copy !== undefined) rmSync(copy, { recursive: true, force: true });
      throw sourceError(path, cause);
    }
  }

  /** Whether somebody has written to the file since the snapshot was taken. */
  hasChanged(): boolean {
    return this.print === undefined || !existsSync(this.path) || !isSamePrint(this.print, printOf(this.path));
  }

  /** Rows of a table or view. Counted once: it stands still. */
  rowCount(table: string): number {
    const known = this.#rows.get(table);
    if (known !== undefined) return known;
    const rows = Number(
      this.db
        .prepare(`SELECT count(*) FROM ${quoted(table)}`)
        .pluck()
        .get(),
    );
    this.#rows.set(table, rows);
    return rows;
  }

  close(): void {
    this.db.close();
    if (this.#copy !== undefined) rmSync(this.#copy, { recursive: true, force: true });
  }
}

function schemaVersionOf(db: Database): number {
  return Number(db.pragma('schema_version', { simple: true }));
}

function removed(folder: string): boolean {
  try {
    rmSync(folder, { recursive: true });
    return true;
  } catch {
    return false;
  }
}

/** The first bytes of the file, as many as hold what is looked at here. */
function headOf(path: string): Buffer {
  const head = Buffer.alloc(28);
  const file = openSync(path, 'r');
  try {
    readSync(file, head, 0, head.length, 0);
    return head;
  } finally {
    closeSync(file);
  }
}

/** SQLite would take an empty file for an empty database, and everything in it for read. */
function checkFile(path: string): void {
  const refuse = (problem: string, hint: string, cause?: unknown) =>
    new ConnectorError('config', `${path} ${problem}`, { path, setting: 'database' }, { hint, cause });
  let size: number;
  let magic: string;
  try {
    const found = statSync(path);
    if (!found.isFile()) throw refuse('is no file', 'set "database" to an SQLite file');
    size = found.size;
    magic = headOf(path).toString('latin1', 0, MAGIC.length);
  } catch (cause) {
    if (cause instanceof ConnectorError) throw cause;
    throw refuse(`cannot be read: ${textOf(cause)}`, 'set "database" to an SQLite file that this user may read', cause);
  }
  if (size < SMALLEST || magic !== MAGIC) {
    throw refuse(
      size === 0 ? 'is empty' : 'is no SQLite database',
      'a wrong path may have made an empty file; look for the one that holds the data',
    );
  }
}

/** Undefined for a file in WAL mode, without a log, in a folder that cannot be written to: SQLite would keep an index there. */
function openReadOnly(path: string, busyMs: number): Database | undefined {
  const db = new Sqlite(path, { readonly: true, fileMustExist: true, timeout: busyMs });
  try {
    prepare(db);
    return db;
  } catch (cause) {
    db.close();
    const readOnlyFolder = /^SQLITE_(?:CANTOPEN|READONLY)/.test(systemCode(cause) ?? '');
    if (!readOnlyFolder || existsSync(`${path}-wal`) || existsSync(`${path}-journal`)) throw cause;
    return undefined;
  }
}

/** Copies a file that has no log beside it, and marks the copy as one that needs none. */
function copyWithoutLog(path: string, copy: string): void {
  copyFileSync(path, copy, constants.COPYFILE_FICLONE);
  chmodSync(copy, 0o600);
  const file = openSync(copy, 'r+');
  try {
    writeSync(file, LOGLESS, 0, LOGLESS.length, 18);
  } finally {
    closeSync(file);
  }
}

function prepare(db: Database): void {
  db.pragma(`cache_size = -${CACHE_KIB}`);
  // The first look into the file: fails for one that cannot be read.
  db.pragma('schema_version');
}

function printOf(path: string): FilePrint {
  const { size, mtimeNs } = statSync(path, { bigint: true });
  const wal = statSync(`${path}-wal`, { bigint: true, throwIfNoEntry: false });
  const hasWal = wal !== undefined && wal.size > 0n;
  return {
    size: Number(size),
    counter: headOf(path).readUInt32BE(24),
    changed: String(mtimeNs),
    wal_size: hasWal ? Number(wal.size) : 0,
    wal_changed: hasWal ? String(wal.mtimeNs) : '0',
  };
}

/** What SQLite says about the file, as one line with what to do. */
export function sourceError(path: string, cause: unknown): unknown {
  const code = systemCode(cause) ?? '';
  if (!code.startsWith('SQLITE_')) return cause;
  return new ConnectorError(
    'upstream',
    `${path} cannot be read: ${textOf(cause)}`,
    { path },
    { cause, hint: hintFor(code) },
  );
}

function hintFor(code: string): string {
  if (/^SQLITE_(?:BUSY|LOCKED)/.test(code)) {
    return 'another program has locked the file; run again, raise busy_timeout_ms, or end that program';
  }
  if (/^SQLITE_(?:READONLY|CANTOPEN)/.test(code)) {
    return 'the file waits to be recovered by a program that may write to it: open it once with sqlite3, or read a backup made by VACUUM INTO';
  }
  if (/^SQLITE_(?:CORRUPT|NOTADB)/.test(code)) {
    return 'the file is damaged: run PRAGMA integrity_check on it and restore a backup';
  }
  return code.startsWith('SQLITE_FULL') ? 'the folder for temporary files is full' : 'look at the file with sqlite3';
}
