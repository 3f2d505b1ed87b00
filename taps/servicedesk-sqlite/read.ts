/** The whole run: table after table, each as pages of rows with the state that covers them. */
import { createHash } from 'node:crypto';
import type { Scalar } from '../../profiles/conversion.ts';
import type { SqliteValue } from '../../profiles/grammar.ts';
import { timeZone } from '../../profiles/time-zone.ts';
import { ConnectorError } from '../../singer/errors.ts';
import type { Json } from '../../singer/lossless.ts';
import type { State } from '../../singer/state-file.ts';
import type { Ending, Page, ReadRequest, RowGroup, Run, Selected } from '../../singer/stream.ts';
import { Highest } from './bookmark.ts';
import { fromCursor, toCursor } from './cursor.ts';
import { isQuick, QuickRows } from './lines.ts';
import { type Plan, planOf } from './plan.ts';
import { type Chunk, Tally } from './reading.ts';
import { DeadLetter } from './rejects.ts';
import { REJECTS } from './rejects-stream.ts';
import { PlainRows } from './rows.ts';
import { type Reading, readingOf } from './settings.ts';
import { type Source, sourceError } from './source.ts';
import {
  type Bookmark,
  bookmarkOf,
  firstState,
  type Generation,
  isSameTable,
  nextVersion,
  openSweep,
  type Progress,
  type Sweep,
  stateWith,
} from './state.ts';
import type { Origin } from './tables.ts';

/** Everything that the tables of one run share. */
interface Work {
  readonly source: Source;
  readonly reading: Reading;
  readonly letter: DeadLetter;
  readonly run: Run;
  readonly version: number;
  readonly manner: string;
}

/** Reads every selected table that an earlier run on the same file has not finished. */
export async function* readTables(
  source: Source,
  origins: readonly Origin[],
  { settings, selected, state, probe }: ReadRequest,
  run: Run,
): AsyncGenerator<Page, Ending> {
  const reading = readingOf(settings);
  const manner = mannerOf(reading, selected);
  const open = openSweep(state, source.print, manner);
  const version = open?.version ?? nextVersion(state, run.clock.now());
  if (open !== undefined) {
    run.log.info('sweep_resumed', 'the file is as it was when the last run ended early; going on where it stood');
  }
  const letter = new DeadLetter(version, reading.rejectRaw, reading.rejectsPath);
  const tables = selected.flatMap((stream) => {
    const origin = origins.find((one) => one.stream === stream.declaration.name);
    return origin === undefined || open?.done.includes(origin.stream) === true ? [] : [{ stream, origin }];
  });
  const totals = { tables: 0, rows: 0, rejectedRows: 0, rejectedValues: 0 };
  try {
    let now = state;
    const done = [...(open?.done ?? [])];
    if (open === undefined && source.print !== undefined && probe !== true && tables.length > 0) {
      now = firstState(state, { version, source: source.print, manner, done });
      yield { rows: [], state: now };
    }
    for (const [index, { stream, origin }] of tables.entries()) {
      const table = new TableRun({ source, reading, letter, run, version, manner }, origin, stream, now, done);
      yield* table.pages(tables[index + 1]?.origin.stream);
      now = table.state;
      done.push(origin.stream);
      totals.tables += 1;
      totals.rows += table.tally.emitted;
      totals.rejectedRows += table.tally.rejected;
      totals.rejectedValues += table.tally.rejectedValues;
    }
  } catch (cause) {
    throw sourceError(source.path, cause);
  } finally {
    letter.close();
  }
  if (source.hasChanged()) {
    run.log.info('source_changed', 'the file was written to meanwhile; all tables are as they were when the run began');
  }
  return ending(totals, reading);
}

/** A hash of everything that makes a record of a row: equal when a later run would send the same of the same file. */
function mannerOf(reading: Reading, selected: readonly Selected[]): string {
  const { timezone, slashOrder, nul, utf8, rejectPolicy, rejectRaw } = reading;
  const streams = selected.map(({ declaration: { name, replication, bookmarks }, schema, key }) => {
    return [name, replication, bookmarks ?? null, key, schema.properties ?? null];
  });
  const text = JSON.stringify([timezone ?? null, slashOrder, nul, utf8, rejectPolicy, rejectRaw, streams]);
  return createHash('sha256').update(text).digest('hex').slice(0, 16);
}

function ending(
  totals: { tables: number; rows: number; rejectedRows: number; rejectedValues: number },
  { rejectsPath }: Reading,
): Ending {
  const { tables, rows, rejectedRows, rejectedValues } = totals;
  const where = rejectsPath === undefined ? `stream ${REJECTS}` : `stream ${REJECTS} and ${rejectsPath}`;
  const aside =
    rejectedRows + rejectedValues === 0
      ? 'nothing was set aside'
      : `${rejectedRows} rows and ${rejectedValues} values were set aside, see ${where}`;
  return {
    exitCode: 0,
    summary: `${rows} rows of ${tables} ${tables === 1 ? 'table' : 'tables'}; ${aside}`,
    fields: { tables, rows, rejected_rows: rejectedRows, rejected_values: rejectedValues },
  };
}

