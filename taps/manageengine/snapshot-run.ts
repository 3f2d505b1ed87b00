/**
 * The reading of a snapshot in one run: which of its streams are left, each as far as the run may, with the books about
 * it, and how it ended. One endpoint's failure never stops the others.
 */

import { HttpFailure, isAbsence, isUnreachable } from '../../http/judge.ts';
import { ConnectorError } from '../../singer/errors.ts';
import { timestamp } from '../../singer/io.ts';
import type { Json } from '../../singer/lossless.ts';
import type { State } from '../../singer/state-file.ts';
import type { Ending, Page, ReadRequest, RowGroup, Run, StreamVersion } from '../../singer/stream.ts';
import {
  type Books,
  checkpointRow,
  type EndpointEnding,
  endpointRows,
  gapRows,
  type Snapshot,
  snapshotRow,
} from './bookkeeping.ts';
import { Bookmarks, type CustomerName, filledBy } from './bookmarks.ts';
import type { Connection } from './connection.ts';
import { allDone, currentSnapshot, newSnapshot } from './current-snapshot.ts';
import { bookmarkFor, customerNamed, entryWith, isShared } from './customers.ts';
import type { Customer } from './families.ts';
import type { Notices } from './notices.ts';
import { Report } from './report.ts';
import { Standing, type StreamFailure } from './standing.ts';
import { asSweep, type EndpointStream, isDone, isWhole, namesOf, type StreamPage } from './streams.ts';

/** What ends the run and not just the stream: credentials, a reader that is gone, a server that never answered. */
function endsRun(error: ConnectorError, connection: Connection, { optional }: EndpointStream): boolean {
  if (!(error instanceof HttpFailure)) return error.code !== 'upstream';
  // With a sign-in page some servers answer at a probed endpoint that they lack; a refused key is another matter.
  const signedOut = error.reaction === 'login' && !(optional && error.type === 'html_response');
  return !connection.http.answered && (isUnreachable(error) || signedOut);
}

/** What a run has to go by. */
export interface Task {
  /** Name of the tap. */
  readonly tap: string;
  readonly books: Books;
  /** All streams of the tap, and those that have to be read. */
  readonly streams: readonly EndpointStream[];
  readonly selected: readonly EndpointStream[];
  /** Names of the selected streams, the fed ones among them. */
  readonly wanted: ReadonlySet<string>;
  /** All customers of the server, when it is read whole. */
  readonly everyone: readonly Customer[] | undefined;
  readonly connection: Connection;
  readonly request: ReadRequest;
  readonly notices: Notices;
}

export class SnapshotRun {
  readonly #task: Task;
  #connection: Connection;
  readonly #settings: ReadRequest['settings'];
  readonly #run: Run;
  #customer: CustomerName;
  readonly #target: number;
  readonly #given: State;
  readonly #report: Report;
  readonly #failures: StreamFailure[] = [];
  readonly #bookmarks: Bookmarks;
  #snapshot: Snapshot;
  #moved = false;
  #startedAt = '';

