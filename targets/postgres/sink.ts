/** The sink of a PostgreSQL database: everything between two commits, of all streams, is one transaction. */
import { textOf } from '../../singer/errors.ts';
import { timestamp } from '../../singer/io.ts';
import { DELETED_AT, withColumns } from '../../singer/metadata.ts';
import type { Batch, Misfit, Reject, Retirement, Sink, SinkStream, Written } from '../../singer/sink.ts';
import type { Run } from '../../singer/stream.ts';
import { Counted } from '../counts.ts';
import type { LoadMethod, SchemaChange, StatePlace } from '../settings.ts';
import { type Address, connect, type Patience, type Session } from './connection.ts';
import { Copier } from './copy.ts';
import { Encoder, tellMended } from './encoding.ts';
import { ensureSchema, shapeOf } from './inspection.ts';
import { Lane, type Treatment } from './lane.ts';
import { overcome } from './obstacles.ts';
import { replaceTables } from './overwrite.ts';
import { keepRejects } from './rejects.ts';
import { createStates, full, LOCK_FOR_SESSION, LOCK_SUBJECTS, quote, saveState } from './sql.ts';
import { type Column, columnFor, makeIndexes, makeRoom, prepareTable, type TableRules } from './tables.ts';
import { retireRows, versionsIn } from './versions.ts';

/** The settings of the target, checked. */
export interface PostgresSettings {
  readonly address: Address;
  readonly patience: Patience;
  readonly schema: string;
  readonly loadMethod: LoadMethod;
  readonly schemaChange: SchemaChange;
  readonly hardDelete: boolean;
  /** U+0000 is stored as U+FFFD instead of being refused. */
  readonly replaceNull: boolean;
  /** Where the state is kept too. */
  readonly state: StatePlace | undefined;
}

/** Connects and returns the sink. Fails before anything is read when the database cannot be used. */
export async function connectPostgres(settings: PostgresSettings, run: Run): Promise<Sink> {
  const session = await connect(settings.address, settings.patience);
  try {
    await ensureSchema(session, settings.schema, quote(settings.schema));
    // Two loads would share the tables that lie aside, so the second waits for the first.
    if (settings.loadMethod === 'overwrite') {
      await session.query(LOCK_FOR_SESSION, [`tapworks overwrite ${settings.schema}`]);
    }
    return new PostgresSink(session, settings, run);
  } catch (cause) {
    await session.end();
    throw cause;
  }
}

class PostgresSink implements Sink {
  readonly finish?: (state: string | undefined) => Promise<void>;
  readonly #session: Session;
  readonly #copier: Copier;
  readonly #settings: PostgresSettings;
  readonly #run: Run;
  readonly #encoder: Encoder;
  readonly #lanes = new Map<string, Lane>();
  #opened = 0;
  /** Tables that were loaded aside are in place. */
  #shown = false;
  readonly #counted = new Counted();
  #open = false;
  #shape = '';

  constructor(session: Session, settings: PostgresSettings, run: Run) {
    this.#session = session;
    this.#copier = new Copier(session);
    this.#settings = settings;
    this.#run = run;
    this.#encoder = new Encoder(settings.replaceNull);
    session.stopWith(run);
    if (settings.loadMethod === 'overwrite') this.finish = (state) => this.#show(state);
  }

