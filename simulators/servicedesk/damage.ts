/** Puts the defects into a clean file and keeps the books: what is where, and what has to become of it. */
import type { Database, Statement } from 'better-sqlite3';
import type { Period } from './calendar.ts';
import { Choice, type Ground } from './choice.ts';
import type { Outcome } from './defect.ts';
import type { LogicalHash } from './logical-hash.ts';
import { type Expected, type ManifestCell, type ManifestDefect, Tally } from './manifest.ts';
import { CELL_DEFECTS, type Order } from './profiles.ts';
import type { Author } from './prose.ts';
import { ROW_DEFECTS } from './row-defects.ts';
import { Bytes, type Clean, type CleanRow, type Stored } from './rows.ts';
import { BIG_TABLES, type BigTable, quoted, type Table, type Variant } from './schema.ts';
import { Substream } from './substream.ts';

/** What the database and the books are after the damage. */
export interface Damage {
  readonly defects: Readonly<Record<string, ManifestDefect>>;
  readonly expected: Expected;
  readonly dirty: Readonly<Record<BigTable, LogicalHash>>;
  readonly afterClean: Readonly<Record<BigTable, LogicalHash>>;
}

/** The file to damage, with the means to do it. */
export interface Site extends Ground {
  readonly variant: Variant;
  readonly tables: Readonly<Record<BigTable, Table>>;
  readonly clean: Readonly<Record<BigTable, LogicalHash>>;
  readonly period: Period;
  readonly author: Author;
}

const KEYS: Readonly<Record<BigTable, readonly string[]>> = {
  tickets: ['TKT-Ticket ID'],
  comments: ['comment_id'],
  timesheets: ['TS-User Username', 'TS-Date', 'TS-Time From', 'TS-Crm ID'],
};

/** A row of the clean file with what has changed in it. */
interface Touched {
  readonly table: BigTable;
  readonly rowid: number;
  readonly raw: Map<string, Stored>;
  readonly expected: Map<string, Clean>;
  goes: boolean;
}

/** A row that is appended. */
interface Twin {
  readonly table: BigTable;
  readonly rowid: number;
  readonly row: CleanRow;
  readonly goes: boolean;
}

interface Entry {
  readonly id: string;
  readonly table: BigTable;
  readonly rowid: number;
  readonly column: string | null;
  readonly raw: Stored;
  readonly expected: Clean;
}

class Books {
  readonly touched = new Map<string, Touched>();
  readonly twins: Twin[] = [];
  readonly entries: Entry[] = [];
  readonly findings = new Tally();
  readonly changedCells = new Tally();
  readonly rejectedRows = new Tally();
  readonly rejectedValues = new Tally();
  removedRows = 0;

  row(table: BigTable, rowid: number): Touched {
    const place = `${table} ${rowid}`;
    let touched = this.touched.get(place);
    if (touched === undefined) {
      touched = { table, rowid, raw: new Map(), expected: new Map(), goes: false };
      this.touched.set(place, touched);
    }
    return touched;
  }

  outcome(outcome: Outcome): void {
    if (outcome === 'kept') return;
    if ('changed' in outcome) this.changedCells.count(outcome.changed);
    else this.rejectedValues.count(outcome.rejected);
  }

  /** A row leaves: exact duplicates are only taken out, all others go to the dead letter. */
  rowGoes(reason: string): void {
    if (reason === 'exact_duplicate') this.removedRows += 1;
    else this.rejectedRows.count(reason);
  }
}

/**
 * Damages the file within the transaction that is open on it.
 * @throws RangeError if a class that was asked for by name finds fewer places than it was to take.
 */
