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
  return { ...destinationIn(database, 'public'), close: () => database.close() };
}

/** A destination in a schema that need not exist; what is left in it goes with the database. */
export function destinationIn({ url, query }: TestDatabase, schema: string): PostgresDestination {
  const info = (table: string) =>
    query<{ name: string; type: string }>(
      `SELECT attname AS name, format_type(atttypid, NULL) AS type FROM pg_attribute
       WHERE attrelid = (SELECT oid FROM pg_class WHERE relname = $1 AND relnamespace = to_regnamespace($2))
       AND attnum > 0 AND NOT attisdropped ORDER BY attnum`,
      [table, schema],
    );
  return {
    url,
    query,
    settings: { url, default_target_schema: schema },
    tables: async () =>
      (
        await query<{ name: string }>(
          `SELECT tablename AS name FROM pg_tables WHERE schemaname = $1 AND tablename NOT LIKE '\\_tapworks\\_%' ORDER BY tablename COLLATE "C"`,
          [schema],
        )
      ).map(({ name }) => name),
    columns: async (table) => (await info(table)).map(({ name }) => name),
    rows: async (table) => {
      const types = new Map((await info(table)).map(({ name, type }) => [name, type]));
      return (await query(`SELECT * FROM ${schema}."${table.replaceAll('"', '""')}"`)).map(
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
           WHERE i.indrelid = (SELECT oid FROM pg_class WHERE relname = $1 AND relnamespace = to_regnamespace($2))
           AND NOT i.indisunique GROUP BY i.indexrelid`,
          [table, schema],
        )
      ).map(({ columns }) => JSON.parse(columns) as string[]),
    close: async () => {},
  };
}
