/** Files that cannot be read, or not in the usual way: what is said, and that none of them changes. */
import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  readFileSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { dirname } from 'node:path';
import Sqlite from 'better-sqlite3';
import { expect, test } from 'vitest';
import type { Output } from '../contract/tap/outside.ts';
import { folder } from '../singer/folder.ts';
import { activated, Export, lastWords, schemaOf, stream } from './servicedesk.ts';
import { marks } from './servicedesk-dirty.ts';

const place = folder();

const ROWS = `CREATE TABLE t (id INTEGER PRIMARY KEY, v TEXT);
  WITH RECURSIVE c(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM c WHERE i < 3000)
  INSERT INTO t SELECT i, printf('%.*c', 200, 'x') || i FROM c;`;

let made = 0;
function file(sql = ROWS): Export {
  made += 1;
  const own = place.at(String(made));
  mkdirSync(own);
  const one = new Export(own);
  if (sql !== '') one.change(sql);
  return one;
}

/** Ended with 1, a line that says what and what to do, nothing on stdout, and the file as it was. */
async function refused(one: Export, says: RegExp, settings: { readonly [name: string]: number } = {}): Promise<Output> {
  const before = existsSync(one.path) ? marks(one.path) : undefined;
  const output = await one.once(settings);
  expect(output.code).toBe(1);
  expect(lastWords(output)).toMatch(says);
  expect(lastWords(output)).toContain(' — ');
  expect(output.messages.filter(({ type }) => type === 'ACTIVATE_VERSION')).toEqual([]);
  if (before === undefined) expect(existsSync(one.path)).toBe(false);
  else expect(marks(one.path)).toEqual(before);
  return output;
}

test('no file, an empty one, a text, a folder', async () => {
  const missing = file('');
  await refused(missing, /export\.db cannot be read: .*ENOENT/);
  writeFileSync(missing.path, '');
  await refused(missing, /export\.db is empty/);
  writeFileSync(missing.path, 'a,b,c\n'.repeat(200));
  await refused(missing, /export\.db is no SQLite database/);
  writeFileSync(missing.path, 'SQLite format 3\0');
  await refused(missing, /export\.db is no SQLite database/);
  rmSync(missing.path);
  const output = await missing.once({ database: dirname(missing.path) });
  expect(output.code).toBe(1);
  expect(lastWords(output)).toContain('is no file');
});

test('a file that was cut off, and one with a damaged page', async () => {
  const cut = file();
  truncateSync(cut.path, 200_000);
  await refused(cut, /export\.db cannot be read: .*(?:malformed|corrupt).* — .*backup/);
  const damaged = file();
  const bytes = readFileSync(damaged.path);
  for (let page = 40; page < 60; page += 1) bytes.fill(0xa5, page * 4096, page * 4096 + 300);
  writeFileSync(damaged.path, bytes);
  await refused(damaged, /cannot be read: .*malformed.* — .*integrity_check/);
});

test('a file that another program has locked', async () => {
  const one = file();
  const writer = new Sqlite(one.path);
  try {
    writer.exec('BEGIN EXCLUSIVE');
    await refused(one, /locked.* — .*busy_timeout_ms/, { busy_timeout_ms: 0 });
  } finally {
    writer.close();
  }
  expect((await one.once()).code).toBe(0);
});

test('in WAL mode a writer locks nobody out, and its open transaction is not seen', async () => {
  const one = file(`PRAGMA journal_mode = WAL; ${ROWS}`);
  const writer = new Sqlite(one.path);
  try {
    writer.exec(`INSERT INTO t VALUES (5000, 'committed'); BEGIN IMMEDIATE; DELETE FROM t`);
    const before = marks(one.path);
    expect(before).toHaveLength(2);
    const output = await one.once({ busy_timeout_ms: 0 });
    expect(output.code, lastWords(output)).toBe(0);
    expect(output.records('t')).toHaveLength(3001);
    expect(marks(one.path)).toEqual(before);
  } finally {
    writer.close();
  }
});

