/** What every case of the target contract uses: a destination, and one run of the real `runTarget` against it. */
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { env } from 'node:process';
import { runTarget } from '../../../singer/run-target.ts';
import type { Target } from '../../../singer/sink.ts';
import { type LogLine, type MemoryIo, memoryIo } from '../memory-io.ts';

/** `TAPWORKS_HOSTILE=1`: one row per batch, one byte per chunk. */
export const HOSTILE = env.TAPWORKS_HOSTILE === '1';

/** A stored value as text: digits of a number, `true`/`false`, text as it is, JSON as its text. */
export type Stored = string | null;
export type StoredRow = Readonly<Record<string, Stored>>;

/** One empty destination and a way to look into it that does not go through the target. */
export interface Destination {
  readonly settings: Readonly<Record<string, unknown>>;
  /** Tables, bookkeeping ones left out. */
  tables(): Promise<readonly string[]>;
  /** Column names in table order. */
  columns(table: string): Promise<readonly string[]>;
  rows(table: string): Promise<readonly StoredRow[]>;
  /** Column lists of the indexes, those of keys left out. */
  indexes(table: string): Promise<readonly (readonly string[])[]>;
  close(): Promise<void>;
}

/** A target under test. */
export interface TargetUnderTest {
  readonly name: string;
  readonly target: Target;
  open(): Promise<Destination>;
  /** Cases that this target cannot pass, with the reason; a case that passes all the same fails the suite. */
  readonly excuses: Readonly<Record<string, string>>;
}

/** The outcome of a finished run. */
export interface Outcome {
  readonly code: number;
  /** Lines on stdout. */
  readonly states: readonly string[];
  readonly logs: readonly LogLine[];
  readonly critical: readonly LogLine[];
}

export interface LoadOptions {
  readonly settings?: Readonly<Record<string, unknown>>;
  readonly argv?: readonly string[];
  /** Bytes per chunk, also in hostile mode. */
  readonly chunk?: number;
  readonly stdoutFailsAfter?: number;
  readonly env?: Readonly<Record<string, string>>;
}

/** A run that has begun and whose stdin is still open. */
export interface Loading extends MemoryIo {
  /** Pushes messages; in hostile mode byte by byte. */
  send(input: string | readonly unknown[]): void;
  /** Ends stdin and waits for the run to end. */
  finish(): Promise<Outcome>;
  /** Waits for a run that ends by itself (signal, failure). */
  ended(): Promise<Outcome>;
}

/** The content of `test/messages/<name>.jsonl`. */
export function messages(name: string): Promise<string> {
  return readFile(join(import.meta.dirname, '../../messages', `${name}.jsonl`), 'utf8');
}

/** Messages as lines; texts are taken as lines already. */
export function lines(...items: readonly unknown[]): string {
  return items.map((item) => `${typeof item === 'string' ? item : JSON.stringify(item)}\n`).join('');
}

/** Starts the target. */
export async function begin(target: Target, destination: Destination, options: LoadOptions = {}): Promise<Loading> {
  const folder = await mkdtemp(join(tmpdir(), 'tapworks-config-'));
  const config = join(folder, 'config.json');
  await writeFile(
    config,
    JSON.stringify({ ...destination.settings, ...(HOSTILE && { batch_rows: 1 }), ...options.settings }),
  );
  const world = memoryIo({
    argv: ['--config', config, ...(options.argv ?? [])],
    ...(options.stdoutFailsAfter !== undefined && { stdoutFailsAfter: options.stdoutFailsAfter }),
    ...(options.env !== undefined && { env: options.env }),
  });
  const running = runTarget(target, world.io);
  const ended = async (): Promise<Outcome> => {
    const code = await running;
    await rm(folder, { recursive: true, force: true });
    const logs = world.logs();
    return { code, states: world.stdout.lines, logs, critical: logs.filter(({ level }) => level === 'CRITICAL') };
  };
  return {
    ...world,
    send: (input) =>
      world.stdin.push(typeof input === 'string' ? input : lines(...input), options.chunk ?? (HOSTILE ? 1 : undefined)),
    finish: () => {
      world.stdin.end();
      return ended();
    },
    ended,
  };
}

/** Runs a command of the target (`state`) with the destination's settings. */
export async function ask(
  target: Target,
  destination: Destination,
  words: readonly string[],
  settings: Readonly<Record<string, unknown>> = {},
): Promise<Outcome> {
  const folder = await mkdtemp(join(tmpdir(), 'tapworks-config-'));
  const config = join(folder, 'config.json');
  await writeFile(config, JSON.stringify({ ...destination.settings, ...settings }));
  const world = memoryIo({ argv: [...words, '--config', config] });
  const code = await runTarget(target, world.io);
  await rm(folder, { recursive: true, force: true });
  const logs = world.logs();
  return { code, states: world.stdout.lines, logs, critical: logs.filter(({ level }) => level === 'CRITICAL') };
}

/** One whole run over the given messages. */
export async function load(
  target: Target,
  destination: Destination,
  input: string | readonly unknown[],
  options: LoadOptions = {},
): Promise<Outcome> {
  const loading = await begin(target, destination, options);
  loading.send(input);
  return loading.finish();
}

/** Rows in the order of one column, so that stores may return them in any. */
export function sorted(rows: readonly StoredRow[], column: string): StoredRow[] {
  return [...rows].sort((a, b) => (String(a[column]) < String(b[column]) ? -1 : 1));
}
