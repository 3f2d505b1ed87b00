/** The plain way from stored rows to records: each value by the rules of its column. The quick way is held against it. */
import type { Statement } from 'better-sqlite3';
import { type Beside, convert, type Scalar } from '../../profiles/conversion.ts';
import type { SqliteValue } from '../../profiles/grammar.ts';
import { convertRow } from '../../profiles/rows.ts';
import { quoted } from '../../profiles/tables.ts';
import { ConnectorError } from '../../singer/errors.ts';
import type { Json, Row } from '../../singer/lossless.ts';
import { isUndecided, slashVote } from './columns.ts';
import { from } from './cursor.ts';
import type { Plan, PlanColumn } from './plan.ts';
import type { Chunk, Tally } from './reading.ts';
import type { DeadLetter, Reject } from './rejects.ts';
import { REJECTS } from './rejects-stream.ts';
import type { Source } from './source.ts';
import { ROW_KEY, ROWID } from './tables.ts';
import { plainJson } from './values.ts';

/** Rows of a chunk, and the characters of their texts after which it ends early. */
const CHUNK_ROWS = 200;
const CHUNK_CHARACTERS = 262_144;

/** Tells a row that the target has already from one to send, by the converted value of the replication key. */
export type IsNew = (value: Scalar) => boolean;

export interface RowSettings {
  readonly rejectPolicy: 'value' | 'row' | 'fail';
  readonly slashOrder: 'DMY' | 'MDY';
}

/** Reads rows of one table. Holds a statement open between chunks where rows have no number to go on from. */
export class PlainRows {
  readonly #plan: Plan;
  readonly #source: Source;
  readonly #letter: DeadLetter;
  readonly #tally: Tally;
  readonly #settings: RowSettings;
  readonly #isNew: IsNew;
  /** What a row is selected as: its place, its values, then its key if that is made. */
  readonly #select: string;
  /** The columns of the plan; those of times learn the order of their slash dates when the first one comes. */
  readonly #columns: PlanColumn[];
  readonly #ordered = new Set<number>();
  readonly #statements = new Map<string, Statement>();
  #open: IterableIterator<SqliteValue[]> | undefined;
  /** Place of the row at work among all rows of the reading, from 1. */
  #ordinal = 0;

  constructor(
    plan: Plan,
    source: Source,
    letter: DeadLetter,
    tally: Tally,
    settings: RowSettings,
    isNew: IsNew = () => true,
  ) {
    this.#plan = plan;
    this.#source = source;
    this.#letter = letter;
    this.#tally = tally;
    this.#settings = settings;
    this.#isNew = isNew;
    this.#columns = [...plan.columns];
    const names = plan.columns.map(({ name }) => quoted(name));
    // Without a row number the bytes of a text cannot be asked for later, so they come along.
    const bytes = this.#bytesComeAlong ? names.map((name) => `CAST(${name} AS BLOB)`) : [];
    const selected = [...plan.order, ...names, ...bytes, ...(plan.rowKey === undefined ? [] : [plan.rowKey])];
    this.#select = `SELECT ${selected.join(', ')} FROM ${quoted(plan.origin.table.name)}`;
  }

