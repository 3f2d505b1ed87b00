/** Over the socket of a folder, whose buffer is smaller than ours: what a COPY still holds must not be sent after its end. */
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { target } from '../../targets/postgres/target.ts';
import { lines, load } from '../contract/target/load.ts';
import { openDatabase, type TestDatabase } from '../postgres/database.ts';
import { startServer, type TestServer } from '../postgres/server.ts';
import { GIVEN } from '../postgres/shared.ts';
import { destinationIn } from './postgres.ts';

const ROWS = 30_000;
const HEAD = {
  type: 'SCHEMA',
  stream: 'users',
  key_properties: ['id'],
  schema: { properties: { id: { type: 'integer' }, name: { type: 'string' } } },
};
const user = (id: number, name = `user ${id} ${'x'.repeat(80)}`) => ({
  type: 'RECORD',
  stream: 'users',
  record: { id, name },
});
const STATE = { type: 'STATE', value: { n: 1 } };

const BATCHES = { batch_rows: 100_000, batch_bytes: 100_000_000 };

// The folder of the socket is known only of a server that the test has started; one of the user's may be on another machine.
describe.skipIf(process.env[GIVEN])('over a socket', () => {
  let server: TestServer;
  let database: TestDatabase;

  beforeAll(async () => {
    server = await startServer();
    database = await openDatabase(server.url);
  });

  afterAll(async () => {
    await database?.close();
    await server?.stop();
  });

  /** The same database, by way of the socket. */
  function bySocket() {
    const { port } = new URL(server.url);
    const destination = destinationIn(database, 'public');
    return { ...destination, settings: { url: database.url, host: join(server.folder, 's'), port: Number(port) } };
  }

  test('a key that comes twice sends the rows on the other way', async () => {
    const destination = bySocket();
    const rows = Array.from({ length: ROWS }, (_, id) => user(id));
    const input = lines(HEAD, ...rows.slice(0, 100), user(0, 'last'), ...rows.slice(100), STATE);
    const { code, critical, states } = await load(target, destination, input, { settings: BATCHES, chunk: 65_536 });
    expect([code, critical, states]).toEqual([0, [], ['{"n":1}']]);
    expect(await database.query('SELECT count(*) AS rows, max(name) FILTER (WHERE id = 0) AS zero FROM users')).toEqual(
      [{ rows: String(ROWS), zero: 'last' }],
    );
  });

  test('a row that the table refuses ends the load with one line', async () => {
    const destination = bySocket();
    await database.query('DROP TABLE users; CREATE TABLE users (id bigint PRIMARY KEY, name text CHECK (id <> 50))');
    const rows = Array.from({ length: ROWS }, (_, id) => user(id));
    const { code, critical, states } = await load(target, destination, lines(HEAD, ...rows, STATE), {
      settings: BATCHES,
      chunk: 65_536,
    });
    expect([code, critical.length, states]).toEqual([1, 1, []]);
    expect(critical[0]?.message).toMatch(/users_check|users_id_check|constraint/);
    expect(await destination.rows('users')).toEqual([]);
  });
});
