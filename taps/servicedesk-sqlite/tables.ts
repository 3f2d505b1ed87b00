/** What of a file becomes a stream: its tables, its views when asked for, and what names their rows. */
import type { Database } from 'better-sqlite3';
import type { ExpectedTable } from '../../profiles/expected.ts';
import { SERVICEDESK, TIMESHEET_KEY } from '../../profiles/servicedesk.ts';
import { quoted, type SourceTable, tablesOf, viewsOf } from '../../profiles/tables.ts';
import { textOf } from '../../singer/errors.ts';
import type { Log } from '../../singer/log.ts';
import { REJECTS } from './rejects-stream.ts';

/** The row number of the file as a property. */
export const ROWID = '_sd_rowid';
/** A name for the rows of a table in which only several columns together say which row it is. */
export const ROW_KEY = '_sd_row_key';

/** A table or view and the stream that it becomes. */
export interface Origin {
  readonly stream: string;
  readonly table: SourceTable;
  readonly isView: boolean;
  /** The row number goes along as `_sd_rowid`. */
  readonly hasRowid: boolean;
  /** Columns of which `_sd_row_key` is made, and a number that tells equal ones apart. */
  readonly rowKey: readonly string[] | undefined;
  /** What names a row, as far as the file or its known make say; empty when nothing does. */
  readonly key: readonly string[];
  /** No two rows have the same key: the file, or the way it is made, sees to that. */
  readonly isKeySure: boolean;
  readonly expected: ExpectedTable | undefined;
}

/** All tables and views of a file, by name. Views that no longer work are told of and left out. */
export function originsOf(db: Database, emitRowid: boolean, log: Log): Origin[] {
  const views = viewsOf(db, (view, cause) => {
    log.warn('view_skipped', `the view "${view}" cannot be read and is left out: ${textOf(cause)}`, { stream: view });
  });
  const tables = tablesOf(db).map((table) => originOf(db, table, emitRowid));
  const names = new Set([REJECTS]);
  return [...tables, ...views.map(viewOrigin)].map((origin) => {
    const stream = freeName(origin.table.name, names);
    names.add(stream);
    return { ...origin, stream };
  });
}

/** A stream needs a name, and the stream of rejects has its own already. */
function freeName(name: string, taken: ReadonlySet<string>): string {
  const wanted = name === '' ? '_' : name;
  for (let number = 2; ; number += 1) {
    const candidate = number === 2 ? wanted : `${wanted}_${number - 1}`;
    if (!taken.has(candidate)) return candidate;
  }
}

function viewOrigin(table: SourceTable): Origin {
  return {
    stream: table.name,
    table,
    isView: true,
    hasRowid: false,
    rowKey: undefined,
    key: [],
    isKeySure: false,
    expected: undefined,
  };
}

function originOf(db: Database, table: SourceTable, emitRowid: boolean): Origin {
  const names = new Set(table.columns.map(({ name }) => name));
  const declared = declaredKey(table);
  const known = Object.hasOwn(SERVICEDESK.tables, table.name) ? SERVICEDESK.tables[table.name] : undefined;
  const natural = table.name === 'timesheets' ? TIMESHEET_KEY : [];
  const isKnown = known !== undefined && [...(known.key ?? []), ...natural].every((column) => names.has(column));
  const rowKey = declared.length === 0 && isKnown && natural.length > 0 && !names.has(ROW_KEY) ? natural : undefined;
  const hasRowid = emitRowid && table.rowid !== undefined && !names.has(ROWID) && !isRowid(db, table, declared);
  const unique = uniqueKey(db, table.name);
  const candidates = [declared, rowKey === undefined ? [] : [ROW_KEY], isKnown ? (known.key ?? []) : [], unique];
  const key = candidates.find((columns) => columns.length > 0) ?? [];
  return {
    stream: table.name,
    table,
    isView: false,
    hasRowid,
    rowKey,
    key,
    isKeySure: key === declared || key === unique || rowKey !== undefined,
    expected: isKnown ? known : undefined,
  };
}

function declaredKey({ columns }: SourceTable): readonly string[] {
  return columns
    .filter(({ keyPlace }) => keyPlace > 0)
    .sort((a, b) => a.keyPlace - b.keyPlace)
    .map(({ name }) => name);
}

/** True when the key is only another name of the row number: INTEGER PRIMARY KEY, which no index stands for. */
function isRowid(db: Database, table: SourceTable, key: readonly string[]): boolean {
  if (table.rowid === undefined || key.length !== 1) return false;
  const column = table.columns.find(({ name }) => name === key[0]);
  if (column?.declared.toUpperCase() !== 'INTEGER') return false;
  return db.prepare("SELECT count(*) FROM pragma_index_list(?) WHERE origin = 'pk'").pluck().get(table.name) === 0;
}

/** The columns of a unique index in which no value may be missing; the one with the fewest columns. */
function uniqueKey(db: Database, table: string): readonly string[] {
  const indexes = db
    .prepare(`SELECT name FROM pragma_index_list(?) WHERE "unique" = 1 AND partial = 0 ORDER BY seq DESC`)
    .pluck()
    .all(table) as string[];
  const needed = new Set(
    db.prepare(`SELECT name FROM pragma_table_xinfo(?) WHERE "notnull" = 1`).pluck().all(table) as string[],
  );
  const keys = indexes
    .map((index) => db.prepare('SELECT name FROM pragma_index_info(?) ORDER BY seqno').pluck().all(index))
    .filter((columns): columns is string[] => columns.every((column) => needed.has(column as string)));
  return keys.sort((a, b) => a.length - b.length)[0] ?? [];
}

/** Whether every row has its key: SQLite lets NULL into a primary key that does not say NOT NULL. */
export function isFilled(db: Database, { table, key }: Origin): boolean {
  const missing = key.map((column) => `${quoted(column)} IS NULL`).join(' OR ');
  return (
    db
      .prepare(`SELECT EXISTS (SELECT 1 FROM ${quoted(table.name)} WHERE ${missing})`)
      .pluck()
      .get() === 0
  );
}

/**
 * The first column that is called an id and holds another value in each row; for tables whose file says nothing. Reads the
 * column.
 */
export function profiledKey(db: Database, { table }: Origin): readonly string[] {
  const from = `FROM ${quoted(table.name)}`;
  const named = table.columns.filter(
    ({ name }) => /(?:^|[^a-z])id$|[a-z]Id$/.test(name) || /^(?:uuid|guid)$/i.test(name),
  );
  const found = named.find(({ name }) => {
    const column = quoted(name);
    const counts = `SELECT count(*) > 0 AND count(*) = count(${column}) AND count(*) = count(DISTINCT ${column})`;
    return db.prepare(`${counts} AND min(typeof(${column}) IN ('integer', 'text')) ${from}`).pluck().get() === 1;
  });
  return found === undefined ? [] : [found.name];
}