/** Copies a file with what a crash of its writer leaves beside it. */
function crashed(one: Export, beside: 'journal' | 'wal'): Export {
  const writer = new Sqlite(one.path);
  const after = file('');
  try {
    if (beside === 'wal') writer.pragma('journal_mode = WAL');
    writer.pragma('cache_size = 5');
    writer.exec(`BEGIN; UPDATE t SET v = 'half of a change ' || id`);
    if (beside === 'wal') writer.exec('COMMIT');
    copyFileSync(one.path, after.path);
    copyFileSync(`${one.path}-${beside}`, `${after.path}-${beside}`);
  } finally {
    writer.close();
  }
  return after;
}

test('a journal that has to be rolled back first', async () => {
  const one = crashed(file(), 'journal');
  const journal = readFileSync(`${one.path}-journal`);
  await refused(one, /cannot be read: .* — the file waits to be recovered/);
  expect(readFileSync(`${one.path}-journal`)).toEqual(journal);
  const output = await one.once({ snapshot: 'vacuum_into' });
  expect(output.code).toBe(1);
});

test('a log that a crashed writer has left', async () => {
  const one = crashed(file(), 'wal');
  const before = marks(one.path);
  expect(before).toHaveLength(2);
  const output = await one.once();
  expect(output.code, lastWords(output)).toBe(0);
  expect(output.records('t').every(({ v }) => String(v).startsWith('half of a change'))).toBe(true);
  expect(marks(one.path)).toEqual(before);
});

test('a file in WAL mode in a folder that cannot be written to', async (context) => {
  context.skip(process.getuid?.() === 0, 'root may write to any folder');
  const one = file(`PRAGMA journal_mode = WAL; ${ROWS}`);
  const settings = one.put({ database: one.path });
  const before = marks(one.path);
  chmodSync(dirname(one.path), 0o555);
  try {
    let rows = 0;
    const { code, log } = await stream(['--config', settings], (messages) => {
      rows += messages.filter(({ type }) => type === 'RECORD').length;
    });
    expect(code, log).toBe(0);
    expect(rows).toBe(3000);
    expect(log).toContain('"read_as_immutable"');
    expect(marks(one.path)).toEqual(before);
  } finally {
    chmodSync(dirname(one.path), 0o755);
  }
});

test('a file that is deleted or replaced while it is read', async () => {
  for (const replace of [false, true]) {
    const one = file();
    const output = await one.once({ batch_state_every: 100 }, [], {
      onOutput() {
        rmSync(one.path, { force: true });
        if (replace) writeFileSync(one.path, 'another file, which is no database at all');
      },
    });
    expect(output.code, lastWords(output)).toBe(0);
    expect(output.records('t')).toHaveLength(3000);
    expect(output.events('source_changed')).toHaveLength(1);
  }
});

test('row numbers are the same with both kinds of snapshot', async () => {
  const one = file(`CREATE TABLE t (v TEXT);
    INSERT INTO t (rowid, v) VALUES (-9223372036854775808, 'least'), (-5, 'a'), (7, 'b'), (1000000, 'c'), (9223372036854775807, 'most')`);
  const [transaction, copy] = [await one.once(), await one.once({ snapshot: 'vacuum_into' })];
  expect(transaction.records('t').map(({ v }) => v)).toEqual(['least', 'a', 'b', 'c', 'most']);
  expect(copy.records('t')).toEqual(transaction.records('t'));
});

test('names that mean something elsewhere', async () => {
  const one =
    file(`CREATE TABLE "" ("" TEXT, " " INTEGER, "__proto__" TEXT, "a""b" TEXT, "select" TEXT, constructor TEXT);
    INSERT INTO "" VALUES ('1st', 2, '3rd', '4th', '5th', '6th');
    CREATE TABLE "__proto__" (rowid TEXT, _rowid_ TEXT, oid TEXT, k TEXT PRIMARY KEY);
    CREATE TABLE _sd_rejects (id INTEGER PRIMARY KEY, v TEXT); INSERT INTO _sd_rejects VALUES (1, 'not ours');
    WITH RECURSIVE c(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM c WHERE i < 1200)
    INSERT INTO "__proto__" SELECT 'a', 'b', 'c', 'k' || i FROM c;`);
  const output = await one.once();
  expect(output.code, lastWords(output)).toBe(0);
  expect(Object.entries(output.records('_')[0] ?? {})).toEqual([
    ['', '1st'],
    [' ', 2],
    ['__proto__', '3rd'],
    ['a"b', '4th'],
    ['select', '5th'],
    ['constructor', '6th'],
    ['_sd_rowid', 1],
  ]);
  expect(output.records('__proto__')).toHaveLength(1200);
  expect(schemaOf(output, '__proto__').key_properties).toEqual(['k']);
  expect(activated(output)).toHaveProperty('_sd_rejects_2');
  expect(output.records('_sd_rejects_2')).toEqual([{ id: 1, v: 'not ours' }]);
});

