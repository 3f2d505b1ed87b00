/** One stream on its way into its table: how its records become rows of COPY, and how staged rows are merged. */
import type { Json, Row } from '../../singer/lossless.ts';
import type { Misfit, SinkStream } from '../../singer/sink.ts';
import type { Session } from './connection.ts';
import { Copy } from './copy.ts';
import { type Encoder, NUL, NULL, TOO_NARROW, UNFIT } from './encoding.ts';
import { copyInto, createStaging, deleteRows, full, markRows, mergeRows, quote } from './sql.ts';
import type { Column, Table } from './tables.ts';

/** Counts of one stream since the last commit. */
export interface Counts {
  inserted: number;
  updated: number;
  unchanged: number;
  deleted: number;
}

/** What is done with rows: inserted or replaced by key; stamped as gone; deleted by key. */
export type Treatment = 'write' | 'mark' | 'delete';

/** What stands in the way of a record. */
export type Obstacle = { readonly narrow: Column } | { readonly misfit: Omit<Misfit, 'index'> };

/** Kinds whose equal keys have equal texts. */
const PLAIN_KEYS: ReadonlySet<string> = new Set(['int2', 'int4', 'int8', 'text', 'boolean']);

export class Lane {
  readonly stream: SinkStream;
  readonly table: Table;
  readonly #session: Session;
  readonly #encoder: Encoder;
  readonly #staging: string | undefined;
  /** Per column: a property that every object inherits (`constructor`) must be asked for as an own one. */
  readonly #inherited: readonly boolean[];
  /** Places of the key among the columns. */
  readonly #keyPlaces: readonly number[];
  #copy: Copy | undefined;
  #staged = 0;
  #treatment: Treatment = 'write';
  /** Texts of the keys that are staged, as long as no two are equal and equal keys have equal texts. */
  #keys: Set<string> | undefined;
  #key = '';

  private constructor(
    session: Session,
    stream: SinkStream,
    table: Table,
    encoder: Encoder,
    staging: string | undefined,
  ) {
    this.#session = session;
    this.stream = stream;
    this.table = table;
    this.#encoder = encoder;
    this.#staging = staging;
    this.#inherited = table.columns.map(({ property }) => property in Object.prototype);
    this.#keyPlaces = table.key.map((name) => table.columns.findIndex((column) => column.name === name));
    this.#keys = this.#freshKeys();
  }

  /**
   * Opens the way into `table`. Rows with a key go through a temporary table of the same types, rows without one, and
   * those of a table that gets its key later (`direct`), straight into it.
   */
  static async open(
    session: Session,
    stream: SinkStream,
    table: Table,
    encoder: Encoder,
    direct: boolean,
    number: number,
  ): Promise<Lane> {
    const staging = table.key.length === 0 || direct ? undefined : `tapworks_staging_${number}`;
    if (staging !== undefined) await session.query(createStaging(staging, table.columns));
    return new Lane(session, stream, table, encoder, staging);
  }

  /** Forgets the way; the table stays. */
  async drop(): Promise<void> {
    if (this.#staging !== undefined) await this.#session.query(`DROP TABLE pg_temp.${quote(this.#staging)}`);
  }

  /** Whether rows can be stamped or deleted by key. */
  get keyed(): boolean {
    return this.#staging !== undefined;
  }

  /** Whether a COPY of this lane has the connection. */
  get copying(): boolean {
    return this.#copy !== undefined;
  }

  /** Whether rows that came before would be treated in another way. */
  differs(treatment: Treatment): boolean {
    return this.#staged > 0 && this.#treatment !== treatment;
  }

  /** Takes rows from `from` on, up to the first with an obstacle. Waits only when the server is behind. */
  async write(
    rows: readonly Row[],
    from: number,
    treatment: Treatment,
  ): Promise<{ readonly taken: number; readonly obstacle: Obstacle | undefined }> {
    this.#treatment = treatment;
    for (let index = from; index < rows.length; index += 1) {
      const text = this.#line(rows[index] as Row);
      if (typeof text !== 'string') return { taken: index - from, obstacle: text };
      this.#note();
      this.#copy ??= new Copy(this.#session, this.#statement());
      const waiting = this.#copy.write(text);
      if (waiting !== undefined) await waiting;
    }
    return { taken: rows.length - from, obstacle: undefined };
  }

  #statement(): string {
    const into = this.#staging === undefined ? full(this.table.relation) : `pg_temp.${quote(this.#staging)}`;
    return copyInto(
      into,
      this.table.columns.map(({ name }) => name),
    );
  }

