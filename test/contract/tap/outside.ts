/** One run of a tap in memory: the real runner, a virtual clock, and what came out of it. */
import { Writable } from 'node:stream';
import { type Io, Stop } from '../../../singer/io.ts';
import { isObject, type Json, parseLossless } from '../../../singer/lossless.ts';
import { runTap } from '../../../singer/run-tap.ts';
import type { Closing, Tap } from '../../../singer/stream.ts';
import { VirtualClock } from '../../http/virtual-clock.ts';

type Fields = { readonly [key: string]: Json };

/** Everything one run wrote, taken apart. */
export class Output {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
  readonly messages: readonly Fields[];
  readonly logs: readonly Fields[];

  constructor(code: number, stdout: string, stderr: string) {
    this.code = code;
    this.stdout = stdout;
    this.stderr = stderr;
    this.messages = objects(stdout.startsWith('{"type"') ? stdout : '');
    this.logs = objects(stderr);
  }

  /** Records of one stream, in order. */
  records(stream: string): readonly Fields[] {
    return this.messages
      .filter((message) => message.type === 'RECORD' && message.stream === stream)
      .map((message) => object(message.record));
  }

  /** Rows of one stream as a keyed table would hold them: the last one of each key. */
  table(stream: string): readonly Fields[] {
    const schema = this.messages.find((message) => message.type === 'SCHEMA' && message.stream === stream);
    const keys = (schema?.key_properties ?? []) as readonly string[];
    return [...new Map(this.records(stream).map((row) => [keys.map((key) => String(row[key])).join(), row])).values()];
  }

  get states(): readonly Fields[] {
    return this.messages.filter(({ type }) => type === 'STATE').map(({ value }) => object(value));
  }

  /** Log lines of one event. */
  events(type: string): readonly Fields[] {
    return this.logs.filter(({ event_type }) => event_type === type);
  }

  /** The last line, which says how the run ended. */
  get summary(): string {
    return String(this.logs.at(-1)?.message ?? '');
  }
}

export function object(value: Json | undefined): Fields {
  if (value === undefined || !isObject(value)) throw new Error(`not an object: ${JSON.stringify(value)}`);
  return value;
}

function objects(text: string): readonly Fields[] {
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => object(parseLossless(line)));
}

/** Keeps what is written, and tells a watcher of each block. */
class Kept extends Writable {
  readonly chunks: Buffer[] = [];
  readonly #watch: ((text: string) => void) | undefined;

  constructor(watch?: (text: string) => void) {
    super();
    this.#watch = watch;
  }

  override _write(chunk: Buffer, _encoding: string, done: () => void): void {
    this.chunks.push(chunk);
    this.#watch?.(chunk.toString('utf8'));
    done();
  }

  get text(): string {
    return Buffer.concat(this.chunks).toString('utf8');
  }
}

export interface RunOptions {
  readonly clock?: VirtualClock;
  readonly env?: Io['env'];
  /** Called with each log line as it is written; `stop` sends SIGTERM. */
  readonly onLog?: (line: Fields, stop: () => void) => void;
  /** Called with each block of stdout. */
  readonly onOutput?: (text: string, stop: () => void) => void;
}

/** Runs the tap with these arguments. */
export async function runOnce<Client extends Closing>(
  tap: Tap<Client>,
  argv: readonly string[],
  { clock = new VirtualClock(), env = {}, onLog, onOutput }: RunOptions = {},
): Promise<Output> {
  const controller = new AbortController();
  const stop = () => controller.abort(new Stop('SIGTERM'));
  const stdout = new Kept(onOutput && ((text) => onOutput(text, stop)));
  const stderr = new Kept(
    onLog &&
      ((text) => {
        for (const line of objects(text)) onLog(line, stop);
      }),
  );
  const io: Io = {
    argv,
    env,
    stdin: (async function* () {})(),
    stdout,
    stderr,
    terminal: false,
    clock,
    signal: controller.signal,
  };
  const code = await runTap(tap, io);
  return new Output(code, stdout.text, stderr.text);
}
