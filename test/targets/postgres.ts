/** A fresh PostgreSQL database per test, read with plain SQL and not through the target. */
import type { Destination, Stored, StoredRow } from '../contract/target/load.ts';
import { openDatabase, type TestDatabase } from '../postgres/database.ts';

/** A database of its own on the server of the test run. */
export interface PostgresDestination extends Destination {
  readonly url: string;
  query: TestDatabase['query'];
}

function stored(value: string | null, declared: string): Stored {
  if (value === null || declared !== 'boolean') return value;
  return value === 't' ? 'true' : 'false';
}

/** Opens a destination in a new database; `close` drops it. */
export async function openPostgres(): Promise<PostgresDestination> {
  const database = await openDatabase();
  const { url, query } = database;
  const info = (table: string) =>
    query<{ name: string; type: string }>(
      `SELECT attname AS name, format_type(atttypid, NULL) AS type FROM pg_attribute
       WHERE attrelid = (SELECT oid FROM pg_class WHERE relname = $1 AND relnamespace = 'public'::regnamespace)
       AND attnum > 0 AND NOT attisdropped ORDER BY attnum`,
      [table],
    );
  return {
    url,
    query,
    settings: { url },
    tables: async () =>
      (
        await query<{ name: string }>(
          `SELECT tablename AS name FROM pg_tables WHERE schemaname = 'public' AND tablename NOT LIKE '\\_tapworks\\_%' ORDER BY tablename COLLATE "C"`,
        )
      ).map(({ name }) => name),
    columns: async (table) => (await info(table)).map(({ name }) => name),
    rows: async (table) => {
      const types = new Map((await info(table)).map(({ name, type }) => [name, type]));
      return (await query(`SELECT * FROM public."${table.replaceAll('"', '""')}"`)).map(
        (row): StoredRow =>
          Object.fromEntries(Object.entries(row).map(([name, value]) => [name, stored(value, types.get(name) ?? '')])),
      );
    },
    indexes: async (table) =>
      (
        await query<{ columns: string }>(
          `SELECT json_agg(a.attname ORDER BY k.place) AS columns
           FROM pg_index i CROSS JOIN LATERAL unnest(i.indkey) WITH ORDINALITY AS k (number, place)
           JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = k.number
           WHERE i.indrelid = (SELECT oid FROM pg_class WHERE relname = $1 AND relnamespace = 'public'::regnamespace)
           AND NOT i.indisunique GROUP BY i.indexrelid`,
          [table],
        )
      ).map(({ columns }) => JSON.parse(columns) as string[]),
    close: () => database.close(),
  };
}
