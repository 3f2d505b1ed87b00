/**
 * Commands joined by a shell, as a user would join them. Each may have a meter of its own: GNU time around the shell would
 * tell the sum of their processor times and only the largest of their peaks.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Command, hasGnuTime } from './trial.ts';

/** What one command of a pipe took. */
export interface Share {
  /** Peak resident memory in bytes. */
  readonly peak: number;
  /** Processor time in seconds, to 0.01. */
  readonly cpu: number;
}

/** A command as a shell reads it. */
export function shellLine({ program = process.execPath, args }: Command): string {
  return [program, ...args].map((word) => `'${word.replaceAll("'", "'\\''")}'`).join(' ');
}

/** The commands as one pipe; it fails when one of them does. */
export function piped(...commands: readonly Command[]): Command {
  return shell(commands.map(shellLine).join(' | '));
}

/** A line of shell that ends with the first command that fails. What it says last goes nowhere. */
export function shell(line: string): Command {
  return { program: 'bash', args: ['-c', `set -e -o pipefail; ${line}`] };
}

/** The command, killed with all its children when it takes longer; its exit code is 124 then. */
export function limited(command: Command, seconds: number): Command {
  const { program = process.execPath, args } = command;
  return { program: 'timeout', args: ['--kill-after=5', String(seconds), program, ...args] };
}

/** The command with a meter around it, which writes to `report`; as it is where there is no GNU time. */
export function metered(command: Command, report: string): Command {
  if (!hasGnuTime) return command;
  const { program = process.execPath, args } = command;
  // Quoted, it is the program and not the shell's own word.
  return { program: 'time', args: ['-f', '%M %U %S', '-o', report, program, ...args] };
}

/** What a meter has written; undefined where there is none. */
export function shareFrom(report: string): Share | undefined {
  if (!hasGnuTime) return undefined;
  const line = readFileSync(report, 'utf8').trim().split('\n').at(-1) ?? '';
  const [kilobytes = 0, user = 0, system = 0] = line.split(' ').map(Number);
  return { peak: kilobytes * 1024, cpu: user + system };
}

/** A pipe that leads nowhere, for what is measured alone: the reader takes everything at once. */
export const NOWHERE: Command = { program: 'bash', args: ['-c', 'exec cat > /dev/null'] };

/** The file of a meter in a folder. */
export const reportIn = (folder: string, name: string): string => join(folder, `${name}.usage`);
