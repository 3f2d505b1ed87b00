/** One stream on its way into its table: how its records become rows of COPY, and how staged rows are merged. */
import { spelledRow } from '../../singer/batches.ts';
import { systemCode } from '../../singer/errors.ts';
import { isRawNumber, type Json, type RawNumber, type Row } from '../../singer/lossless.ts';
import { TABLE_VERSION } from '../../singer/metadata.ts';
import { type RecordPattern, type Spelling, type Spellings, spelledValue } from '../../singer/record-pattern.ts';
import type { Batch, SinkStream, SpelledRows } from '../../singer/sink.ts';
import type { Counts } from '../counts.ts';
import type { Session } from './connection.ts';
import type { Copier, Route } from './copy.ts';
import { type Encoder, isPlainMoment, NUL, NULL, TOO_NARROW, UNFIT } from './encoding.ts';
import { nul, type Obstacle, unfit } from './obstacles.ts';
import { copyInto, createStaging, deleteRows, full, type Merge, markRows, mergeRows, quote } from './sql.ts';
import type { Column, Table } from './tables.ts';
import type { Holder } from './types.ts';

/** What is done with rows: inserted or replaced by key; stamped as gone; deleted by key. */
export type Treatment = 'write' | 'mark' | 'delete';

/** How a lane begins. */
export interface LaneOptions {
  /** The table has no key yet: rows go straight into it, whatever the key of the stream. */
  readonly direct: boolean;
  /** The table has no rows: it is worth trying to copy into it. */
  readonly empty: boolean;
  /** Rows with a key are always merged: a savepoint would keep other lanes from COPY … FREEZE. */
  readonly merges?: boolean;
  /** Tells lanes of one connection apart. */
  readonly number: number;
  /** The table was made in this transaction: whoever will see it sees its rows, also in a snapshot that is older. */
  readonly freeze?: boolean;
}

/** Rows to write, parsed or not. */
export type Source = Pick<Batch, 'rows' | 'spelled' | 'lines'>;

/** Characters of rows that are gathered before they are put into a buffer. */
const GATHERED = 32 * 1024;

/** PostgreSQL's "ON CONFLICT DO UPDATE command cannot affect row a second time": two staged rows have one key. */
const TWICE = '21000';

/** Where a column's text comes from: the same for all rows, or a place in the line, and what is to be done with it. */
type Origin = { readonly fixed: string } | Spelt;

interface Spelt {
  readonly place: number;
  readonly spelling: Spelling;
  readonly care: 'none' | 'moment' | 'zeros' | 'value';
}

export class Lane {
  readonly stream: SinkStream;
  readonly table: Table;
  readonly #session: Session;
  readonly #copier: Copier;
  readonly #encoder: Encoder;
  readonly #route: Route;
  readonly #staging: string;
  readonly #names: readonly string[];
  readonly #keyed: boolean;
  readonly #merges: boolean;
  /** Per column: a property that every object inherits (`constructor`) must be asked for as an own one. */
  readonly #inherited: readonly boolean[];
  #stagingExists = false;
  /** Rows that were copied into the table and into the staging table since the last merge. */
  #direct = 0;
  #staged = 0;
  /** Rows of `#treatment` since the last merge, those on their way included. */
  #pending = 0;
  #treatment: Treatment = 'write';
  /** A key was there already: new rows are not hoped for any more in this run. */
  #disappointed = false;
  /** Two staged rows had one key once; they may have again. */
  #duplicates = false;
  /** What `#origins` were found for. */
  #pattern: RecordPattern | undefined;
  #version: number | RawNumber | undefined;
  #origins: readonly Origin[] = [];

  /**
   * Opens the way into `table`. Rows without a key, and those of a table that gets its key later, are copied straight
   * into it. Rows with a key are too as long as all of them are new, which saves the server half of its work; else they
   * go through a temporary table of the same types and are merged from there.
   */
  constructor(
    session: Session,
    copier: Copier,
    encoder: Encoder,
    stream: SinkStream,
    table: Table,
    options: LaneOptions,
  ) {
    this.#session = session;
    this.#copier = copier;
    this.#encoder = encoder;
    this.stream = stream;
    this.table = table;
    this.#names = table.columns.map(({ name }) => name);
    this.#keyed = table.key.length > 0 && !options.direct;
    this.#merges = options.merges === true;
    this.#staging = `tapworks_staging_${options.number}`;
    this.#inherited = table.columns.map(({ property }) => property in Object.prototype);
    this.#route = {
      statement: copyInto(full(table.relation), this.#names, options.freeze),
      hopeful: this.#keyed && options.empty,
      fallBack: async () => {
        this.#disappointed = true;
        await this.#createStaging();
        this.#useStaging();
      },
      copied: (rows) => {
        if (this.#throughStaging) this.#staged += rows;
        else this.#direct += rows;
      },
    };
  }

  get #throughStaging(): boolean {
    return this.#keyed && !this.#route.hopeful;
  }

