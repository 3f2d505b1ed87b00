/** Databases for tests: tables as text, in memory. */
import Sqlite, { type Database } from 'better-sqlite3';
import { afterEach } from 'vitest';
import type { Profile } from '../../profiles/artifact.ts';
import type { SqliteValue } from '../../profiles/grammar.ts';
import { type ProfileOptions, profileDatabase } from '../../profiles/profile.ts';
import { quoted } from '../../profiles/tables.ts';

const open: Database[] = [];
afterEach(() => {
  for (const db of open.splice(0)) db.close();
});

/** A database that the test's end closes. */
export function database(sql = ''): Database {
  const db = new Sqlite(':memory:');
  open.push(db);
  db.exec(sql);
  return db;
}

/** Adds a table of one column that holds these values, under the row numbers from 1. */
export function addColumn(db: Database, table: string, declared: string, values: readonly SqliteValue[]): Database {
  db.exec(`CREATE TABLE ${quoted(table)} (v ${declared})`);
  const insert = db.prepare(`INSERT INTO ${quoted(table)} VALUES (?)`);
  db.transaction(() => {
    for (const value of values) insert.run(value);
  })();
  return db;
}

export function profileOf(db: Database, options: Partial<ProfileOptions> = {}): Profile {
  return profileDatabase(db, { runId: 'test', source: { file: 'invented.db' }, ...options });
}

/** Findings of a table as `class` and count. */
export function findingsOf(profile: Profile, table: string): { readonly [name: string]: number } {
  const own = profile.findings.filter((finding) => finding.table === table);
  return Object.fromEntries(own.map((finding) => [finding.class, finding.count]));
}

/** `value` so many times. */
export function times<Value>(count: number, value: Value): Value[] {
  return Array.from({ length: count }, () => value);
}
