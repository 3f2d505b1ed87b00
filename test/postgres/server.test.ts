import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, existsSync, mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import pg from 'pg';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { isOpen, PREFIX, TEMPORARY, unprivilegedAccount } from './binaries.ts';
import { openDatabase } from './database.ts';
import { serverOf } from './left-overs.ts';
import { startServer, type TestServer } from './server.ts';
import { shareServer } from './setup.ts';
import { DESK, GIVEN, needsOwnServer, sharedServer } from './shared.ts';

const PROGRAM = fileURLToPath(new URL('owner.ts', import.meta.url));

type Facts = Pick<TestServer, 'url' | 'folder' | 'pid' | 'keeper'>;

/** Starts a process that owns a server, and waits until it says which. */
async function own(options: Parameters<typeof spawn>[2] = {}): Promise<Facts & { readonly child: ChildProcess }> {
  const child = spawn(process.execPath, [PROGRAM], { ...options, stdio: ['pipe', 'pipe', 'inherit'] });
  for await (const line of createInterface({ input: child.stdout as NodeJS.ReadableStream })) {
    return { ...(JSON.parse(line) as Facts), child };
  }
  throw new Error('the owner ended before its server was there');
}

/** The error code of an attempt to connect, or that it went well. */
async function attempt(url: string): Promise<string> {
  const client = new pg.Client({ connectionString: url });
  client.on('error', () => {});
  try {
    await client.connect();
    return 'connected';
  } catch (error) {
    return (error as { code: string }).code;
  } finally {
    await client.end().catch(() => {});
  }
}

const lives = (pid: number) => {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
};

async function untilGone({ url, folder, pid, keeper }: Facts): Promise<void> {
  await expect.poll(() => lives(keeper), { timeout: 20_000 }).toBe(false);
  expect([existsSync(folder), lives(pid), await attempt(url)]).toEqual([false, false, 'ECONNREFUSED']);
}

/** Folders of servers that this process owns. */
const ours = () =>
  TEMPORARY.flatMap((parent) => readdirSync(parent).filter((name) => name.startsWith(`${PREFIX}${process.pid}-`)));

beforeEach((context) => {
  if (!context.task.name.includes(GIVEN)) needsOwnServer(context);
});

describe('a server', () => {
  let server: TestServer;
  beforeAll(async () => {
    if (!process.env[GIVEN]) server = await startServer({ fsync: true });
  });
  afterAll(() => server?.stop());

  test('takes connections from this machine, with its password only', async () => {
    const url = new URL(server.url);
    url.password = 'another';
    expect([await attempt(server.url), await attempt(url.href)]).toEqual(['connected', '28P01']);
    const database = await openDatabase(server.url);
    const [row] = await database.query(
      "SELECT current_setting('listen_addresses') AS on, current_setting('server_version') AS version, current_setting('fsync') AS fsync, rolsuper FROM pg_roles WHERE rolname = current_user",
    );
    await database.close();
    expect(row).toEqual({ on: '127.0.0.1', version: expect.stringMatching(/^15\./), fsync: 'on', rolsuper: 't' });
  });

  test('has its password in no file, and its data closed to others', () => {
    expect(readdirSync(join(server.folder, 's')).filter((name) => !name.startsWith('.s.PGSQL.'))).toEqual([]);
    for (const name of ['s', 'data']) expect(statSync(join(server.folder, name)).mode & 0o777).toBe(0o700);
    expect(statSync(join(server.folder, 'log')).mode & 0o777).toBe(0o600);
  });

  test('is not run by root', () => {
    expect(statSync(join(server.folder, 'data', 'postmaster.pid')).uid).toBe(
      unprivilegedAccount()?.uid ?? process.getuid?.(),
    );
    expect(statSync(join(server.folder, 'data', 'postmaster.pid')).uid).not.toBe(0);
  });

  test.each(['immediate', 'fast'] as const)(
    'is there again after a restart (%s), with what was committed',
    async (mode) => {
      const { pid, url } = server;
      const database = await openDatabase(url);
      await database.query('CREATE TABLE t (a int)');
      await database.query('INSERT INTO t VALUES (1)');
      await server.restart(mode);
      expect([server.url, server.pid === pid, lives(pid)]).toEqual([url, false, false]);
      // The connection from before the restart may be found dead only now.
      await database.query('SELECT 1').catch(() => {});
      expect(await database.query('SELECT a FROM t')).toEqual([{ a: '1' }]);
      await database.close();
    },
  );

  test('leaves nothing when it is stopped', async () => {
    await server.stop();
    await untilGone(server);
    await server.stop();
  });
});

