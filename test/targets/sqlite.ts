/** A fresh SQLite file per test, read with plain SQL and not through the target. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Sqlite from 'better-sqlite3';
import type { Destination, Stored, StoredRow } from '../contract/target/load.ts';

/** A folder with a database that does not exist yet. */
export interface SqliteDestination extends Destination {
  readonly folder: string;
  readonly path: string;
  /** Runs SQL in the file; integers come as bigint. */
  query<T = Record<string, unknown>>(sql: string, ...values: unknown[]): T[];
}

function stored(value: unknown, declared: string): Stored {
  if (value === null) return null;
  if (declared === 'BOOLEAN') return value === 1n ? 'true' : value === 0n ? 'false' : `not a boolean: ${String(value)}`;
  return String(value);
}

/** Opens a destination in a new folder; `close` removes it. */
export async function openSqlite(): Promise<SqliteDestination> {
  const folder = await mkdtemp(join(tmpdir(), 'tapworks-sqlite-'));
  const path = join(folder, 'data.db');
  const query = <T = Record<string, unknown>>(sql: string, ...values: unknown[]): T[] => {
    const db = new Sqlite(path).defaultSafeIntegers();
    try {
      const statement = db.prepare<unknown[], T>(sql);
      if (statement.reader) return statement.all(...values);
      statement.run(...values);
      return [];
    } finally {
      db.close();
    }
  };
  const info = (table: string) =>
    query<{ name: string; type: string }>('SELECT name, type FROM pragma_table_info(?) ORDER BY cid', table);
  return {
    folder,
    path,
    query,
    settings: { database: path },
    tables: async () =>
      query<{ name: string }>(
        `SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT GLOB '_tapworks_*' ORDER BY name`,
      ).map(({ name }) => name),
    columns: async (table) => info(table).map(({ name }) => name),
    rows: async (table) => {
      const types = new Map(info(table).map(({ name, type }) => [name, type]));
      return query<Record<string, unknown>>(`SELECT * FROM "${table}"`).map(
        (row): StoredRow =>
          Object.fromEntries(Object.entries(row).map(([name, value]) => [name, stored(value, types.get(name) ?? '')])),
      );
    },
    indexes: async (table) =>
      query<{ name: string }>(`SELECT name FROM pragma_index_list(?) WHERE origin = 'c'`, table).map(({ name }) =>
        query<{ name: string }>('SELECT name FROM pragma_index_info(?) ORDER BY seqno', name).map(
          (column) => column.name,
        ),
      ),
    close: () => rm(folder, { recursive: true, force: true }),
  };
}
