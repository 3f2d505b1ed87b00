/** An empty database per caller, on the server that all tests of a run share. */
import { randomBytes } from 'node:crypto';
import pg from 'pg';
import { GIVEN, sharedServer } from './shared.ts';

export interface TestDatabase {
  /** For the programs under test; it holds a password. */
  readonly url: string;
  /**
   * Rows of a statement; of the last one when there are several. Every value is the text that the server sent, or null,
   * so that a test compares what is stored and not what a driver makes of it. All statements share one connection.
   */
  query<T = Record<string, string | null>>(sql: string, values?: unknown[]): Promise<T[]>;
  /** Ends every connection to the database and drops it. */
  close(): Promise<void>;
}

/** One statement by a connection of its own. */
async function administer(server: string, sql: string): Promise<void> {
  const client = new pg.Client({ connectionString: server });
  client.on('error', () => {});
  try {
    await client.connect();
    await client.query(sql);
  } catch (cause) {
    const { message, code } = cause as Error & { code?: string };
    const origin = process.env[GIVEN] === server ? `${GIVEN}: a superuser or a role with CREATEDB is needed: ` : '';
    throw new Error(`PostgreSQL, test database: ${origin}${message || code}`, { cause });
  } finally {
    await client.end().catch(() => {});
  }
}

/**
 * Makes an empty database: UTF-8, order by code point, time zone UTC, whatever the server's own are.
 *
 * @param on the URL of another server than the shared one: of a test that restarts it.
 * @throws Error when there is no server, or its role may not create databases.
 */
export async function openDatabase(on?: string): Promise<TestDatabase> {
  const server = on ?? (await sharedServer());
  const name = `tapworks_${process.pid}_${randomBytes(4).toString('hex')}`;
  // template0 is the one template that is empty on everybody's server and that may be copied by many at a time.
  await administer(server, `CREATE DATABASE ${name} TEMPLATE template0 ENCODING 'UTF8' LC_COLLATE 'C'`);
  await administer(server, `ALTER DATABASE ${name} SET timezone TO 'UTC'`);
  const url = new URL(server);
  url.pathname = `/${name}`;
  const pool = new pg.Pool({
    connectionString: url.href,
    max: 1,
    idleTimeoutMillis: 0,
    types: { getTypeParser: () => (value: string) => value },
  });
  // A connection that the server cut is opened again by the next statement.
  pool.on('error', () => {});
  return {
    url: url.href,
    async query<T>(sql: string, values?: unknown[]) {
      const result: unknown = await pool.query(sql, values);
      const last = Array.isArray(result) ? result.at(-1) : result;
      return (last as { rows: T[] }).rows;
    },
    async close() {
      await pool.end();
      await administer(server, `DROP DATABASE IF EXISTS ${name} WITH (FORCE)`);
    },
  };
}
