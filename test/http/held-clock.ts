/** Time that stands still until a test moves it: for things that wait beside each other. */
import { VirtualClock } from './virtual-clock.ts';

interface Sleeper {
  readonly until: number;
  wake(): void;
}

/** A clock whose sleeps end when `advance` has passed their time. */
export class HeldClock extends VirtualClock {
  readonly #sleepers = new Set<Sleeper>();
  readonly #watchers: { readonly ms: number; readonly tell: () => void }[] = [];

  override advance(ms: number): void {
    super.advance(ms);
    for (const sleeper of this.#sleepers) if (sleeper.until <= this.now()) sleeper.wake();
  }

  override sleep(ms: number, signal?: AbortSignal): Promise<void> {
    this.sleeps.push(ms);
    for (const watcher of this.#watchers) if (watcher.ms === ms) watcher.tell();
    return new Promise((resolve, reject) => {
      const sleeper: Sleeper = {
        until: this.now() + ms,
        wake: () => {
          this.#sleepers.delete(sleeper);
          resolve();
        },
      };
      const stop = () => {
        this.#sleepers.delete(sleeper);
        reject(signal?.reason);
      };
      if (signal?.aborted) return stop();
      this.#sleepers.add(sleeper);
      signal?.addEventListener('abort', stop, { once: true });
    });
  }

  /** Resolves once something has slept for just this long, since the beginning. */
  asleep(ms: number): Promise<void> {
    if (this.sleeps.includes(ms)) return Promise.resolve();
    return new Promise((tell) => this.#watchers.push({ ms, tell }));
  }

  /** How many sleep now. */
  get sleepers(): number {
    return this.#sleepers.size;
  }
}