  get #bytesComeAlong(): boolean {
    return this.#plan.origin.table.rowid === undefined && this.#source.isUtf8;
  }

  /** Rows behind a place, or from the first one on. An empty chunk: there are no more. */
  next(place: readonly SqliteValue[] | undefined): Chunk {
    const { order, origin } = this.#plan;
    const rest = () => this.#iterate(from(order, place !== undefined), place ?? []);
    if (origin.table.rowid !== undefined) return this.#chunk(rest(), true);
    // A key need not be found again: its text may be no UTF-8, and its collation may call two of them equal.
    this.#open ??= rest();
    return this.#chunk(this.#open, false);
  }

  /** Lets go of the statement that may be open; the file cannot be closed before. */
  close(): void {
    this.#open?.return?.();
  }

  /** The rows of a range of row numbers, all of them. */
  between(first: bigint, last: bigint): Chunk {
    const [rowid = ''] = this.#plan.order;
    const rows = this.#iterate(`WHERE ${rowid} BETWEEN ? AND ? ORDER BY ${rowid}`, [first, last]);
    return this.#chunk(rows, false, Number.POSITIVE_INFINITY);
  }

  /** Rows by their numbers. */
  numbered(rowids: readonly bigint[]): Chunk {
    const [rowid = ''] = this.#plan.order;
    const tail = `WHERE ${rowid} IN (SELECT value FROM json_each(?)) ORDER BY ${rowid}`;
    const rows = this.#iterate(tail, [`[${rowids.join(', ')}]`]);
    return this.#chunk(rows, false, Number.POSITIVE_INFINITY);
  }

  #iterate(tail: string, values: readonly SqliteValue[]): IterableIterator<SqliteValue[]> {
    const statement = this.#statement(`${this.#select} ${tail}`).raw().safeIntegers(true);
    return statement.iterate(...values) as IterableIterator<SqliteValue[]>;
  }

  /** Kept, because one that is let go of takes memory until it is found dead, which nothing hurries: 30 MB in one run. */
  #statement(sql: string): Statement {
    const known = this.#statements.get(sql);
    if (known !== undefined) return known;
    const statement = this.#source.db.prepare(sql);
    this.#statements.set(sql, statement);
    return statement;
  }

  #chunk(rows: IterableIterator<SqliteValue[]>, close: boolean, limit = CHUNK_ROWS): Chunk {
    const { stream, order, version } = this.#plan;
    const records: Row[] = [];
    let last: SqliteValue[] | undefined;
    let read = 0;
    let rejected = 0;
    let characters = 0;
    const known = this.#tally.known;
    try {
      for (let next = rows.next(); next.done !== true; next = rows.next()) {
        const row = next.value;
        read += 1;
        this.#ordinal = this.#tally.read + read;
        last = row.slice(0, order.length);
        const record = this.#record(row);
        if (record === undefined) rejected += 1;
        else if (record !== KNOWN) records.push(record);
        for (const value of row) if (typeof value === 'string') characters += value.length;
        if (limit !== Number.POSITIVE_INFINITY && (read >= limit || characters >= CHUNK_CHARACTERS)) break;
      }
    } catch (cause) {
      // Else the file could not be closed, and only that would be told.
      rows.return?.();
      throw cause;
    }
    if (close) rows.return?.();
    const rejects = this.#letter.take();
    return {
      groups: [
        ...(records.length === 0 ? [] : [{ stream, records, version }]),
        ...(rejects.length === 0 ? [] : [{ stream: REJECTS, records: rejects }]),
      ],
      last: order.length === 0 ? undefined : last,
      read,
      emitted: read - rejected - (this.#tally.known - known),
      rejected,
    };
  }

  /** The record of a row; undefined when it was set aside, `KNOWN` when the target has it. */
  #record(row: readonly SqliteValue[]): Row | typeof KNOWN | undefined {
    const { order, bookmark, rowKey, emitsRowid } = this.#plan;
    const columns = this.#columns;
    const values = row.slice(order.length, order.length + columns.length);
    values.forEach((value, index) => {
      if (typeof value === 'string' && value.includes('/')) this.#decideOrder(index);
    });
    const beside = (index: number): Beside => ({
      ...(typeof values[index] === 'string' && this.#source.isUtf8 && { bytes: () => this.#bytes(row, index) }),
      ...this.#hints(values, index),
    });
    if (bookmark !== undefined && this.#isKnown(bookmark, values[bookmark] ?? null, beside(bookmark))) {
      this.#tally.known += 1;
      return KNOWN;
    }
    const converted = convertRow(values, columns, beside);
    if ('rejected' in converted) {
      this.#setAside('row', converted.rejected.column, converted.rejected.reason, row, values);
      return undefined;
    }
    const [first] = converted.setAside;
    if (first !== undefined && this.#settings.rejectPolicy === 'row') {
      this.#setAside('row', first.column, first.reason, row, values);
      return undefined;
    }
    for (const { column, reason } of converted.setAside) this.#setAside('value', column, reason, row, values);
    this.#tally.rejectedValues += converted.setAside.length;
    for (const { notes } of converted.changes) this.#tally.note(notes);
    const record: { [property: string]: Json } = {};
    for (let index = 0; index < columns.length; index += 1) {
      const name = columns[index]?.name ?? '';
      // Assigning to this name would set the object's prototype.
      if (name === '__proto__')
        Object.defineProperty(record, name, { value: converted.values[index], enumerable: true });
      else record[name] = converted.values[index] as Json;
    }
    if (emitsRowid) record[ROWID] = plainJson(row[0] ?? null);
    if (rowKey !== undefined) record[ROW_KEY] = row.at(-1) as Json;
    return record;
  }

  /** Looked at first: of most rows of an incremental stream nothing else has to be. */
  #isKnown(index: number, value: SqliteValue, beside: Beside): boolean {
    const column = this.#columns[index];
    if (column === undefined) return false;
    const converted = convert(value, column.rules, beside);
    return 'value' in converted && !this.#isNew(converted.value);
  }

  /** The column's slash dates are looked at when the first one comes: most files have none. */
  #decideOrder(index: number): void {
    const column = this.#columns[index];
    if (column === undefined || !isUndecided(column.rules) || this.#ordered.has(index)) return;
    this.#ordered.add(index);
    const slash = slashVote(this.#source, this.#plan.origin.table.name, column.name, this.#settings.slashOrder);
    this.#columns[index] = { ...column, rules: { ...column.rules, slash } };
  }

  #hints(values: readonly SqliteValue[], index: number): Beside {
    const column = this.#columns[index];
    const month = column?.month === undefined ? undefined : values[column.month];
    return column?.rules.slash.order === 'conflict' && typeof month === 'string' ? { hints: { month } } : {};
  }

  #bytes(row: readonly SqliteValue[], index: number): Uint8Array {
    const { columns, order, origin } = this.#plan;
    if (this.#bytesComeAlong) return row[order.length + columns.length + index] as Uint8Array;
    const name = quoted(columns[index]?.name ?? '');
    const statement = `SELECT CAST(${name} AS BLOB) FROM ${quoted(origin.table.name)} WHERE ${order[0]} = ?`;
    return this.#statement(statement).pluck().get(row[0]) as Uint8Array;
  }

  #setAside(
    scope: Reject['scope'],
    column: string,
    reason: Reject['reason'],
    row: readonly SqliteValue[],
    values: readonly SqliteValue[],
  ): void {
    const { stream, origin, columns } = this.#plan;
    const index = columns.findIndex(({ name }) => name === column);
    const value = values[index] ?? null;
    const rule = columns[index]?.rules.type ?? '';
    const rowid = origin.table.rowid === undefined ? undefined : (row[0] as bigint);
    if (this.#settings.rejectPolicy === 'fail') {
      const where = rowid === undefined ? '' : `, row ${rowid}`;
      throw new ConnectorError(
        'schema',
        `${stream}."${column}"${where}: ${reason}, the column holds ${rule}`,
        { stream, key: column },
        { hint: 'correct it in the source, or set reject_policy to "value" or "row"' },
      );
    }
    this.#letter.add({
      stream,
      table: origin.table.name,
      rowid,
      key: Object.fromEntries(columns.flatMap(({ name, key }, at) => (key ? [[name, values[at] ?? null]] : []))),
      ordinal: this.#ordinal,
      scope,
      column,
      reason,
      rule,
      value,
      bytes: typeof value === 'string' && this.#source.isUtf8 ? this.#bytes(row, index) : undefined,
      record:
        scope === 'row' ? Object.fromEntries(columns.map(({ name }, at) => [name, values[at] ?? null])) : undefined,
    });
  }
}

const KNOWN = Symbol('known');
