/** The pace of requests: a gap after each request that grows while the server throttles and shrinks again. */
import type { Clock } from '../singer/io.ts';

/** Slowest pace this layer goes to by itself. Milliseconds. */
const SLOWEST = 8_000;

/**
 * After a first throttle the gap never goes below this for the rest of the run: with 250 ms between pages ManageEngine
 * tenants are known to fall into throttling again, with 1,000 ms they run clean. Milliseconds.
 */
const FLOOR_ONCE_THROTTLED = 1_000;

/** Requests without a throttle after which the gap is halved. */
const CLEAN_REQUESTS = 50;

/** Decides when the next attempt may start. */
export interface Turns {
  /** Resolves when it may start; rejects when it may not start at all. */
  turn(signal: AbortSignal): Promise<void>;
  /** Tells that an attempt ended, whether the server throttled it, and the milliseconds that it asked to wait, if any. */
  ended(throttled: boolean, retryAfter?: number): void;
}

/** The gap between requests. One per server: counts over all its endpoints. */
export class Pace implements Turns {
  readonly #clock: Clock;
  #floor: number;
  #delay: number;
  #clean = 0;
  #lastEnd: number | undefined;

  /** `delay` is the wished gap between the end of a request and the start of the next, in milliseconds. */
  constructor(delay: number, clock: Clock) {
    this.#clock = clock;
    this.#floor = delay;
    this.#delay = delay;
  }

  /** The present gap in milliseconds. */
  get delay(): number {
    return this.#delay;
  }

  async turn(signal: AbortSignal): Promise<void> {
    if (this.#lastEnd === undefined) return;
    const wait = this.#lastEnd + this.#delay - this.#clock.now();
    if (wait > 0) await this.#clock.sleep(wait, signal);
  }

  ended(throttled: boolean): void {
    this.#lastEnd = this.#clock.now();
    if (throttled) {
      this.#clean = 0;
      this.#floor = Math.max(this.#floor, FLOOR_ONCE_THROTTLED);
      this.#delay = Math.max(this.#floor, Math.min(SLOWEST, this.#delay * 2));
      return;
    }
    this.#clean += 1;
    if (this.#clean < CLEAN_REQUESTS) return;
    this.#clean = 0;
    this.#delay = Math.max(this.#floor, this.#delay / 2);
  }
}
