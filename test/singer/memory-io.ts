/** An outside world in memory: for tests of runners. */
import { Writable } from 'node:stream';
import { type Clock, type Io, Stop } from '../../singer/io.ts';

export const NOW = Date.parse('2026-01-31T06:00:00Z');

/** A clock that stands still until something sleeps; each sleep ends at once and moves it. */
export function fakeClock(at = NOW): Clock & { readonly sleeps: number[] } {
  let now = at;
  const sleeps: number[] = [];
  return {
    sleeps,
    now: () => now,
    async sleep(ms, signal) {
      signal?.throwIfAborted();
      sleeps.push(ms);
      now += ms;
    },
    random: () => 0,
  };
}

/** A stream that keeps what is written. */
export class Sponge extends Writable {
  readonly chunks: Buffer[] = [];
  isTTY = false;

  override _write(chunk: Buffer, _encoding: string, done: () => void): void {
    this.chunks.push(chunk);
    done();
  }

  get text(): string {
    return Buffer.concat(this.chunks).toString('utf8');
  }

  get lines(): readonly string[] {
    return this.text.split('\n').filter((line) => line !== '');
  }

  /** The lines as JSON objects. */
  get objects(): readonly { readonly [key: string]: unknown }[] {
    return this.lines.map((line) => JSON.parse(line) as { readonly [key: string]: unknown });
  }
}

export interface MemoryIo extends Io {
  readonly stdout: Sponge;
  readonly stderr: Sponge;
  readonly clock: ReturnType<typeof fakeClock>;
  stop(signal: 'SIGINT' | 'SIGTERM'): void;
}

export function memoryIo(
  argv: readonly string[] = [],
  given: {
    readonly env?: Io['env'];
    readonly input?: readonly string[];
    readonly terminal?: boolean;
    readonly stdout?: Sponge;
  } = {},
): MemoryIo {
  const controller = new AbortController();
  const input = given.input ?? [];
  return {
    argv,
    env: given.env ?? {},
    stdin: (async function* () {
      for (const piece of input) yield Buffer.from(piece);
    })(),
    stdout: given.stdout ?? new Sponge(),
    stderr: new Sponge(),
    terminal: given.terminal ?? false,
    clock: fakeClock(),
    signal: controller.signal,
    stop: (signal) => controller.abort(new Stop(signal)),
  };
}
