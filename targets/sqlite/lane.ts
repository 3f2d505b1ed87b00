/** One stream on its way into its table: statements that are prepared once, and how records become their values. */
import type { Database, Statement } from 'better-sqlite3';
import { spelledRow } from '../../singer/batches.ts';
import type { Json, RawNumber, Row } from '../../singer/lossless.ts';
import { TABLE_VERSION } from '../../singer/metadata.ts';
import { type RecordPattern, type Spelling, type Spellings, spelledValue } from '../../singer/record-pattern.ts';
import type { Batch, Misfit, SinkStream, SpelledRows } from '../../singer/sink.ts';
import { cannotHold } from '../refusals.ts';
import { type Bound, bindable, TOO_NARROW, UNFIT } from './rows.ts';
import { deleteRow, insertRows, mergeRow, quote, rowsPerStatement } from './sql.ts';
import type { Column, Table } from './tables.ts';

/** A statement that writes a fixed number of rows, and the flat list of values that is filled again for each use. */
interface RowsStatement {
  readonly rows: number;
  readonly statement: Statement<[Bound[]]>;
  readonly values: Bound[];
  /** Per column: its place among the values of a row, or, where all rows share the value, `~place` in the list. */
  readonly slots: readonly number[];
  /** Where the values of the first row begin, and how many each row has. */
  readonly start: number;
  readonly width: number;
}

/**
 * What stands in the way of a record: a column that is too narrow for it, a value that none could hold, or one that is not
 * the same in all rows of a statement.
 */
type Obstacle =
  | { readonly index: number; readonly narrow: Column }
  | { readonly misfit: Misfit }
  | { readonly varies: Column };

/** Rows to write, parsed or not. */
type Source = Pick<Batch, 'rows' | 'spelled'>;

/** Where a column's value comes from: a place in the line, or the same for all rows. */
type Origin =
  /** `plain`: it is bound as it is. */
  | { readonly place: number; readonly spelling: Spelling; readonly plain: boolean }
  | { readonly fixed: number | RawNumber | null };

/** Makes room in a column that is too narrow; undefined when it has, else why it must not. */
export type Widen = (column: Column) => string | undefined;

/** How many rows were not as before, and the first that did not fit. */
export interface Outcome {
  readonly changes: number;
  readonly misfit: Misfit | undefined;
}

interface Statements {
  readonly one: RowsStatement;
  readonly many: RowsStatement;
}

export class Lane {
  readonly stream: SinkStream;
  readonly table: Table;
  /** Texts with half of a character. */
  replaced = 0;
  readonly #db: Database;
  readonly #widen: Widen;
  /** Measures how far the table has grown. */
  readonly #extent: Statement<[], number | bigint | null>;
  /** Per column: a property that every object inherits (`constructor`) must be asked for as an own one. */
  readonly #inherited: readonly boolean[];
  /**
   * Columns whose value was the same in all rows of every statement so far (`snapshot_id`, `extracted_at`, a version):
   * those are bound once per statement. Binding is half of the time of an insert; with four of eleven columns shared the
   * inserts of 165,850 rows took 0.55 instead of 0.70 s of processor time. Undefined before the first statement.
   */
  #shared: Set<Column> | undefined;
  /** What `#origins` were found for. */
  #pattern: RecordPattern | undefined;
  #version: number | RawNumber | undefined;
  #origins: readonly Origin[] = [];
  /** Among the rows that are being filled in: when something stands in the way they are filled in again. */
  #replacing = 0;
  #insert: Statements;
  #merge: RowsStatement | undefined;
  #delete: Statement<[Bound[]]> | undefined;

  constructor(db: Database, stream: SinkStream, table: Table, widen: Widen) {
    this.#db = db;
    this.stream = stream;
    this.table = table;
    this.#widen = widen;
    this.#insert = this.#prepare();
    this.#extent = db
      .prepare<[], number | bigint | null>(
        `SELECT ${table.rowid === undefined ? 'count(*)' : `max(${table.rowid})`} FROM ${quote(table.name)}`,
      )
      .pluck();
    this.#inherited = table.columns.map(({ property }) => property in Object.prototype);
  }

