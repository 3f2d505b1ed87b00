/** The file itself: who may read it, and what is said when it cannot be used. */
import { execFile, spawn } from 'node:child_process';
import { chmod, mkdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import Sqlite from 'better-sqlite3';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { target } from '../../targets/sqlite/target.ts';
import type { FakeClock } from '../contract/memory-io.ts';
import { begin, lines, load, messages } from '../contract/target/load.ts';
import { openSqlite, type SqliteDestination } from './sqlite.ts';

const TARGET = join(import.meta.dirname, '../../bin/target-sqlite.ts');
const USERS = {
  type: 'SCHEMA',
  stream: 'users',
  schema: { properties: { id: { type: 'integer' }, name: { type: 'string' } } },
  key_properties: ['id'],
};

let destination: SqliteDestination;

beforeEach(async () => {
  destination = await openSqlite();
});

afterEach(() => destination.close());

const at = (path: string): SqliteDestination => ({ ...destination, path, settings: { database: path } });

describe('a new file', () => {
  it('is readable by its owner only, with what SQLite keeps beside it', async () => {
    const loading = await begin(target, destination, { settings: { batch_rows: 1 } });
    loading.send(lines(USERS, { type: 'RECORD', stream: 'users', record: { id: 1, name: 'a' } }));
    await loading.stdin.idle();
    for (const suffix of ['', '-wal', '-shm']) {
      expect((await stat(destination.path + suffix)).mode & 0o777, suffix).toBe(0o600);
    }
    await loading.finish();
  });

  it('keeps the mode that somebody gave it', async () => {
    await load(target, destination, await messages('upsert_by_key'));
    await chmod(destination.path, 0o640);
    await load(target, destination, await messages('upsert_by_key'));
    expect((await stat(destination.path)).mode & 0o777).toBe(0o640);
  });

  it('is in WAL mode and whole without the log after the run', async () => {
    await load(target, destination, await messages('upsert_by_key'));
    expect(destination.query('PRAGMA journal_mode')).toEqual([{ journal_mode: 'wal' }]);
    await expect(stat(`${destination.path}-wal`)).rejects.toThrow('ENOENT');
  });

  it('leaves a reader alone that looks on while the run ends', async () => {
    await load(target, destination, await messages('upsert_by_key'));
    const reader = new Sqlite(destination.path, { readonly: true });
    try {
      const rows = reader.prepare('SELECT count(*) AS n FROM users').iterate();
      rows.next();
      const input = lines(USERS, { type: 'RECORD', stream: 'users', record: { id: 99, name: 'new' } });
      expect((await load(target, destination, input)).code).toBe(0);
      rows.return?.();
      expect(reader.prepare('SELECT count(*) AS n FROM users').get()).toEqual({ n: 5 });
    } finally {
      reader.close();
    }
  });

  it('can be opened by many targets at once', async () => {
    const config = join(destination.folder, 'config.json');
    await writeFile(config, JSON.stringify({ database: destination.path, batch_rows: 5 }));
    const runs = Array.from({ length: 4 }, (_, run) => {
      const input = join(destination.folder, `input-${run}.jsonl`);
      const rows = Array.from({ length: 40 }, (__, id) => ({
        type: 'RECORD',
        stream: 'users',
        record: { id: run * 20 + id, name: `${run}` },
      }));
      return writeFile(input, lines(USERS, ...rows, { type: 'STATE', value: { run } })).then(() =>
        promisify(execFile)(process.execPath, [TARGET, '--config', config, '--input', input]),
      );
    });
    const states = (await Promise.all(runs)).map(({ stdout }) => stdout);
    expect(states).toEqual([0, 1, 2, 3].map((run) => `{"run":${run}}\n`));
    expect(destination.query('SELECT count(*) AS n FROM users')).toEqual([{ n: 100n }]);
  });
});

describe('a file that another program is writing while it is still in the old journal mode', () => {
  const locked = async (meanwhile: (other: Sqlite.Database, clock: FakeClock) => void) => {
    const other = new Sqlite(destination.path);
    other.exec('CREATE TABLE a (x); BEGIN IMMEDIATE');
    const loading = await begin(target, destination);
    await Promise.race([loading.clock.asleep(), loading.ended()]);
    meanwhile(other, loading.clock);
    const outcome = await loading.finish();
    other.close();
    return outcome;
  };

  it('is tried again until that has ended', async () => {
    const { code } = await locked((other, clock) => {
      other.exec('COMMIT');
      clock.advance(1_000);
    });
    expect(code).toBe(0);
    expect(destination.query('PRAGMA journal_mode')).toEqual([{ journal_mode: 'wal' }]);
  });

  it('is given up after half a minute', async () => {
    const { code, critical } = await locked((_other, clock) => clock.advance(30_000));
    expect(code).toBe(1);
    expect(critical[0]?.message).toMatch(/cannot open the database .*locked for 30 s/);
  });
});

describe('a file that cannot be used is refused before anything is read', () => {
  const refused = async (path: string, text: RegExp) => {
    const loading = await begin(target, at(path));
    // stdin stays open and empty: the run must end without it.
    const { code, states, critical } = await loading.ended();
    expect([code, states]).toEqual([1, []]);
    expect(critical).toHaveLength(1);
    expect(critical[0]).toMatchObject({ code: 'destination', path });
    expect(critical[0]?.message).toMatch(text);
    expect(critical[0]?.message).toContain(' — ');
  };

  it('a folder that does not exist', () => refused(join(destination.folder, 'no/such.db'), /folder does not exist/));

  it('a path below a file', async () => {
    await writeFile(join(destination.folder, 'file'), '');
    await refused(join(destination.folder, 'file/x.db'), /is a file, not a folder/);
  });

  it('a folder', async () => {
    await mkdir(join(destination.folder, 'folder.db'));
    await refused(join(destination.folder, 'folder.db'), /it is a folder/);
  });

  it('a file that is no database, which stays as it is', async () => {
    const path = join(destination.folder, 'notes.txt');
    const notes = 'These are notes and not a database.\n'.repeat(100);
    await writeFile(path, notes);
    await refused(path, /not an SQLite database/);
    expect(await readFile(path, 'utf8')).toBe(notes);
  });

  it('a file system without room for new files', () => refused('/proc/tapworks.db', /folder|not allowed/));
});

describe('a full disk', () => {
  /** The kernel's file size limit stands in for it: writes beyond 200 KiB fail. */
  const limited = (input: string): Promise<{ code: number | null; stdout: string; stderr: string }> =>
    new Promise((resolve) => {
      const config = join(destination.folder, 'config.json');
      const run = spawn('bash', ['-c', 'ulimit -f 200; exec "$@"', 'bash', process.execPath, TARGET, '-c', config]);
      let stdout = '';
      let stderr = '';
      run.stdout.on('data', (data) => {
        stdout += data;
      });
      run.stderr.on('data', (data) => {
        stderr += data;
      });
      run.on('close', (code) => resolve({ code, stdout, stderr }));
      run.stdin.on('error', () => undefined);
      run.stdin.end(input);
    });

  it('keeps what was confirmed, writes nothing of the batch, and says so in one line', async () => {
    await writeFile(
      join(destination.folder, 'config.json'),
      JSON.stringify({ database: destination.path, batch_rows: 100 }),
    );
    const record = (id: number) => ({ type: 'RECORD', stream: 'users', record: { id, name: 'x'.repeat(500) } });
    const messagesOf = Array.from({ length: 2_000 }, (_, id) => [record(id), { type: 'STATE', value: { id } }]).flat();
    const { code, stdout, stderr } = await limited(lines(USERS, ...messagesOf));
    expect(code).toBe(1);
    const critical = stderr.split('\n').filter((line) => line.includes('CRITICAL'));
    expect(critical).toHaveLength(1);
    expect(critical[0]).toMatch(/cannot write the database .*(disk is full|file size limit)/);
    const confirmed = (JSON.parse(stdout.trim().split('\n').at(-1) ?? '{"id":-1}') as { id: number }).id;
    expect(confirmed).toBeGreaterThan(0);
    const rows = destination.query<{ n: bigint; last: bigint }>('SELECT count(*) AS n, max(id) AS last FROM users');
    expect(rows).toEqual([{ n: BigInt(confirmed + 1) + 0n, last: BigInt(confirmed) }]);
    expect(destination.query('PRAGMA integrity_check')).toEqual([{ integrity_check: 'ok' }]);
  });
});
