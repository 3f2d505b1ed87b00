import pg from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { openDatabase, type TestDatabase } from './database.ts';
import { openProxy, type TcpProxy } from './proxy.ts';

let database: TestDatabase;
let proxy: TcpProxy;
beforeAll(async () => {
  database = await openDatabase();
  proxy = await openProxy(database.url);
});
afterAll(async () => {
  await proxy?.close();
  await database?.close();
});

/** A client by way of the proxy; `lost` is fulfilled when its connection breaks. */
async function connect(): Promise<{ client: pg.Client; lost: Promise<unknown> }> {
  const client = new pg.Client({ connectionString: proxy.url });
  const lost = new Promise((resolve) => client.on('error', resolve));
  await client.connect();
  return { client, lost };
}

test('what is sent arrives, and connections are counted', async () => {
  const before = proxy.connections;
  const { client } = await connect();
  const text = 'ä😀'.repeat(200_000);
  expect((await client.query('SELECT $1::text AS t', [text])).rows).toEqual([{ t: text }]);
  expect([proxy.connections - before, proxy.open]).toEqual([1, 1]);
  await client.end();
  await expect.poll(() => proxy.open).toBe(0);
});

test('a cut breaks what is open, in the middle of a statement too, and nothing later', async () => {
  const { client, lost } = await connect();
  const answer = client.query('SELECT pg_sleep(3600)').catch((error: Error) => error);
  await expect
    .poll(() => database.query("SELECT 1 FROM pg_stat_activity WHERE wait_event = 'PgSleep'"))
    .toHaveLength(1);
  proxy.cut();
  expect(await answer).toBeInstanceOf(Error);
  await lost;
  expect(proxy.open).toBe(0);
  await (await connect()).client.end();
});

test.each([
  ['client', 'COMMIT', []],
  ['server', 'COMMIT', [{ a: '1' }]],
] as const)('a connection is cut when the %s sends a %s', async (side, text, stored) => {
  const { client } = await connect();
  await database.query('DROP TABLE IF EXISTS t; CREATE TABLE t (a int)');
  await client.query('BEGIN');
  await client.query('INSERT INTO t VALUES (1)');
  proxy.cutWhen((bytes, from) => from === side && bytes.includes(text));
  await expect(client.query('COMMIT')).rejects.toThrow();
  await expect
    .poll(() => database.query("SELECT 1 FROM pg_stat_activity WHERE state = 'idle in transaction'"))
    .toEqual([]);
  expect(await database.query('SELECT a FROM t')).toEqual(stored);
  await (await connect()).client.end();
});

test('while it is held nothing passes, and all of it does when it is released', async () => {
  const { client } = await connect();
  await client.query('CREATE TABLE held (a int)');
  proxy.hold();
  const waiting = client.query('INSERT INTO held VALUES (1)');
  const late = connect();
  await expect.poll(() => proxy.open).toBe(2);
  expect(await database.query('SELECT 1 FROM held')).toEqual([]);
  proxy.release();
  expect((await waiting).rowCount).toBe(1);
  await (await late).client.end();
  await client.end();
});

test('new connections are refused while others go on', async () => {
  const { client } = await connect();
  proxy.refuse();
  await expect(connect()).rejects.toThrow();
  expect((await client.query('SELECT 1 AS a')).rows).toEqual([{ a: 1 }]);
  proxy.accept();
  await (await connect()).client.end();
  await client.end();
});
