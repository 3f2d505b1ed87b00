/** All tables come from one moment while another program writes. */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdirSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import Sqlite from 'better-sqlite3';
import { afterEach, expect, test, vi } from 'vitest';
import { object } from '../contract/tap/outside.ts';
import { folder } from '../singer/folder.ts';
import { Export, stream } from './servicedesk.ts';

const place = folder();

/** Commits of another process. */
class Writer {
  readonly #child: ChildProcess;
  readonly #ended: Promise<unknown>;
  #commits = 0;
  #waiting: { readonly commits: number; resolve(): void }[] = [];

  constructor(path: string) {
    const child = spawn(process.execPath, [join(import.meta.dirname, 'servicedesk-writer.ts'), path], {
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    this.#child = child;
    createInterface({ input: child.stdout }).on('line', (line) => {
      this.#commits = Number(line);
      for (const { commits, resolve } of this.#waiting) if (this.#commits >= commits) resolve();
      this.#waiting = this.#waiting.filter(({ commits }) => this.#commits < commits);
    });
    this.#ended = new Promise((resolve, reject) => {
      child.once('close', resolve);
      child.once('error', reject);
    });
  }

  get commits(): number {
    return this.#commits;
  }

  /** Resolves after so many more commits. */
  more(commits: number): Promise<void> {
    return new Promise((resolve) => this.#waiting.push({ commits: this.#commits + commits, resolve }));
  }

  async end(): Promise<void> {
    this.#child.stdin?.end();
    await this.#ended;
  }
}

function shared(name: string): Export {
  const file = new Export(place.path, name);
  file.change((db) => {
    db.pragma('journal_mode = WAL');
    for (const table of ['a', 'b', 'c']) {
      db.exec(`CREATE TABLE ${table} (id INTEGER PRIMARY KEY, n INTEGER, note TEXT)`);
      db.exec(`WITH RECURSIVE c(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM c WHERE i < 500)
        INSERT INTO ${table} SELECT i, 0, printf('%.*c', 500, 'x') FROM c`);
    }
  });
  return file;
}

let writer: Writer | undefined;
afterEach(async () => {
  vi.unstubAllEnvs();
  await writer?.end();
  writer = undefined;
});

test.each(['transaction', 'vacuum_into'])('snapshot %s: three tables show the same commit', async (snapshot) => {
  const file = shared(`${snapshot}.db`);
  const temporary = place.at(`${snapshot}-temporary`);
  mkdirSync(temporary);
  vi.stubEnv('TMPDIR', temporary);
  const running = new Writer(file.path);
  writer = running;
  await running.more(100);
  const numbers = new Map<string, number[]>();
  const started = running.commits;
  const { code, log } = await stream(
    ['--config', file.put({ database: file.path, snapshot, profile_sample: 50, batch_state_every: 100 })],
    async (messages) => {
      for (const message of messages) {
        if (message.type !== 'RECORD') continue;
        const { id, n } = object(message.record);
        const table = numbers.get(String(message.stream)) ?? [];
        table[Number(id)] = Number(n);
        numbers.set(String(message.stream), table);
      }
      // The tap waits while the other program goes on.
      await running.more(20);
    },
  );
  expect(code, log).toBe(0);
  expect(running.commits - started).toBeGreaterThan(200);
  const [a, b, c] = ['a', 'b', 'c'].map((table) => numbers.get(table));
  expect(a).toHaveLength(501);
  expect(b).toEqual(a);
  expect(c).toEqual(a);
  expect(Math.max(...(a ?? []).slice(1))).toBeGreaterThanOrEqual(100);
  expect(Math.max(...(a ?? []).slice(1))).toBeLessThan(running.commits);
  expect(log).toContain('"source_changed"');
  expect(readdirSync(temporary)).toEqual([]);
  await running.end();
  const db = new Sqlite(file.path, { readonly: true });
  expect(db.pragma('integrity_check', { simple: true })).toBe('ok');
  expect(db.prepare('SELECT max(n) FROM a').pluck().get()).toBe(running.commits);
  db.close();
});
