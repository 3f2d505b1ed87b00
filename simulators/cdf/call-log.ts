/** What was asked: sizes and names of endpoints, never bodies, tokens or secrets. */
export interface LoggedCall {
  /** Counted from 1. */
  readonly seq: number;
  /** Virtual epoch milliseconds of arrival. */
  readonly at: number;
  readonly method: string;
  readonly path: string;
  /** Requests in work when it came, itself included. */
  readonly parallel: number;
  /** Of the answer, as its header says. */
  readonly request_id: string;
  /** For instance `POST /assets/list`; null for what is no endpoint. */
  endpoint: string | null;
  /** Bytes of the body as sent. */
  bytes: number;
  gzip: boolean;
  /** Elements of `items`; null where there are none. */
  items: number | null;
  /** Datapoints; null elsewhere. */
  points: number | null;
  /** Null while nothing was answered, and for ever after `hang` and `close`. */
  status: number | null;
  /** Ids of the rules that had a hand in the answer, joined by "+". */
  fault: string | null;
  /** Whether the whole answer left. */
  finished: boolean;
}

/** What one endpoint was asked. */
export interface EndpointFigures {
  readonly requests: number;
  readonly items: number;
  readonly most_items: number;
  readonly most_points: number;
  readonly most_bytes: number;
  /** How many answers there were of each status. */
  readonly statuses: Readonly<Record<string, number>>;
}

/** A long soak must not fill the memory; the oldest calls are forgotten beyond this. */
const KEPT = 50_000;

const NOTHING: EndpointFigures = { requests: 0, items: 0, most_items: 0, most_points: 0, most_bytes: 0, statuses: {} };

export class CallLog {
  #entries: LoggedCall[] = [];
  #seq = 0;
  readonly #inWork = new Set<LoggedCall>();
  readonly #settled = new WeakSet<LoggedCall>();
  #peak = 0;
  readonly #inWorkAt = new Map<string, number>();
  readonly #figures = new Map<string, EndpointFigures>();

  get entries(): readonly LoggedCall[] {
    return this.#entries;
  }

  /** The most requests of the API that were in work at once. */
  get peak(): number {
    return this.#peak;
  }

  get endpoints(): Readonly<Record<string, EndpointFigures>> {
    return Object.fromEntries([...this.#figures].sort(([a], [b]) => (a < b ? -1 : 1)));
  }

  /** Opens the entry of a request that has just come. One of the API is in work until `settle`. */
  open(call: {
    readonly at: number;
    readonly method: string;
    readonly path: string;
    readonly requestId: (seq: number) => string;
  }): LoggedCall {
    this.#seq += 1;
    const { requestId, ...known } = call;
    const entry: LoggedCall = {
      seq: this.#seq,
      ...known,
      parallel: 1 + this.#inWork.size,
      request_id: requestId(this.#seq),
      endpoint: null,
      bytes: 0,
      gzip: false,
      items: null,
      points: null,
      status: null,
      fault: null,
      finished: false,
    };
    // A token is asked for beside the API, so it does not count for what the API has in work.
    if (call.path.startsWith('/api/')) this.#inWork.add(entry);
    this.#peak = Math.max(this.#peak, this.#inWork.size);
    this.#entries.push(entry);
    if (this.#entries.length > 2 * KEPT) this.#entries = this.#entries.slice(-KEPT);
    return entry;
  }

  /** The endpoint of a request is known. Returns how many are in work there, this one included. */
  enter(call: LoggedCall, endpoint: string): number {
    const inWork = (this.#inWorkAt.get(endpoint) ?? 0) + 1;
    this.#inWorkAt.set(endpoint, inWork);
    call.endpoint = endpoint;
    return inWork;
  }

  /** The work on a request is over, with an answer or without. What is settled already stays so. */
  settle(call: LoggedCall): void {
    if (this.#settled.has(call)) return;
    this.#settled.add(call);
    this.#inWork.delete(call);
    if (call.endpoint !== null) this.#inWorkAt.set(call.endpoint, (this.#inWorkAt.get(call.endpoint) ?? 1) - 1);
    const name = call.endpoint ?? 'none';
    const before = this.#figures.get(name) ?? NOTHING;
    const status = String(call.status ?? 'none');
    this.#figures.set(name, {
      requests: before.requests + 1,
      items: before.items + (call.items ?? 0),
      most_items: Math.max(before.most_items, call.items ?? 0),
      most_points: Math.max(before.most_points, call.points ?? 0),
      most_bytes: Math.max(before.most_bytes, call.bytes),
      statuses: { ...before.statuses, [status]: (before.statuses[status] ?? 0) + 1 },
    });
  }
}

const SECOND = 1_000;

/** Requests of the last virtual second. */
export class Rate {
  #times: number[] = [];

  /** Takes a request that comes now; false when there are too many. Refused ones count too, as the vendor says. */
  take(now: number, most: number): boolean {
    this.#times = this.#times.filter((time) => time > now - SECOND);
    this.#times.push(now);
    return most === 0 || this.#times.length <= most;
  }
}
