/** Ends a server and removes its folder, however its owner ended. */
import { execFileSync } from 'node:child_process';
import { readdir, readFile, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { PREFIX, TEMPORARY } from './binaries.ts';

/** How long a server may take to end before it is killed. */
const PATIENCE_MS = 10_000;

/** Whether a process of this number lives; a number that belongs to somebody else counts as living. */
function lives(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

/** The command line of a process; empty for one that ended and was not yet waited for. */
async function commandOf(pid: number): Promise<string> {
  try {
    return await readFile(`/proc/${pid}/cmdline`, 'utf8');
  } catch {}
  try {
    return execFileSync('ps', ['-o', 'args=', '-p', String(pid)], { encoding: 'utf8', stdio: 'pipe' });
  } catch {
    return '';
  }
}

/** The process number of the server that lives in a folder. A number that another program has by now is not meant. */
export async function serverOf(folder: string): Promise<number | undefined> {
  const file = await readFile(join(folder, 'data', 'postmaster.pid'), 'utf8').catch(() => '');
  const pid = Number.parseInt(file, 10);
  return pid > 0 && lives(pid) && (await commandOf(pid)).includes(folder) ? pid : undefined;
}

/** Ends the server of a folder, if one lives, and removes the folder. Its data is not wanted any more. */
export async function discard(folder: string): Promise<void> {
  const end = Date.now() + PATIENCE_MS;
  for (;;) {
    const pid = await serverOf(folder);
    if (pid === undefined) break;
    try {
      process.kill(pid, Date.now() < end ? 'SIGQUIT' : 'SIGKILL');
    } catch {}
    await wait(20);
  }
  // A server that was ended while it was being made still writes for a moment.
  await rm(folder, { recursive: true, force: true, maxRetries: 20, retryDelay: 50 });
}

/** The folders of this user's servers whose owners are gone. */
async function abandoned(): Promise<string[]> {
  const found: string[] = [];
  for (const parent of TEMPORARY) {
    for (const name of await readdir(parent).catch(() => [])) {
      if (!name.startsWith(PREFIX) || lives(Number.parseInt(name.slice(PREFIX.length), 10))) continue;
      const folder = join(parent, name);
      const owner = await stat(folder).catch(() => undefined);
      if (owner !== undefined && owner.uid === process.getuid?.()) found.push(folder);
    }
  }
  return found;
}

/** Discards what runs left behind that were killed together with their keepers. */
export async function discardAbandoned(): Promise<void> {
  for (const folder of await abandoned()) await discard(folder);
}
