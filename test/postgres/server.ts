/** A real PostgreSQL for tests: made by the test run, on the loopback only, and gone with it. */
import { type ChildProcess, spawn } from 'node:child_process';
import { randomBytes, randomInt } from 'node:crypto';
import { once } from 'node:events';
import { closeSync, openSync } from 'node:fs';
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import pg from 'pg';
import { type Account, copyPrograms, give, OTHERWISE, openFolder, unprivilegedAccount } from './binaries.ts';
import { discard, discardAbandoned } from './left-overs.ts';

export interface TestServer {
  /** A superuser of database `postgres`. It holds the password: for clients, not for logs. */
  readonly url: string;
  /** Holds data, log and socket. */
  readonly folder: string;
  /** The server's process; another one after a restart. */
  readonly pid: number;
  /** The process that discards the server when its owner dies. */
  readonly keeper: number;
  /** Ends the server, `immediate` as if it had crashed, and starts it again on the same port and data. */
  restart(mode: 'immediate' | 'fast'): Promise<void>;
  /** Ends the server and removes everything of it. */
  stop(): Promise<void>;
}

export interface ServerOptions {
  /** Whether commits are forced to the disk. Not needed for a process that dies, only for a machine that does. */
  readonly fsync?: boolean;
}

const START_MS = 60_000;

/** Ports below those that systems hand out by themselves, so that a restart finds its own still free. */
const PORTS = [10_240, 32_768] as const;

/** PostgreSQL's own word for "not yet": it is starting or recovering. */
const CANNOT_CONNECT_NOW = '57P03';

async function freePort(): Promise<number> {
  for (;;) {
    const probe = createServer();
    const port = randomInt(...PORTS);
    try {
      probe.listen(port, '127.0.0.1');
      await once(probe, 'listening');
      return port;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EADDRINUSE') throw error;
    } finally {
      probe.close();
    }
  }
}

/** Nothing of the user's: neither PG* variables nor a language that changes messages and order. */
const environment = () => ({ PATH: process.env.PATH, TZ: 'UTC', LC_ALL: 'C' });

interface Place {
  readonly folder: string;
  readonly programs: string;
  readonly account: Account;
}

/** Makes the data folder. The password is in a file for as long as initdb needs it: it reads no pipe. */
async function initialise({ folder, programs, account }: Place, password: string): Promise<void> {
  const secrets = join(folder, 's');
  await mkdir(secrets, { mode: 0o700 });
  await mkdir(join(folder, 'data'), { mode: 0o700 });
  const file = join(secrets, 'password');
  try {
    await writeFile(file, password, { mode: 0o600 });
    await give(secrets, account);
    await give(join(folder, 'data'), account);
    const locale = process.platform === 'linux' ? 'C.UTF-8' : 'C';
    const child = spawn(
      join(programs, 'initdb'),
      [
        ...['--pgdata', join(folder, 'data'), '--username', 'postgres', '--auth', 'scram-sha-256', '--pwfile', file],
        ...['--encoding', 'UTF8', `--locale=${locale}`, '--no-sync', '--no-instructions'],
      ],
      { ...account, cwd: folder, env: environment(), stdio: ['ignore', 'pipe', 'pipe'] },
    );
    const said: Buffer[] = [];
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk: Buffer) => said.push(chunk));
    const [code] = await once(child, 'close').catch((cause: Error) => {
      throw new Error(`PostgreSQL: initdb cannot be started: ${cause.message}. ${OTHERWISE}`, { cause });
    });
    if (code !== 0) throw new Error(`PostgreSQL: initdb failed: ${Buffer.concat(said).toString().trim()} ${OTHERWISE}`);
  } finally {
    await rm(file, { force: true });
  }
}

