/** The sink of an SQLite file: everything between two commits, of all streams, is one transaction. */
import { pid } from 'node:process';
import type { Database } from 'better-sqlite3';
import { textOf } from '../../singer/errors.ts';
import { timestamp } from '../../singer/io.ts';
import { DELETED_AT, TABLE_VERSION, withColumns } from '../../singer/metadata.ts';
import type { Batch, Misfit, Reject, Retirement, Sink, SinkStream, Written } from '../../singer/sink.ts';
import type { Run } from '../../singer/stream.ts';
import { Counted } from '../counts.ts';
import { wouldRound } from '../rounding.ts';
import type { LoadMethod, SchemaChange, StatePlace } from '../settings.ts';
import { destinationError, openDatabase, type Synchronous } from './database.ts';
import { Lane } from './lane.ts';
import { replaceTables } from './overwrite.ts';
import {
  ADD_REJECT,
  CREATE_REJECTS,
  createStates,
  deleteVersions,
  distinctVersions,
  dropTable,
  saveState,
  stampVersions,
} from './sql.ts';
import { asideOf, type Column, columnFor, makeIndexes, prepareTable, type Table, type TableRules } from './tables.ts';
import { makeRoom } from './widening.ts';

/** The settings of the target, checked. */
export interface SqliteSettings {
  readonly database: string;
  readonly loadMethod: LoadMethod;
  readonly schemaChange: SchemaChange;
  readonly hardDelete: boolean;
  readonly synchronous: Synchronous;
  /** Where the state is kept too. */
  readonly state: StatePlace | undefined;
}

/** Opens the file and returns the sink. Fails before anything is read when the file cannot be used. */
export async function connectSqlite(settings: SqliteSettings, run: Run): Promise<Sink> {
  const db = await openDatabase(settings.database, settings.synchronous, run);
  return new SqliteSink(db, settings, run);
}

/** Far below the limit of values in one statement. */
const VERSIONS_PER_STATEMENT = 1_000;

class SqliteSink implements Sink {
  readonly finish?: (state: string | undefined) => Promise<void>;
  readonly #db: Database;
  readonly #settings: SqliteSettings;
  readonly #run: Run;
  readonly #lanes = new Map<string, Lane>();
  readonly #replaced = new Map<string, number>();
  readonly #counted = new Counted();
  readonly #aside = asideOf(pid);
  /** Tables that were loaded aside are in place. */
  #shown = false;
  #schemaVersion: unknown;

  constructor(db: Database, settings: SqliteSettings, run: Run) {
    this.#db = db;
    this.#settings = settings;
    this.#run = run;
    if (settings.loadMethod === 'overwrite') this.finish = (state) => this.#show(state);
  }

