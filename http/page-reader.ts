/** Pages of one numbered endpoint as records, one request ahead of the work on them. */
import { isObject, type Json, type Row } from '../singer/lossless.ts';
import type { RowGroups, RowsPath } from './body.ts';
import type { Http, HttpRequest } from './exchange.ts';

/** How one endpoint is paged; declared beside the stream. */
export interface NumberedEndpoint {
  readonly stream: string;
  /** Absolute address without query. */
  readonly url: string;
  /** Where the list of rows stands in the body. */
  readonly rows: RowsPath;
  /** Reads the total and the page size in force from the rest of the body. */
  envelope(value: Json): Reported;
  /** Query for one page. */
  query(page: number, size: number | undefined): NonNullable<HttpRequest['query']>;
  /** Turns a vendor's row into a record; undefined when it cannot be one (it is counted and reported). */
  record(row: VendorRow): Row | undefined;
  /** The record's key as one string. */
  keyOf(record: Row): string;
  /** Rows per page to ask for; undefined leaves it to the server. */
  readonly size?: number;
  /** Rows per page when the server does not say. */
  readonly usualSize: number;
  /** What rows are called in log fields: `systems` gives `systems_extracted`, `total_systems`. */
  readonly noun: string;
  /** Some builds tell no total: then the first page that is not full is the last. */
  readonly totalMayLack?: boolean;
  /** What a row holds that is counted along, e.g. the patches of a system, and its name in log fields. */
  readonly weight?: { readonly noun: string; of(record: Row): number };
  /** The server may lack this endpoint. */
  readonly probe?: boolean;
  /** Told of the fields that the rows of the first page have together. */
  firstFields?(fields: ReadonlySet<string>): void;
  /** Reads what belongs to the rows of a page, with requests of its own; its records take the place of the page's. */
  readonly children?: ReadChildren;
  /** For an endpoint that is read once per row of another: which row. Such a sweep tells nothing of its pages. */
  readonly parent?: string;
}

type VendorRow = { readonly [key: string]: Json };

/** What an answer says beside its rows. */
export interface Reported {
  readonly total: number | undefined;
  readonly size: number | undefined;
}

/** Yields the records that belong to `parents`; returns which of the parents were read whole, and why others were not. */
export type ReadChildren = (parents: readonly Row[]) => AsyncGenerator<readonly Row[], ChildrenRead>;

export interface ChildrenRead {
  readonly read: readonly Row[];
  /** Failure of each parent that was not. */
  readonly failures: readonly Error[];
}

/** A page that was read to its end. */
export interface PageRead {
  /** Key of each record, and what the record weighs. */
  readonly keys: ReadonlyMap<string, number>;
  /** Rows of the page, those that were no records among them. */
  readonly rows: number;
  readonly reported: Reported;
}

/** A request that went out before its page was asked for. */
interface Sent {
  readonly page: number;
  readonly groups: RowGroups;
  readonly first: ReturnType<RowGroups['next']>;
  readonly cancel: AbortController;
}

/** Rows of a group when each holds further ones. */
const HEAVY_ROWS = 4;

export class PageReader {
  readonly #endpoint: NumberedEndpoint;
  readonly #http: Http;
  #sent: Sent | undefined;
  #badRows = 0;
  #fieldsTold = false;

  constructor(endpoint: NumberedEndpoint, http: Http) {
    this.#endpoint = endpoint;
    this.#http = http;
  }

  /** Rows so far that were no records. */
  get badRows(): number {
    return this.#badRows;
  }