  /** Forgets the way; the table stays. */
  async drop(): Promise<void> {
    if (this.#stagingExists) await this.#session.query(`DROP TABLE pg_temp.${quote(this.#staging)}`);
  }

  /** Whether rows can be stamped or deleted by key. */
  get keyed(): boolean {
    return this.#keyed;
  }

  /** Whether rows that came before would be treated in another way. */
  differs(treatment: Treatment): boolean {
    return this.#pending > 0 && this.#treatment !== treatment;
  }

  /** Takes rows from `from` on, up to the first with an obstacle. Waits only when the server is behind. */
  async write(
    source: Source,
    from: number,
    treatment: Treatment,
  ): Promise<{ readonly taken: number; readonly obstacle: Obstacle | undefined }> {
    this.#treatment = treatment;
    if (this.#throughStaging || treatment !== 'write') await this.#stage();
    const { spelled } = source;
    const origins = spelled === undefined ? undefined : this.#originsOf(spelled);
    let text = '';
    let gathered = 0;
    let index = from;
    let obstacle: Obstacle | undefined;
    for (; index < source.lines.length; index += 1) {
      let line: string | Obstacle | undefined;
      if (spelled !== undefined && origins !== undefined)
        line = this.#spelledLine(spelled.values[index] ?? [], origins);
      line ??= this.#line(spelled === undefined ? (source.rows[index] ?? {}) : spelledRow(spelled, index));
      if (typeof line !== 'string') {
        obstacle = line;
        break;
      }
      text += line;
      gathered += 1;
      if (text.length < GATHERED) continue;
      const waiting = this.#send(text, gathered);
      text = '';
      gathered = 0;
      if (waiting !== undefined) await waiting;
    }
    if (gathered > 0) await this.#send(text, gathered);
    return { taken: index - from, obstacle };
  }

  #send(text: string, rows: number): Promise<void> | undefined {
    this.#pending += rows;
    return this.#copier.write(this.#route, text, rows);
  }

  /** Rows go into the temporary table from now on. */
  async #stage(): Promise<void> {
    if (!this.#keyed || (this.#stagingExists && !this.#route.hopeful)) return;
    await this.#copier.end();
    await this.#createStaging();
    this.#useStaging();
  }

  async #createStaging(): Promise<void> {
    if (this.#stagingExists) return;
    await this.#session.query(createStaging(this.#staging, this.table.columns));
    this.#stagingExists = true;
  }

  #useStaging(): void {
    this.#route.hopeful = false;
    this.#route.statement = copyInto(`pg_temp.${quote(this.#staging)}`, this.#names);
  }

