/** A command that runs once after a load. */
import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { textOf } from './errors.ts';
import type { Run } from './stream.ts';

/**
 * Runs `command` in a shell and says whether it ended with 0. What it prints goes to the log, because stdout belongs to
 * the states. The command itself is never logged: it may hold a secret. A stop ends it with the signal SIGTERM.
 */
export async function runHook(name: string, command: string, run: Run): Promise<boolean> {
  const { log, signal, env } = run;
  const failed = (problem: string) => {
    log.error('hook_failed', `${name} ${problem}; the load itself is complete`, { setting: name });
    return false;
  };
  const child = spawn(command, { shell: true, stdio: ['ignore', 'pipe', 'pipe'], env: { ...env } });
  const stop = () => child.kill('SIGTERM');
  signal.addEventListener('abort', stop, { once: true });
  const tell = async (output: Readable) => {
    for await (const line of createInterface({ input: output })) log.info('hook_output', line);
  };
  try {
    const [ending] = await Promise.all([
      new Promise<string | undefined>((resolve) => {
        child.once('error', (cause) => resolve(`could not be started: ${textOf(cause)}`));
        child.once('close', (code, killer) => resolve(code === 0 ? undefined : `ended with ${code ?? killer}`));
      }),
      tell(child.stdout),
      tell(child.stderr),
    ]);
    if (ending !== undefined) return failed(ending);
    log.info('hook_ended', `${name} has run`);
    return true;
  } finally {
    signal.removeEventListener('abort', stop);
  }
}
