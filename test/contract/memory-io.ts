/** An outside world in memory: what runners get in tests instead of a process. No clock runs unless a test moves it. */
import { Writable } from 'node:stream';
import { type Clock, type Io, Stop } from '../../singer/io.ts';

/** A clock that stands still until `advance`. */
export class FakeClock implements Clock {
  #now: number;
  #sleepers: { readonly at: number; wake(): void }[] = [];
  #watchers: (() => void)[] = [];

  constructor(now: number = Date.UTC(2026, 0, 31, 6)) {
    this.#now = now;
  }

  now(): number {
    return this.#now;
  }

  random(): number {
    return 0.5;
  }

  sleep(ms: number, signal?: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      if (signal?.aborted) return reject(signal.reason);
      const sleeper = { at: this.#now + ms, wake: resolve };
      this.#sleepers.push(sleeper);
      for (const watcher of this.#watchers.splice(0)) watcher();
      signal?.addEventListener(
        'abort',
        () => {
          this.#sleepers = this.#sleepers.filter((other) => other !== sleeper);
          reject(signal.reason);
        },
        { once: true },
      );
    });
  }

  /** Resolves as soon as somebody sleeps. */
  asleep(): Promise<void> {
    if (this.#sleepers.length > 0) return Promise.resolve();
    return new Promise((resolve) => this.#watchers.push(resolve));
  }

  /** Moves the time on and wakes who has slept long enough. */
  advance(ms: number): void {
    this.#now += ms;
    const due = this.#sleepers.filter(({ at }) => at <= this.#now);
    this.#sleepers = this.#sleepers.filter(({ at }) => at > this.#now);
    for (const { wake } of due) wake();
  }
}

/** A stdin that a test feeds by hand, and that knows when everything fed has been worked off. */
export class Feed implements AsyncIterable<Uint8Array> {
  readonly #chunks: Uint8Array[] = [];
  #ended = false;
  #reader: ((result: IteratorResult<Uint8Array>) => void) | undefined;
  #idle: (() => void)[] = [];

  /** Adds text; with `size`, in chunks of so many bytes. */
  push(text: string | Uint8Array, size?: number): void {
    const bytes = Buffer.from(text);
    for (let at = 0; at < bytes.length; at += size ?? bytes.length) {
      this.#chunks.push(bytes.subarray(at, size === undefined ? bytes.length : at + size));
    }
    this.#serve();
  }

  end(): void {
    this.#ended = true;
    this.#serve();
  }

  /** Resolves when the reader asks for more and there is nothing: all that was pushed has been handled. */
  idle(): Promise<void> {
    if (this.#reader !== undefined && this.#chunks.length === 0) return Promise.resolve();
    return new Promise((resolve) => this.#idle.push(resolve));
  }

  [Symbol.asyncIterator](): AsyncIterator<Uint8Array> {
    return {
      next: () =>
        new Promise((resolve) => {
          this.#reader = resolve;
          this.#serve();
        }),
    };
  }

  #serve(): void {
    if (this.#reader === undefined) return;
    const reader = this.#reader;
    const value = this.#chunks.shift();
    if (value !== undefined) {
      this.#reader = undefined;
      reader({ done: false, value });
    } else if (this.#ended) {
      this.#reader = undefined;
      reader({ done: true, value: undefined });
    } else {
      for (const resolve of this.#idle.splice(0)) resolve();
    }
  }
}

/** Collects what is written; `until` waits for a condition on it. */
export class Collector extends Writable {
  text = '';
  #waiting: { readonly met: (text: string) => boolean; resolve(): void }[] = [];
  readonly #failAfter: number;

  /** With `failAfter`, the write that would go beyond so many characters fails as if the reader had gone away. */
  constructor(failAfter = Number.POSITIVE_INFINITY) {
    super({ decodeStrings: false });
    this.#failAfter = failAfter;
  }

  override _write(chunk: string | Buffer, _encoding: string, done: (error?: Error) => void): void {
    const text = String(chunk);
    if (text !== '' && this.text.length + text.length > this.#failAfter) {
      done(Object.assign(new Error('write EPIPE'), { code: 'EPIPE' }));
      return;
    }
    this.text += text;
    for (const { met, resolve } of this.#waiting) if (met(this.text)) resolve();
    done();
  }

  get lines(): readonly string[] {
    return this.text.split('\n').filter((line) => line !== '');
  }

  until(met: (text: string) => boolean): Promise<void> {
    if (met(this.text)) return Promise.resolve();
    return new Promise((resolve) => this.#waiting.push({ met, resolve }));
  }
}

/** One log line in the JSON format. */
export interface LogLine {
  readonly level: string;
  readonly event_type: string;
  readonly message: string;
  readonly [field: string]: unknown;
}

export interface MemoryIo {
  readonly io: Io;
  readonly stdin: Feed;
  readonly stdout: Collector;
  readonly stderr: Collector;
  readonly clock: FakeClock;
  /** Sends the signal. */
  stop(signal?: 'SIGINT' | 'SIGTERM'): void;
  logs(): readonly LogLine[];
}

/** Builds an `Io` in memory. stdin stays open until the test ends it. */
export function memoryIo(
  given: {
    readonly argv?: readonly string[];
    readonly env?: Io['env'];
    readonly clock?: FakeClock;
    readonly stdoutFailsAfter?: number;
  } = {},
): MemoryIo {
  const stdin = new Feed();
  const stdout = new Collector(given.stdoutFailsAfter);
  const stderr = new Collector();
  const clock = given.clock ?? new FakeClock();
  const abort = new AbortController();
  return {
    io: {
      argv: given.argv ?? [],
      env: given.env ?? {},
      stdin,
      stdout,
      stderr,
      terminal: false,
      clock,
      signal: abort.signal,
    },
    stdin,
    stdout,
    stderr,
    clock,
    stop: (signal = 'SIGTERM') => abort.abort(new Stop(signal)),
    logs: () => stderr.lines.map((line) => JSON.parse(line) as LogLine),
  };
}
