/** The tables of a release while rows come, in the one transaction of the load. The caller begins and ends it. */
import { DELETED_AT, withColumns } from '../../../singer/metadata.ts';
import type { Batch, Misfit, Reject, Retirement, SinkStream, Written } from '../../../singer/sink.ts';
import type { Run } from '../../../singer/stream.ts';
import { noRows } from '../../counts.ts';
import type { Session } from '../connection.ts';
import { Copier } from '../copy.ts';
import { Encoder } from '../encoding.ts';
import { exists } from '../inspection.ts';
import { Lane, type Treatment } from '../lane.ts';
import { overcome } from '../obstacles.ts';
import { keepRejects } from '../rejects.ts';
import type { PostgresSettings } from '../sink.ts';
import { full, quote, REGISTRY } from '../sql.ts';
import { type Column, columnFor, makeRoom, type Table } from '../tables.ts';
import { retireRows, versionsIn } from '../versions.ts';
import { misshapen } from './checks.ts';
import { finishTables } from './finishing.ts';
import type { LoadedTables } from './ledger.ts';
import { difference, newPart, type Part, startAnew } from './part.ts';
import { carrySchemaRights } from './rights.ts';
import { makeKey, prepareReleaseTable } from './tables.ts';

/** Takes rows into the tables of one release. */
export class Builder {
  readonly encoder: Encoder;
  /** What was found wrong with what is stored. */
  readonly failures: string[] = [];
  readonly #session: Session;
  readonly #settings: PostgresSettings;
  /** The schema to build. */
  readonly #release: string;
  readonly #run: Run;
  readonly #copier: Copier;
  readonly #parts = new Map<string, Part>();
  #lanes = 0;

  constructor(session: Session, settings: PostgresSettings, release: string, run: Run) {
    this.#session = session;
    this.#settings = settings;
    this.#release = release;
    this.#run = run;
    this.#copier = new Copier(session);
    this.encoder = new Encoder(settings.replaceNull);
  }

  /** Whether no stream has come yet. */
  get empty(): boolean {
    return this.#parts.size === 0;
  }

