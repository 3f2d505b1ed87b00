/** How many calls a key may make, and how the caller behaves about it. */
const MINUTE = 60_000;

/** What the calls of a client look like from the server. */
export interface Conduct {
  /** The most calls that arrived in any 60 virtual seconds, refused ones included. */
  readonly busiest_minute: number;
  /** Calls that were refused because there were too many. */
  readonly refused: number;
  /** Calls that came before the time that an earlier 429 named. */
  readonly too_early: number;
  /** Requests that carried `limit`, `offset` or `page`. */
  readonly paging_parameters: number;
  /** Requests with a date that is not UTC with `Z`. */
  readonly dates_without_z: number;
}

/** The calls of the last 60 virtual seconds. */
class LastMinute {
  #times: number[] = [];
  #first = 0;

  get oldest(): number | undefined {
    return this.#times[this.#first];
  }

  /** How many there are by now. */
  count(now: number): number {
    while (this.#first < this.#times.length && (this.#times[this.#first] ?? now) <= now - MINUTE) this.#first += 1;
    if (this.#first > 1_000) {
      this.#times = this.#times.slice(this.#first);
      this.#first = 0;
    }
    return this.#times.length - this.#first;
  }

  add(now: number): void {
    this.#times.push(now);
  }
}

/** A sliding window of 60 virtual seconds. */
export class CallLimit {
  readonly #arrived = new LastMinute();
  readonly #accepted = new LastMinute();
  #busiest = 0;
  #refused = 0;
  #tooEarly = 0;
  #notBefore = 0;

  get busiestMinute(): number {
    return this.#busiest;
  }

  get refused(): number {
    return this.#refused;
  }

  get tooEarly(): number {
    return this.#tooEarly;
  }

  /** A 429 told the client to stay away for so long. */
  asked(now: number, seconds: number): void {
    this.#notBefore = Math.max(this.#notBefore, now + seconds * 1_000);
  }

  /** Takes a call that arrives now; returns the seconds until the next one is taken when there are too many. */
  take(now: number, perMinute: number): number | undefined {
    if (now < this.#notBefore) this.#tooEarly += 1;
    this.#arrived.add(now);
    this.#busiest = Math.max(this.#busiest, this.#arrived.count(now));
    const accepted = this.#accepted.count(now);
    const { oldest } = this.#accepted;
    if (perMinute === 0 || accepted < perMinute || oldest === undefined) {
      this.#accepted.add(now);
      return undefined;
    }
    this.#refused += 1;
    return Math.max(1, Math.ceil((oldest + MINUTE - now) / 1_000));
  }
}
