/**
 * One run of a ManageEngine tap: decides which snapshot it belongs to, reads each selected stream as far as the run
 * may, keeps the books, and says how it ended. One endpoint's failure never stops the others.
 */

import { HttpFailure, isUnreachable } from '../../http/judge.ts';
import { coverage } from '../../http/sweep-state.ts';
import { ConnectorError, EXIT } from '../../singer/errors.ts';
import { timestamp } from '../../singer/io.ts';
import type { Json } from '../../singer/lossless.ts';
import type { State } from '../../singer/state-file.ts';
import type { Ending, Page, ReadRequest, Run, StreamRow } from '../../singer/stream.ts';
import { checkpointRow, type EndpointEnding, endpointRow, gapRows, type Snapshot, snapshotRow } from './bookkeeping.ts';
import type { Connection } from './connection.ts';
import { allDone, currentSnapshot, isOf, newSnapshot } from './current-snapshot.ts';
import { Standing, type StreamFailure } from './standing.ts';
import { asSweep, type EndpointStream, isDone, type StreamPage } from './streams.ts';

/** What ends the run and not just the stream: credentials, a reader that is gone, a server that never answered. */
function endsRun(error: ConnectorError, connection: Connection): boolean {
  if (!(error instanceof HttpFailure)) return error.code !== 'upstream';
  return !connection.http.answered && (isUnreachable(error) || error.reaction === 'login');
}

/** Reads what this run may read. */
export async function* readSnapshot(
  tap: string,
  streams: readonly EndpointStream[],
  connection: Connection,
  request: ReadRequest,
  run: Run,
): AsyncGenerator<Page, Ending> {
  const wanted = new Set(request.selected.map(({ declaration }) => declaration.name));
  const selected = streams.filter(({ name }) => wanted.has(name));
  const reader = new SnapshotRun(tap, streams, selected, connection, request, run);
  return yield* reader.read();
}

class SnapshotRun {
  readonly #tap: string;
  readonly #streams: readonly EndpointStream[];
  readonly #selected: readonly EndpointStream[];
  readonly #connection: Connection;
  readonly #settings: ReadRequest['settings'];
  readonly #run: Run;
  readonly #target: number;
  readonly #rest: State;
  readonly #failures: StreamFailure[] = [];
  readonly #before: number;
  #bookmarks: Record<string, Json>;
  #snapshot: Snapshot;
  #moved = false;
  #startedAt = '';