  /** Makes the schema, with the rights and the names of the live one. */
  async begin(live: string | undefined): Promise<void> {
    await this.#session.query(`CREATE SCHEMA ${quote(this.#release)}`);
    if (live !== undefined) await carrySchemaRights(this.#session, live, this.#release);
    const names = { schema: this.#settings.schema, name: REGISTRY };
    if (!(await exists(this.#session, names))) return;
    const copy = full({ schema: this.#release, name: REGISTRY });
    await this.#session.query(`CREATE TABLE ${copy} (LIKE ${full(names)} INCLUDING ALL)`);
    await this.#session.query(`INSERT INTO ${copy} SELECT * FROM ${full(names)}`);
  }

  /** Breaks off what is on its way to the server. */
  abort(): Promise<void> {
    return this.#copier.abort();
  }

  /** As `Sink.prepare`. */
  async prepare(stream: SinkStream): Promise<void> {
    const part = this.#parts.get(stream.name);
    if (part !== undefined) await this.#settle(part);
    else if (stream.key.length === 0 && this.#settings.loadMethod !== 'append-only') {
      this.#run.log.info('no_key', `stream "${stream.name}" has no key: its rows are appended`, {
        stream: stream.name,
      });
    }
    const table = await this.#table(stream);
    if (part === undefined) this.#parts.set(stream.name, newPart(stream, this.#lane(stream, table, true)));
    else await this.#reopen(part, stream, table);
  }

  async #table(stream: SinkStream): Promise<Table> {
    await this.#copier.end();
    const { schema, loadMethod, schemaChange, state } = this.#settings;
    const former = this.#parts.get(stream.name)?.lane.table;
    const others = [...this.#parts.values()].filter((part) => part.stream.name !== stream.name);
    return prepareReleaseTable(this.#session, stream, former, {
      schema: this.#release,
      live: schema,
      appendOnly: loadMethod === 'append-only',
      schemaChange,
      reserved: [...others.map(({ lane }) => lane.table.final.name), ...(state === undefined ? [] : [state.table])],
    });
  }

  #lane(stream: SinkStream, table: Table, direct: boolean): Lane {
    this.#lanes += 1;
    const options = { direct, empty: false, number: this.#lanes, freeze: direct, merges: true };
    return new Lane(this.#session, this.#copier, this.encoder, stream, table, options);
  }

  /** The table has changed. */
  async #reopen(part: Part, stream: SinkStream, table: Table): Promise<void> {
    await part.lane.drop();
    const left = part.lane.table.columns.some(({ name }) => !table.columns.some((column) => column.name === name));
    part.stream = stream;
    part.lane = this.#lane(stream, table, !part.merging);
    // A record replaces the columns that its schema has; the others keep what a former record of the key said.
    if (left) await this.#mergeFromNowOn(part);
    await startAnew(this.#session, part, table);
  }

  /** Rows find the rows of their key from now on. */
  async #mergeFromNowOn(part: Part): Promise<void> {
    const { table } = part.lane;
    if (part.merging || table.key.length === 0) return;
    await makeKey(this.#session, table, part.frozen);
    part.merging = true;
    part.frozen = false;
    part.fingerprint = undefined;
    part.lane = this.#lane(part.stream, table, false);
  }

  /** As `Sink.add`. */
  async add(batch: Batch, from: number): Promise<Misfit | undefined> {
    const part = this.#part(batch.stream);
    for (let at = from; ; ) {
      const treatment = await this.#treatment(part, batch);
      if (part.lane.differs(treatment)) await this.#settle(part);
      const { taken, obstacle } = await part.lane.write(batch, at, treatment);
      part.fingerprint?.add(batch, at, at + taken, part.lane.table.columns);
      if (!part.merging) part.counts.inserted += taken;
      at += taken;
      if (obstacle === undefined) return undefined;
      const misfit = await overcome(obstacle, this.#settings.schemaChange, (narrow) => this.#widen(part, narrow));
      if (misfit !== undefined) return { index: at, ...misfit };
    }
  }

  /** Records of rows that are gone need the key to find them by, so the table gets it now. */
  async #treatment(part: Part, { gone }: Batch): Promise<Treatment> {
    if (!gone || part.lane.table.key.length === 0) return 'write';
    if (!part.merging) {
      await this.#settle(part);
      await this.#mergeFromNowOn(part);
    }
    return this.#settings.hardDelete ? 'delete' : 'mark';
  }

  /** Everything that was sent is in the table, and was compared. */
  async #settle(part: Part): Promise<void> {
    await this.#copier.end();
    if (part.merging) {
      await part.lane.merge(part.counts);
      await part.lane.clear();
    }
    const failure = await difference(this.#session, part);
    if (failure !== undefined) this.failures.push(failure);
  }

  async #widen(part: Part, column: Column): Promise<void> {
    await this.#settle(part);
    await makeRoom(this.#session, part.lane.table, column, this.#settings.schemaChange, this.#run.log);
    await this.#reopen(part, part.stream, await this.#table(part.stream));
  }

  /** As `Sink.versions`. */
  async versions(stream: SinkStream): Promise<readonly (bigint | null)[]> {
    const part = this.#part(stream);
    await this.#copier.end();
    if (part.merging) await this.#settle(part);
    return versionsIn(this.#session, part.lane.table);
  }

  /** As `Sink.retire`. */
  async retire(stream: SinkStream, rows: Retirement): Promise<void> {
    const part = this.#part(stream);
    await this.#settle(part);
    if (!rows.hard && columnFor(part.lane.table, DELETED_AT) === undefined) {
      const wider = { ...stream, schema: withColumns(stream.schema, [DELETED_AT]) };
      await this.#reopen(part, wider, await this.#table(wider));
    }
    // A stamp makes a row the newest of its place, so the older ones of a key have to be gone before.
    await this.#mergeFromNowOn(part);
    const { table } = part.lane;
    const gone = await retireRows(this.#session, table, rows);
    part.counts.deleted += gone;
    await startAnew(this.#session, part, table);
  }

  /** As `Sink.reject`. */
  async reject(records: readonly Reject[]): Promise<void> {
    await this.#copier.end();
    await keepRejects(this.#session, this.#release, records, this.#run.clock.now());
  }

  /** What became of the rows since the last call, as far as it is known before the release is whole. */
  async written(): Promise<readonly Written[]> {
    for (const part of this.#parts.values()) if (part.merging) await this.#settle(part);
    return [...this.#parts].map(([stream, part]) => {
      const written = { stream, ...part.counts };
      part.counts = noRows();
      return written;
    });
  }

  /** Gives the tables their keys and indexes, and says what they hold. No rows come after this. */
  async complete(): Promise<LoadedTables> {
    for (const part of this.#parts.values()) await this.#settle(part);
    const tables = await finishTables(this.#session, this.#parts.values(), this.#settings.schema, this.#run);
    for (const { lane } of this.#parts.values()) this.failures.push(...(await misshapen(this.#session, lane.table)));
    return tables;
  }

  #part({ name }: SinkStream): Part {
    const part = this.#parts.get(name);
    if (part === undefined) throw new Error(`rows of "${name}" before its table`);
    return part;
  }
}
