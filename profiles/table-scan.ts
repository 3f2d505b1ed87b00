/** Reads one table of an SQLite file, once, and counts what its columns hold. */
import { isUtf8 } from 'node:buffer';
import type { Database } from 'better-sqlite3';
import { ConnectorError, systemCode, textOf } from '../singer/errors.ts';
import { ColumnScan, type DateLimits, note } from './column-scan.ts';
import type { SqliteValue } from './grammar.ts';
import { quoted, type SourceTable } from './tables.ts';

export interface TableScan {
  readonly table: SourceTable;
  /** Rows of the table. */
  readonly rows: number;
  /** Rows that were read: fewer than `rows` in a sample. */
  readonly scanned: number;
  /** In the order of the table's columns. */
  readonly columns: readonly ColumnScan[];
  /** False for a file that keeps its texts as UTF-16: SQLite makes the UTF-8 then, so none of it can be bad. */
  readonly utf8Checked: boolean;
}

/**
 * Scans a table over a connection that is open for reading. Whoever calls holds a transaction when several tables have
 * to show one moment. With `sample`, at most so many rows are read, from all over the table, never its first ones; a table
 * WITHOUT ROWID is read whole.
 * @throws ConnectorError `upstream` when SQLite cannot read the table.
 */
export function scanTable(db: Database, table: SourceTable, limits: DateLimits, sample?: number): TableScan {
  try {
    return scan(db, table, limits, sample);
  } catch (cause) {
    if (!systemCode(cause)?.startsWith('SQLITE_')) throw cause;
    throw new ConnectorError(
      'upstream',
      `table ${quoted(table.name)} cannot be read: ${textOf(cause)}`,
      { stream: table.name },
      { cause, hint: 'run PRAGMA integrity_check on the file; restore it from a backup if it is damaged' },
    );
  }
}

function scan(db: Database, table: SourceTable, limits: DateLimits, sample: number | undefined): TableScan {
  const from = `FROM ${quoted(table.name)}`;
  const rows = Number(db.prepare(`SELECT count(*) ${from}`).pluck().get());
  const { where, values } = sampleOf(db, table, rows, sample);
  const columns = table.columns.map(() => new ColumnScan(limits));
  const names = [table.rowid ?? 'NULL', ...table.columns.map(({ name }) => quoted(name))];
  const all = db
    .prepare(`SELECT ${names.join(', ')} ${from} ${where}`)
    .raw()
    .safeIntegers(true);
  let scanned = 0;
  for (const row of all.iterate(...values) as IterableIterator<[bigint | null, ...SqliteValue[]]>) {
    scanned += 1;
    const rowid = row[0] ?? undefined;
    for (let index = 0; index < columns.length; index += 1) columns[index]?.add(row[index + 1] ?? null, rowid);
  }
  const utf8Checked = db.pragma('encoding', { simple: true }) === 'UTF-8';
  if (utf8Checked) {
    columns.forEach((column, index) => {
      if (column.suspicious)
        checkBytes(db, `${names[index + 1]}`, column, { where: `${from} ${where}`, values }, table.rowid);
    });
  }
  return { table, rows, scanned, columns, utf8Checked };
}

/** The driver reads bad UTF-8 as U+FFFD without a word, and U+FFFD may as well have been stored: the bytes tell. */
function checkBytes(db: Database, name: string, column: ColumnScan, range: Range, rowid = 'NULL'): void {
  const texts = db
    .prepare(`SELECT ${rowid}, typeof(${name}), CAST(${name} AS BLOB) ${range.where}`)
    .raw()
    .safeIntegers(true);
  for (const [row, type, bytes] of texts.iterate(...range.values) as IterableIterator<
    [bigint | null, string, Uint8Array]
  >) {
    if (type === 'text' && !isUtf8(bytes)) note(column.invalidUtf8, row ?? undefined, bytes);
  }
}

/**
 * Which rows to read. Of a sample: the first ones behind places that lie all over the table's row numbers, each moved
 * within its share of them by a prime, so that no pattern in the rows fits one in the places. Row numbers that stand in
 * few heaps bring too few rows that way; of those every so-manieth is taken.
 */
function sampleOf(db: Database, { name, rowid }: SourceTable, rows: number, sample: number | undefined): Range {
  if (sample === undefined || rowid === undefined || rows <= sample) return { where: '', values: [] };
  const from = quoted(name);
  const ends = db.prepare(`SELECT min(${rowid}), max(${rowid}) FROM ${from}`).raw().safeIntegers(true).get();
  const [low, high] = ends as [bigint, bigint];
  const count = BigInt(sample);
  const share = (high - low) / count + 1n;
  const places = Array.from({ length: sample }, (_, index) => {
    const moved = ((BigInt(index) * PRIME) & 0xffff_ffffn) * share;
    return low + (BigInt(index) * (high - low)) / count + (moved >> 32n);
  });
  const first = `(SELECT ${rowid} FROM ${from} WHERE ${rowid} >= value ORDER BY ${rowid} LIMIT 1)`;
  const spread: Range = {
    where: `WHERE ${rowid} IN (SELECT ${first} FROM json_each(?))`,
    values: [`[${places.join(', ')}]`],
  };
  const found = db
    .prepare(`SELECT count(*) FROM ${from} ${spread.where}`)
    .pluck()
    .get(...spread.values);
  if (Number(found) * 2 >= sample) return spread;
  const every = Math.ceil(rows / sample);
  const nth = `SELECT ${rowid} AS place, row_number() OVER (ORDER BY ${rowid}) AS number FROM ${from}`;
  return { where: `WHERE ${rowid} IN (SELECT place FROM (${nth}) WHERE number % ${every} = 0)`, values: [] };
}

/** A condition and what is bound to it. */
interface Range {
  readonly where: string;
  readonly values: readonly string[];
}

const PRIME = 2_654_435_761n;
