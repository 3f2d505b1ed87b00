/** Any SQLite file: strange names, tables without row numbers, many rows, a damaged page. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Sqlite from 'better-sqlite3';
import { afterAll, describe, expect, test } from 'vitest';
import { tablesOf } from '../../profiles/tables.ts';
import { addColumn, database, findingsOf, profileOf } from './sqlite-file.ts';

const folder = mkdtempSync(join(tmpdir(), 'tapworks-profiles-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe('tables and columns', () => {
  test('names of any kind', () => {
    const db = database(`
      CREATE TABLE "a ""b"" - #1" ("TKT-Job#/Ref#" TEXT, "" TEXT, "x.y" TEXT, "it's" TEXT, "__proto__" INTEGER);
      INSERT INTO "a ""b"" - #1" VALUES ('J-5521', 'e', 'd', 'q', 7);
      CREATE TABLE constructor ("toString" TEXT)`);
    const { tables } = profileOf(db, { expected: { tables: {} } });
    expect(Object.keys(tables)).toEqual(['a "b" - #1', 'constructor']);
    expect(Object.keys(tables['a "b" - #1']?.columns ?? {})).toEqual(['TKT-Job#/Ref#', '', 'x.y', "it's", '__proto__']);
    expect(tables.constructor).toMatchObject({ rows: 0 });
  });

  test('views, virtual tables and what SQLite keeps for itself are no tables', () => {
    const db = database(`
      CREATE TABLE t (id INTEGER PRIMARY KEY AUTOINCREMENT); INSERT INTO t DEFAULT VALUES;
      CREATE VIEW w AS SELECT * FROM t; CREATE VIRTUAL TABLE f USING fts5(x)`);
    expect(tablesOf(db).map(({ name }) => name)).toEqual(['t']);
  });

  test('generated columns are read like others', () => {
    const db = database(`CREATE TABLE t (a INTEGER, b TEXT AS (a || 'x') VIRTUAL); INSERT INTO t (a) VALUES (1)`);
    expect(Object.keys(profileOf(db).tables.t?.columns ?? {})).toEqual(['a', 'b']);
  });

  test('a table without row numbers, and columns that hide them', () => {
    const db = database(`
      CREATE TABLE w (k TEXT PRIMARY KEY, v TEXT) WITHOUT ROWID; INSERT INTO w VALUES ('a', char(97, 0));
      CREATE TABLE h (rowid TEXT, oid TEXT); INSERT INTO h VALUES (char(97, 0), 'b');
      CREATE TABLE n (rowid TEXT, oid TEXT, _ROWID_ TEXT); INSERT INTO n VALUES (char(97, 0), 'b', 'c')`);
    const { findings } = profileOf(db);
    expect(findings.map(({ table, column, rowids_sample }) => [table, column, rowids_sample])).toEqual([
      ['h', 'rowid', [1]],
      ['n', 'rowid', []],
      ['w', 'v', []],
    ]);
  });

  test('the source is only read', () => {
    const path = join(folder, 'readonly.db');
    const writer = new Sqlite(path);
    addColumn(writer, 't', 'TEXT', ['a', 'b\ufffd']);
    writer.close();
    const before = readFileSync(path);
    const reader = new Sqlite(path, { readonly: true, fileMustExist: true });
    expect(profileOf(reader).tables.t?.rows).toBe(2);
    reader.close();
    expect(readFileSync(path).equals(before)).toBe(true);
  });
});

describe('what is counted of a column', () => {
  test('storage classes, bytes, different values', () => {
    const db = addColumn(database(), 't', '', [1n, 2.5, 'é', 'abc', new Uint8Array(9), null, 'abc']);
    expect(profileOf(db).tables.t?.columns.v).toMatchObject({
      storage_classes: { null: 1, integer: 1, real: 1, text: 3, blob: 1 },
      min_bytes: 2,
      max_bytes: 9,
      distinct: 5,
    });
  });
  test('an integer and the text of its digits are two values', () => {
    expect(profileOf(addColumn(database(), 't', '', [1n, '1', 1.0])).tables.t?.columns.v?.distinct).toBe(3);
  });
  test('up to 200 different values, long ones too', () => {
    const texts = (count: number) => Array.from({ length: count }, (_, index) => `${'x'.repeat(300)}${index}`);
    const distinct = (count: number) =>
      profileOf(addColumn(database(), 't', 'TEXT', [...texts(count), ...texts(count)])).tables.t?.columns.v?.distinct;
    expect(distinct(200)).toBe(200);
    expect(distinct(201)).toBeNull();
  });
  test('classes are counted on after the 200th value', () => {
    const values = Array.from({ length: 500 }, (_, index) => (index % 5 === 0 ? '7' : `text ${index}`));
    expect(profileOf(addColumn(database(), 't', 'TEXT', values)).tables.t?.columns.v?.classes).toEqual({
      int: 100,
      text: 400,
    });
  });
  test('first and last date', () => {
    const values = ['2025-07-02 10:00:00', '2025-07-01', '2025-07-03T00:00:00Z', '31/12/2024'];
    expect(profileOf(addColumn(database(), 't', 'TEXT', values)).tables.t?.columns.v).toMatchObject({
      earliest: '2025-07-01',
      latest: '2025-07-03T00:00:00',
    });
  });
  test('a file of UTF-16 has no bad UTF-8', () => {
    const db = addColumn(database("PRAGMA encoding = 'UTF-16le'"), 't', 'TEXT', ['ok \ufffd', 'é']);
    expect(profileOf(db).tables.t?.columns.v?.bad_utf8_rows).toBeNull();
    expect(findingsOf(profileOf(db), 't')).toEqual({});
  });
});

describe('a sample', () => {
  const ROWS = 40_000;
  const filled = () => {
    const db = database('CREATE TABLE t (v TEXT)');
    db.exec(`WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ${ROWS})
      INSERT INTO t SELECT CASE WHEN i % 2 = 0 THEN 'even' WHEN i > ${ROWS / 2} THEN '1' ELSE '0.5' END FROM n`);
    return db;
  };
  test('is about as large as asked for, takes even and odd, early and late rows alike, and is the same every time', () => {
    const db = filled();
    const profile = profileOf(db, { sample: 4000 });
    const { rows = 0, scanned = 0 } = profile.tables.t ?? {};
    expect(rows).toBe(ROWS);
    expect(Math.abs(scanned - 4000)).toBeLessThan(300);
    const { text = 0, int = 0, decimal = 0 } = profile.tables.t?.columns.v?.classes ?? {};
    for (const share of [text / 2, int, decimal]) expect(Math.abs(share - 1000)).toBeLessThan(150);
    expect(profileOf(db, { sample: 4000 })).toEqual(profile);
  });
  test('reads a small table whole', () => {
    expect(profileOf(addColumn(database(), 't', 'TEXT', ['a', 'b']), { sample: 2 }).tables.t?.scanned).toBe(2);
  });
  test('reads a table without row numbers whole', () => {
    const db = database(`CREATE TABLE w (k TEXT PRIMARY KEY) WITHOUT ROWID; INSERT INTO w VALUES ('a'), ('b'), ('c')`);
    expect(profileOf(db, { sample: 1 }).tables.w?.scanned).toBe(3);
  });
});

test('a damaged page is an error that names the table', () => {
  const path = join(folder, 'damaged.db');
  const writer = new Sqlite(path);
  addColumn(
    writer,
    'big',
    'TEXT',
    Array.from({ length: 2000 }, (_, index) => `row ${index} ${'x'.repeat(100)}`),
  );
  writer.close();
  const bytes = readFileSync(path);
  bytes.fill(0xff, 8192, bytes.length - 4096);
  writeFileSync(path, bytes);
  const db = new Sqlite(path, { readonly: true });
  expect(() => profileOf(db)).toThrow(/^table "big" cannot be read: database disk image is malformed$/);
  db.close();
});
