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
}

/** What stands in the way of a record: a column that is too narrow for it, or a value that none could hold. */
type Obstacle = { readonly index: number; readonly narrow: Column } | { readonly misfit: Misfit };

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
    return { one, many: rows === 1 ? one : this.#statement(insertRows(name, names, key, rows), rows) };
  }

  #statement(sql: string, rows: number): RowsStatement {
    return {
      rows,
      statement: this.#db.prepare<[Bound[]]>(sql),
      values: new Array<Bound>(rows * this.table.columns.length).fill(null),
    };
  }

  /** Fills the statement's values from `rows[at…]`. */
  #fill(use: RowsStatement, rows: readonly Row[], at: number): Obstacle | undefined {
    const { values } = use;
    const width = this.table.columns.length;
    for (let index = at, place = 0; index < at + use.rows; index += 1, place += width) {
      const row = rows[index] as Row;
      const obstacle = this.#fillInOrder(values, place, row) ? undefined : this.#fillRow(values, place, row, index);
      if (obstacle !== undefined) return obstacle;
    }
    return undefined;
  }

  /**
   * A row as most are: its properties stand in the order of the columns and fit them. Reading them in their own order is
   * what the engine does fastest. False for any other row.
   */
  #fillInOrder(values: Bound[], place: number, row: Row): boolean {
    const { columns } = this.table;
    let position = 0;
    for (const property in row) {
      const column = columns[position];
      if (column === undefined || column.property !== property) return false;
      const value = row[property];
      if (value === undefined || value === null) {
        values[place + position] = null;
      } else if (typeof value === 'number' && column.affinity === 'INTEGER' && Number.isSafeInteger(value)) {
        values[place + position] = value;
      } else {
        const bound = typeof value === 'string' && column.textual ? value : bindable(value, column);
        if (bound === TOO_NARROW || bound === UNFIT || (typeof bound === 'string' && !bound.isWellFormed()))
          return false;
        values[place + position] = bound;
      }
      position += 1;
    }
    return position === columns.length;
  }

  /** Any row: whatever its values are, in whatever order. */
  #fillRow(values: Bound[], place: number, row: Row, index: number): Obstacle | undefined {
    const { columns } = this.table;
    let replaced = 0;
    for (let position = 0; position < columns.length; position += 1) {
      const column = columns[position] as Column;
      const value: Json | undefined =
        this.#inherited[position] && !Object.hasOwn(row, column.property) ? null : row[column.property];
      if (value === undefined || value === null) {
        values[place + position] = null;
        continue;
      }
      const bound = bindable(value, column);
      if (bound === TOO_NARROW) return { index, narrow: column };
      if (bound === UNFIT) return { misfit: misfit(index, column, value) };
      if (typeof bound === 'string' && !bound.isWellFormed()) {
        replaced += 1;
        values[place + position] = bound.toWellFormed();
      } else {
        values[place + position] = bound;
      }
    }
    // A row that has to be filled again counts once.
    this.replaced += replaced;
    return undefined;
  }
}

function misfit(index: number, { property, kind }: Column, value: Exclude<Json, null>): Misfit {
  return { index, property, problem: `${kindOf(value)} in "${property}", which its column (${kind}) cannot hold` };
}