function run({ folder, programs, account }: Place, port: number, options: ServerOptions): ChildProcess {
  const settings = {
    port: String(port),
    listen_addresses: '127.0.0.1',
    unix_socket_directories: join(folder, 's'),
    max_connections: '200',
    timezone: 'UTC',
    log_timezone: 'UTC',
    fsync: options.fsync ? 'on' : 'off',
  };
  const log = openSync(join(folder, 'log'), 'a', 0o600);
  try {
    return spawn(
      join(programs, 'postgres'),
      ['-D', join(folder, 'data'), ...Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`])],
      // A group of its own: Ctrl-C is for the test run, which may still want to close its databases.
      { ...account, cwd: folder, env: environment(), stdio: ['ignore', log, log], detached: true },
    );
  } finally {
    closeSync(log);
  }
}

const ended = (child: ChildProcess): boolean => child.exitCode !== null || child.signalCode !== null;

/** Waits until the server takes connections. @throws Error with the end of its log when it does not. */
async function untilReady(child: ChildProcess, url: string, folder: string): Promise<void> {
  let failure: unknown;
  child.once('error', (error) => {
    failure = error;
  });
  for (const end = Date.now() + START_MS; failure === undefined && !ended(child); ) {
    const client = new pg.Client({ connectionString: url });
    client.on('error', () => {});
    try {
      await client.connect();
      await client.end();
      return;
    } catch (error) {
      const { code } = error as { code?: string };
      if ((code !== 'ECONNREFUSED' && code !== CANNOT_CONNECT_NOW) || Date.now() > end) failure = error;
      else await wait(20);
    }
  }
  const log = await readFile(join(folder, 'log'), 'utf8').catch(() => '');
  throw new Error(`PostgreSQL did not start: ${log.trim().split('\n').slice(-5).join(' | ')} ${OTHERWISE}`, {
    cause: failure,
  });
}

/** Starts the process that watches over us. It is there before there is anything to leave behind. */
async function startKeeper(folder: string): Promise<ChildProcess> {
  const program = fileURLToPath(new URL('keeper.ts', import.meta.url));
  const keeper = spawn(process.execPath, [program, folder], {
    cwd: '/',
    stdio: ['pipe', 'ignore', 'ignore'],
    detached: true,
    // Not what the test run hands to its workers, such as loaders or a coverage folder.
    env: { PATH: process.env.PATH },
  });
  await once(keeper, 'spawn');
  keeper.stdin?.on('error', () => {});
  return keeper;
}

/**
 * Starts a server of its own: password by SCRAM, UTF-8, order by code point. Works for root, who may not run PostgreSQL,
 * by an account that may do little, and in a clone that this account cannot read. When the owner ends without `stop`, in
 * whatever way, server and folder go all the same.
 *
 * @throws Error that says what PostgreSQL said, and what to do.
 */
export async function startServer(options: ServerOptions = {}): Promise<TestServer> {
  await discardAbandoned();
  const account = unprivilegedAccount();
  const folder = await openFolder(account);
  const keeper = await startKeeper(folder);
  const password = randomBytes(24).toString('hex');
  let child: ChildProcess | undefined;
  const stop = async () => {
    const gone = ended(keeper) ? undefined : once(keeper, 'exit');
    keeper.stdin?.end();
    await gone;
    await discard(folder);
    if (child?.pid !== undefined && !ended(child)) await once(child, 'exit');
  };
  try {
    const place = { folder, programs: await copyPrograms(folder, account), account };
    await initialise(place, password);
    const port = await freePort();
    const url = `postgresql://postgres:${password}@127.0.0.1:${port}/postgres`;
    let server = run(place, port, options);
    child = server;
    await untilReady(server, url, folder);
    return {
      url,
      folder,
      get pid() {
        return server.pid as number;
      },
      keeper: keeper.pid as number,
      async restart(mode) {
        const gone = ended(server) ? undefined : once(server, 'exit');
        server.kill(mode === 'fast' ? 'SIGINT' : 'SIGQUIT');
        await gone;
        child = server = run(place, port, options);
        await untilReady(server, url, folder);
      },
      stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }
}