/** One table on its way out. */
class TableRun {
  readonly tally = new Tally();
  /** The state that was handed out last. */
  state: State;
  readonly #work: Work;
  readonly #plan: Plan;
  readonly #before: State;
  readonly #done: readonly string[];
  readonly #generation: Generation;
  /** All rows are read, so what is not among them is gone. */
  readonly #whole: boolean;
  readonly #highest: Highest | undefined;
  readonly #plain: PlainRows;
  readonly #rows: { next(place: readonly SqliteValue[] | undefined): Chunk };
  #place: readonly SqliteValue[] | undefined;
  #ended = false;

  constructor(work: Work, origin: Origin, selected: Selected, before: State, done: readonly string[]) {
    const { source, reading, letter, run, version } = work;
    this.#work = work;
    this.#before = before;
    this.state = before;
    this.#done = [...done];
    const { timezone, slashOrder, nul, utf8 } = reading;
    const zone = timezone === undefined ? undefined : timeZone(timezone);
    const former = bookmarkOf(before, origin.stream);
    this.#generation = generationOf(source, origin);
    const key = selected.declaration.replication === 'INCREMENTAL' ? selected.declaration.bookmarks?.[0] : undefined;
    // The rows before that place were not looked at for another replication key.
    const resumed = former?.progress?.sweep === version && former.replication_key === key ? former.progress : undefined;
    const goesOn =
      key !== undefined &&
      former !== undefined &&
      former.replication_key === key &&
      former.replication_key_value !== undefined &&
      former.progress?.whole !== true &&
      isSameTable(former, this.#generation);
    this.#whole = !goesOn;
    // Rows that are new belong to the reading whose rows the target has.
    this.#plan = planOf(
      source,
      origin,
      selected,
      goesOn ? former.version : version,
      { zone, slashOrder, nul, utf8 },
      run.log,
    );
    if (key !== undefined && !goesOn && former !== undefined && resumed === undefined) {
      run.log.info('read_whole', `${origin.stream} is read whole: ${whyWhole(former, key, this.#generation)}`, {
        stream: origin.stream,
      });
    }
    this.#highest =
      key === undefined
        ? undefined
        : new Highest(goesOn ? former.replication_key_value : undefined, resumed?.highest, asOfOf(reading, run));
    const { rejectPolicy } = reading;
    this.#plain = new PlainRows(this.#plan, source, letter, this.tally, { rejectPolicy, slashOrder }, (value) =>
      this.#isNew(value),
    );
    this.#rows = isQuick(this.#plan, source) ? new QuickRows(this.#plan, source, this.#plain) : this.#plain;
    if (resumed !== undefined) this.#resume(resumed);
  }

  #resume({ cursor, read, emitted, rejected }: Progress): void {
    this.#place = fromCursor(cursor);
    this.tally.read = read;
    this.tally.emitted = emitted;
    this.tally.rejected = rejected;
    this.tally.known = read - emitted - rejected;
  }

  /** Sees every row's replication key, so it also remembers the highest. */
  #isNew(value: Scalar): boolean {
    return this.#highest?.see(value) ?? true;
  }

  /** Pages until the table ends. `next` is the stream that follows; none for the last one of the run. */
  *pages(next: string | undefined): Generator<Page> {
    const run = this;
    try {
      while (!this.#ended) {
        yield {
          rows: this.#batch(),
          get complete() {
            return run.#ended && run.#whole ? [{ stream: run.#plan.stream, version: run.#plan.version }] : [];
          },
          get state() {
            run.#work.letter.sync();
            run.state = run.#state(next);
            return run.state;
          },
        };
      }
    } finally {
      this.#plain.close();
    }
    this.#report();
  }

  /** Rows until the next state. */
  *#batch(): Generator<RowGroup> {
    const { reading, run } = this.#work;
    const { stream } = this.#plan;
    let left = reading.stateEvery;
    while (left > 0) {
      const chunk = this.#rows.next(this.#place);
      if (chunk.read === 0) {
        this.#ended = true;
        this.#close();
        return;
      }
      this.tally.read += chunk.read;
      this.tally.emitted += chunk.emitted;
      this.tally.rejected += chunk.rejected;
      this.#place = chunk.last;
      left -= chunk.read;
      yield* chunk.groups;
      this.#checkRatio();
      run.progress.show(stream, this.tally.read, this.#generation.rows);
    }
  }

  /** Whether more rows were set aside than may be; as soon as it is certain, not only at the end. */
  #checkRatio(): void {
    const { maxRejectRatio } = this.#work.reading;
    const { stream } = this.#plan;
    const { isView } = this.#plan.origin;
    // Nobody knows beforehand how many rows a view has.
    if (isView && !this.#ended) return;
    const of = isView ? this.tally.read : this.#generation.rows;
    // Not by multiplying: 0.29 * 100 is a little less than 29.
    if (this.tally.rejected === 0 || this.tally.rejected / of <= maxRejectRatio) return;
    throw new ConnectorError(
      'gate',
      `${stream}: ${this.tally.rejected} of ${of} rows had to be set aside, more than max_reject_ratio ${maxRejectRatio} allows`,
      { stream },
      { hint: `look at ${REJECTS} for the reasons, correct the source or raise max_reject_ratio` },
    );
  }

  /** Nothing may be lost: every row of the table was sent, set aside or is in the target. */
  #close(): void {
    this.#checkRatio();
    const { origin, stream } = this.#plan;
    const { read, emitted, rejected, known } = this.tally;
    const rows = origin.isView ? read : this.#generation.rows;
    if (read === rows && read === emitted + rejected + known) return;
    throw new ConnectorError(
      'upstream',
      `verification of ${stream} failed: ${rows} rows, ${read} read, ${emitted} sent, ${rejected} set aside, ${known} known`,
      { stream },
      { hint: 'run PRAGMA integrity_check on the file; if it is sound, report this' },
    );
  }

  #state(next: string | undefined): State {
    const { source, version, manner } = this.#work;
    const { stream } = this.#plan;
    const cursor = this.#place === undefined ? undefined : toCursor(this.#place);
    const former = bookmarkOf(this.#before, stream);
    const done = this.#ended ? [...this.#done, stream] : this.#done;
    const sweep: Sweep | undefined =
      source.print === undefined || (this.#ended && next === undefined)
        ? undefined
        : { version, source: source.print, manner, done };
    if (!this.#ended && (cursor === undefined || sweep === undefined)) {
      // No place that a later run would find again: what it starts from is the beginning of this table.
      return { ...this.#before, sweep: (sweep ?? null) as unknown as Json, currently_syncing: stream };
    }
    const key = this.#plan.bookmark === undefined ? undefined : this.#plan.columns[this.#plan.bookmark]?.name;
    const bookmark: Bookmark = {
      version: this.#plan.version,
      generation: this.#generation,
      ...(key !== undefined && {
        replication_key: key,
        replication_key_value: this.#ended ? (this.#highest?.value ?? null) : (former?.replication_key_value ?? null),
      }),
      ...(!this.#ended && cursor !== undefined && { progress: this.#progress(cursor) }),
    };
    return stateWith(this.#before, stream, bookmark, sweep, this.#ended ? (next ?? null) : stream);
  }

  #progress(cursor: Progress['cursor']): Progress {
    const { read, emitted, rejected } = this.tally;
    return {
      cursor,
      read,
      emitted,
      rejected,
      ...(this.#highest?.value !== undefined && { highest: this.#highest.value }),
      whole: this.#whole,
      sweep: this.#work.version,
    };
  }

  #report(): void {
    const { run } = this.#work;
    const { stream } = this.#plan;
    const { read, emitted, rejected, known, rejectedValues, notes } = this.tally;
    run.metrics.rows(stream, 'rejected', rejected);
    const changes = Object.fromEntries([...notes].sort(([a], [b]) => (a < b ? -1 : 1)));
    run.log[rejected + rejectedValues === 0 ? 'info' : 'warn'](
      'table_read',
      `${stream}: ${read - known} rows read, ${emitted} sent, ${rejected} set aside, ${rejectedValues} values set aside`,
      {
        stream,
        rows_read: read - known,
        rows_sent: emitted,
        rejected_rows: rejected,
        rejected_values: rejectedValues,
        changes,
      },
    );
  }
}

function whyWhole(former: Bookmark, key: string, now: Generation): string {
  if (former.replication_key !== key) return `its replication key is now "${key}"`;
  return isSameTable(former, now)
    ? 'its last reading did not come to an end'
    : 'its table was made anew or imported again';
}

/** The latest time that a bookmark may have. */
function asOfOf({ asOf }: Reading, { clock }: Run): string {
  return new Date(asOf === undefined ? clock.now() : Date.parse(asOf)).toISOString();
}

function generationOf(source: Source, { table, isView }: Origin): Generation {
  return {
    schema_version: source.schemaVersion,
    max_import_id: maxImport(source),
    rows: isView ? 0 : source.rowCount(table.name),
  };
}

/** What a ServiceDesk import writes down of itself; other files have no such table. */
function maxImport({ db }: Source): number | null {
  const has = db.prepare("SELECT count(*) FROM pragma_table_info('import_metadata') WHERE name = 'import_id'").pluck();
  if (has.get() === 0) return null;
  const last = db.prepare('SELECT max(import_id) FROM import_metadata').pluck().get();
  return typeof last === 'number' ? last : null;
}