export function damage(site: Site, orders: readonly Order[]): Damage {
  const choice = new Choice(site);
  const books = new Books();
  for (const order of orders) takeWholeRows(site, choice, books, order);
  for (const order of orders) takeSingleCells(site, choice, books, order);
  const dirty = copies(site.clean);
  const afterClean = copies(site.clean);
  const keys = applied(site, books, dirty, afterClean);
  return {
    defects: Object.fromEntries(orders.map(({ id }) => [id, manifestDefect(id, books, keys)])),
    expected: {
      findings: books.findings.counts,
      changed_cells: books.changedCells.counts,
      rejected_rows: books.rejectedRows.counts,
      rejected_values: books.rejectedValues.counts,
      removed_rows: books.removedRows,
      rows_loaded: Object.fromEntries(BIG_TABLES.map((table) => [table, afterClean[table].rows])),
    },
    dirty,
    afterClean,
  };
}

function checked<T>(taken: readonly T[], { id, count, isAsked }: Order): readonly T[] {
  if (isAsked && taken.length < count) {
    throw new RangeError(`${id} was to take ${count}, but this file has room for ${taken.length}`);
  }
  return taken;
}

function takeWholeRows(site: Site, choice: Choice, books: Books, order: Order): void {
  const defect = ROW_DEFECTS.find(({ id }) => id === order.id);
  if (defect === undefined) return;
  const appends = defect.id === 'D20' || defect.id === 'D21';
  // A primary key refuses the second row.
  const tables =
    appends && site.variant === 'keys' ? defect.tables.filter((name) => name === 'timesheets') : defect.tables;
  const stream = new Substream(site.seed, 'defects', defect.id);
  const chosen = checked(choice.takeRows(defect, tables, order.count), order);
  for (const [nth, { table, rowid, row }] of chosen.entries()) {
    const { period, author } = site;
    const injury = defect.injure(row, { nth, stream: stream.at(nth), period, author, table });
    const { values = {}, twin, goes, reason, column = null } = injury;
    const touched = books.row(table, rowid);
    for (const [name, value] of Object.entries(values)) {
      touched.raw.set(name, value);
      touched.expected.set(name, value);
    }
    touched.goes = goes === 'row';
    let listed = rowid;
    if (twin !== undefined) {
      const before = books.twins.filter((other) => other.table === table).length;
      const appended = { table, rowid: site.rows[table] + before + 1, row: twin, goes: goes === 'twin' };
      books.twins.push(appended);
      if (appended.goes) listed = appended.rowid;
    }
    if (reason !== undefined) books.rowGoes(reason);
    books.findings.count(defect.name);
    const raw = column === null ? null : (values[column] ?? null);
    books.entries.push({ id: defect.id, table, rowid: listed, column, raw, expected: goes === undefined ? raw : null });
  }
}

function takeSingleCells(site: Site, choice: Choice, books: Books, order: Order): void {
  const defect = CELL_DEFECTS.find(({ id }) => id === order.id);
  if (defect === undefined) return;
  const stream = new Substream(site.seed, 'defects', defect.id);
  const chosen = checked(choice.takeCells(defect, order.count), order);
  for (const [nth, { place, rowid, clean, beside }] of chosen.entries()) {
    const { period, author } = site;
    const circumstance = { nth, stream: stream.at(nth), period, author, place, beside };
    const { raw, expected, outcome } = defect.injure(clean, circumstance);
    const touched = books.row(place.table, rowid);
    touched.raw.set(place.column, raw);
    touched.expected.set(place.column, expected);
    books.outcome(outcome);
    books.findings.count(defect.name);
    books.entries.push({ id: defect.id, table: place.table, rowid, column: place.column, raw, expected });
  }
}

function copies(hashes: Readonly<Record<BigTable, LogicalHash>>): Readonly<Record<BigTable, LogicalHash>> {
  return { tickets: hashes.tickets.copy(), comments: hashes.comments.copy(), timesheets: hashes.timesheets.copy() };
}

type Key = Readonly<Record<string, Clean>>;

