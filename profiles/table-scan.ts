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
 * to show one moment. With `sample`, about so many rows are read, chosen by a hash of their row number all over the
 * table, never its first ones; a table WITHOUT ROWID is read whole.
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
  const where = sample === undefined || table.rowid === undefined ? '' : sampleOf(table.rowid, rows, sample);
  const columns = table.columns.map(() => new ColumnScan(limits));
  const names = [table.rowid ?? 'NULL', ...table.columns.map(({ name }) => quoted(name))];
  const all = db
    .prepare(`SELECT ${names.join(', ')} ${from} ${where}`)
    .raw()
    .safeIntegers(true);
  let scanned = 0;
  for (const row of all.iterate() as IterableIterator<[bigint | null, ...SqliteValue[]]>) {
    scanned += 1;
    const rowid = row[0] ?? undefined;
    for (let index = 0; index < columns.length; index += 1) columns[index]?.add(row[index + 1] ?? null, rowid);
  }
  const utf8Checked = db.pragma('encoding', { simple: true }) === 'UTF-8';
  if (utf8Checked) {
    columns.forEach((column, index) => {
      if (column.suspicious) checkBytes(db, `${names[index + 1]}`, column, `${from} ${where}`, table.rowid);
    });
  }
  return { table, rows, scanned, columns, utf8Checked };
}

/** The driver reads bad UTF-8 as U+FFFD without a word, and U+FFFD may as well have been stored: the bytes tell. */
function checkBytes(db: Database, name: string, column: ColumnScan, from: string, rowid = 'NULL'): void {
  const texts = db.prepare(`SELECT ${rowid}, typeof(${name}), CAST(${name} AS BLOB) ${from}`).raw().safeIntegers(true);
  for (const [row, type, bytes] of texts.iterate() as IterableIterator<[bigint | null, string, Uint8Array]>) {
    if (type === 'text' && !isUtf8(bytes)) note(column.invalidUtf8, row ?? undefined, bytes);
  }
}

/**
 * Keeps about `sample` of `rows` rows: two rounds of multiplying by primes and dropping what is beyond 32 bits, because
 * SQLite has no hash. No product exceeds 63 bits.
 */
function sampleOf(rowid: string, rows: number, sample: number): string {
  if (rows <= sample) return '';
  const round = (value: string) => `((${value}) * 2654435761 & 4294967295)`;
  const first = round(`(${rowid} & 1073741823) + (${rowid} >> 30 & 1073741823)`);
  const threshold = Math.floor((sample / rows) * 2 ** 32);
  return `WHERE ${round(`(${first} >> 15) + (${first} & 32767) * 65537 & 2147483647`)} < ${threshold}`;
}
