/**
 * One run of a ManageEngine tap: decides which snapshot it belongs to, reads each selected stream as far as the run
 * may, keeps the books, and says how it ended. One endpoint's failure never stops the others.
 */

import { HttpFailure, isAbsence, isUnreachable } from '../../http/judge.ts';
import { ConnectorError, textOf } from '../../singer/errors.ts';
import { stopOf, timestamp } from '../../singer/io.ts';
import type { Json } from '../../singer/lossless.ts';
import type { State } from '../../singer/state-file.ts';
import type { Ending, Page, ReadRequest, RowGroup, Run, StreamVersion } from '../../singer/stream.ts';
import { checkpointRow, type EndpointEnding, endpointRow, gapRows, type Snapshot, snapshotRow } from './bookkeeping.ts';
import type { Connection } from './connection.ts';
import { allDone, currentSnapshot, isOf, newSnapshot } from './current-snapshot.ts';
import { bookmarkFor, entryWith, isShared, scopeOf } from './customers.ts';
import type { Notices } from './notices.ts';
import { openNotices, Report } from './report.ts';
import { Standing, type StreamFailure } from './standing.ts';
import { asSweep, type EndpointStream, isDone, isWhole, type StreamPage } from './streams.ts';

/** What ends the run and not just the stream: credentials, a reader that is gone, a server that never answered. */
function endsRun(error: ConnectorError, connection: Connection, { optional }: EndpointStream): boolean {
  if (!(error instanceof HttpFailure)) return error.code !== 'upstream';
  // With a sign-in page some servers answer at a probed endpoint that they lack; a refused key is another matter.
  const signedOut = error.reaction === 'login' && !(optional && error.type === 'html_response');
  return !connection.http.answered && (isUnreachable(error) || signedOut);
}

/** Reads what this run may read, and tells about it where the settings say so. */
export async function* readSnapshot(
  tap: string,
  streams: readonly EndpointStream[],
  connection: Connection,
  request: ReadRequest,
  run: Run,
): AsyncGenerator<Page, Ending> {
  const wanted = new Set(request.selected.map(({ declaration }) => declaration.name));
  const selected = streams.filter(({ name }) => wanted.has(name));
  const notices = await openNotices(tap, connection, request, run);
  const reader = new SnapshotRun(tap, streams, selected, connection, request, run, notices);
  try {
    return yield* reader.read();
  } catch (thrown) {
    if (stopOf(thrown) === undefined)
      notices.failed({ reason: thrown instanceof ConnectorError ? thrown.line : textOf(thrown) });
    throw thrown;
  } finally {
    await notices.close();
  }
}

class SnapshotRun {
  readonly #tap: string;
  readonly #streams: readonly EndpointStream[];
  readonly #selected: readonly EndpointStream[];
  #connection: Connection;
  readonly #settings: ReadRequest['settings'];
  readonly #run: Run;
  readonly #customer: string | undefined;
  readonly #target: number;
  readonly #given: State;
  readonly #report: Report;
  readonly #failures: StreamFailure[] = [];
  /** Bookmarks of the customer that is read, or of the server when it has none. */
  #bookmarks: Record<string, Json>;
  #snapshot: Snapshot;
  #moved = false;
  #startedAt = '';