/** Writes what the books say, moves the hashes along, and returns the keys of the rows as they now are. */
function applied(
  site: Site,
  books: Books,
  dirty: Readonly<Record<BigTable, LogicalHash>>,
  afterClean: Readonly<Record<BigTable, LogicalHash>>,
): ReadonlyMap<string, Key> {
  const keys = new Map<string, Key>();
  const keyOf = (table: BigTable, at: (column: string) => Stored): Key =>
    Object.fromEntries(
      KEYS[table].map((column) => {
        const value = at(column);
        return [column, value instanceof Bytes ? null : value];
      }),
    );
  const writers = new Writers(site.db);
  for (const { table, rowid, raw, expected, goes } of books.touched.values()) {
    const { columns } = site.tables[table];
    const clean = writers.read(table).get(rowid) ?? [];
    const values = (changes: ReadonlyMap<string, Stored>) =>
      columns.map(({ name }, index) => (changes.has(name) ? (changes.get(name) ?? null) : (clean[index] ?? null)));
    const now = values(raw);
    dirty[table].remove(clean);
    dirty[table].add(now);
    afterClean[table].remove(clean);
    if (!goes) afterClean[table].add(values(expected));
    for (const [column, value] of raw) writers.write(table, column, rowid, value);
    const at = (column: string) => now[columns.findIndex(({ name }) => name === column)] ?? null;
    keys.set(`${table} ${rowid}`, keyOf(table, at));
  }
  for (const { table, rowid, row, goes } of books.twins) {
    const { columns } = site.tables[table];
    const values = columns.map(({ name }) => row[name] ?? null);
    dirty[table].add(values);
    if (!goes) afterClean[table].add(values);
    const names = columns.map(({ name }) => quoted(name)).join(', ');
    const marks = columns.map(() => '?').join(', ');
    site.db.prepare(`INSERT INTO ${quoted(table)} (rowid, ${names}) VALUES (?, ${marks})`).run(rowid, ...values);
    keys.set(
      `${table} ${rowid}`,
      keyOf(table, (column) => row[column] ?? null),
    );
  }
  return keys;
}

/** Prepared statements by table and column. */
class Writers {
  readonly #db: Database;
  readonly #reads = new Map<string, Statement<[number], readonly Clean[]>>();
  readonly #writes = new Map<string, Statement<[Clean | Buffer, number]>>();

  constructor(db: Database) {
    this.#db = db;
  }

  read(table: BigTable): Statement<[number], readonly Clean[]> {
    let statement = this.#reads.get(table);
    if (statement === undefined) {
      statement = this.#db.prepare<[number], readonly Clean[]>(`SELECT * FROM ${quoted(table)} WHERE rowid = ?`).raw();
      this.#reads.set(table, statement);
    }
    return statement;
  }

  write(table: BigTable, column: string, rowid: number, value: Stored): void {
    // SQLite takes any bytes for text, but only from a blob that it is told to take for text.
    const mark = value instanceof Bytes && value.storage === 'text' ? 'CAST(? AS TEXT)' : '?';
    const sql = `UPDATE ${quoted(table)} SET ${quoted(column)} = ${mark} WHERE rowid = ?`;
    let statement = this.#writes.get(sql);
    if (statement === undefined) {
      statement = this.#db.prepare<[Clean | Buffer, number]>(sql);
      this.#writes.set(sql, statement);
    }
    statement.run(value instanceof Bytes ? value.bytes : value, rowid);
  }
}

function base64Of(raw: Stored): string | null {
  if (raw === null) return null;
  if (raw instanceof Bytes) return raw.bytes.toString('base64');
  if (typeof raw === 'number' && Number.isInteger(raw)) return Buffer.from(BigInt(raw).toString()).toString('base64');
  return Buffer.from(String(raw)).toString('base64');
}

function manifestDefect(id: string, books: Books, keys: ReadonlyMap<string, Key>): ManifestDefect {
  const name = [...ROW_DEFECTS, ...CELL_DEFECTS].find((defect) => defect.id === id)?.name ?? id;
  const cells: readonly ManifestCell[] = books.entries
    .filter((entry) => entry.id === id)
    .sort((a, b) => (a.table === b.table ? a.rowid - b.rowid : a.table < b.table ? -1 : 1))
    .map(({ table, rowid, column, raw, expected }) => ({
      table,
      rowid,
      key: keys.get(`${table} ${rowid}`) ?? {},
      column,
      raw_b64: base64Of(raw),
      expected,
    }));
  return { name, count: cells.length, cells };
}
