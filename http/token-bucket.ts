/** The pace of requests where a vendor counts calls per minute: a token bucket under a sliding window. */
import type { Clock } from '../singer/io.ts';
import type { Turns } from './throttle.ts';

const MINUTE = 60_000;

/** A call may be on its way for this long: the server's minute is not ours. Milliseconds. */
const SLACK = 250;

/**
 * Lets calls start so that any 60 seconds see at most `perMinute` of them, and no more than `burst` at once. The bucket
 * spreads the calls over the minute; the window is what keeps the promise, because a full bucket on top of a minute's
 * refill would be more. Callers wait in the order in which they came. One per key: its requests share it.
 */
export class TokenBucket implements Turns {
  readonly #clock: Clock;
  readonly #perMinute: number;
  readonly #burst: number;
  #tokens: number;
  #filledAt: number;
  #notBefore = 0;
  /** When the calls of the last minute started, oldest first; those before `#first` are forgotten. */
  #starts: number[] = [];
  #first = 0;
  #queue: Promise<void> = Promise.resolve();

  constructor(perMinute: number, burst: number, clock: Clock) {
    this.#clock = clock;
    this.#perMinute = perMinute;
    this.#burst = Math.max(1, Math.min(burst, perMinute));
    this.#tokens = this.#burst;
    this.#filledAt = clock.now();
  }

  turn(signal: AbortSignal): Promise<void> {
    const mine = this.#queue.then(() => this.#take(signal));
    // Whoever waits behind a caller that gave up is not concerned.
    this.#queue = mine.catch(() => undefined);
    return mine;
  }

  /** After a throttled answer nobody starts before the time that the server named, and then one after the other. */
  ended(throttled: boolean, retryAfter?: number): void {
    if (!throttled) return;
    this.#tokens = Math.min(this.#tokens, 1);
    this.#notBefore = Math.max(this.#notBefore, this.#clock.now() + (retryAfter ?? 0));
  }

  async #take(signal: AbortSignal): Promise<void> {
    for (;;) {
      signal.throwIfAborted();
      const now = this.#clock.now();
      const wait = this.#waitAt(now);
      if (wait <= 0) {
        this.#tokens -= 1;
        this.#starts.push(now);
        return;
      }
      await this.#clock.sleep(Math.ceil(wait), signal);
    }
  }

  #waitAt(now: number): number {
    const refill = ((now - this.#filledAt) * this.#perMinute) / MINUTE;
    this.#tokens = Math.min(this.#burst, this.#tokens + Math.max(0, refill));
    this.#filledAt = now;
    while ((this.#starts[this.#first] ?? now) <= now - MINUTE - SLACK) this.#first += 1;
    if (this.#first > this.#perMinute) {
      this.#starts = this.#starts.slice(this.#first);
      this.#first = 0;
    }
    const full = this.#starts.length - this.#first >= this.#perMinute;
    const window = full ? (this.#starts[this.#first] ?? now) + MINUTE + SLACK - now : 0;
    // A hair less than a token is a token: quotients of whole milliseconds never add up exactly.
    const bucket = this.#tokens > 1 - 1e-6 ? 0 : ((1 - this.#tokens) * MINUTE) / this.#perMinute;
    return Math.max(this.#notBefore - now, window, bucket);
  }
}