  constructor(
    tap: string,
    streams: readonly EndpointStream[],
    selected: readonly EndpointStream[],
    connection: Connection,
    { state, settings }: ReadRequest,
    run: Run,
  ) {
    this.#tap = tap;
    this.#streams = streams;
    this.#selected = selected;
    this.#connection = connection;
    this.#settings = settings;
    this.#run = run;
    this.#target = settings.coverage_target as number;
    this.#rest = state;
    const now = run.clock.now();
    const current = currentSnapshot(state, selected, settings, now);
    this.#snapshot = current ?? newSnapshot(settings, now);
    const chosen = new Set(selected.map(({ name }) => name));
    // A new snapshot starts every selected stream over; what is not selected or not ours is kept as it is.
    this.#bookmarks = Object.fromEntries(
      Object.entries(state.bookmarks ?? {}).filter(
        ([name, bookmark]) => !chosen.has(name) || (current !== undefined && isOf(bookmark, current)),
      ),
    );
    this.#before = this.#standing().percent;
  }

  async *read(): AsyncGenerator<Page, Ending> {
    const { log } = this.#run;
    log.always({ snapshot_id: this.#snapshot.id });
    log.info(
      'extractor_init',
      `${this.#tap}: snapshot ${this.#snapshot.id}, ${this.#selected.length} streams selected`,
    );
    const { sweep, percent } = this.#standing();
    if (sweep !== undefined) {
      const target = Math.round(this.#target * 1000) / 10;
      log.info('coverage_check', `coverage before this run ${percent} %, target ${target} %`, {
        coverage_pct: percent,
        coverage_target: this.#target,
      });
    }
    // A snapshot that is read but still called running was killed before its books were closed.
    const closed = this.#snapshot.status !== 'running';
    if (closed && allDone(this.#selected, { bookmarks: this.#bookmarks })) return this.#ending(true);
    log.info(
      'batch_start',
      `reading up to ${this.#settings.pages_per_run === 0 ? 'all' : this.#settings.pages_per_run} pages of each stream`,
      { pages_per_run: this.#settings.pages_per_run },
    );
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
        const state = () => this.#state();
        yield {
          rows: this.#rows(stream, page, (error) => {
            failure = error;
          }),
          // Asked for after the rows: their end is what moves the bookmark.
          get state() {
            return state();
          },
        };
        if (failure !== undefined) break;
        this.#saved(stream);
      }
    } catch (thrown) {
      failure = this.#ofStream(thrown);
    }
    if (this.#run.signal.aborted) return;
    if (failure === undefined) return;
    const ending = this.#failed(stream, failure);
    yield this.#page([endpointRow(stream, this.#snapshot, this.#bookmarks[stream.name], ending)]);
  }

  /** The failure if it is one stream's; rethrows what ends the run. */
  #ofStream(thrown: unknown): ConnectorError {
    if (!(thrown instanceof ConnectorError) || endsRun(thrown, this.#connection)) throw thrown;
    return thrown;
  }

  /** The rows of a page of the stream, then what the books say about it. */
  async *#rows(
    stream: EndpointStream,
    page: StreamPage,
    failed: (failure: ConnectorError) => void,
  ): AsyncGenerator<StreamRow> {
    try {
      for await (const record of page.rows) yield { stream: stream.name, record };
    } catch (thrown) {
      // The runner is in the middle of these rows: the failure is this stream's business and must not reach it.
      failed(this.#ofStream(thrown));
      return;
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
    if (after !== undefined) yield* gapRows(stream.name, this.#snapshot, before?.gaps ?? [], after.gaps, now);
    if (stream.measuresCoverage && after !== undefined && after.total !== null) {
      this.#snapshot = { ...this.#snapshot, first_checkpoint_at: this.#snapshot.first_checkpoint_at ?? now };
      yield checkpointRow(stream.name, this.#snapshot, after, now);
    }
    // With the rows it tells about, not after them: a run killed in between would never write it.
    const status = isDone(bookmark) ? 'ok' : 'partial';
    yield endpointRow(stream, this.#snapshot, bookmark, {
      status,
      startedAt: this.#startedAt,
      endedAt: now,
      error: null,
    });
  }

  #saved(stream: EndpointStream): void {
    const sweep = asSweep(this.#bookmarks[stream.name]);
    if (sweep === undefined || !this.#moved) return;
    this.#run.log.info('checkpoint_saved', `${stream.name}: checkpoint after page ${sweep.next_page - 1}`, {
      stream: stream.name,
      page: sweep.next_page - 1,
      gaps: sweep.gaps.length,
    });
    if (stream.measuresCoverage)
      this.#run.metrics.gauge(
        'tapworks_coverage_ratio',
        'Share of the reported rows that the sweep has brought.',
        { stream: stream.name },
        coverage(sweep),
      );
  }

  /** Takes note of a stream that could not be read. */
  #failed(stream: EndpointStream, failure: ConnectorError): EndpointEnding {
    // A sweep whose total never arrived has nothing to go on from.
    if (asSweep(this.#bookmarks[stream.name])?.total === null) delete this.#bookmarks[stream.name];
    const unavailable = failure instanceof HttpFailure && failure.reaction === 'unavailable';
    this.#failures.push({ stream: stream.name, reason: failure.line, unavailable });
    this.#run.log.error(unavailable ? 'endpoint_unavailable' : 'endpoint_failed', `${stream.name}: ${failure.line}`, {
      ...failure.where,
      stream: stream.name,
    });
    const status = unavailable ? 'unavailable' : 'failed';
    return { status, startedAt: this.#startedAt, endedAt: this.#now(), error: failure.message };
  }

  /** Streams of this tap that nobody selected: the books account for every endpoint. */
  #skipped(): readonly StreamRow[] {
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
    const { stats } = this.#connection.http;
    const standing = this.#standing();
    const { log } = this.#run;
    if (standing.percent < this.#before) {
      log.warn('coverage_fell', `coverage fell from ${this.#before} % to ${standing.percent} %`, {
        coverage_pct: standing.percent,
        coverage_pct_before: this.#before,
      });
    }
    const gaps = standing.gaps();
    // Pages were asked for and not one came: the gaps are safe in the state, but this is no batch that ended in order.
    // Gaps of a finished sweep that met its target are another matter: they are only told.
    const silent = !nothingToDo && !standing.targetMet && stats.lost > 0 && !this.#connection.http.answered;
    const exitCode = standing.exitCode() || (silent ? EXIT.incomplete : EXIT.complete);
    if (gaps.length > 0 && exitCode === EXIT.complete) {
      const list = gaps.slice(0, 20).map(({ stream, page }) => `${stream} page ${page}`);
      const text = `${gaps.length} pages are still missing and are tried first in the next run: ${list.join(', ')}`;
      log.warn('gaps_open', text, { gaps: gaps.slice(0, 100) });
    }
    const pages = { pages_retried: stats.retried, pages_recovered: stats.recovered, pages_lost: stats.lost };
    const { requests } = stats;
    log.info('batch_complete', nothingToDo ? 'no request was needed' : `${requests} requests`, { requests, ...pages });
    const position = standing.position();
    const failed = this.#failures.map(({ stream }) => stream);
    const summary = nothingToDo
      ? `nothing to do: ${position}every selected sweep is finished and no page is missing`
      : `${position}pages retried ${stats.retried}, recovered ${stats.recovered}, lost ${stats.lost}${failed.length === 0 ? '' : `; not read: ${failed.join(', ')}`}`;
    const fields = { ...standing.fields(), ...pages };
    return { exitCode, summary, fields, failures: this.#failures };
  }

  #snapshotRow(): StreamRow {
    const { sweep, percent } = this.#standing();
    return snapshotRow(this.#tap, this.#snapshot, sweep === undefined ? null : percent, this.#target);
  }

  #now(): string {
    return timestamp(this.#run.clock.now());
  }

  #state(): State {
    return {
      ...this.#rest,
      state_version: STATE_VERSION,
      bookmarks: { ...this.#bookmarks },
      snapshot: this.#snapshot as unknown as Json,
    };
  }

  #page(rows: readonly StreamRow[]): Page {
    return { rows, state: this.#state() };
  }
}

/** Version of the state's shape. */
export const STATE_VERSION = 1;
