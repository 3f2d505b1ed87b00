/** Programs that npm does not bring. Here a missing one is a failure: a skipped proof is none. */
import { spawnSync } from 'node:child_process';

/** Each program with the Debian package that has it. */
export const PACKAGES: Readonly<Record<string, string>> = {
  promtool: 'prometheus',
  sqlite3: 'sqlite3',
  jq: 'jq',
  curl: 'curl',
  psql: 'postgresql-client',
};

/** @throws Error naming the package to install when the machine lacks the program. */
export function need(tool: string): void {
  if (spawnSync('sh', ['-c', 'command -v "$0"', tool]).status === 0) return;
  throw new Error(`${tool} is missing: install the Debian package ${PACKAGES[tool] ?? tool}`);
}

/** How a program ended; `output` is both of its streams. */
export interface Ending {
  readonly status: number | null;
  readonly output: string;
}

/** Runs a needed program in a folder, with a text as its input. */
export function run(tool: string, args: readonly string[], cwd: string, input = ''): Ending {
  need(tool);
  const { status, stdout, stderr } = spawnSync(tool, args, { cwd, input, encoding: 'utf8' });
  return { status, output: stdout + stderr };
}