  /**
   * A number that grows by one for each inserted row: SQLite numbers a new row max(rowid) + 1 and an upsert keeps the
   * number, as long as nothing is deleted in between.
   */
  extent(): number {
    return Number(this.#extent.get() ?? 0);
  }

  /** Inserts or replaces rows from `from` on. */
  write(source: Source, from: number): Outcome {
    let changes = 0;
    let end = source.spelled?.values.length ?? source.rows.length;
    let misfit: Misfit | undefined;
    for (let at = from; at < end; ) {
      if (this.#shared === undefined && end - at >= this.#insert.many.rows) this.#share(source, at);
      const { many, one } = this.#insert;
      const use = end - at >= many.rows ? many : one;
      const obstacle = this.#fill(use, source, at);
      if (obstacle === undefined) {
        changes += use.statement.run(use.values).changes;
        at += use.rows;
      } else {
        misfit = this.#overcome(obstacle);
        // The rows before it still go in.
        if (misfit !== undefined) end = misfit.index;
      }
    }
    return { changes, misfit };
  }

  /** Stamps rows as gone. What their records do not say stays as it is; a row that was never here is stored. */
  mark(rows: readonly Row[], from: number): Outcome {
    if (this.table.key.length === 0) return this.write({ rows }, from);
    return this.#each(rows, from, () => {
      this.#merge ??= this.#statement(mergeRow(this.table.name, this.#names(), this.table.key), 1);
      return this.#merge;
    });
  }