  constructor(task: Task, run: Run) {
    const { selected, wanted, everyone, request, notices } = task;
    const { state, settings, probe } = request;
    this.#task = task;
    this.#connection = task.connection;
    // One record is enough for a probe: no page is asked for ahead of its turn.
    this.#settings = probe === true ? { ...settings, pages_per_run: 1 } : settings;
    this.#run = run;
    this.#target = settings.coverage_target as number;
    this.#given = state;
    this.#customer = settings.customer_name as string | undefined;
    this.#bookmarks = new Bookmarks(state, everyone?.map(({ name }) => name) ?? [this.#customer]);
    const now = run.clock.now();
    const snapshot = bookmarkFor(state.snapshot, this.#customer);
    const together = this.#bookmarks.together();
    const current = currentSnapshot({ bookmarks: together, snapshot }, selected, settings, now);
    const last = new Standing(selected, together, this.#target, []);
    this.#snapshot = current ?? {
      ...newSnapshot(settings, now, last.sweep?.finished === true ? last.percent : undefined),
      ...(everyone !== undefined && { customer_list: everyone }),
    };
    this.#bookmarks.startOver(selected, wanted, current, everyone !== undefined);
    this.#report = new Report(task.tap, this.#settings, run, notices, this.#standing());
  }

  async *read(): AsyncGenerator<Page, Ending> {
    const names = this.#task.selected.flatMap(namesOf).filter((name) => this.#task.wanted.has(name));
    this.#report.opened(this.#snapshot, names.length);
    // A snapshot that is read but still called running was killed before its books were closed.
    const closed = this.#snapshot.status !== 'running';
    if (closed && allDone(this.#task.selected, { bookmarks: this.#bookmarks.together() })) return this.#ending(true);
    const customers =
      this.#task.everyone ??
      (this.#customer === undefined ? [undefined] : [await customerNamed(this.#connection, this.#customer)]);
    this.#report.started();
    this.#snapshot = { ...this.#snapshot, status: 'running' };
    yield this.#page([this.#snapshotRow(), ...this.#skipped()]);
    for (const customer of customers) yield* this.#streamsOf(customer);
    if (this.#task.everyone !== undefined) this.#run.log.always({ customer: undefined });
    this.#snapshot = { ...this.#snapshot, status: this.#standing().status(), updated_at: this.#now() };
    yield this.#page([this.#snapshotRow()]);
    return this.#ending(false);
  }

  async *#streamsOf(customer: Customer | undefined): AsyncGenerator<Page, void> {
    if (customer !== undefined) {
      this.#customer = customer.name;
      this.#connection = { ...this.#connection, customer };
      if (this.#task.everyone !== undefined) this.#run.log.always({ customer: customer.name });
    }
    for (const stream of this.#task.selected) {
      if (isDone(this.#bookmark(stream))) continue;
      if (this.#run.signal.aborted) break;
      yield* this.#stream(stream);
    }
  }

  /** The stream's bookmark of the customer that is read. */
  #bookmark({ name }: EndpointStream): Json | undefined {
    return this.#bookmarks.of(name, this.#customer);
  }

  /** The name by which a gap is told: pages of several customers have the same numbers. */
  #label({ name }: EndpointStream): string {
    return this.#task.everyone === undefined ? name : `${name} (${this.#customer})`;
  }

  async *#stream(stream: EndpointStream): AsyncGenerator<Page, void> {
    this.#startedAt = this.#now();
    const { id, started_at } = this.#snapshot;
    const snapshot = { snapshot_id: id, extracted_at: started_at };
    const reading = { connection: this.#connection, settings: this.#settings, run: this.#run, snapshot };
    let failure: ConnectorError | undefined;
    try {
      for await (const page of stream.read(reading, this.#bookmark(stream))) {
        const rows = this.#rows(stream, page, (error) => {
          failure = error;
        });
        yield this.#covered(rows, stream);
        if (failure !== undefined) break;
        const sweep = asSweep(this.#together(stream));
        if (sweep === undefined || !this.#moved) continue;
        this.#report.saved(stream, sweep, this.#snapshot, this.#standing(), this.#startedAt);
      }
    } catch (thrown) {
      failure = this.#ofStream(thrown, stream);
    }
    if (this.#run.signal.aborted || failure === undefined) return;
    const ending = this.#failed(stream, failure);
    yield this.#page([endpointRows(stream, this.#task.wanted, this.#snapshot, this.#together(stream), ending)]);
  }

  /** The failure if it is one stream's; rethrows what ends the run. */
  #ofStream(thrown: unknown, stream: EndpointStream): ConnectorError {
    if (thrown instanceof ConnectorError && !endsRun(thrown, this.#connection, stream)) return thrown;
    this.#report.broken(thrown);
    throw thrown;
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
      for await (const rows of page.rows) {
        const groups = stream.split?.(rows) ?? [{ stream: stream.name, records: rows }];
        for (const group of groups) yield { ...group, ...version };
      }
    } catch (thrown) {
      // The runner is in the middle of these rows: the failure is this stream's business and must not reach it. What was
      // read before it is as good as ever, and so is the bookmark.
      failed(this.#ofStream(thrown, stream));
      broken = true;
      // Unless there is no total yet: then nothing was.
      if (asSweep(page.state as unknown as Json)?.total === null) return;
    }
    const since = this.#bookmark(stream);
    const before = asSweep(since);
    const bookmark = {
      ...page.state,
      ...(stream.feeds.length > 0 && { filled: namesOf(stream).filter((name) => this.#fills(name, since)) }),
      snapshot_id: this.#snapshot.id,
    } as unknown as Json;
    this.#bookmarks.set(stream.name, this.#customer, bookmark);
    const after = asSweep(bookmark);
    // The last page of a run may bring nothing beyond the checkpoint before it.
    this.#moved = JSON.stringify(before) !== JSON.stringify(after) || after === undefined;
    if (!this.#moved) return;
    const now = this.#now();
    this.#snapshot = { ...this.#snapshot, updated_at: now };
    if (after !== undefined) {
      yield gapRows(this.#task.books, this.#label(stream), this.#snapshot, before?.gaps ?? [], after.gaps, now);
      this.#report.gaps(this.#label(stream), before, after);
    }
    const together = this.#together(stream);
    const whole = asSweep(together);
    if (stream.measuresCoverage && whole !== undefined && whole.total !== null) {
      this.#snapshot = { ...this.#snapshot, first_checkpoint_at: this.#snapshot.first_checkpoint_at ?? now };
      yield checkpointRow(this.#task.books, stream.name, this.#snapshot, whole, now);
    }
    if (broken) return;
    // With the rows it tells about, not after them: a run killed in between would never write it.
    const status = isDone(together) ? 'ok' : 'partial';
    yield endpointRows(stream, this.#task.wanted, this.#snapshot, together, {
      status,
      startedAt: this.#startedAt,
      endedAt: now,
      error: null,
    });
  }

  /** True when the stream gets the rows of this run, and got those of the runs before. */
  #fills(name: string, since: Json | undefined): boolean {
    return this.#task.wanted.has(name) && (since === undefined || filledBy(since).includes(name));
  }

  /** What the bookmarks of all customers say of the stream. */
  #together({ name }: EndpointStream): Json | undefined {
    return this.#bookmarks.together()[name];
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

  /** The versions of its streams if its sweep just became whole: whatever an earlier one brought beside it is gone. */
  #complete(stream: EndpointStream): readonly StreamVersion[] {
    if (!stream.versioned || !this.#moved || !this.#isWhole(stream)) return [];
    if (isShared(this.#bookmarks.entries()[stream.name], this.#bookmarks.customers)) {
      this.#run.log.warn(
        'version_kept_back',
        `${stream.name}: this state knows several customers, so rows that vanished are not told: they may be another customer's`,
        { stream: stream.name },
      );
      return [];
    }
    return namesOf(stream).map((name) => ({ stream: name, version: this.#snapshot.id }));
  }

  #isWhole({ name }: EndpointStream): boolean {
    return this.#bookmarks.customers.every((customer) => isWhole(this.#bookmarks.of(name, customer)));
  }

  /** Takes note of a stream that could not be read. */
  #failed(stream: EndpointStream, failure: ConnectorError): EndpointEnding {
    // A sweep whose total never arrived has nothing to go on from.
    if (asSweep(this.#bookmark(stream))?.total === null) this.#bookmarks.set(stream.name, this.#customer, undefined);
    const ended = { startedAt: this.#startedAt, endedAt: this.#now(), error: failure.message };
    if (stream.optional && failure instanceof HttpFailure && isAbsence(failure)) {
      const bookmark = { finished: true, unavailable: true, snapshot_id: this.#snapshot.id };
      this.#bookmarks.set(stream.name, this.#customer, bookmark);
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
    const unwanted = new Set(this.#task.streams.flatMap(namesOf).filter((name) => !this.#task.wanted.has(name)));
    return this.#task.streams.map((stream) =>
      endpointRows(stream, unwanted, this.#snapshot, undefined, {
        status: 'skipped',
        startedAt: null,
        endedAt,
        error: null,
      }),
    );
  }

  /** Where the selected streams stand now. */
  #standing(): Standing {
    const { customers } = this.#bookmarks;
    return new Standing(
      this.#task.selected,
      this.#bookmarks.together(),
      this.#target,
      this.#failures,
      customers.length,
    );
  }

  #ending(nothingToDo: boolean): Ending {
    const { http } = this.#connection;
    return this.#report.ended(this.#standing(), this.#snapshot, http, this.#failures, nothingToDo);
  }

  #snapshotRow(): RowGroup {
    const { sweep, percent } = this.#standing();
    return snapshotRow(this.#task.tap, this.#snapshot, sweep === undefined ? null : percent, this.#target);
  }

  #now(): string {
    return timestamp(this.#run.clock.now());
  }

  #state(): State {
    const customer = this.#task.everyone === undefined ? this.#customer : undefined;
    return {
      ...this.#given,
      state_version: STATE_VERSION,
      bookmarks: this.#bookmarks.entries(),
      snapshot: entryWith(this.#given.snapshot, customer, this.#snapshot as unknown as Json),
    };
  }

  #page(rows: readonly RowGroup[]): Page {
    return { rows, state: this.#state() };
  }
}

/** Version of the state's shape. */
export const STATE_VERSION = 1;
