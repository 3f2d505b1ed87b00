/**
 * Endpoints that are asked for changes and paged by a cursor: window, place, overlap.
 *
 * A reading is everything (`changed_since` null) or what changed since an instant. Its pages follow a cursor, which holds
 * its place however long a run pauses. The next reading asks from no later than an hour before this one began: what changed
 * behind the cursor while this one went on is then not missed. Reading a row twice is free, missing one is not.
 */
import { stopOf } from '../singer/io.ts';
import { isObject, type Json, type Row } from '../singer/lossless.ts';
import type { Run } from '../singer/stream.ts';
import type { RowsPath } from './body.ts';
import { type ChangesState, READING_START } from './changes-state.ts';
import type { Http, HttpRequest } from './exchange.ts';
import { HttpFailure } from './judge.ts';

/** How an endpoint of changes is asked; declared beside the stream. */
export interface ChangesEndpoint {
  readonly stream: string;
  /** Absolute address without query. */
  readonly url: string;
  /** Where the list of rows stands in the body. */
  readonly rows: RowsPath;
  /** Reads the total and the next cursor from the rest of the body: null behind the last row, undefined if there is none. */
  envelope(value: Json): { readonly total: number | undefined; readonly cursor: string | null | undefined };
  /** Query for what changed after `since` (epoch milliseconds) behind `cursor`; null for everything, and for its start. */
  query(since: number | null, cursor: string | null): NonNullable<HttpRequest['query']>;
  /** Turns a vendor's row into a record; undefined when it cannot be one. */
  record(row: { readonly [key: string]: Json }): Row | undefined;
  /** When the record last changed, epoch milliseconds; NaN when that is not known. */
  changedAt(record: Row): number;
  /** Told of the fields that the rows of the first page have together. */
  firstFields?(fields: ReadonlySet<string>): void;
}

/** Reads pages, one at a time; the state is true once the rows of the page before are safe. */
export class ChangesReader {
  readonly #endpoint: ChangesEndpoint;
  readonly #http: Http;
  readonly #run: Run;
  #state: ChangesState;
  /** The cursor comes from an earlier run and was not used yet: the server may have forgotten it. */
  #stale: boolean;

  /** `maxAge`: milliseconds after which all rows are read again, because changes do not tell of rows that vanished. */
  constructor(endpoint: ChangesEndpoint, http: Http, since: ChangesState | undefined, maxAge: number, run: Run) {
    this.#endpoint = endpoint;
    this.#http = http;
    this.#run = run;
    const begins = since === undefined || since.begun_at === null;
    const old = begins && run.clock.now() - (since?.whole_at ?? 0) > maxAge;
    this.#state = since === undefined || old ? READING_START : since;
    this.#stale = this.#state.cursor !== null;
  }

  get state(): ChangesState {
    return this.#state;
  }

