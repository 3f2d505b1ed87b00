/** Writes batches into an SQLite file: all streams of a flush in one transaction. */
import type { Database, Statement } from 'better-sqlite3';
import { textOf } from '../../singer/errors.ts';
import type { Json, Row } from '../../singer/lossless.ts';
import type { Batch, Sink, SinkStream, Written } from '../../singer/sink.ts';
import type { Run } from '../../singer/stream.ts';
import { destinationError, openDatabase, type Synchronous } from './database.ts';
import { type Bound, bindable, TOO_NARROW } from './rows.ts';
import { insertRows, quote, rowsPerStatement } from './sql.ts';
import { type Column, prepareTable, refreshAffinities, type Table, widenColumns } from './tables.ts';

/** The settings of the target, checked. */
export interface SqliteSettings {
  readonly database: string;
  readonly appendOnly: boolean;
  readonly synchronous: Synchronous;
}

/** A statement that writes a fixed number of rows, and the flat list of values that is filled again for each use. */
interface RowsStatement {
  readonly rows: number;
  readonly statement: Statement<[Bound[]]>;
  readonly values: Bound[];
}

interface Lane {
  readonly table: Table;
  readonly many: RowsStatement;
  readonly one: RowsStatement;
  /** Measures how far the table has grown. */
  readonly extent: Statement<[], number | bigint | null>;
  /** Per column: a property that every object inherits (`constructor`) must be asked for as an own one. */
  readonly inherited: readonly boolean[];
  replaced: number;
}

/** Opens the file and returns the sink. Fails before anything is read when the file cannot be used. */
export async function connectSqlite(settings: SqliteSettings, run: Run): Promise<Sink> {
  return new SqliteSink(await openDatabase(settings.database, settings.synchronous, run), settings, run);
}

class SqliteSink implements Sink {
  readonly #db: Database;
  readonly #settings: SqliteSettings;
  readonly #run: Run;
  readonly #lanes = new Map<string, Lane>();
  #schemaVersion: unknown;

  constructor(db: Database, settings: SqliteSettings, run: Run) {
    this.#db = db;
    this.#settings = settings;
    this.#run = run;
  }