  async prepare(stream: SinkStream): Promise<void> {
    if (stream.key.length === 0 && this.#settings.loadMethod === 'upsert' && !this.#lanes.has(stream.name)) {
      this.#run.log.info('no_key', `stream "${stream.name}" has no key: its rows are appended`, {
        stream: stream.name,
      });
    }
    this.#write(() => this.#open(stream));
    this.#commit();
  }

  async add(batch: Batch, from: number): Promise<Misfit | undefined> {
    return this.#write(() => {
      const { stream } = batch;
      const lane = this.#lane(stream);
      const counts = this.#counted.of(stream.name);
      if (batch.gone) {
        const { rows } = batch;
        const deletes = this.#settings.hardDelete && lane.table.key.length > 0;
        const { changes, misfit } = deletes ? lane.delete(rows, from) : lane.mark(rows, from);
        counts.deleted += changes;
        counts.unchanged += (misfit?.index ?? rows.length) - from - changes;
        return misfit;
      }
      const before = lane.extent();
      const { changes, misfit } = lane.write(batch, from);
      const inserted = lane.extent() - before;
      counts.inserted += inserted;
      counts.updated += changes - inserted;
      counts.unchanged += (misfit?.index ?? batch.lines.length) - from - changes;
      return misfit;
    });
  }

  async versions(stream: SinkStream): Promise<readonly (bigint | null)[]> {
    return this.#write(() => {
      const { table } = this.#lane(stream);
      const column = columnFor(table, TABLE_VERSION);
      if (column === undefined) return [];
      const found = this.#db.prepare(distinctVersions(table.name, column)).pluck().safeIntegers().all();
      return found.filter((version) => version === null || typeof version === 'bigint') as (bigint | null)[];
    });
  }

  async retire(stream: SinkStream, { versions, hard, at }: Retirement): Promise<void> {
    this.#write(() => {
      if (!hard && columnFor(this.#lane(stream).table, DELETED_AT) === undefined) {
        this.#open({ ...stream, schema: withColumns(stream.schema, [DELETED_AT]) });
      }
      const { table } = this.#lane(stream);
      const version = columnFor(table, TABLE_VERSION) ?? TABLE_VERSION;
      const stamp = columnFor(table, DELETED_AT) ?? DELETED_AT;
      const counts = this.#counted.of(stream.name);
      const unversioned = versions.includes(null);
      const numbers = versions.filter((one) => one !== null);
      for (let from = 0; from === 0 || from < numbers.length; from += VERSIONS_PER_STATEMENT) {
        const some = numbers.slice(from, from + VERSIONS_PER_STATEMENT);
        const which = { column: version, versions: some.length, unversioned: unversioned && from === 0 };
        const statement = hard ? deleteVersions(table.name, which) : stampVersions(table.name, stamp, which);
        counts.deleted += this.#db.prepare(statement).run(hard ? some : [at, ...some]).changes;
      }
    });
  }

  async reject(records: readonly Reject[]): Promise<void> {
    this.#write(() => {
      this.#db.exec(CREATE_REJECTS);
      const add = this.#db.prepare(ADD_REJECT);
      const now = timestamp(this.#run.clock.now());
      for (const { stream, line, reason, record } of records) {
        add.run(stream, line, reason, JSON.stringify(record).toWellFormed(), now);
      }
    });
  }

  async commit(state: string | undefined): Promise<readonly Written[]> {
    if (state !== undefined) this.#keepState(state);
    this.#commit();
    return this.#counted.take();
  }

  /** The state becomes durable with the rows before it, or not at all. */
  #keepState(state: string): void {
    const { state: place } = this.#settings;
    if (place === undefined) return;
    this.#write(() => {
      this.#db.exec(createStates(place.table));
      this.#db.prepare(saveState(place.table)).run(place.key, state, timestamp(this.#run.clock.now()));
    });
  }

  async close(): Promise<void> {
    if (this.#db.inTransaction) this.#db.exec('ROLLBACK');
    this.#clear();
    this.#index();
    for (const lane of this.#lanes.values()) this.#retireLane(lane);
    for (const [stream, count] of this.#replaced) {
      this.#run.log.warn(
        'surrogates_replaced',
        `stream "${stream}": ${count} texts had half of a character (a lone surrogate), stored as U+FFFD`,
        { stream, count },
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

  /** Puts what was loaded aside in place of what readers have seen so far. */
  async #show(state: string | undefined): Promise<void> {
    this.#write(() => {
      replaceTables(this.#db, this.#lanes.values(), this.#run);
      if (state !== undefined) this.#keepState(state);
    });
    this.#commit();
    this.#shown = true;
  }

  /** Indexes of tables that this run has made. Whoever asked for a stop does not wait for them; the next run makes them. */
  #index(): void {
    if (this.#run.signal.aborted || this.finish !== undefined) return;
    try {
      for (const { stream, table } of this.#lanes.values()) {
        if (table.made)
          this.#db.transaction(() => makeIndexes(this.#db, stream, table.name, table.columns)).immediate();
      }
    } catch (cause) {
      this.#run.log.warn('index_left', `an index could not be made, the next run tries again: ${textOf(cause)}`);
    }
  }

  /** Half a load is of no use to anybody. What cannot be removed now, the next load removes. */
  #clear(): void {
    if (this.finish === undefined || this.#shown) return;
    try {
      for (const { table } of this.#lanes.values()) this.#db.exec(dropTable(table.name));
    } catch (cause) {
      this.#run.log.warn('table_left', `a half loaded table could not be removed: ${textOf(cause)}`);
    }
  }

  /** Runs `body` in the open transaction, or begins it. When it fails, all of the transaction is taken back. */
  #write<Result>(body: () => Result): Result {
    try {
      if (!this.#db.inTransaction) {
        this.#db.exec('BEGIN IMMEDIATE');
        this.#noticeOthers();
      }
      return body();
    } catch (cause) {
      throw this.#takenBack(cause);
    }
  }

  #commit(): void {
    if (!this.#db.inTransaction) return;
    try {
      this.#db.exec('COMMIT');
    } catch (cause) {
      throw this.#takenBack(cause);
    }
  }

  #takenBack(cause: unknown): unknown {
    // SQLite itself rolls back on some failures (a full disk).
    if (this.#db.inTransaction) this.#db.exec('ROLLBACK');
    this.#counted.forget();
    return destinationError(this.#settings.database, 'write', cause);
  }

  /** Another program may have changed tables since; binding by the old column types would store other values. */
  #noticeOthers(): void {
    const version = this.#db.pragma('schema_version', { simple: true });
    if (version === this.#schemaVersion) return;
    for (const { stream } of [...this.#lanes.values()]) this.#open(stream);
    this.#rememberSchema();
  }

  #rememberSchema(): void {
    this.#schemaVersion = this.#db.pragma('schema_version', { simple: true });
  }

  #open(stream: SinkStream): void {
    const table = prepareTable(this.#db, stream, this.#rules(stream));
    const former = this.#lanes.get(stream.name);
    if (former !== undefined) this.#retireLane(former);
    this.#lanes.set(stream.name, new Lane(this.#db, stream, table, (column) => this.#widen(table, column)));
    this.#rememberSchema();
  }

  #rules(stream: SinkStream): TableRules {
    const { loadMethod, schemaChange, state } = this.#settings;
    const others = [...this.#lanes.values()].filter(({ table }) => table.stream !== stream.name);
    return {
      appendOnly: loadMethod === 'append-only',
      schemaChange,
      aside: loadMethod === 'overwrite' ? this.#aside : undefined,
      fresh: !this.#lanes.has(stream.name),
      made: this.#lanes.get(stream.name)?.table.made === true,
      reserved: [...others.map(({ table }) => table.final), ...(state === undefined ? [] : [state.table])],
    };
  }

  #retireLane({ stream: { name }, replaced }: Lane): void {
    if (replaced > 0) this.#replaced.set(name, (this.#replaced.get(name) ?? 0) + replaced);
  }

  #lane({ name }: SinkStream): Lane {
    const lane = this.#lanes.get(name);
    if (lane === undefined) throw new Error(`rows of "${name}" before its table`);
    return lane;
  }

  /** Makes room in a column; returns why it must not, where the settings say so. */
  #widen(table: Table, column: Column): string | undefined {
    const { schemaChange } = this.#settings;
    if (schemaChange === 'fail') return wouldRound(column.property);
    makeRoom(this.#db, table, column, schemaChange, this.#run.log);
    this.#rememberSchema();
    return undefined;
  }
}