  /**
   * The records of the next page.
   * @throws HttpFailure when it cannot be read: there is no way around it to the pages behind.
   */
  async next(): Promise<readonly Row[]> {
    try {
      return await this.#page();
    } catch (thrown) {
      if (!this.#stale || !(thrown instanceof HttpFailure) || thrown.reaction !== 'fail') throw thrown;
      const { stream } = this.#endpoint;
      const text = `${stream}: the server does not take its cursor of the last run any more; this reading starts over`;
      this.#run.log.warn('cursor_refused', text, { stream, error_type: thrown.type });
      const { changed_since, whole_at } = this.#state;
      this.#state = { ...READING_START, changed_since, whole_at };
      this.#stale = false;
      return this.#page();
    }
  }

  async #page(): Promise<readonly Row[]> {
    const { stream, url, rows: path, query } = this.#endpoint;
    const before = this.#state;
    const begun_at = before.begun_at ?? this.#run.clock.now();
    const where = { stream, page: before.pages + 1 };
    const first = before.pages === 0;
    const request = { url, query: query(before.changed_since, before.cursor), rows: path, where, probe: first };
    const groups = this.#http.exchange(request);
    const rows: Json[] = [];
    let step = await groups.next();
    for (; step.done !== true; step = await groups.next()) rows.push(...step.value);
    const { total, cursor: told } = this.#endpoint.envelope(step.value.value);
    if (first && told === undefined && rows.length < (total ?? Number.POSITIVE_INFINITY)) {
      const message = 'the answer names no cursor, so there is no way to the next page';
      throw new HttpFailure({ reaction: 'unavailable', type: 'contract_error', message }, where);
    }
    const cursor = told ?? null;
    const circling =
      cursor === before.cursor || rows.length === 0 || before.rows > 2 * (total ?? Number.POSITIVE_INFINITY);
    if (cursor !== null && circling) {
      const message = 'the cursor of the answer leads nowhere';
      throw new HttpFailure({ reaction: 'fail', type: 'contract_error', message }, where);
    }
    if (first) this.#tellFields(rows);
    const records = rows.flatMap((row) => {
      const record = isObject(row) ? this.#endpoint.record(row) : undefined;
      return record === undefined ? [] : [record];
    });
    const bad = rows.length - records.length;
    if (bad > 0) {
      const text = `${stream}: ${bad} rows were no records of this stream and were left out`;
      this.#run.log.warn('bad_rows', text, { ...where, rows: bad });
    }
    const newest = records.map(this.#endpoint.changedAt).filter(Number.isFinite);
    this.#stale = false;
    this.#state = {
      ...before,
      begun_at,
      cursor,
      pages: before.pages + 1,
      rows: before.rows + rows.length,
      total: total ?? null,
      newest: newest.reduce<number | null>((most, at) => Math.max(most ?? 0, at), before.newest),
      finished: cursor === null,
    };
    this.#tell();
    return records;
  }

  #tellFields(rows: readonly Json[]): void {
    const fields = new Set(rows.flatMap((row) => (isObject(row) ? Object.keys(row) : [])));
    if (fields.size > 0) this.#endpoint.firstFields?.(fields);
  }

  #tell(): void {
    const { stream } = this.#endpoint;
    const { rows, total, pages: page, changed_since } = this.#state;
    const { metrics } = this.#run;
    const labels = { stream, outcome: 'read', program: metrics.program };
    metrics.count('tapworks_pages_total', 'Pages asked for, each once, by how they ended.', labels);
    const what = changed_since === null ? 'rows' : 'changed rows';
    this.#run.log.info('extraction_progress', `${stream}: page ${page}, ${rows} of ${total ?? 'unknown'} ${what}`, {
      stream,
      page,
      rows_extracted: rows,
      total_rows: total,
      progress_pct: Math.round(Math.min(1, total === null || total === 0 ? 1 : rows / total) * 1000) / 10,
    });
  }
}

/**
 * The rows of `first`, which was read already, and of what this run may read behind it: one iterable for each checkpoint.
 * The reader's state is true once the rows of an iterable are safe.
 */
export async function* changesPages(
  reader: ChangesReader,
  first: readonly Row[],
  { pagesPerRun, checkpointPages }: { readonly pagesPerRun: number; readonly checkpointPages: number },
): AsyncGenerator<AsyncIterable<readonly Row[]>, void> {
  let held: readonly Row[] | undefined = first;
  let pages = 1;
  let stopped = false;
  const over = () => stopped || reader.state.finished || (pagesPerRun > 0 && pages >= pagesPerRun);
  async function* rows(): AsyncGenerator<readonly Row[]> {
    try {
      for (let page = 1; ; page += 1) {
        if (held === undefined) pages += 1;
        const records: readonly Row[] = held ?? (await reader.next());
        held = undefined;
        if (records.length > 0) yield records;
        if (over() || page >= checkpointPages) return;
      }
    } catch (thrown) {
      // The state is true for the pages read so far; the runner sees the stop by itself and says so.
      if (stopOf(thrown) === undefined) throw thrown;
      stopped = true;
    }
  }
  do yield rows();
  while (!over());
}