  /** Deletes the rows of these keys. */
  delete(rows: readonly Row[], from: number): Outcome {
    const places = this.table.key.map((name) => this.table.columns.findIndex((column) => column.name === name));
    this.#delete ??= this.#db.prepare<[Bound[]]>(deleteRow(this.table.name, this.table.key));
    const statement = this.#delete;
    return this.#each(
      rows,
      from,
      () => this.#insert.one,
      (values) => statement.run(places.map((place) => values[place] ?? null)).changes,
    );
  }

  /** One row at a time, with whatever statement there is after a column had to be changed. */
  #each(
    rows: readonly Row[],
    from: number,
    use: () => RowsStatement,
    run: (values: Bound[]) => number = (values) => use().statement.run(values).changes,
  ): Outcome {
    let changes = 0;
    for (let at = from; at < rows.length; ) {
      const { values } = use();
      const obstacle = this.#fill(use(), { rows }, at);
      if (obstacle === undefined) {
        changes += run(values);
        at += 1;
      } else {
        const misfit = this.#overcome(obstacle);
        if (misfit !== undefined) return { changes, misfit };
      }
    }
    return { changes, misfit: undefined };
  }

  /** Changes the column that is too narrow; the values are then filled again, since their bound forms differ. */
  #overcome(obstacle: Obstacle): Misfit | undefined {
    if ('misfit' in obstacle) return obstacle.misfit;
    if ('varies' in obstacle) {
      this.#shared?.delete(obstacle.varies);
      this.#insert = this.#prepare();
      return undefined;
    }
    const { index, narrow } = obstacle;
    const refusal = this.#widen(narrow);
    if (refusal !== undefined) return { index, property: narrow.property, problem: refusal };
    this.#insert = this.#prepare();
    this.#merge = undefined;
    this.#pattern = undefined;
    return undefined;
  }

  #names(): string[] {
    return this.table.columns.map(({ name }) => name);
  }

  #prepare(): Statements {
    const { name, key } = this.table;
    const names = this.#names();
    const rows = rowsPerStatement(names.length);
    const one = this.#statement(insertRows(name, names, key, 1), 1);
    if (rows === 1) return { one, many: one };
    const shared = this.#shared ?? new Set();
    const shares = new Set([...shared].map((column) => column.name));
    return { one, many: this.#statement(insertRows(name, names, key, rows, shares), rows, shared) };
  }

  #statement(sql: string, rows: number, shared: ReadonlySet<Column> = new Set()): RowsStatement {
    let [common, own] = [0, 0];
    const slots = this.table.columns.map((column) => (shared.has(column) ? ~common++ : own++));
    return {
      rows,
      statement: this.#db.prepare<[Bound[]]>(sql),
      values: new Array<Bound>(common + rows * own).fill(null),
      slots,
      start: common,
      width: own,
    };
  }

  /** Looks which columns might be shared, in the rows of the first statement. */
  #share(source: Source, at: number): void {
    const end = at + this.#insert.many.rows;
    const { spelled } = source;
    const rows =
      spelled === undefined
        ? source.rows.slice(at, end)
        : spelled.values.slice(at, end).map((_values, index) => spelledRow(spelled, at + index));
    const [first = {}, ...others] = rows;
    const alike = this.table.columns.filter(
      ({ property }, position) =>
        !this.#inherited[position] && others.every((row) => row[property] === first[property]),
    );
    // A row needs a value of its own.
    this.#shared = new Set(alike.slice(alike.length === this.table.columns.length ? 1 : 0));
    if (this.#shared.size > 0) this.#insert = this.#prepare();
  }

  /** Fills the statement's values from `rows[at…]`. */
  #fill(use: RowsStatement, source: Source, at: number): Obstacle | undefined {
    this.#replacing = 0;
    const { spelled } = source;
    const origins = spelled === undefined ? [] : this.#originsOf(spelled);
    for (let index = at, place = use.start; index < at + use.rows; index += 1, place += use.width) {
      const first = index === at;
      if (spelled !== undefined) {
        if (this.#fillSpelled(use, place, spelled.values[index] ?? [], origins, first)) continue;
      } else if (this.#fillInOrder(use, place, source.rows[index] as Row, first)) continue;
      const row = spelled === undefined ? (source.rows[index] as Row) : spelledRow(spelled, index);
      const obstacle = this.#fillRow(use, place, row, first, index);
      if (obstacle !== undefined) return obstacle;
    }
    this.replaced += this.#replacing;
    return undefined;
  }

  /** Where each column's value comes from, for rows of one pattern and version. */
  #originsOf({ pattern, version }: SpelledRows): readonly Origin[] {
    if (this.#pattern === pattern && this.#version === version) return this.#origins;
    [this.#pattern, this.#version] = [pattern, version];
    this.#origins = this.table.columns.map((column): Origin => {
      const place = pattern.properties.findIndex(({ property }) => property === column.property);
      if (place === -1) return { fixed: version !== undefined && column.property === TABLE_VERSION ? version : null };
      const spelling = pattern.properties[place]?.spelling ?? 'text';
      const plain = spelling === 'text' ? column.textual : spelling === 'number' && column.affinity === 'INTEGER';
      return { place, spelling, plain: plain && (spelling === 'text' || column.kind === 'integer') };
    });
    return this.#origins;
  }

  /** A row that was not parsed. False for one that needs a second look as a record. */
  #fillSpelled(
    use: RowsStatement,
    place: number,
    spellings: Spellings,
    origins: readonly Origin[],
    first: boolean,
  ): boolean {
    for (let position = 0; position < origins.length; position += 1) {
      const origin = origins[position] as Origin;
      let bound: Bound;
      const text = 'place' in origin ? spellings[origin.place] : undefined;
      if (!('place' in origin)) {
        if (origin.fixed === null) {
          bound = null;
        } else {
          const form = bindable(origin.fixed, this.table.columns[position] as Column);
          if (typeof form === 'symbol') return false;
          bound = form;
        }
      } else if (text === undefined) {
        bound = null;
      } else if (origin.plain) {
        bound =
          origin.spelling === 'number'
            ? Number(text)
            : text.includes('\\')
              ? (spelledValue('text', text) as string)
              : text;
      } else {
        const value = spelledValue(origin.spelling, text);
        const form = value === null ? null : bindable(value, this.table.columns[position] as Column);
        if (typeof form === 'symbol') return false;
        bound = form;
      }
      if (!put(use, place, position, bound, first)) return false;
    }
    return true;
  }

  /**
   * A row as most are: its properties stand in the order of the columns and fit them. Reading them in their own order is
   * what the engine does fastest. False for any other row.
   */
  #fillInOrder(use: RowsStatement, place: number, row: Row, first: boolean): boolean {
    const { columns } = this.table;
    let position = 0;
    for (const property in row) {
      const column = columns[position];
      if (column === undefined || column.property !== property) return false;
      const value = row[property];
      let bound: Bound;
      if (value === undefined || value === null) {
        bound = null;
      } else if (typeof value === 'number' && column.affinity === 'INTEGER' && Number.isSafeInteger(value)) {
        bound = value;
      } else {
        const form = typeof value === 'string' && column.textual ? value : bindable(value, column);
        if (form === TOO_NARROW || form === UNFIT || (typeof form === 'string' && !form.isWellFormed())) return false;
        bound = form;
      }
      if (!put(use, place, position, bound, first)) return false;
      position += 1;
    }
    return position === columns.length;
  }

  /** Any row: whatever its values are, in whatever order. */
  #fillRow(use: RowsStatement, place: number, row: Row, first: boolean, index: number): Obstacle | undefined {
    const { columns } = this.table;
    for (let position = 0; position < columns.length; position += 1) {
      const column = columns[position] as Column;
      const value: Json | undefined =
        this.#inherited[position] && !Object.hasOwn(row, column.property) ? null : row[column.property];
      let bound: Bound = null;
      if (value !== undefined && value !== null) {
        const form = bindable(value, column);
        if (form === TOO_NARROW) return { index, narrow: column };
        if (form === UNFIT) return { misfit: misfit(index, column, value) };
        bound = form;
        if (typeof form === 'string' && !form.isWellFormed()) {
          this.#replacing += 1;
          bound = form.toWellFormed();
        }
      }
      if (!put(use, place, position, bound, first)) return { varies: column };
    }
    return undefined;
  }
}

/** Puts a value where its statement wants it; false when it is not the one that all rows share. */
function put({ values, slots }: RowsStatement, place: number, position: number, bound: Bound, first: boolean): boolean {
  const slot = slots[position] as number;
  if (slot >= 0) values[place + slot] = bound;
  else if (first) values[~slot] = bound;
  else return values[~slot] === bound;
  return true;
}

function misfit(index: number, { property, kind }: Column, value: Exclude<Json, null>): Misfit {
  return { index, property, problem: cannotHold(property, value, kind) };
}