  async prepare(stream: SinkStream): Promise<void> {
    if (stream.key.length === 0 && this.#settings.loadMethod === 'upsert' && !this.#lanes.has(stream.name)) {
      this.#run.log.info('no_key', `stream "${stream.name}" has no key: its rows are appended`, {
        stream: stream.name,
      });
    }
    await this.#write(() => this.#openLane(stream));
    await this.#commit();
  }

  async add(batch: Batch, from: number): Promise<Misfit | undefined> {
    return this.#write(async () => {
      const treatment = this.#treatment(batch);
      for (let at = from; ; ) {
        const lane = this.#lane(batch.stream);
        if (lane.differs(treatment)) await this.#settle(lane);
        const { taken, obstacle } = await lane.write(batch, at, treatment);
        at += taken;
        if (obstacle === undefined) return undefined;
        const misfit = await overcome(obstacle, this.#settings.schemaChange, (narrow) => this.#widen(lane, narrow));
        if (misfit !== undefined) return { index: at, ...misfit };
      }
    });
  }

  #treatment({ stream, gone }: Batch): Treatment {
    if (!gone || !this.#lane(stream).keyed) return 'write';
    return this.#settings.hardDelete ? 'delete' : 'mark';
  }

  /** Merges what a lane has, because what follows must see it. */
  async #settle(lane: Lane): Promise<void> {
    await this.#copier.end();
    await lane.merge(this.#counted.of(lane.stream.name));
    await lane.clear();
  }

  async #widen(lane: Lane, column: Column): Promise<void> {
    await this.#settle(lane);
    await makeRoom(this.#session, lane.table, column, this.#settings.schemaChange, this.#run.log);
    await this.#replaceLane(lane.stream);
  }

  async versions(stream: SinkStream): Promise<readonly (bigint | null)[]> {
    return this.#write(async () => {
      const lane = this.#lane(stream);
      await this.#settle(lane);
      return versionsIn(this.#session, lane.table);
    });
  }

  async retire(stream: SinkStream, rows: Retirement): Promise<void> {
    await this.#write(async () => {
      await this.#settle(this.#lane(stream));
      if (!rows.hard && columnFor(this.#lane(stream).table, DELETED_AT) === undefined) {
        await this.#openLane({ ...stream, schema: withColumns(stream.schema, [DELETED_AT]) });
      }
      const gone = await retireRows(this.#session, this.#lane(stream).table, rows);
      this.#counted.of(stream.name).deleted += gone;
    });
  }

  async reject(records: readonly Reject[]): Promise<void> {
    await this.#write(async () => {
      await this.#copier.end();
      await keepRejects(this.#session, this.#settings.schema, records, this.#run.clock.now());
    });
  }

  async commit(state: string | undefined): Promise<readonly Written[]> {
    if (this.#open || (state !== undefined && this.#settings.state !== undefined)) {
      await this.#write(async () => {
        await this.#copier.end();
        for (const lane of this.#lanes.values()) await lane.merge(this.#counted.of(lane.stream.name));
        if (state !== undefined) await this.#keepState(state);
      });
      await this.#commit();
    }
    return this.#counted.take();
  }

  /** The state becomes durable with the rows before it, or not at all. */
  async #keepState(state: string): Promise<void> {
    const { state: place, schema } = this.#settings;
    if (place === undefined) return;
    const table = { schema, name: place.table };
    await this.#session.query(createStates(table));
    await this.#session.query(saveState(table), [place.key, state, timestamp(this.#run.clock.now())]);
  }

  /** Puts what was loaded aside in place of what readers have seen so far. */
  async #show(state: string | undefined): Promise<void> {
    await this.#write(async () => {
      await replaceTables(this.#session, this.#lanes.values(), this.#run);
      if (state !== undefined) await this.#keepState(state);
    });
    await this.#commit();
    this.#shown = true;
  }

  /** Half a load is of no use to anybody. What cannot be removed now, the next load removes. */
  async #clear(): Promise<void> {
    if (this.finish === undefined || this.#shown) return;
    try {
      await this.#copier.abort();
      if (this.#open) await this.#session.query('ROLLBACK');
      for (const { table } of this.#lanes.values()) {
        await this.#session.query(`DROP TABLE IF EXISTS ${full(table.relation)}`);
      }
    } catch (cause) {
      this.#run.log.warn('table_left', `a half loaded table could not be removed: ${textOf(cause)}`);
    }
  }

  /** Indexes of tables that this run has made. Whoever asked for a stop does not wait for them; the next run makes them. */
  async #index(): Promise<void> {
    if (this.#run.signal.aborted || this.finish !== undefined || this.#session.lost) return;
    try {
      if (this.#open) await this.#session.query('ROLLBACK');
      for (const { stream, table } of this.#lanes.values()) {
        if (table.made) await makeIndexes(this.#session, stream, table.final, table.columns);
      }
    } catch (cause) {
      this.#run.log.warn('index_left', `an index could not be made, the next run tries again: ${textOf(cause)}`);
    }
  }

  async close(): Promise<void> {
    await this.#clear();
    await this.#copier.abort();
    await this.#index();
    tellMended(this.#run.log, this.#encoder.mended);
    await this.#session.end();
  }

  /** Runs `body` in the open transaction, or begins it. When it fails, all of the transaction is taken back. */
  async #write<Result>(body: () => Promise<Result>): Promise<Result> {
    try {
      if (!this.#open) await this.#begin();
      return await body();
    } catch (cause) {
      throw await this.#takenBack(cause);
    }
  }

  /** Two loads of one table take turns, a transaction each; the order of the locks keeps them from waiting for each other. */
  async #begin(): Promise<void> {
    await this.#session.query('BEGIN');
    this.#open = true;
    const { schema } = this.#settings;
    const tables = [...this.#lanes.values()].map(({ table }) => table.relation.name).sort();
    await this.#session.query(LOCK_SUBJECTS, [tables.map((table) => `tapworks ${schema} ${table}`)]);
    if (tables.length === 0) return;
    // Another program may have changed tables since; rows encoded for the old types might be stored as something else.
    const shape = await shapeOf(this.#session, schema, tables);
    if (shape === this.#shape) return;
    for (const { stream } of [...this.#lanes.values()]) await this.#replaceLane(stream);
    this.#shape = await shapeOf(this.#session, schema, tables);
  }

  async #commit(): Promise<void> {
    if (!this.#open) return;
    try {
      await this.#session.query('COMMIT');
      this.#open = false;
    } catch (cause) {
      throw await this.#takenBack(cause);
    }
  }

  async #takenBack(cause: unknown): Promise<unknown> {
    this.#open = false;
    this.#counted.forget();
    await this.#copier.abort();
    await this.#session.query('ROLLBACK').catch((second: unknown) => {
      this.#run.log.debug('rollback_failed', textOf(second));
    });
    return this.#session.failure('write to', cause);
  }

  async #openLane(stream: SinkStream): Promise<void> {
    // Tables and names of a schema are made by one load at a time.
    await this.#session.query(LOCK_SUBJECTS, [[`tapworks ${this.#settings.schema}`]]);
    await this.#replaceLane(stream);
  }

  async #replaceLane(stream: SinkStream): Promise<void> {
    const table = await prepareTable(this.#session, stream, this.#rules(stream));
    const former = this.#lanes.get(stream.name);
    await former?.drop();
    this.#opened += 1;
    const options = { direct: false, empty: table.empty, number: this.#opened };
    const lane = new Lane(this.#session, this.#copier, this.#encoder, stream, table, options);
    this.#lanes.set(stream.name, lane);
    const tables = [...this.#lanes.values()].map((lane) => lane.table.relation.name).sort();
    this.#shape = await shapeOf(this.#session, this.#settings.schema, tables);
  }

  #rules(stream: SinkStream): TableRules {
    const { schema, loadMethod, schemaChange, state } = this.#settings;
    const others = [...this.#lanes.values()].filter(({ table }) => table.stream !== stream.name);
    return {
      schema,
      appendOnly: loadMethod === 'append-only',
      schemaChange,
      aside: loadMethod === 'overwrite',
      fresh: !this.#lanes.has(stream.name),
      made: this.#lanes.get(stream.name)?.table.made === true,
      reserved: [...others.map(({ table }) => table.final.name), ...(state === undefined ? [] : [state.table])],
      bare: false,
    };
  }

  #lane({ name }: SinkStream): Lane {
    const lane = this.#lanes.get(name);
    if (lane === undefined) throw new Error(`rows of "${name}" before its table`);
    return lane;
  }
}
