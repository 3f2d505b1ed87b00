/** What a database file has been through besides its content: free pages, WAL mode, commits that are in the `-wal` only. */
import { copyFileSync, renameSync } from 'node:fs';
import Database from 'better-sqlite3';

const MIB = 1024 * 1024;

export interface FileState {
  /** Whether the file is in WAL mode. */
  readonly wal: boolean;
  /** The last so many timesheets are in the `-wal` file only. Implies `wal`. */
  readonly leaveWal: number;
  /** MiB of free pages at the end of the file. */
  readonly padFreeMb: number;
}

/**
 * Gives the packed file its state and moves it to `out`.
 * @param source the file that `packed` was made of; it has the rows that go into the `-wal`
 * @throws RangeError if more rows are to be left in the `-wal` than there are timesheets.
 */
export function finish(
  packed: string,
  source: string,
  out: string,
  { wal, leaveWal, padFreeMb }: FileState,
  timesheets: number,
): void {
  if (leaveWal > timesheets) throw new RangeError(`the file has ${timesheets} timesheets, not ${leaveWal}`);
  const db = new Database(packed);
  try {
    if (padFreeMb > 0) addFreePages(db, padFreeMb);
    if (wal || leaveWal > 0) db.pragma('journal_mode = WAL');
    if (leaveWal > 0) {
      leaveInWal(db, source, timesheets - leaveWal);
      // The last connection to close would move the commits into the file and delete the -wal.
      copyFileSync(`${packed}-wal`, `${out}-wal`);
      copyFileSync(packed, out);
      return;
    }
  } finally {
    db.close();
  }
  renameSync(packed, out);
}

function addFreePages(db: Database.Database, mib: number): void {
  db.exec('CREATE TABLE padding (piece BLOB)');
  const insert = db.prepare('INSERT INTO padding VALUES (zeroblob(?))');
  db.transaction(() => {
    for (let piece = 0; piece < mib; piece += 1) insert.run(MIB);
  })();
  db.exec('DROP TABLE padding');
}

/** Takes the timesheets after rowid `last` out of the file and commits each of them again, into the `-wal` alone. */
function leaveInWal(db: Database.Database, source: string, last: number): void {
  db.prepare('ATTACH ? AS source').run(source);
  db.prepare('DELETE FROM timesheets WHERE rowid > ?').run(last);
  db.pragma('main.wal_checkpoint(TRUNCATE)');
  db.pragma('wal_autocheckpoint = 0');
  const columns = db
    .prepare<[], string>(`SELECT '"' || name || '"' FROM pragma_table_info('timesheets')`)
    .pluck()
    .all()
    .join(', ');
  const copy = db.prepare(
    `INSERT INTO main.timesheets (rowid, ${columns}) SELECT rowid, ${columns} FROM source.timesheets WHERE rowid = ?`,
  );
  const rowids = db.prepare<[number], number>('SELECT rowid FROM source.timesheets WHERE rowid > ?').pluck().all(last);
  for (const rowid of rowids) copy.run(rowid);
}