  async prepare(stream: SinkStream): Promise<void> {
    const { appendOnly } = this.#settings;
    if (stream.key.length === 0 && !appendOnly && !this.#lanes.has(stream.name)) {
      this.#run.log.info('no_key', `stream "${stream.name}" has no key: its rows are appended`, {
        stream: stream.name,
      });
    }
    const table = this.#transaction(() => prepareTable(this.#db, stream, appendOnly));
    const columns = table.columns.map(({ name }) => name);
    const statement = (rows: number): RowsStatement => ({
      rows,
      statement: this.#db.prepare<[Bound[]]>(insertRows(table.name, columns, table.key, rows)),
      values: new Array<Bound>(rows * columns.length).fill(null),
    });
    const one = statement(1);
    const many = rowsPerStatement(columns.length);
    this.#lanes.set(stream.name, {
      table,
      one,
      many: many === 1 ? one : statement(many),
      extent: this.#db
        .prepare<[], number | bigint | null>(
          `SELECT ${table.rowid === undefined ? 'count(*)' : `max(${table.rowid})`} FROM ${quote(table.name)}`,
        )
        .pluck(),
      inherited: table.columns.map(({ property }) => property in Object.prototype),
      replaced: 0,
    });
  }

  async write(batches: readonly Batch[]): Promise<readonly Written[]> {
    return this.#transaction(() => {
      this.#noticeOthers();
      return batches.map((batch) => this.#writeBatch(batch));
    });
  }

  async close(): Promise<void> {
    for (const { table, replaced } of this.#lanes.values()) {
      if (replaced === 0) continue;
      this.#run.log.warn(
        'surrogates_replaced',
        `stream "${table.stream}": ${replaced} texts had half of a character (a lone surrogate), stored as U+FFFD`,
        { stream: table.stream, count: replaced },
      );
    }
    try {
      // PASSIVE never waits for readers; what it leaves, the next opening or checkpoint takes.
      this.#db.pragma('wal_checkpoint(PASSIVE)');
    } catch (cause) {
      // Every commit is already durable in the write-ahead log, so this must not turn a good run into a failed one.
      this.#run.log.warn('checkpoint_failed', `the write-ahead log could not be merged: ${textOf(cause)}`);
    }
    this.#db.close();
  }

  /** Runs `body` in one write transaction: all of it happens or nothing. */
  #transaction<Result>(body: () => Result): Result {
    try {
      return this.#db.transaction(body).immediate();
    } catch (cause) {
      throw destinationError(this.#settings.database, 'write', cause);
    }
  }

  /** Another program may have changed column types since; binding by the old ones would store other values. */
  #noticeOthers(): void {
    const version = this.#db.pragma('schema_version', { simple: true });
    if (version === this.#schemaVersion) return;
    this.#schemaVersion = version;
    for (const { table } of this.#lanes.values()) refreshAffinities(this.#db, table);
  }

  /**
   * Writes the rows of one stream. SQLite numbers a new row max(rowid) + 1, an upsert keeps the number and nothing is
   * deleted here, so within the transaction the growth of max(rowid) is exactly the number of inserted rows.
   */
  #writeBatch({ stream, rows }: Batch): Written {
    const lane = this.#lanes.get(stream.name);
    if (lane === undefined) throw new Error(`rows of "${stream.name}" before its table`);
    const before = Number(lane.extent.get() ?? 0);
    let changes = 0;
    let at = 0;
    for (const { many, one } = lane; at < rows.length; ) {
      const use = rows.length - at >= many.rows ? many : one;
      this.#fill(lane, use, rows, at);
      changes += use.statement.run(use.values).changes;
      at += use.rows;
    }
    const inserted = Number(lane.extent.get() ?? 0) - before;
    return { stream: stream.name, inserted, updated: changes - inserted, unchanged: rows.length - changes };
  }

  /** Fills the statement's values from `rows[at…]`; begins again when a column had to be widened, since bound forms differ. */
  #fill(lane: Lane, use: RowsStatement, rows: readonly Row[], at: number): void {
    let narrow = this.#tryFill(lane, use, rows, at);
    while (narrow !== undefined) {
      const { stream, name } = lane.table;
      this.#run.log.info(
        'column_widened',
        `stream "${stream}": column "${narrow.name}" was rebuilt without a type, to keep every digit`,
        { stream },
      );
      widenColumns(this.#db, stream, name, [narrow]);
      narrow = this.#tryFill(lane, use, rows, at);
    }
  }

  #tryFill(lane: Lane, use: RowsStatement, rows: readonly Row[], at: number): Column | undefined {
    const { columns, stream } = lane.table;
    const { inherited } = lane;
    const { values } = use;
    let place = 0;
    for (let index = at; index < at + use.rows; index += 1) {
      const row = rows[index] as Row;
      for (let position = 0; position < columns.length; position += 1) {
        const column = columns[position] as Column;
        const value: Json | undefined =
          inherited[position] && !Object.hasOwn(row, column.property) ? null : row[column.property];
        if (value === undefined || value === null) {
          values[place] = null;
        } else if (typeof value === 'number' && column.affinity === 'INTEGER' && Number.isSafeInteger(value)) {
          values[place] = value;
        } else {
          const bound = typeof value === 'string' && column.kind === 'text' ? value : bindable(value, column, stream);
          if (bound === TOO_NARROW) return column;
          if (typeof bound === 'string' && !bound.isWellFormed()) {
            lane.replaced += 1;
            values[place] = bound.toWellFormed();
          } else {
            values[place] = bound;
          }
        }
        place += 1;
      }
    }
    return undefined;
  }
}
