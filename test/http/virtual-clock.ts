/** Time that passes only when somebody waits for it. */
import type { Clock } from '../../singer/io.ts';

export const NOON = Date.UTC(2026, 0, 15, 12);

/** A clock whose sleeps end at once and move it. Shared by a client and its simulator, hours pass in no time. */
export class VirtualClock implements Clock {
  #now: number;
  readonly sleeps: number[] = [];
  /** Called before a sleep ends; a test may stop the run here. */
  onSleep: ((ms: number) => void) | undefined;

  constructor(now: number = NOON) {
    this.#now = now;
  }

  now(): number {
    return this.#now;
  }

  random(): number {
    return 0;
  }

  advance(ms: number): void {
    this.#now += ms;
  }

  async sleep(ms: number, signal?: AbortSignal): Promise<void> {
    signal?.throwIfAborted();
    this.sleeps.push(ms);
    this.onSleep?.(ms);
    signal?.throwIfAborted();
    this.#now += ms;
  }
}
