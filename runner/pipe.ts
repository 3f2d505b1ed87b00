/**
 * The only place that joins processes: a tap and a target with a real pipe between them, the state file read by one
 * and replaced by the other, both exit codes heard, signals passed on.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdir } from 'node:fs/promises';
import { dirname, extname } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { EXIT } from '../singer/errors.ts';

/** One side of a pipe: an executable of this package and its flags. */
export interface Side {
  readonly name: string;
  readonly args: readonly string[];
}

export interface PipeOptions {
  readonly tap: Side;
  readonly target: Side;
  /** State file: handed to the tap as `--state` and to the target as `--state-file`. Its folder is made. */
  readonly state?: string;
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** What happens to the log lines of both: shown as they are, or handed on one by one. */
  readonly stderr: 'inherit' | ((side: 'tap' | 'target', line: string) => void);
  /** What happens to the states that the target confirms. */
  readonly onState?: (line: string) => void;
  /** Stops the pipe: the tap is asked to end, the target puts away what has come. */
  readonly signal?: AbortSignal;
  /** Told as soon as both run. */
  readonly onStart?: (tap: ChildProcess, target: ChildProcess) => void;
}

/** How one side ended. A side that was killed has a signal and no code. */
export interface SideEnding {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

export interface PipeEnding {
  readonly tap: SideEnding;
  readonly target: SideEnding;
  /** One code for the pipe: a failure on either side wins over a stop, a stop over "incomplete". */
  readonly exitCode: number;
}

/** The file of an executable of this package, compiled or not, whichever this code is itself. */
export function executable(name: string): string {
  return fileURLToPath(new URL(`../bin/${name}${extname(import.meta.url)}`, import.meta.url));
}

/** Joins the two endings. */
export function pipeExitCode(tap: SideEnding, target: SideEnding): number {
  const codes = [tap, target].map(({ code }) => code ?? EXIT.failed);
  for (const code of [EXIT.failed, EXIT.refused, EXIT.interrupted, EXIT.terminated, EXIT.incomplete])
    if (codes.includes(code)) return code;
  return codes.find((code) => code !== EXIT.complete) ?? EXIT.complete;
}

/** Runs `tap | target` to the end of both. */
export async function runPipe(options: PipeOptions): Promise<PipeEnding> {
  const { tap, target, state, cwd, signal } = options;
  if (state !== undefined) await mkdir(dirname(state), { recursive: true });
  const env = { ...(options.env ?? process.env) };
  const stderr = options.stderr === 'inherit' ? 'inherit' : 'pipe';
  const start = (side: Side, stateFlag: string, stdin: 'ignore' | 'pipe', stdout: 'pipe' | NodeJS.WritableStream) =>
    spawn(process.execPath, [executable(side.name), ...side.args, ...(state === undefined ? [] : [stateFlag, state])], {
      stdio: [stdin, stdout as 'pipe', stderr],
      env,
      ...(cwd !== undefined && { cwd }),
    });
  const loader = start(target, '--state-file', 'pipe', 'pipe');
  const input = loader.stdin;
  if (input === null) throw new Error('the target has no stdin');
  input.on('error', () => undefined);
  // The tap writes straight into the target's stdin: no byte of data passes through this process.
  const reader = start(tap, '--state', 'ignore', input);
  input.destroy();
  const stop = () => reader.kill(signal?.reason?.message?.includes('SIGINT') ? 'SIGINT' : 'SIGTERM');
  signal?.addEventListener('abort', stop, { once: true });
  for (const [side, child] of [
    ['tap', reader],
    ['target', loader],
  ] as const) {
    if (typeof options.stderr === 'function' && child.stderr !== null) {
      const report = options.stderr;
      createInterface({ input: child.stderr }).on('line', (line) => report(side, line));
    }
  }
  if (loader.stdout !== null) createInterface({ input: loader.stdout }).on('line', (line) => options.onState?.(line));
  options.onStart?.(reader, loader);
  if (signal?.aborted) stop();
  const [tapEnding, targetEnding] = await Promise.all([ending(reader), ending(loader)]);
  signal?.removeEventListener('abort', stop);
  return { tap: tapEnding, target: targetEnding, exitCode: pipeExitCode(tapEnding, targetEnding) };
}

function ending(child: ChildProcess): Promise<SideEnding> {
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code, signal) => resolve({ code, signal }));
  });
}