  constructor(
    tap: string,
    streams: readonly EndpointStream[],
    selected: readonly EndpointStream[],
    connection: Connection,
    { state, settings, probe }: ReadRequest,
    run: Run,
    notices: Notices,
  ) {
    this.#tap = tap;
    this.#streams = streams;
    this.#selected = selected;
    this.#connection = connection;
    // One record is enough for a probe: no page is asked for ahead of its turn.
    this.#settings = probe === true ? { ...settings, pages_per_run: 1 } : settings;
    this.#run = run;
    this.#target = settings.coverage_target as number;
    this.#given = state;
    this.#customer = settings.customer_name as string | undefined;
    const bookmarks = Object.fromEntries(
      Object.entries(state.bookmarks ?? {}).flatMap(([name, entry]) => {
        const bookmark = bookmarkFor(entry, this.#customer);
        return bookmark === undefined ? [] : [[name, bookmark] as const];
      }),
    );
    const now = run.clock.now();
    const current = currentSnapshot({ ...state, bookmarks }, selected, settings, now);
    const last = new Standing(selected, bookmarks, this.#target, []);
    this.#snapshot = current ?? newSnapshot(settings, now, last.sweep?.finished === true ? last.percent : undefined);
    const chosen = new Set(selected.map(({ name }) => name));
    // A new snapshot starts every selected stream over; what is not selected or not ours is kept as it is.
    this.#bookmarks = Object.fromEntries(
      Object.entries(bookmarks).filter(
        ([name, bookmark]) => !chosen.has(name) || (current !== undefined && isOf(bookmark, current)),
      ),
    );
    this.#report = new Report(tap, this.#settings, run, notices, this.#standing());
  }

  async *read(): AsyncGenerator<Page, Ending> {
    this.#report.opened(this.#snapshot, this.#selected.length);
    // A snapshot that is read but still called running was killed before its books were closed.
    const closed = this.#snapshot.status !== 'running';
    if (closed && allDone(this.#selected, { bookmarks: this.#bookmarks })) return this.#ending(true);
    if (this.#customer !== undefined) {
      const scope = await scopeOf(this.#connection, this.#customer);
      this.#connection = { ...this.#connection, scope };
    }
    this.#report.started();
    this.#snapshot = { ...this.#snapshot, status: 'running' };
    yield this.#page([this.#snapshotRow(), ...this.#skipped()]);
    for (const stream of this.#selected) {
      if (isDone(this.#bookmarks[stream.name])) continue;
      if (this.#run.signal.aborted) break;
      yield* this.#stream(stream);
    }
    this.#snapshot = { ...this.#snapshot, status: this.#standing().status(), updated_at: this.#now() };
    yield this.#page([this.#snapshotRow()]);
    return this.#ending(false);
  }

  async *#stream(stream: EndpointStream): AsyncGenerator<Page, void> {
    this.#startedAt = this.#now();
    const { id, started_at } = this.#snapshot;
    const snapshot = { snapshot_id: id, extracted_at: started_at };
    const reading = { connection: this.#connection, settings: this.#settings, run: this.#run, snapshot };
    let failure: ConnectorError | undefined;
    try {
      for await (const page of stream.read(reading, this.#bookmarks[stream.name])) {
        const rows = this.#rows(stream, page, (error) => {
          failure = error;
        });
        yield this.#covered(rows, stream);
        if (failure !== undefined) break;
        const sweep = asSweep(this.#bookmarks[stream.name]);
        if (sweep === undefined || !this.#moved) continue;
        this.#report.saved(stream, sweep, this.#snapshot, this.#standing(), this.#startedAt);
      }
    } catch (thrown) {
      failure = this.#ofStream(thrown, stream);
    }
    if (this.#run.signal.aborted || failure === undefined) return;
    const ending = this.#failed(stream, failure);
    yield this.#page([endpointRow(stream, this.#snapshot, this.#bookmarks[stream.name], ending)]);
  }

  /** The failure if it is one stream's; rethrows what ends the run. */
  #ofStream(thrown: unknown, stream: EndpointStream): ConnectorError {
    if (!(thrown instanceof ConnectorError) || endsRun(thrown, this.#connection, stream)) throw thrown;
    return thrown;
  }

  /** The rows of a page of the stream, then what the books say about it. */
  async *#rows(
    stream: EndpointStream,
    page: StreamPage,
    failed: (failure: ConnectorError) => void,
  ): AsyncGenerator<RowGroup> {
    const version = stream.versioned ? { version: this.#snapshot.id } : {};
    let broken = false;
    try {
      for await (const records of page.rows) yield { stream: stream.name, records, ...version };
    } catch (thrown) {
      // The runner is in the middle of these rows: the failure is this stream's business and must not reach it. What was
      // read before it is as good as ever, and so is the bookmark.
      failed(this.#ofStream(thrown, stream));
      broken = true;
      // Unless there is no total yet: then nothing was.
      if (asSweep(page.state as unknown as Json)?.total === null) return;
    }
    const before = asSweep(this.#bookmarks[stream.name]);
    const bookmark = { ...page.state, snapshot_id: this.#snapshot.id } as unknown as Json;
    this.#bookmarks = { ...this.#bookmarks, [stream.name]: bookmark };
    const after = asSweep(this.#bookmarks[stream.name]);
    // The last page of a run may bring nothing beyond the checkpoint before it.
    this.#moved = JSON.stringify(before) !== JSON.stringify(after) || after === undefined;
    if (!this.#moved) return;
    const now = this.#now();
    this.#snapshot = { ...this.#snapshot, updated_at: now };
    if (after !== undefined) {
      yield gapRows(stream.name, this.#snapshot, before?.gaps ?? [], after.gaps, now);
      this.#report.gaps(stream.name, before, after);
    }
    if (stream.measuresCoverage && after !== undefined && after.total !== null) {
      this.#snapshot = { ...this.#snapshot, first_checkpoint_at: this.#snapshot.first_checkpoint_at ?? now };
      yield checkpointRow(stream.name, this.#snapshot, after, now);
    }
    if (broken) return;
    // With the rows it tells about, not after them: a run killed in between would never write it.
    const status = isDone(bookmark) ? 'ok' : 'partial';
    yield endpointRow(stream, this.#snapshot, bookmark, {
      status,
      startedAt: this.#startedAt,
      endedAt: now,
      error: null,
    });
  }

  /** Rows of a stream with what is true once they are written; both are asked for after the rows have moved the bookmark. */
  #covered(rows: AsyncIterable<RowGroup>, stream: EndpointStream): Page {
    const complete = () => this.#complete(stream);
    const state = () => this.#state();
    return {
      rows,
      get complete() {
        return complete();
      },
      get state() {
        return state();
      },
    };
  }

  /** The stream's version if its sweep just became whole: whatever an earlier one brought beside it is gone. */
  #complete(stream: EndpointStream): readonly StreamVersion[] {
    if (!stream.versioned || !this.#moved || !isWhole(this.#bookmarks[stream.name])) return [];
    if (isShared(this.#given.bookmarks?.[stream.name], this.#customer)) {
      this.#run.log.warn(
        'version_kept_back',
        `${stream.name}: this state knows several customers, so rows that vanished are not told: they may be another customer's`,
        { stream: stream.name },
      );
      return [];
    }
    return [{ stream: stream.name, version: this.#snapshot.id }];
  }

  /** Takes note of a stream that could not be read. */
  #failed(stream: EndpointStream, failure: ConnectorError): EndpointEnding {
    // A sweep whose total never arrived has nothing to go on from.
    if (asSweep(this.#bookmarks[stream.name])?.total === null) delete this.#bookmarks[stream.name];
    const ended = { startedAt: this.#startedAt, endedAt: this.#now(), error: failure.message };
    if (stream.optional && failure instanceof HttpFailure && isAbsence(failure)) {
      const bookmark = { finished: true, unavailable: true, snapshot_id: this.#snapshot.id };
      this.#bookmarks = { ...this.#bookmarks, [stream.name]: bookmark };
      this.#report.unavailable(stream, failure);
      return { status: 'unavailable', ...ended };
    }
    this.#failures.push({ stream: stream.name, reason: failure.line });
    this.#report.failed(stream, failure);
    const unavailable = failure instanceof HttpFailure && failure.reaction === 'unavailable';
    return { status: unavailable ? 'unavailable' : 'failed', ...ended };
  }

  /** Streams of this tap that nobody selected: the books account for every endpoint. */
  #skipped(): readonly RowGroup[] {
    const endedAt = this.#now();
    return this.#streams
      .filter((stream) => !this.#selected.includes(stream))
      .map((stream) =>
        endpointRow(stream, this.#snapshot, undefined, { status: 'skipped', startedAt: null, endedAt, error: null }),
      );
  }

  /** Where the selected streams stand now. */
  #standing(): Standing {
    return new Standing(this.#selected, this.#bookmarks, this.#target, this.#failures);
  }

  #ending(nothingToDo: boolean): Ending {
    const { http } = this.#connection;
    return this.#report.ended(this.#standing(), this.#snapshot, http, this.#failures, nothingToDo);
  }

  #snapshotRow(): RowGroup {
    const { sweep, percent } = this.#standing();
    return snapshotRow(this.#tap, this.#snapshot, sweep === undefined ? null : percent, this.#target);
  }

  #now(): string {
    return timestamp(this.#run.clock.now());
  }

  #state(): State {
    const given = this.#given.bookmarks ?? {};
    const names = new Set([...Object.keys(given), ...Object.keys(this.#bookmarks)]);
    const bookmarks = [...names].flatMap((name) => {
      const entry = entryWith(given[name], this.#customer, this.#bookmarks[name]);
      return entry === undefined ? [] : [[name, entry] as const];
    });
    return {
      ...this.#given,
      state_version: STATE_VERSION,
      bookmarks: Object.fromEntries(bookmarks),
      snapshot: this.#snapshot as unknown as Json,
    };
  }

  #page(rows: readonly RowGroup[]): Page {
    return { rows, state: this.#state() };
  }
}

/** Version of the state's shape. */
export const STATE_VERSION = 1;