  #note(): void {
    this.#staged += 1;
    if (this.#keys === undefined) return;
    const before = this.#keys.size;
    this.#keys.add(this.#key);
    if (this.#keys.size === before) this.#keys = undefined;
  }

  #freshKeys(): Set<string> | undefined {
    const plain = this.#keyPlaces.every((place) => PLAIN_KEYS.has(this.table.columns[place]?.holder ?? ''));
    return this.#staging !== undefined && plain ? new Set() : undefined;
  }

  /** Gives the connection free for somebody else. */
  async pause(): Promise<void> {
    const copy = this.#copy;
    this.#copy = undefined;
    await copy?.end();
  }

  /** Moves staged rows into the table and says what became of them. */
  async merge(counts: Counts): Promise<void> {
    await this.pause();
    const staged = this.#staged;
    if (staged === 0) return;
    const duplicates = this.#keys === undefined;
    this.#staged = 0;
    this.#keys = this.#freshKeys();
    if (this.#staging === undefined) {
      counts.inserted += staged;
      return;
    }
    const { relation, key } = this.table;
    const names = this.table.columns.map(({ name }) => name);
    const statement =
      this.#treatment === 'write'
        ? mergeRows(this.#staging, relation, names, key, duplicates)
        : this.#treatment === 'mark'
          ? markRows(this.#staging, relation, names, key)
          : deleteRows(this.#staging, relation, key);
    const [found = {}] = await this.#session.query(statement);
    const [inserted, updated, deleted] = [found.inserted, found.updated, found.deleted].map((text) =>
      Number(text ?? 0),
    );
    if (this.#treatment === 'write') {
      counts.inserted += inserted ?? 0;
      counts.updated += updated ?? 0;
    } else {
      counts.deleted += (inserted ?? 0) + (updated ?? 0) + (deleted ?? 0);
    }
    counts.unchanged += staged - (inserted ?? 0) - (updated ?? 0) - (deleted ?? 0);
  }

  /** Empties what is staged within the transaction, after a merge that more rows follow. */
  async clear(): Promise<void> {
    if (this.#staging !== undefined) await this.#session.query(`DELETE FROM pg_temp.${quote(this.#staging)}`);
  }

  /** After a transaction was taken back. */
  reset(): void {
    this.#copy = undefined;
    this.#staged = 0;
    this.#keys = this.#freshKeys();
  }

  /** The row as a line of COPY's text format. */
  #line(row: Row): string | Obstacle {
    const { columns } = this.table;
    this.#key = '';
    let line = '';
    for (let place = 0; place < columns.length; place += 1) {
      const column = columns[place] as Column;
      const value: Json | undefined =
        this.#inherited[place] && !Object.hasOwn(row, column.property) ? null : row[column.property];
      let text: string = NULL;
      if (value !== undefined && value !== null) {
        const encoded = this.#encoder.encode(value, column.holder, column.kind);
        if (encoded === TOO_NARROW) return { narrow: column };
        if (encoded === UNFIT) return { misfit: misfit(column, value) };
        if (encoded === NUL) return { misfit: nul(column) };
        text = encoded;
      }
      line = place === 0 ? text : `${line}\t${text}`;
      if (this.#keys !== undefined && this.#keyPlaces.includes(place)) this.#key += `${text}\t`;
    }
    return `${line}\n`;
  }
}

function misfit({ property, declared }: Column, value: Exclude<Json, null>): Omit<Misfit, 'index'> {
  const kind = Array.isArray(value) ? 'an array' : typeof value === 'object' ? 'an object' : `a ${typeof value}`;
  return { property, problem: `${kind} in "${property}", which its column (${declared}) cannot hold` };
}

function nul({ property }: Column): Omit<Misfit, 'index'> {
  return {
    property,
    problem: `the character U+0000 in "${property}", which PostgreSQL cannot store (null_byte: replace stores U+FFFD for it)`,
  };
}
