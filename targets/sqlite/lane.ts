/** One stream on its way into its table: statements that are prepared once, and how records become their values. */
import type { Database, Statement } from 'better-sqlite3';
import type { Json, Row } from '../../singer/lossless.ts';
import type { Misfit, SinkStream } from '../../singer/sink.ts';
import { type Bound, bindable, kindOf, TOO_NARROW, UNFIT } from './rows.ts';
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
  write(rows: readonly Row[], from: number): Outcome {
    let changes = 0;
    let end = rows.length;
    let misfit: Misfit | undefined;
    for (let at = from; at < end; ) {
      if (this.#shared === undefined && end - at >= this.#insert.many.rows) this.#share(rows, at);
      const { many, one } = this.#insert;
      const use = end - at >= many.rows ? many : one;
      const obstacle = this.#fill(use, rows, at);
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
    if (this.table.key.length === 0) return this.write(rows, from);
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
      const obstacle = this.#fill(use(), rows, at);
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
  #share(rows: readonly Row[], at: number): void {
    const [first = {}, ...others] = rows.slice(at, at + this.#insert.many.rows);
    const alike = this.table.columns.filter(
      ({ property }, position) =>
        !this.#inherited[position] && others.every((row) => row[property] === first[property]),
    );
    // A row needs a value of its own.
    this.#shared = new Set(alike.slice(alike.length === this.table.columns.length ? 1 : 0));
    if (this.#shared.size > 0) this.#insert = this.#prepare();
  }

  /** Fills the statement's values from `rows[at…]`. */
  #fill(use: RowsStatement, rows: readonly Row[], at: number): Obstacle | undefined {
    this.#replacing = 0;
    for (let index = at, place = use.start; index < at + use.rows; index += 1, place += use.width) {
      const row = rows[index] as Row;
      const first = index === at;
      const obstacle = this.#fillInOrder(use, place, row, first)
        ? undefined
        : this.#fillRow(use, place, row, first, index);
      if (obstacle !== undefined) return obstacle;
    }
    this.replaced += this.#replacing;
    return undefined;
  }

  /**
   * A row as most are: its properties stand in the order of the columns and fit them. Reading them in their own order is
   * what the engine does fastest. False for any other row.
   */
  #fillInOrder({ values, slots }: RowsStatement, place: number, row: Row, first: boolean): boolean {
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
      const slot = slots[position] as number;
      if (slot >= 0) values[place + slot] = bound;
      else if (first) values[~slot] = bound;
      else if (values[~slot] !== bound) return false;
      position += 1;
    }
    return position === columns.length;
  }

  /** Any row: whatever its values are, in whatever order. */
  #fillRow(
    { values, slots }: RowsStatement,
    place: number,
    row: Row,
    first: boolean,
    index: number,
  ): Obstacle | undefined {
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
      const slot = slots[position] as number;
      if (slot >= 0) values[place + slot] = bound;
      else if (first) values[~slot] = bound;
      else if (values[~slot] !== bound) return { varies: column };
    }
    return undefined;
  }
}

function misfit(index: number, { property, kind }: Column, value: Exclude<Json, null>): Misfit {
  return { index, property, problem: `${kindOf(value)} in "${property}", which its column (${kind}) cannot hold` };
}
