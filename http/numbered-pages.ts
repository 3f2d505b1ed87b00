/**
 * Page-numbered endpoints as one declared thing: sweep, total, checkpoints, gaps, second look.
 *
 * A page number means nothing once rows were added or removed, so it is never trusted: the last page is read again on
 * resume, a total that fell steps back as many pages as rows may have slipped over the boundary, a gap is tried again
 * as a range widened by the change in total, and at the end distinct keys are compared with the total. Reading a row
 * twice is free (targets upsert), missing one is not.
 */
import { ConnectorError } from '../singer/errors.ts';
import { stopOf, timestamp } from '../singer/io.ts';
import type { Row } from '../singer/lossless.ts';
import type { Run } from '../singer/stream.ts';
import type { Http } from './exchange.ts';
import { HttpFailure, isUnreachable } from './judge.ts';
import { KeySet } from './key-set.ts';
import { type NumberedEndpoint, type PageRead, PageReader, type Reported } from './page-reader.ts';
import { coverage, EMPTY_SWEEP, type Gap, gapRows, lastPage, type SweepState } from './sweep-state.ts';
import { Unread } from './unread.ts';

export interface PagingLimits {
  /** New pages per run; 0 for no limit. Re-reads, gap retries and the second look do not count. */
  readonly pagesPerRun: number;
  /** Pages between two checkpoints. */
  readonly checkpointPages: number;
  /** How many pages at the start may fail before the endpoint counts as broken: without a total there is no sweep. */
  readonly pagesWithoutTotal?: number;
}

/** Rows, and the bookmark that is true once they are safe (read it after the rows). */
export interface SweepPage {
  readonly rows: AsyncIterable<readonly Row[]>;
  readonly state: SweepState;
}

const PAGES_WITHOUT_TOTAL = 3;

/** Reads what this run may read of the sweep, as pages of up to `checkpointPages` HTTP pages each. */
export async function* sweepPages(
  endpoint: NumberedEndpoint,
  http: Http,
  since: SweepState | undefined,
  limits: PagingLimits,
  run: Run,
): AsyncGenerator<SweepPage, void> {
  const sweep = new Sweep(endpoint, http, since ?? EMPTY_SWEEP, limits, run);
  const work = sweep.work();
  let done = false;
  try {
    while (!done) {
      yield {
        rows: (async function* () {
          for (;;) {
            const next = await work.next();
            if (next.done === true) done = true;
            if (next.done === true || next.value === CHECKPOINT) return;
            yield next.value;
          }
        })(),
        get state() {
          return sweep.state();
        },
      };
    }
  } finally {
    // A reader that wants no more must not leave a reply half read.
    await work.return();
  }
}

const CHECKPOINT = Symbol('checkpoint');

/** Runs a reading to its end and keeps its rows. */
async function gathered(rows: AsyncGenerator<readonly Row[], PageRead>, into: (readonly Row[])[]): Promise<PageRead> {
  for (;;) {
    const step = await rows.next();
    if (step.done === true) return step.value;
    into.push(step.value);
  }
}

type Work = AsyncGenerator<readonly Row[] | typeof CHECKPOINT, void>;

/** One answer: whether the page was read, and the failure if not. */
type Outcome = 'read' | 'failed' | 'resized';

/** One sweep as far as one run reads it. */
export class Sweep {
  readonly #endpoint: NumberedEndpoint;
  readonly #http: Http;
  readonly #limits: PagingLimits;
  readonly #run: Run;
  readonly #resumed: boolean;
  #size: number | null;
  #total: number | null;
  /** Places of the list that the way to its end still has to pass; undefined until the page size is known. */
  #ahead: Unread | undefined;
  #next: number;
  #keys: KeySet;
  #distinct: number;
  #weight: number;
  #gaps: Gap[];
  #secondLook: Unread | 'done' | undefined;
  /** Places that open gap retries and a second look still have to see. Every page that is read counts for all. */
  readonly #watching = new Set<Unread>();
  #finished: boolean;
  #restarted = false;
  /** What to do about the page that was missed last, if its failure says so. */
  #hint: string | undefined;
  #pagesSinceCheckpoint = 0;
  #newPages = 0;
  /** How each page that was asked for ended, the last time it was. */
  readonly #outcomes = new Map<number, 'read' | 'lost'>();
  /** Rows of a list whose server tells no total, once its end was seen. */
  #end: number | undefined;
  /** True on the way to the end, where the next page is known in advance. */
  #forwards = false;
  readonly #reader: PageReader;
  readonly #startedAt: number;

