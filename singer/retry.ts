/**
 * The one retry layer. It asks a pure rule what a failure means, waits, and tries again; it neither knows HTTP nor
 * databases.
 */
import type { Clock } from './io.ts';

/** What to do about a failure. `wait` is in milliseconds and is the smallest wait before the next attempt. */
export type Verdict = { readonly action: 'retry'; readonly wait: number } | { readonly action: 'fail' };

/** One failed attempt, as told to the rule and to the log. `attempt` counts from 1. */
export interface Attempt {
  readonly attempt: number;
  readonly error: unknown;
}

export interface RetryPolicy {
  /** Attempts in all, the first included. */
  readonly attempts: number;
  /** No single wait is longer, whatever a server asks for. Milliseconds. */
  readonly maxWait: number;
  /** Decides about one failure. May be asynchronous: renewing a token belongs to the answer. */
  judge(failure: Attempt): Verdict | Promise<Verdict>;
  /** Told before each wait, with the wait really taken. */
  onRetry?(failure: Attempt, wait: number): void;
}

/**
 * Wait before attempt `attempt + 1`: `base` doubled per attempt, with up to 10 % added at random so that several
 * clients do not return in step.
 */
export function backoff(base: number, attempt: number, clock: Pick<Clock, 'random'>): number {
  return Math.round(base * 2 ** (attempt - 1) * (1 + clock.random() * 0.1));
}

/**
 * Runs `attempt` until it ends without throwing, yielding what it yields and returning what it returns. Values of an
 * attempt that fails half-way have been yielded already: the consumer must be able to see them again. Throws the last
 * error when the rule says `fail` or the attempts are used up; a wait ends at once when `signal` is aborted.
 */
export async function* retrying<T, R>(
  attempt: (number: number) => AsyncGenerator<T, R>,
  policy: RetryPolicy,
  clock: Clock,
  signal: AbortSignal,
): AsyncGenerator<T, R> {
  for (let number = 1; ; number += 1) {
    try {
      return yield* attempt(number);
    } catch (error) {
      signal.throwIfAborted();
      const failure = { attempt: number, error };
      const verdict = await policy.judge(failure);
      if (verdict.action === 'fail' || number >= policy.attempts) throw error;
      const wait = Math.min(verdict.wait, policy.maxWait);
      policy.onRetry?.(failure, wait);
      if (wait > 0) await clock.sleep(wait, signal);
      signal.throwIfAborted();
    }
  }
}
