/** One request as the simulator saw it. */
export interface LoggedRequest {
  /** Counted from 1 per tenant. */
  readonly seq: number;
  /** Virtual epoch milliseconds of arrival. */
  readonly at: number;
  readonly tenant: string;
  readonly method: string;
  readonly path: string;
  /** Without secrets. */
  readonly query: Readonly<Record<string, string>>;
  /** Null where paging has no meaning. */
  readonly page: number | null;
  /** Null while nothing was answered, and for ever after `hang` and `reset`. */
  status: number | null;
  /** Ids of the rules that had a hand in the answer, joined by "+". */
  fault: string | null;
  /** Whether the whole answer left. */
  finished: boolean;
}

const SECRET = /secret|token|code|password|otp/i;
/** A long soak must not fill the memory; the oldest requests are forgotten beyond this. */
const KEPT = 100_000;

/** What one tenant was asked, oldest first. */
export class RequestLog {
  #entries: LoggedRequest[] = [];
  #seq = 0;

  get entries(): readonly LoggedRequest[] {
    return this.#entries;
  }

  open(request: {
    readonly at: number;
    readonly tenant: string;
    readonly method: string;
    readonly path: string;
    readonly query: URLSearchParams;
    readonly page: number | null;
  }): LoggedRequest {
    this.#seq += 1;
    const query = Object.fromEntries([...request.query].filter(([name]) => !SECRET.test(name)));
    const entry = { ...request, seq: this.#seq, query, status: null, fault: null, finished: false };
    this.#entries.push(entry);
    if (this.#entries.length > 2 * KEPT) this.#entries = this.#entries.slice(-KEPT);
    return entry;
  }

  /** Requests at or after a virtual time whose path matches. */
  countSince(time: number, path: RegExp): number {
    let count = 0;
    for (let at = this.#entries.length - 1; at >= 0; at -= 1) {
      const entry = this.#entries[at];
      if (!entry || entry.at < time) break;
      if (path.test(entry.path)) count += 1;
    }
    return count;
  }
}