test.each([489, 490, 491, 999, 1999])('a table of %i columns', async (count) => {
  const names = Array.from({ length: count }, (_, at) => `c${at}`);
  const one = file(`CREATE TABLE t (${names.map((name) => `${name} INTEGER`)});
    INSERT INTO t VALUES (${names.map((_, at) => at)}), (${names.map((_, at) => (at === 7 ? 'NULL' : `'${at}.0'`))});`);
  const output = await one.once();
  expect(output.code, lastWords(output)).toBe(0);
  const [first, second] = output.records('t');
  expect(names.map((name) => first?.[name])).toEqual(names.map((_, at) => at));
  expect(names.map((name) => second?.[name])).toEqual(names.map((_, at) => (at === 7 ? null : at)));
});

test('a collation that only its own program has', async () => {
  const one = file(`CREATE TABLE t (id INTEGER PRIMARY KEY, v TEXT, at TEXT);
    INSERT INTO t VALUES (1, 'a', '2025-05-20 08:42:00'), (2, 'yes', '2025-05-21 00:00:00')`);
  one.change((db) => {
    db.unsafeMode();
    db.pragma('writable_schema = ON');
    db.exec(`UPDATE sqlite_schema SET sql = replace(sql, ' TEXT', ' TEXT COLLATE PHONEBOOK')`);
  });
  const output = await one.once();
  expect(output.code, lastWords(output)).toBe(0);
  expect(output.records('t')).toEqual([
    { id: 1, v: 'a', at: '2025-05-20T08:42:00Z' },
    { id: 2, v: 'yes', at: '2025-05-21T00:00:00Z' },
  ]);
});

test('views are read when they are named; one that is broken is told of and left out', async () => {
  const one = file(`${ROWS} CREATE VIEW good AS SELECT id, v FROM t WHERE id < 3; CREATE TABLE gone (id INTEGER);
    CREATE VIEW bad AS SELECT id FROM gone; DROP TABLE gone;`);
  const usual = await one.once();
  expect(usual.code, lastWords(usual)).toBe(0);
  expect(usual.messages.filter(({ type }) => type === 'SCHEMA').map(({ stream }) => stream)).toEqual([
    '_sd_rejects',
    't',
  ]);
  expect(usual.events('view_skipped').map(({ stream }) => stream)).toEqual(['bad']);
  const named = await one.once({ streams: ['good'] });
  expect(named.records('good').map(({ id }) => id)).toEqual([1, 2]);
  expect(named.records('t')).toEqual([]);
  const broken = await one.once({ streams: ['bad'] });
  expect(broken.code).toBe(1);
  expect(lastWords(broken)).toContain('"bad"');
});

test('a file whose texts are UTF-16', async () => {
  const one = file('');
  one.change(`PRAGMA encoding = 'UTF-16le'; CREATE TABLE t (id INTEGER PRIMARY KEY, v TEXT, n INTEGER);
    INSERT INTO t VALUES (1, 'Gr\u00fc\u00dfe \u{1f600}', 5), (2, 'a' || char(0) || 'b', 6)`);
  const output = await one.once();
  expect(output.code, lastWords(output)).toBe(0);
  expect(output.records('t')).toEqual([
    { id: 1, v: 'Gr\u00fc\u00dfe \u{1f600}', n: 5 },
    { id: 2, v: 'ab', n: 6 },
  ]);
});