  constructor(endpoint: NumberedEndpoint, http: Http, since: SweepState, limits: PagingLimits, run: Run) {
    this.#endpoint = endpoint;
    this.#http = http;
    this.#limits = limits;
    this.#run = run;
    this.#size = since.page_size;
    this.#total = since.total;
    if (since.page_size !== null && since.total !== null) {
      // One page before: what was read last is read again, so that a total that fell meanwhile shows in time.
      const from = ((since.reread_from ?? since.next_page) - 2) * since.page_size;
      this.#ahead = new Unread(from, Number.POSITIVE_INFINITY, since.total_at_next);
    }
    this.#next = since.next_page;
    this.#keys = KeySet.decode(since.keys ?? []);
    this.#distinct = since.keys === undefined ? since.distinct : this.#keys.size;
    this.#weight = since.weight ?? 0;
    this.#gaps = [...since.gaps];
    if (typeof since.second_look === 'number' && since.page_size !== null) {
      this.#secondLook = this.#watch((since.second_look - 1) * since.page_size, Number.POSITIVE_INFINITY, since.total);
    } else if (since.second_look === 'done') this.#secondLook = 'done';
    this.#finished = since.finished;
    this.#resumed = since.next_page > 1;
    this.#reader = new PageReader(endpoint, http);
    this.#startedAt = run.clock.now();
  }

