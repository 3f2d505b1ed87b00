/** What was asked, without secrets. A parameter may be repeated, so each has a list of values. */
export interface LoggedCall {
  /** Counted from 1. */
  readonly seq: number;
  /** Virtual epoch milliseconds of arrival. */
  readonly at: number;
  readonly method: string;
  readonly path: string;
  readonly query: Readonly<Record<string, readonly string[]>>;
  /** Names only, in lower case. */
  readonly headers: readonly string[];
  /** Names of the inputs of a data source, null elsewhere. */
  inputs: readonly string[] | null;
  /** Null while nothing was answered, and for ever after `hang` and `close`. */
  status: number | null;
  /** Ids of the rules that had a hand in the answer, joined by "+". */
  fault: string | null;
  /** Whether the whole answer left. */
  finished: boolean;
}

const SECRET = /key|secret|token|password/i;
const PAGING = /^(limit|offset|page)$/i;
const DATES = /date/i;
/** A long soak must not fill the memory; the oldest calls are forgotten beyond this. */
const KEPT = 50_000;

function shown(query: URLSearchParams): Record<string, string[]> {
  const values: Record<string, string[]> = {};
  for (const name of new Set(query.keys())) values[name] = SECRET.test(name) ? ['[hidden]'] : query.getAll(name);
  return values;
}

export class CallLog {
  #entries: LoggedCall[] = [];
  #seq = 0;
  #paging = 0;
  #zoneless = 0;

  get entries(): readonly LoggedCall[] {
    return this.#entries;
  }

  /** How many calls carried a parameter of paging. */
  get pagingParameters(): number {
    return this.#paging;
  }

  /** How many calls carried a date that does not end in `Z`. */
  get datesWithoutZ(): number {
    return this.#zoneless;
  }

  open(call: {
    readonly at: number;
    readonly method: string;
    readonly path: string;
    readonly query: URLSearchParams;
    readonly headers: readonly string[];
  }): LoggedCall {
    this.#seq += 1;
    const names = [...call.query.keys()];
    if (names.some((name) => PAGING.test(name))) this.#paging += 1;
    if ([...call.query].some(([name, value]) => DATES.test(name) && !value.endsWith('Z'))) this.#zoneless += 1;
    const own = { inputs: null, status: null, fault: null, finished: false };
    const entry: LoggedCall = { seq: this.#seq, ...call, query: shown(call.query), ...own };
    this.#entries.push(entry);
    if (this.#entries.length > 2 * KEPT) this.#entries = this.#entries.slice(-KEPT);
    return entry;
  }
}