  /** Moves staged rows into the table and says what became of all rows. The copier must have ended. */
  async merge(counts: Counts): Promise<void> {
    counts.inserted += this.#direct;
    const staged = this.#staged;
    this.#direct = 0;
    this.#staged = 0;
    this.#pending = 0;
    if (staged === 0) return;
    if (this.#treatment === 'write') {
      const { inserted, updated } = await this.#mergeWritten();
      counts.inserted += inserted;
      counts.updated += updated;
      counts.unchanged += staged - inserted - updated;
      if (inserted === staged && !this.#disappointed && !this.#merges) this.#hope();
      return;
    }
    const statement =
      this.#treatment === 'mark'
        ? markRows(this.#merging)
        : deleteRows(this.#staging, this.table.relation, this.table.key);
    const [found = {}] = await this.#session.query(statement);
    const gone = Number(found.inserted ?? 0) + Number(found.updated ?? 0) + Number(found.deleted ?? 0);
    counts.deleted += gone;
    counts.unchanged += staged - gone;
  }

  async #mergeWritten(): Promise<{ readonly inserted: number; readonly updated: number }> {
    const merge = async () => {
      const [found = {}] = await this.#session.query(mergeRows({ ...this.#merging, duplicates: this.#duplicates }));
      return { inserted: Number(found.inserted), updated: Number(found.updated) };
    };
    if (this.#duplicates) return merge();
    // To look for equal keys takes a sort, so the server is left to find them.
    await this.#session.query('SAVEPOINT tapworks_merge');
    try {
      const counts = await merge();
      await this.#session.query('RELEASE SAVEPOINT tapworks_merge');
      return counts;
    } catch (cause) {
      if (!(cause instanceof Error) || systemCode(cause.cause) !== TWICE) throw cause;
      await this.#session.query('ROLLBACK TO SAVEPOINT tapworks_merge; RELEASE SAVEPOINT tapworks_merge');
      this.#duplicates = true;
      return merge();
    }
  }

  get #merging(): Omit<Merge, 'duplicates'> {
    const { relation: table, columns, key, partitioned } = this.table;
    return { staging: this.#staging, table, columns, key, partitioned };
  }

  #hope(): void {
    this.#route.hopeful = true;
    this.#route.statement = copyInto(full(this.table.relation), this.#names);
  }

  /** Empties what is staged within the transaction, after a merge that more rows follow. */
  async clear(): Promise<void> {
    if (this.#stagingExists) await this.#session.query(`DELETE FROM pg_temp.${quote(this.#staging)}`);
  }

  /** The row as a line of COPY's text format. */
  #line(row: Row): string | Obstacle {
    const { columns } = this.table;
    let line = '';
    for (let place = 0; place < columns.length; place += 1) {
      const column = columns[place] as Column;
      const value: Json | undefined =
        this.#inherited[place] && !Object.hasOwn(row, column.property) ? null : row[column.property];
      let text: string = NULL;
      if (value !== undefined && value !== null) {
        const encoded = this.#encoder.encode(value, column.holder, column.kind);
        if (encoded === TOO_NARROW) return { narrow: column };
        if (encoded === UNFIT) return unfit(column, value);
        if (encoded === NUL) return nul(column);
        text = encoded;
      }
      line = place === 0 ? text : `${line}\t${text}`;
    }
    return `${line}\n`;
  }

  /** Where each column's text comes from, for rows of one pattern and version. */
  #originsOf({ pattern, version }: SpelledRows): readonly Origin[] {
    if (this.#pattern === pattern && this.#version === version) return this.#origins;
    [this.#pattern, this.#version] = [pattern, version];
    this.#origins = this.table.columns.map((column): Origin => {
      const place = pattern.properties.findIndex(({ property }) => property === column.property);
      if (place !== -1) {
        const spelling = pattern.properties[place]?.spelling ?? 'text';
        return { place, spelling, care: careOf(column, spelling) };
      }
      const digits = isRawNumber(version) ? version.rawJSON : version;
      return { fixed: digits !== undefined && column.property === TABLE_VERSION ? String(digits) : NULL };
    });
    return this.#origins;
  }

  /**
   * The line of a row that was not parsed; undefined when it has to be looked at as a record. The escapes of JSON that a
   * pattern lets pass (`\n`, `\t`, `\"`, `\\` and so on) mean the same in COPY's text format.
   */
  #spelledLine(spellings: Spellings, origins: readonly Origin[]): string | undefined {
    let line = '';
    for (let place = 0; place < origins.length; place += 1) {
      const origin = origins[place] as Origin;
      let text: string = NULL;
      if ('fixed' in origin) {
        text = origin.fixed;
      } else {
        const spelled = spellings[origin.place];
        if (spelled !== undefined) {
          text = spelled;
          if (origin.care !== 'none') {
            const careful = this.#careful(spelled, origin, this.table.columns[place] as Column);
            if (careful === undefined) return undefined;
            text = careful;
          }
        }
      }
      line = place === 0 ? text : `${line}\t${text}`;
    }
    return `${line}\n`;
  }

  #careful(text: string, { spelling, care }: Spelt, column: Column): string | undefined {
    if (care === 'zeros') return text.startsWith('-0') || text.endsWith('0') ? String(Number(text)) : text;
    if (care === 'moment' && isPlainMoment(text)) return text;
    const value = spelledValue(spelling, text);
    const encoded = value === null ? NULL : this.#encoder.encode(value, column.holder, column.kind);
    return typeof encoded === 'string' ? encoded : undefined;
  }
}

/** What has to be done with the spelling of a value before it can be copied into a column. */
function careOf({ holder, kind }: Column, spelling: Spelling): Spelt['care'] {
  if (spelling === 'text') {
    if (holder === 'timestamptz' || holder === 'timestamp') return 'moment';
    return holder === 'text' && kind !== 'json' ? 'none' : 'value';
  }
  if (spelling === 'boolean') return holder === 'boolean' ? 'none' : 'value';
  if (kind === 'integer' && holder === 'int8') return 'none';
  return DECIMALS.has(holder) && (kind === 'number' || kind === 'decimal') ? 'zeros' : 'value';
}

const DECIMALS: ReadonlySet<Holder> = new Set<Holder>(['float8', 'numeric']);
