/** The bookmarks of a run, by stream and by customer, and what they say together. */
import { pagesOf, pagesRead, type SweepState } from '../../http/sweep-state.ts';
import { isObject, type Json } from '../../singer/lossless.ts';
import type { State } from '../../singer/state-file.ts';
import type { Snapshot } from './bookkeeping.ts';
import { bookmarkFor, entryWith } from './customers.ts';
import { asSweep, type EndpointStream, isEnded, namesOf } from './streams.ts';

/** Name of a customer; undefined on a server that has none. */
export type CustomerName = string | undefined;

export class Bookmarks {
  /** One, or all of an MSP server. */
  readonly customers: readonly CustomerName[];
  readonly #entries: Map<string, Json>;

  constructor({ bookmarks = {} }: State, customers: readonly CustomerName[]) {
    this.customers = customers;
    this.#entries = new Map(Object.entries(bookmarks));
  }

  of(stream: string, customer: CustomerName): Json | undefined {
    return bookmarkFor(this.#entries.get(stream), customer);
  }

  /** Replaces a bookmark, or takes it out. */
  set(stream: string, customer: CustomerName, bookmark: Json | undefined): void {
    const entry = entryWith(this.#entries.get(stream), customer, bookmark);
    if (entry === undefined) this.#entries.delete(stream);
    else this.#entries.set(stream, entry);
  }

  /**
   * Takes out what begins anew: every one of `streams` when there is no snapshot to go on with, else those whose bookmark
   * is of another one or has not filled all that is wanted; a stream of changes goes on where they were read. What is not selected or not ours is kept as it is; `whole`
   * says that these are all customers of the server, so that others are nobody's any more.
   */
  startOver(
    streams: readonly EndpointStream[],
    wanted: ReadonlySet<string>,
    current: Snapshot | undefined,
    whole: boolean,
  ): void {
    for (const stream of streams) {
      const { name } = stream;
      if (current === undefined && whole) this.#forgetOthers(name);
      for (const customer of this.customers) {
        const bookmark = this.of(name, customer);
        const good = bookmark !== undefined && current !== undefined && isOf(bookmark, current);
        if (good && fills(bookmark, stream, wanted)) continue;
        this.set(name, customer, bookmark === undefined ? undefined : stream.carried?.(bookmark));
      }
    }
  }

  /** Takes out the bookmarks of customers that are not read any more. */
  #forgetOthers(stream: string): void {
    const entry = this.#entries.get(stream);
    if (!isObject(entry) || !isObject(entry.customers)) return;
    for (const name of Object.keys(entry.customers))
      if (!this.customers.includes(name)) this.set(stream, name, undefined);
  }

  /** For each stream what its customers' bookmarks say together. */
  together(): Readonly<Record<string, Json>> {
    return Object.fromEntries(
      [...this.#entries.keys()].flatMap((stream) => {
        const whole = joined(this.customers.map((customer) => this.of(stream, customer)));
        return whole === undefined ? [] : [[stream, whole] as const];
      }),
    );
  }

  /** As the state holds them. */
  entries(): Readonly<Record<string, Json>> {
    return Object.fromEntries(this.#entries);
  }
}

/** Several customers' bookmarks of a stream as if it were one sweep: sums, all gaps, ended when all have ended. */
function joined(bookmarks: readonly (Json | undefined)[]): Json | undefined {
  if (bookmarks.length < 2) return bookmarks[0];
  const sweeps = bookmarks.flatMap((bookmark) => asSweep(bookmark) ?? []);
  const finished = bookmarks.every(isEnded);
  if (sweeps.length === 0) return finished ? bookmarks[0] : undefined;
  const sum = (of: (sweep: SweepState) => number | null | undefined) =>
    sweeps.reduce((total, sweep) => total + (of(sweep) ?? 0), 0);
  const whole: SweepState = {
    page_size: null,
    pages: sum(pagesOf),
    total: sweeps.every(({ total }) => total === null) ? null : sum(({ total }) => total),
    total_at_next: null,
    next_page: sum(pagesRead) + 1,
    distinct: sum(({ distinct }) => distinct),
    ...(sweeps.some(({ weight }) => weight !== undefined) && { weight: sum(({ weight }) => weight) }),
    gaps: sweeps.flatMap(({ gaps }) => gaps),
    finished,
  };
  return whole as unknown as Json;
}

/** Streams that the sweep of a bookmark has filled; a stream selected later was not in its rows. */
export function filledBy(bookmark: Json | undefined): readonly string[] {
  const filled = isObject(bookmark) ? bookmark.filled : undefined;
  return Array.isArray(filled) ? (filled as readonly string[]) : [];
}

/** True when the sweep of this bookmark has filled all that is wanted of the stream. */
function fills(bookmark: Json, stream: EndpointStream, wanted: ReadonlySet<string>): boolean {
  if (stream.feeds.length === 0) return true;
  const filled = filledBy(bookmark);
  return namesOf(stream).every((name) => !wanted.has(name) || filled.includes(name));
}

/** False for the bookmark of a stream that was not selected when its snapshot ended and this one began. */
export function isOf(bookmark: Json, { id }: Snapshot): boolean {
  const of = isObject(bookmark) ? bookmark.snapshot_id : undefined;
  return of === undefined || of === id;
}