describe('a server whose owner is ended', () => {
  let closed: string;
  beforeAll(() => {
    closed = mkdtempSync(join(tmpdir(), 'tapworks-closed-'));
    chmodSync(closed, 0o700);
  });
  afterAll(() => rmSync(closed, { recursive: true }));

  test('by SIGKILL is gone', async () => {
    const owner = await own();
    owner.child.kill('SIGKILL');
    await once(owner.child, 'exit');
    await untilGone(owner);
  });

  test('by SIGTERM is gone, also where the temporary folder is closed to others', async () => {
    const owner = await own({ env: { ...process.env, TMPDIR: closed } });
    expect(dirname(owner.folder)).toBe(process.getuid?.() === 0 ? '/tmp' : closed);
    owner.child.kill('SIGTERM');
    await once(owner.child, 'exit');
    await untilGone(owner);
  });

  test('together with its keeper is gone after the next start', async () => {
    const owner = await own();
    process.kill(owner.keeper, 'SIGKILL');
    owner.child.kill('SIGKILL');
    await once(owner.child, 'exit');
    const next = await own();
    await untilGone(owner);
    expect(await serverOf(next.folder)).toBe(next.pid);
    next.child.stdin?.end();
    await once(next.child, 'exit');
    await untilGone(next);
  });

  test('may be anybody', async (context) => {
    const account = unprivilegedAccount();
    if (account === undefined) return context.skip('only root can become somebody else; the tests above were it');
    for (const folder of [dirname(PROGRAM), dirname(process.execPath)]) {
      context.skip(!(await isOpen(folder)), 'the repository is closed to other accounts');
    }
    const owner = await own({ ...account, env: { ...process.env, HOME: tmpdir() } });
    expect(statSync(owner.folder)).toMatchObject({ uid: account.uid });
    owner.child.stdin?.end();
    await once(owner.child, 'exit');
    await untilGone(owner);
  });
});

describe('the server of a run', () => {
  const before = { [GIVEN]: process.env[GIVEN], [DESK]: process.env[DESK] };
  afterEach(() => {
    for (const [name, value] of Object.entries(before)) {
      if (value === undefined) delete process.env[name];
      else process.env[name] = value;
    }
  });

  test('starts when the first database is asked for, and ends with the run', async () => {
    const teardown = await shareServer();
    expect(ours()).toEqual([]);
    const [one, other] = await Promise.all([sharedServer(), sharedServer()]);
    expect([one === other, ours().length]).toEqual([true, 1]);
    expect((await fetch(new URL('/', process.env[DESK]))).status).toBe(404);
    await teardown();
    expect([ours(), await attempt(one)]).toEqual([[], 'ECONNREFUSED']);
  });

  test(`is the one that ${GIVEN} names, and none is started`, async () => {
    const url = await sharedServer();
    process.env[GIVEN] = url;
    delete process.env[DESK];
    const teardown = await shareServer();
    const database = await openDatabase();
    expect([new URL(database.url).host, process.env[DESK], ours()]).toEqual([new URL(url).host, undefined, []]);
    await database.close();
    await teardown();
  });

  test('is named with its variable when its role may not create databases', async () => {
    const server = await sharedServer();
    const database = await openDatabase();
    const role = `tapworks_${process.pid}_reader`;
    await database.query(`CREATE ROLE ${role} LOGIN PASSWORD 'invented'`);
    const url = new URL(server);
    [url.username, url.password] = [role, 'invented'];
    process.env[GIVEN] = url.href;
    await expect(openDatabase()).rejects.toThrow(/TAPWORKS_TEST_DATABASE_URL: .*CREATEDB.*permission denied/);
    await database.query(`DROP ROLE ${role}`);
    await database.close();
  });
});
