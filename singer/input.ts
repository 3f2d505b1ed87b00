/** Where a target's messages come from, read a chunk at a time. */
import { createReadStream } from 'node:fs';
import { ConnectorError, textOf } from './errors.ts';
import type { Io } from './io.ts';
import type { Run } from './stream.ts';

/** The chunks of a file, or of stdin without one. */
export function chunksOf(path: string | undefined, io: Io): AsyncIterable<Uint8Array> {
  return path === undefined ? io.stdin : fileChunks(path);
}

async function* fileChunks(path: string): AsyncGenerator<Uint8Array> {
  try {
    yield* createReadStream(path, { highWaterMark: 256 * 1024 });
  } catch (cause) {
    throw new ConnectorError('config', `cannot read --input ${path}: ${textOf(cause)}`, { path }, { cause });
  }
}

/** Asked for the next chunk, the source stayed silent for as long as the caller would wait. */
export const SILENT = 'silent';

/** Chunks one by one, with a limit to the patience of whoever waits for them. */
export class Input {
  readonly #source: AsyncIterator<Uint8Array>;
  readonly #run: Run;
  #next: Promise<IteratorResult<Uint8Array>> | undefined;

  constructor(chunks: AsyncIterable<Uint8Array>, run: Run) {
    this.#source = chunks[Symbol.asyncIterator]();
    this.#run = run;
  }

  /**
   * The next chunk, undefined at the end, or `SILENT` after `patience` milliseconds without one. Rejects with the signal's
   * reason when the run is asked to stop.
   */
  async next(patience: number | undefined): Promise<Uint8Array | undefined | typeof SILENT> {
    const { signal, clock } = this.#run;
    if (this.#next === undefined) {
      this.#next = this.#source.next();
      // A rejection that arrives while nobody waits is handled when somebody asks again.
      this.#next.catch(() => undefined);
    }
    signal.throwIfAborted();
    const idle = new AbortController();
    const stop = new Promise<never>((_resolve, reject) => {
      signal.addEventListener('abort', () => reject(signal.reason), { once: true, signal: idle.signal });
    });
    stop.catch(() => undefined);
    const silence = (ms: number) =>
      clock.sleep(ms, idle.signal).then(
        (): typeof SILENT => SILENT,
        (): typeof SILENT => SILENT,
      );
    try {
      const got = await Promise.race([this.#next, stop, ...(patience === undefined ? [] : [silence(patience)])]);
      if (got === SILENT) return SILENT;
      this.#next = undefined;
      return got.done === true ? undefined : got.value;
    } finally {
      idle.abort();
    }
  }
}