  state(): SweepState {
    const open = !this.#finished || this.#gaps.length > 0;
    const reread = this.#finished ? this.#next : (this.#pageAhead() ?? this.#next);
    return {
      page_size: this.#size,
      total: this.#total,
      total_at_next: this.#ahead?.total ?? this.#total,
      next_page: this.#next,
      ...(reread < this.#next && { reread_from: reread }),
      distinct: this.#distinct,
      ...(this.#endpoint.weight !== undefined && { weight: this.#weight }),
      ...(open && { keys: this.#keys.encode() }),
      gaps: [...this.#gaps],
      ...this.#secondLookState(),
      finished: this.#finished,
    };
  }

  #secondLookState(): Pick<SweepState, 'second_look'> {
    const look = this.#secondLook;
    if (look === undefined || look === 'done') return look === undefined ? {} : { second_look: look };
    return { second_look: (this.#size === null ? undefined : look.page(this.#size)) ?? this.#next };
  }

  #watch(from: number, to: number, total: number | null): Unread {
    const places = new Unread(from, to, total);
    this.#watching.add(places);
    return places;
  }

  /** Everything this run does, in order. A stop ends it early; the state then covers the pages read so far. */
  async *work(): Work {
    try {
      if (this.#resumed) yield* this.#retryGaps();
      if (!this.#finished) {
        yield* this.#forward();
        if (this.#pageAhead() !== undefined) return;
        if (this.#newPages > 0) yield* this.#retryGaps();
      }
      yield* this.#secondPass();
      this.#finished = this.#size !== null;
    } catch (thrown) {
      // The state is true for the pages read so far; the runner sees the stop by itself and says so.
      if (stopOf(thrown) === undefined) throw thrown;
    } finally {
      await this.#reader.discard();
      this.#countPages();
      const rows = this.#reader.badRows;
      if (rows > 0) {
        this.#run.log.warn(
          'bad_rows',
          `${this.#endpoint.stream}: ${rows} rows were no records of this stream and were left out`,
          { stream: this.#endpoint.stream, rows },
        );
      }
    }
  }

  #countPages(): void {
    const { stream, parent } = this.#endpoint;
    if (parent !== undefined) return;
    const { metrics } = this.#run;
    for (const outcome of this.#outcomes.values()) {
      const labels = { stream, outcome, program: metrics.program };
      metrics.count('tapworks_pages_total', 'Pages asked for, each once, by how they ended.', labels);
    }
  }

  /** The next page on the way to the end; undefined when the end was reached. */
  #pageAhead(): number | undefined {
    return this.#ahead === undefined || this.#size === null ? this.#next : this.#ahead.page(this.#size);
  }

  /** From where the sweep stands to its last page, or as far as `pagesPerRun` allows. */
  async *#forward(): Work {
    this.#forwards = true;
    try {
      yield* this.#pages();
    } finally {
      this.#forwards = false;
    }
  }

  async *#pages(): Work {
    for (;;) {
      const page = this.#pageAhead();
      if (page === undefined) return;
      const isNew = page >= this.#next;
      if (isNew && this.#limits.pagesPerRun > 0 && this.#newPages >= this.#limits.pagesPerRun) return;
      if (this.#size !== null && this.#ahead?.exhausted(this.#size)) {
        this.#run.log.warn(
          'sweep_without_end',
          `${this.#endpoint.stream}: the total keeps changing faster than pages are read; the next run goes on`,
          { stream: this.#endpoint.stream, page },
        );
        return;
      }
      const outcome = yield* this.#page(page);
      if (outcome === 'resized') continue;
      if (isNew) {
        this.#newPages += 1;
        this.#next = page + 1;
      }
      if (outcome === 'failed') {
        const tries = this.#limits.pagesWithoutTotal ?? PAGES_WITHOUT_TOTAL;
        if (this.#total === null && page >= tries) throw this.#broken(tries);
        if (this.#size !== null) this.#ahead?.done(page, this.#size);
      }
      yield* this.#checkpoint();
    }
  }

  /** Tries every open gap again, each as a range widened by what the total changed since. */
  async *#retryGaps(): Work {
    const size = this.#size;
    if (size === null) return;
    const missing = this.#gaps.map((gap) => ({
      gap,
      places: this.#watch((gap.page - 1) * size, gap.page * size, gap.total),
    }));
    try {
      for (const { gap, places } of missing) {
        let page = places.page(size);
        while (page !== undefined && !places.exhausted(size)) {
          const outcome = yield* this.#page(page, gap);
          if (outcome === 'resized') return;
          if (outcome === 'failed') break;
          page = places.page(size);
          yield* this.#checkpoint();
        }
        if (page !== undefined) continue;
        this.#gaps = this.#gaps.filter((other) => other.page !== gap.page);
        this.#run.log.info('gap_resolved', `${this.#endpoint.stream}: page ${gap.page} was read after all`, {
          stream: this.#endpoint.stream,
          page: gap.page,
        });
        yield CHECKPOINT;
      }
    } finally {
      for (const { places } of missing) this.#watching.delete(places);
    }
  }

  /** Once, after the last page and the gaps: everything again while distinct keys are missing. */
  async *#secondPass(): Work {
    if (this.#secondLook === 'done' || this.#size === null) return;
    if (this.#secondLook === undefined) {
      if (!this.#short()) return;
      this.#run.log.info(
        'second_look',
        `${this.#endpoint.stream}: ${this.#distinct} of ${this.#total} seen after the last page, looking again`,
        { stream: this.#endpoint.stream },
      );
    }
    const size = this.#size;
    const places = this.#secondLook ?? this.#watch(0, Number.POSITIVE_INFINITY, this.#total);
    this.#secondLook = places;
    for (;;) {
      const page = places.page(size);
      if (page === undefined || !this.#short() || places.exhausted(size)) break;
      const outcome = yield* this.#page(page);
      if (outcome === 'resized') return;
      if (outcome === 'failed') places.done(page, size);
      yield* this.#checkpoint();
    }
    this.#watching.delete(places);
    this.#secondLook = 'done';
  }

  #short(): boolean {
    return (
      this.#distinct + gapRows({ gaps: this.#gaps, total: this.#total, page_size: this.#size }) < (this.#total ?? 0)
    );
  }

  async *#checkpoint(): Work {
    this.#pagesSinceCheckpoint += 1;
    if (this.#pagesSinceCheckpoint < this.#limits.checkpointPages) return;
    this.#pagesSinceCheckpoint = 0;
    yield CHECKPOINT;
  }

  /**
   * Reads one page and yields its rows. A failure becomes (or stays) a gap. An answer of another page size is asked
   * for once more: a server that ignores the size now and then is not a server that changed it.
   */
  async *#page(page: number, gap?: Gap): AsyncGenerator<readonly Row[], Outcome> {
    this.#run.signal.throwIfAborted();
    const { children } = this.#endpoint;
    try {
      for (let attempt = 1; ; attempt += 1) {
        const parents: (readonly Row[])[] = [];
        const rows = this.#reader.read(page, (reported) => this.#aheadOf(page, reported));
        const whole = children === undefined ? yield* rows : await gathered(rows, parents);
        const { keys } = whole;
        const reported = this.#endpoint.totalMayLack === true ? this.#withTotal(page, whole) : whole.reported;
        const size = this.#sizeOf(reported);
        if (this.#size !== null && size !== this.#size) {
          if (attempt === 2) return this.#resize(size, page);
          continue;
        }
        if (children === undefined) return this.#accept(page, keys, keys.size, size, reported.total);
        const { read, failures } = yield* children(parents.flat());
        const readKeys = new Map(read.map((row) => [this.#endpoint.keyOf(row), 0]));
        this.#accept(page, readKeys, keys.size, size, reported.total);
        const [first] = failures;
        if (first === undefined) return 'read';
        this.#missed(page, this.#ofChildren(first, failures.length, keys.size), gap);
        return 'failed';
      }
    } catch (thrown) {
      if (!(thrown instanceof HttpFailure) || thrown.reaction === 'login' || thrown.reaction === 'unavailable')
        throw thrown;
      if (!this.#http.answered && isUnreachable(thrown)) throw thrown;
      this.#missed(page, thrown, gap);
      return 'failed';
    }
  }

  /** A server that tells no total has one row more than was seen, until a page is short, empty or the first one again. */
  #withTotal(page: number, { keys, rows, reported }: PageRead): Reported {
    if (reported.total !== undefined) return reported;
    const size = this.#sizeOf({ ...reported, size: reported.size ?? this.#size ?? (rows > 0 ? rows : undefined) });
    const before = (page - 1) * size;
    const again = page > 1 && page >= this.#next && [...keys.keys()].every((key) => this.#keys.has(key));
    if (again || rows < size) this.#end = again ? before : before + rows;
    const seen = before + (again ? 0 : rows);
    return { size, total: this.#end ?? Math.max(this.#total ?? 0, seen + 1) };
  }

  #sizeOf(reported: Reported): number {
    return reported.size ?? this.#size ?? this.#endpoint.size ?? this.#endpoint.usualSize;
  }

  /** The page after this one, if this answer leaves no doubt that it will be read next. */
  #aheadOf(page: number, reported: Reported): number | undefined {
    const { total } = reported;
    const size = this.#sizeOf(reported);
    if (!this.#forwards || this.#endpoint.children !== undefined || total === undefined) return undefined;
    if (this.#total !== null && (total !== this.#total || size !== this.#size)) return undefined;
    const next = this.#ahead === undefined ? page + 1 : this.#ahead.pageAfter(page, size);
    if (next === undefined || next > lastPage(total, size)) return undefined;
    const after =
      page >= this.#next
        ? { next: page + 1, newPages: this.#newPages + 1 }
        : { next: this.#next, newPages: this.#newPages };
    const limit = this.#limits.pagesPerRun;
    return next >= after.next && limit > 0 && after.newPages >= limit ? undefined : next;
  }

  /** The failure of a page some of whose rows could not be followed up. */
  #ofChildren(first: Error, failed: number, of: number): HttpFailure {
    const cause = first instanceof HttpFailure ? first : undefined;
    const message = `${failed} of ${of} could not be read, the first: ${first.message}`;
    return new HttpFailure(
      { reaction: 'fail', type: cause?.type ?? 'contract_error', message },
      { stream: this.#endpoint.stream },
      { sample: cause?.sample, cause: first },
    );
  }

  /** Takes note of a page that was read whole. */
  #accept(
    page: number,
    keys: ReadonlyMap<string, number>,
    rows: number,
    size: number,
    reported: number | undefined,
  ): Outcome {
    const where = { stream: this.#endpoint.stream, page };
    const total = reported ?? this.#total;
    if (total === null) {
      throw new HttpFailure({ reaction: 'fail', type: 'contract_error', message: 'the answer tells no total' }, where);
    }
    if (rows === 0 && page <= lastPage(total, size)) {
      throw new HttpFailure(
        { reaction: 'fail', type: 'empty_response', message: `the page is empty although ${total} rows are reported` },
        where,
      );
    }
    const before = this.#total;
    this.#size = size;
    this.#total = total;
    this.#outcomes.set(page, 'read');
    // Pages missed before there was a total are all of the first ones, so what slips among them is not lost.
    if (before === null) this.#gaps = this.#gaps.map((gap) => ({ ...gap, total: gap.total ?? total }));
    this.#ahead ??= new Unread((page - 1) * size, Number.POSITIVE_INFINITY, total);
    for (const places of [this.#ahead, ...this.#watching]) {
      places.moved(total);
      places.done(page, size);
    }
    this.#tellStepBack(page, before);
    for (const [key, weight] of keys) {
      if (!this.#keys.add(key)) continue;
      this.#distinct += 1;
      this.#weight += weight;
    }
    this.#progress(page);
    return 'read';
  }

  #tellStepBack(page: number, before: number | null): void {
    const back = this.#finished ? undefined : this.#pageAhead();
    if (before === null || this.#total === null || this.#total >= before || back === undefined || back > page) return;
    this.#run.log.info(
      'step_back',
      `${this.#endpoint.stream}: the total fell from ${before} to ${this.#total}, reading again from page ${back}`,
      { stream: this.#endpoint.stream, page, pages: page - back },
    );
  }

  /** Another page size means other pages: begin again, once a run. Keys seen stay seen. */
  #resize(size: number, page: number): Outcome {
    const where = { stream: this.#endpoint.stream, page };
    if (this.#restarted) {
      throw new HttpFailure(
        { reaction: 'fail', type: 'contract_error', message: `the server changed its page size to ${size} again` },
        where,
      );
    }
    this.#run.log.warn(
      'page_size_changed',
      `${where.stream}: the server now sends ${size} rows a page instead of ${this.#size}; starting this sweep over`,
      where,
    );
    this.#restarted = true;
    this.#size = null;
    this.#next = 1;
    this.#ahead = undefined;
    this.#gaps = [];
    this.#secondLook = undefined;
    this.#watching.clear();
    this.#finished = false;
    return 'resized';
  }

  #missed(page: number, failure: HttpFailure, gap: Gap | undefined): void {
    const known = gap ?? this.#gaps.find((other) => other.page === page);
    this.#outcomes.set(page, 'lost');
    this.#hint = failure.hint;
    const missed: Gap = {
      page: known?.page ?? page,
      total: known?.total ?? this.#total,
      error_type: failure.type,
      error_message: failure.message,
      response_sample: failure.sample?.slice(0, 200) ?? null,
      attempts: (known?.attempts ?? 0) + 1,
      created_at: known?.created_at ?? timestamp(this.#run.clock.now()),
    };
    this.#gaps = [...this.#gaps.filter((other) => other.page !== missed.page), missed].sort((a, b) => a.page - b.page);
    if (this.#endpoint.parent !== undefined) return;
    this.#run.log.warn('gap_logged', `${this.#endpoint.stream}: page ${page} stays open as a gap: ${failure.message}`, {
      stream: this.#endpoint.stream,
      page,
      error_type: failure.type,
      attempts: missed.attempts,
    });
  }

  #broken(pages: number): ConnectorError {
    const last = this.#gaps.at(-1);
    const what = pages === 1 ? 'the first page' : `the first ${pages} pages`;
    return new ConnectorError(
      'upstream',
      `${what} could not be read: ${last?.error_message ?? 'no total'}`,
      { stream: this.#endpoint.stream },
      this.#hint === undefined ? {} : { hint: this.#hint },
    );
  }

  #progress(page: number): void {
    if (this.#endpoint.parent !== undefined) return;
    const { stream, noun, weight } = this.#endpoint;
    const total = this.#total ?? 0;
    const pages = lastPage(total, this.#size ?? 1);
    const share = coverage({ distinct: this.#distinct, total });
    const minutes = (this.#run.clock.now() - this.#startedAt) / 60_000;
    const pagesRead = this.#newPages + 1;
    this.#run.log.info('extraction_progress', `${stream}: page ${page} of ${pages}, ${this.#distinct} of ${total}`, {
      stream,
      page,
      total_pages: pages,
      [`${noun}_extracted`]: this.#distinct,
      [`total_${noun}`]: total,
      ...(weight !== undefined && { [`${weight.noun}_extracted`]: this.#weight }),
      progress_pct: Math.round(share * 1000) / 10,
      eta_minutes: Math.round((minutes / pagesRead) * Math.max(0, pages - page) * 10) / 10,
      errors_total: this.#gaps.length,
    });
    this.#run.progress.show(stream, page, pages);
  }
}
