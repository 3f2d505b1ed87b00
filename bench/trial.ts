/**
 * One trial: a process of its own, timed from outside, with its peak resident memory.
 *
 * Memory comes from the kernel's own high-water mark. GNU time, where it is installed, asks for it when the process has
 * ended, which is exact however it ended; a process started by Node directly would report Node's own peak instead,
 * because Linux counts what the parent had at the moment of the fork. Without GNU time the mark is read from /proc every
 * few milliseconds, which misses at most what was taken after the last look. Elsewhere it stays unknown.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The package's folder: trials run in it, so that libraries resolve. */
export const ROOT = dirname(dirname(fileURLToPath(import.meta.url)));

const GNU_TIME = '/usr/bin/time';
const LOOK_MS = 5;
/** A trial that takes longer hangs. */
const LONGEST_MS = 30 * 60_000;

export interface Command {
  /** A program on the path; this Node without it. */
  readonly program?: string;
  readonly args: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  /** Exit codes that count as done; 0 without it. */
  readonly exits?: readonly number[];
  /** How memory is measured; the best way there is without it. */
  readonly meter?: 'time' | 'proc';
}

export interface Trial {
  readonly seconds: number;
  /** Peak resident memory in bytes; undefined where the system does not tell. */
  readonly peak: number | undefined;
  /** Processor time of the process in seconds, to 0.01: it hardly depends on what else runs. Only GNU time tells it. */
  readonly cpu: number | undefined;
  readonly stdout: string;
}

/** How a process ended. One that was killed has 128 + the number of the signal, as in a shell. */
export interface Ending extends Trial {
  readonly exitCode: number;
  readonly stderr: string;
}

/** The command of a compiled executable of this package. */
export function executable(name: string, ...args: readonly string[]): Command {
  return { args: [join('dist', 'bin', `${name}.js`), ...args] };
}

/** The command of one part of a bench, run by `bench/part.ts`. */
export function part(bench: string, name: string, ...args: readonly (string | number)[]): Command {
  return { args: [join('bench', 'part.ts'), bench, name, ...args.map(String)] };
}

export const hasGnuTime = process.platform === 'linux' && existsSync(GNU_TIME);

/** Runs a command to its end, whatever that is. Its stdout is kept only when `keep` is set; else it goes to /dev/null. */
export async function runToEnd(command: Command, keep = false): Promise<Ending> {
  const { program = process.execPath, args, env, meter = hasGnuTime ? 'time' : 'proc' } = command;
  const folder = mkdtempSync(join(tmpdir(), 'tapworks-trial-'));
  const report = join(folder, 'usage');
  const words = meter === 'time' ? [GNU_TIME, '-f', '%M %U %S', '-o', report, program, ...args] : [program, ...args];
  const [first = program, ...rest] = words;
  try {
    const from = performance.now();
    const child = spawn(first, rest, {
      cwd: ROOT,
      env: { ...process.env, ...env },
      stdio: ['ignore', keep ? 'pipe' : 'ignore', 'pipe'],
      detached: true,
    });
    const hung = setTimeout(() => killGroup(child), LONGEST_MS);
    const look = meter === 'proc' ? watchPeak(child) : undefined;
    const [{ exitCode, at }, stdout, stderr] = await Promise.all([
      ended(child),
      textOf(child.stdout),
      textOf(child.stderr),
    ]);
    clearTimeout(hung);
    const usage = look === undefined ? usageFrom(report) : { peak: look(), cpu: undefined };
    return { seconds: (at - from) / 1000, ...usage, stdout, stderr, exitCode };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Runs a command that has to succeed. @throws Error with its last words when it does not. */
export async function trial(command: Command, keep = false): Promise<Trial> {
  const ending = await runToEnd(command, keep);
  if ((command.exits ?? [0]).includes(ending.exitCode)) return ending;
  const name = [command.program ?? 'node', ...command.args].join(' ').slice(0, 200);
  throw new Error(`${name} ended with ${ending.exitCode}: ${ending.stderr.trim().slice(-2000)}`);
}

/**
 * Runs the commands in turn, `rounds` times round (A B A B …), and returns the trials of each in that order. One that is
 * made anew for each trial may prepare it; one that is undefined is left out and has no trials.
 */
export async function interleave<Name extends string>(
  commands: Readonly<Record<Name, Command | (() => Command | Promise<Command>) | undefined>>,
  rounds: number,
  keep = false,
): Promise<Readonly<Record<Name, readonly Trial[]>>> {
  const names = Object.keys(commands) as Name[];
  const trials = Object.fromEntries(names.map((name) => [name, [] as Trial[]])) as Record<Name, Trial[]>;
  for (let round = 0; round < rounds; round += 1) {
    for (const name of names) {
      const command = commands[name];
      if (command === undefined) continue;
      trials[name].push(await trial(typeof command === 'function' ? await command() : command, keep));
    }
  }
  return trials;
}

function ended(child: ChildProcess): Promise<{ exitCode: number; at: number }> {
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', (code, signal) => {
      const at = performance.now();
      resolve({ at, exitCode: code ?? 128 + (SIGNALS[signal ?? ''] ?? 0) });
    });
  });
}

const SIGNALS: Readonly<Record<string, number>> = { SIGINT: 2, SIGABRT: 6, SIGKILL: 9, SIGSEGV: 11, SIGTERM: 15 };

async function textOf(stream: NodeJS.ReadableStream | null): Promise<string> {
  const chunks: Buffer[] = [];
  if (stream !== null) for await (const chunk of stream) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString('utf8');
}

function killGroup(child: ChildProcess): void {
  if (child.pid === undefined) return;
  try {
    process.kill(-child.pid, 'SIGKILL');
  } catch {
    // It has ended meanwhile.
  }
}

/** The last line has the figures; one before it tells of a signal or of an exit code other than 0. */
function usageFrom(report: string): Pick<Trial, 'peak' | 'cpu'> {
  const line = readFileSync(report, 'utf8').trim().split('\n').at(-1) ?? '';
  const [kilobytes = 0, user = 0, system = 0] = line.split(' ').map(Number);
  return kilobytes > 0 ? { peak: kilobytes * 1024, cpu: user + system } : { peak: undefined, cpu: undefined };
}

function watchPeak(child: ChildProcess): () => number | undefined {
  let peak: number | undefined;
  const look = () => {
    try {
      const status = readFileSync(`/proc/${child.pid}/status`, 'utf8');
      const kilobytes = Number(/^VmHWM:\s+(\d+) kB/m.exec(status)?.[1] ?? 0);
      if (kilobytes > 0) peak = kilobytes * 1024;
    } catch {
      // No /proc here, or the process has ended.
    }
  };
  const timer = setInterval(look, LOOK_MS);
  return () => {
    clearInterval(timer);
    return peak;
  };
}
