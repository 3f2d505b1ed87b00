import pg from 'pg';
import { expect, test } from 'vitest';
import { openDatabase } from './database.ts';

test('a database is empty, and gone when it is closed', async () => {
  const [one, other] = await Promise.all([openDatabase(), openDatabase()]);
  try {
    await one.query('CREATE TABLE t (a int)');
    expect(await other.query("SELECT 1 FROM pg_class WHERE relname = 't'")).toEqual([]);
    expect(new URL(one.url).pathname).not.toBe(new URL(other.url).pathname);
  } finally {
    await one.close();
  }
  expect(
    await other.query('SELECT 1 FROM pg_database WHERE datname = $1', [new URL(one.url).pathname.slice(1)]),
  ).toEqual([]);
  await other.close();
});

test('values are the text that the server sent', async () => {
  const database = await openDatabase();
  try {
    expect(
      await database.query(
        `SELECT 12345678901234567890.10::numeric AS n, true AS b, NULL AS x, '{"b":1,  "a":2}'::json AS j,
         '2026-01-15T12:00:00+05:30'::timestamptz AS t, '\\x00ff'::bytea AS y, ARRAY[1,2] AS l`,
      ),
    ).toEqual([
      {
        n: '12345678901234567890.10',
        b: 't',
        x: null,
        j: '{"b":1,  "a":2}',
        t: '2026-01-15 06:30:00+00',
        y: '\\x00ff',
        l: '{1,2}',
      },
    ]);
    expect(await database.query('SELECT 1 AS a; SELECT 2 AS a')).toEqual([{ a: '2' }]);
  } finally {
    await database.close();
  }
});

test('text is UTF-8 and ordered by code point', async () => {
  const database = await openDatabase();
  try {
    const rows = await database.query("SELECT x FROM (VALUES ('é'), ('b'), ('B'), ('😀')) AS v (x) ORDER BY x");
    expect(rows.map(({ x }) => x)).toEqual(['B', 'b', 'é', '😀']);
  } finally {
    await database.close();
  }
});

test('closing ends the connections of others, and a lost connection is opened again', async () => {
  const database = await openDatabase();
  const client = new pg.Client({ connectionString: database.url });
  const lost = new Promise((resolve) => client.on('error', resolve));
  await client.connect();
  const [row] = await database.query<{ pid: string }>('SELECT pg_backend_pid() AS pid');
  await client.query('SELECT pg_terminate_backend($1)', [row?.pid]);
  const again = await database.query<{ pid: string }>('SELECT pg_backend_pid() AS pid').catch(() => undefined);
  // The loss may be noticed only by the statement after it.
  expect(again?.[0]?.pid).not.toBe(row?.pid);
  expect(await database.query('SELECT 1 AS a')).toEqual([{ a: '1' }]);
  await database.close();
  expect(await lost).toMatchObject({ message: expect.stringContaining('terminat') });
});