  /**
   * Reads one page and yields its records in groups. `next` is told what the answer reports and names the page that
   * will be asked for after this one, if that is certain enough: its request goes out before this page's rows are
   * worked on. Measured with a server that takes 10 ms a page: 0.95 of the rate of a loop that does nothing else, 0.85
   * without (Node 26, 2 cores).
   */
  async *read(
    page: number,
    next: (reported: Reported) => number | undefined,
  ): AsyncGenerator<readonly Row[], PageRead> {
    // A request for another page would keep the connection to itself.
    if (this.#sent !== undefined && this.#sent.page !== page) await this.discard();
    const { groups, first } = this.#take() ?? this.#ask(page);
    const keys = new Map<string, number>();
    const fields = new Set<string>();
    let held: readonly Json[] | undefined;
    let rows = 0;
    try {
      let step = await first;
      for (;;) {
        if (step.done === true) {
          const reported = this.#endpoint.envelope(step.value.value);
          await this.#sendAhead(next(reported));
          if (held !== undefined) yield* this.#groups(held, keys, fields);
          this.#tellFields(fields);
          return { keys, rows, reported };
        }
        if (held !== undefined) yield* this.#groups(held, keys, fields);
        // Held back by one: most pages are one group, and then the answer is whole before the work begins.
        held = step.value;
        rows += held.length;
        step = await groups.next();
      }
    } finally {
      await groups.return({ value: null, found: false });
    }
  }

  /** Gives up a request that went out for nothing. */
  async discard(): Promise<void> {
    const sent = this.#sent;
    this.#sent = undefined;
    if (sent === undefined) return;
    sent.cancel.abort();
    await sent.groups.return({ value: null, found: false }).catch(() => undefined);
  }

  async #sendAhead(page: number | undefined): Promise<void> {
    if (page === undefined) return;
    const cancel = new AbortController();
    this.#sent = { page, cancel, ...this.#ask(page, cancel.signal) };
    // Whoever takes the page gets the failure; until then nobody waits for it.
    this.#sent.first.catch(() => undefined);
    // The request must be on the wire before the work on this page blocks everything. A kept connection takes it after
    // two turns of the event loop: undici waits one before it uses the connection again, and one to see whether it still is.
    for (let turn = 0; turn < 2; turn += 1) await new Promise((resolve) => setImmediate(resolve));
  }

  #take(): Pick<Sent, 'groups' | 'first'> | undefined {
    const sent = this.#sent;
    this.#sent = undefined;
    return sent;
  }

  #ask(page: number, signal?: AbortSignal): Pick<Sent, 'groups' | 'first'> {
    const { stream, url, rows, size, query, parent, probe } = this.#endpoint;
    const where = { stream, page, ...(parent !== undefined && { parent }) };
    const groups = this.#http.exchange({
      url,
      query: query(page, size),
      rows,
      where,
      ...(probe === true && { probe }),
      ...(signal !== undefined && { signal }),
    });
    return { groups, first: groups.next() };
  }

  /** Once, and for a whole page: one row may lack what the next one has. */
  #tellFields(fields: ReadonlySet<string>): void {
    if (this.#fieldsTold || fields.size === 0) return;
    this.#fieldsTold = true;
    this.#endpoint.firstFields?.(fields);
  }

  /** Heavy rows leave a few at a time: what was made of them can go before the next are worked on. */
  *#groups(rows: readonly Json[], keys: Map<string, number>, fields: Set<string>): Generator<readonly Row[]> {
    const size = this.#endpoint.weight === undefined ? rows.length : HEAVY_ROWS;
    for (let start = 0; start < rows.length; start += size) {
      yield this.#records(size < rows.length ? rows.slice(start, start + size) : rows, keys, fields);
    }
  }

  #records(rows: readonly Json[], keys: Map<string, number>, fields: Set<string>): readonly Row[] {
    const { record, keyOf, weight, firstFields } = this.#endpoint;
    if (firstFields !== undefined && !this.#fieldsTold)
      for (const row of rows) if (isObject(row)) for (const name of Object.keys(row)) fields.add(name);
    const records: Row[] = [];
    for (const row of rows) {
      const made = isObject(row) ? record(row) : undefined;
      if (made === undefined) {
        this.#badRows += 1;
        continue;
      }
      keys.set(keyOf(made), weight?.of(made) ?? 0);
      records.push(made);
    }
    return records;
  }
}
