/** What goes wrong at the server: each time exit 1, one line that says what and what to do, and nothing half written. */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import pg from 'pg';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { target } from '../../targets/postgres/target.ts';
import { begin, lines, load, type Outcome } from '../contract/target/load.ts';
import { openProxy } from '../postgres/proxy.ts';
import { openPostgres, type PostgresDestination } from './postgres.ts';

let destination: PostgresDestination;

beforeEach(async () => {
  destination = await openPostgres();
});

afterEach(() => destination.close());

const schema = (stream = 't', key: readonly string[] = ['id'], type = 'integer') => ({
  type: 'SCHEMA',
  stream,
  key_properties: key,
  schema: { properties: { id: { type: 'integer' }, v: { type } } },
});
const record = (id: number, v: unknown = id, stream = 't') => ({ type: 'RECORD', stream, record: { id, v } });
const state = (n: number) => ({ type: 'STATE', value: { n } });

/** The one line of a failed run. No line of it may show the password. */
function said({ code, states, critical, logs }: Outcome): string {
  expect([code, states]).toEqual([1, []]);
  expect(critical).toHaveLength(1);
  const { password } = new URL(destination.url);
  expect(JSON.stringify(logs)).not.toContain(password === '' ? '\0' : password);
  const message = critical[0]?.message ?? '';
  expect(message).not.toMatch(/\n|unexpected failure|please report/);
  return message;
}

/** Another program with a connection of its own. */
async function another(url = destination.url): Promise<pg.Client> {
  const client = new pg.Client({ connectionString: url });
  client.on('error', () => {});
  await client.connect();
  return client;
}

describe('a table that somebody else has locked', () => {
  it.each([
    [{ lock_timeout_seconds: 0.1 }, /table stayed locked.*lock_timeout_seconds — end the other program/],
    [{ lock_timeout_seconds: 0, statement_timeout_seconds: 0.1 }, /statement_timeout_seconds — raise/],
  ])('ends a load with %j', async (settings, says) => {
    await load(target, destination, [schema(), record(1)]);
    const other = await another();
    await other.query('BEGIN; LOCK TABLE t IN ACCESS EXCLUSIVE MODE');
    try {
      for (const load_method of ['upsert', 'overwrite']) {
        const input = [schema(), record(2), state(1)];
        expect(said(await load(target, destination, input, { settings: { ...settings, load_method } }))).toMatch(says);
      }
    } finally {
      await other.end();
    }
    expect(await destination.rows('t')).toEqual([{ id: '1', v: '1' }]);
    expect(await destination.query("SELECT relname FROM pg_class WHERE relname LIKE '\\_tapworks\\_new%'")).toEqual([]);
  });

  it('is loaded as soon as it is free', async () => {
    await load(target, destination, [schema(), record(1)]);
    const other = await another();
    await other.query('BEGIN; LOCK TABLE t IN ACCESS EXCLUSIVE MODE');
    const loading = await begin(target, destination);
    loading.send([schema(), record(2), state(1)]);
    const finished = loading.finish();
    const waits = () => destination.query('SELECT 1 FROM pg_locks WHERE NOT granted');
    await expect.poll(waits).not.toEqual([]);
    await other.end();
    expect(await finished).toMatchObject({ code: 0, states: ['{"n":1}'] });
    expect(await destination.rows('t')).toHaveLength(2);
  });
});

describe('two loads at once', () => {
  const many = (from: number, stream: string) =>
    Array.from({ length: 80 }, (_, place) => record(from + place, place, stream));
  const both = async (inputs: readonly (readonly unknown[])[], settings: object) => {
    const loads = [];
    for (const input of inputs) {
      const loading = await begin(target, destination, { settings: { ...settings } });
      loading.send(lines(...input));
      loads.push(loading.finish());
    }
    for (const outcome of await Promise.all(loads))
      expect(outcome).toMatchObject({ code: 0, critical: [], states: expect.arrayContaining(['{"n":1}']) });
  };
  const ids = async (stream: string) =>
    (await destination.rows(stream)).map(({ id }) => Number(id)).sort((a, b) => a - b);
  const upTo = (count: number) => Array.from({ length: count }, (_, id) => id);

  it.each([1, 7, 1000])('of one new table leave the rows of both (%i rows a batch)', async (batch_rows) => {
    await both(
      [0, 40].map((from) => [schema(), ...many(from, 't'), state(1)]),
      { batch_rows },
    );
    expect(await ids('t')).toEqual(upTo(120));
  });

  it.each([1, 7, 1000])(
    'of two tables in opposite order do not block each other (%i rows a batch)',
    async (batch_rows) => {
      const order = (streams: readonly string[], from: number) => [
        ...streams.map((stream) => schema(stream)),
        ...many(from, '').flatMap(({ record: { id, v } }) => streams.map((stream) => record(id, v, stream))),
        state(1),
      ];
      await both([order(['a', 'b'], 0), order(['b', 'a'], 40)], { batch_rows });
      expect([await ids('a'), await ids('b')]).toEqual([upTo(120), upTo(120)]);
    },
  );

  it('of rows without a key keep every row', async () => {
    await both(
      [0, 40].map((from) => [schema('t', []), ...many(from, 't'), state(1)]),
      { batch_rows: 7 },
    );
    expect(await ids('t')).toHaveLength(160);
  });

  it('that both replace a table leave the rows of one of them', async () => {
    await both(
      [0, 40].map((from) => [schema(), ...many(from, 't'), state(1)]),
      { load_method: 'overwrite', batch_rows: 7 },
    );
    const found = await ids('t');
    expect([upTo(80), upTo(120).slice(40)]).toContainEqual(found);
    expect(await destination.tables()).toEqual(['t']);
  });

  it('notice when the other widens a column', async () => {
    const slow = await begin(target, destination, { settings: { batch_rows: 1 } });
    slow.send([schema(), record(1)]);
    await slow.stdin.idle();
    await load(
      target,
      destination,
      lines(schema(), '{"type":"RECORD","stream":"t","record":{"id":2,"v":99999999999999999999}}'),
    );
    await load(target, destination, [schema('t', ['id'], 'string'), record(3, 'text')]);
    slow.send([record(4), record(5), state(1)]);
    expect(await slow.finish()).toMatchObject({ code: 0, critical: [] });
    expect(await destination.query('SELECT id, v FROM t ORDER BY id')).toEqual([
      { id: '1', v: '1' },
      { id: '2', v: '99999999999999999999' },
      { id: '3', v: 'text' },
      { id: '4', v: '4' },
      { id: '5', v: '5' },
    ]);
  });

  it('do not store a value in the form of a type that its column no longer has', async () => {
    const slow = await begin(target, destination, { settings: { batch_rows: 1 } });
    slow.send([schema('t', [], 'boolean'), record(1, true)]);
    await slow.stdin.idle();
    await load(target, destination, [schema('t', [], 'string'), record(2, 'text')]);
    // Written so that it is parsed, not copied as it is spelled.
    slow.send(lines('{"record":{"id":3,"v":true},"type":"RECORD","stream":"t"}', state(1)));
    expect(await slow.finish()).toMatchObject({ code: 0, critical: [] });
    expect(await destination.query('SELECT id, v FROM t ORDER BY id')).toEqual([
      { id: '1', v: 'true' },
      { id: '2', v: 'text' },
      { id: '3', v: 'true' },
    ]);
  });
});

describe('a role that may do little', () => {
  const role = `loader_${process.pid}_${Math.floor(Math.random() * 1e9)}`;
  const as = (): Record<string, string> => ({ user: role, password: 'invented' });

  beforeEach(() => destination.query(`CREATE ROLE ${role} LOGIN PASSWORD 'invented'`));
  afterEach(() => destination.query(`DROP OWNED BY ${role} CASCADE; DROP ROLE ${role}`));

  const run = (input: readonly unknown[], settings: object = {}) =>
    load(target, destination, input, { settings: { ...as(), ...settings } });
  const granted = /grant the user what docs\/target-postgres.md lists/;

  it('is told when it may make no table', async () => {
    const message = said(await run([schema(), record(1)]));
    expect(message).toMatch(/this user is not allowed to: permission denied for schema public/);
    expect(message).toMatch(granted);
  });

  it('is told when it may make no schema', async () => {
    const message = said(await run([schema()], { default_target_schema: 'own' }));
    expect(message).toMatch(/not allowed to: permission denied for database/);
  });

  it('is told when it may not write, or not change, a table of somebody else', async () => {
    await load(target, destination, [schema(), record(1)]);
    await destination.query(`GRANT SELECT ON t TO ${role}`);
    expect(said(await run([schema(), record(2), state(1)]))).toMatch(/not allowed to: permission denied for table t/);
    await destination.query(`GRANT INSERT, UPDATE ON t TO ${role}`);
    expect(await run([schema(), record(2), state(1)])).toMatchObject({ code: 0, critical: [] });
    expect(said(await run([schema('t', ['id'], 'string'), record(3, 'x')]))).toMatch(
      /not allowed to: must be owner of table t/,
    );
    expect(await destination.rows('t')).toHaveLength(2);
  });

  it('is told when no connection is left for it', async () => {
    await destination.query(`ALTER ROLE ${role} CONNECTION LIMIT 1; GRANT ALL ON SCHEMA public TO ${role}`);
    const url = new URL(destination.url);
    url.username = role;
    url.password = 'invented';
    const first = await another(url.href);
    expect(said(await run([schema()]))).toMatch(/no connection left — run again later, or raise max_connections/);
    await first.end();
  });

  it('is told when the database takes no changes', async () => {
    await destination.query(
      `GRANT ALL ON SCHEMA public TO ${role}; ALTER ROLE ${role} SET default_transaction_read_only = on`,
    );
    expect(said(await run([schema(), record(1)]))).toMatch(/takes no changes now — load into the primary/);
  });
});

describe('a server that cannot be reached', () => {
  it.each([
    [{ password: 'wrong' }, /the password was refused — correct user and password/],
    [{ user: 'nobody at all' }, /the password was refused|does not let this user in/],
    [{ database: 'no such' }, /\/no such: the database does not exist — create it/],
    [{ port: 1 }, /127\.0\.0\.1:1\/\S+: nothing answers there — start the server, or correct host and port/],
    [{ host: 'db.example.invalid' }, /(host is not known|cannot be looked up)/],
    [{ host: '/nonexistent' }, /there is no socket — correct the host/],
    [{ sslmode: 'require' }, /does not encrypt — set up TLS on the server, or set sslmode/],
    [{ sslmode: 'verify-full' }, /does not encrypt/],
    [{ sslmode: 'verify-ca', sslrootcert: '/nonexistent.pem' }, /setting sslrootcert: cannot read \/nonexistent\.pem/],
  ])('is named: %j', async (settings, says) => {
    expect(said(await load(target, destination, [schema(), record(1), state(1)], { settings }))).toMatch(says);
  });

  it('is named when the password is missing', async () => {
    const { hostname: host, port, pathname } = new URL(destination.url);
    const settings = { url: undefined, host, port: Number(port), user: 'postgres', database: pathname.slice(1) };
    expect(said(await load(target, destination, [schema()], { settings }))).toMatch(
      /asks for a password.*set password/,
    );
  });

  it.each(['prefer', 'disable', 'require'])('is named when it is no PostgreSQL (sslmode %s)', async (sslmode) => {
    const web = createServer();
    web.on('clientError', (_error, socket) => socket.end('HTTP/1.1 400 Bad Request\r\n\r\n'));
    await new Promise<void>((resolve) => web.listen(0, '127.0.0.1', resolve));
    try {
      const settings = { port: (web.address() as AddressInfo).port, sslmode };
      expect(said(await load(target, destination, [schema()], { settings }))).toMatch(
        /is not PostgreSQL|connection was lost/,
      );
    } finally {
      web.close();
    }
  });

  it.each([
    ['?sslmode=allow', /none of disable, prefer, require, verify-ca, verify-full/],
    ['?sslrootcert=/x.pem', /parameter "sslrootcert".*setting of its own/],
    ['?sslmode=disable&connect_timeout=3', /parameter "connect_timeout", which is not read/],
  ])('is not guessed at: %s', async (parameters, says) => {
    const settings = { url: `${destination.url}${parameters}` };
    expect(said(await load(target, destination, [schema()], { settings }))).toMatch(says);
  });
});

describe('a server that refuses in the middle', () => {
  /** The server says so itself, from a trigger: what a full disk or no memory looks like to its client. */
  const trip = (code: string, text: string) =>
    destination.query(
      `CREATE FUNCTION trip() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
         IF NEW.id = 50 THEN RAISE EXCEPTION '${text}' USING ERRCODE = '${code}'; END IF; RETURN NEW; END $$;
       CREATE TRIGGER trip BEFORE INSERT ON t FOR EACH ROW EXECUTE FUNCTION trip()`,
    );

  it.each([
    [
      '53100',
      'could not extend file: No space left on device',
      /disk of the server is full — free some space and run again/,
    ],
    ['53200', 'out of memory', /no memory left/],
    ['57014', 'canceling statement due to user request', /statement_timeout_seconds/],
    ['XX001', 'invalid page in block 7', /invalid page in block 7 \[SQLSTATE XX001\]/],
  ])('with SQLSTATE %s: the rows of the batch go, those before it stay', async (code, text, says) => {
    for (const key of [['id'], []]) {
      await destination.query('DROP TABLE IF EXISTS t; DROP FUNCTION IF EXISTS trip');
      await load(target, destination, [schema('t', key)]);
      await trip(code, text);
      const rows = Array.from({ length: 100 }, (_, id) => [record(id), ...(id % 10 === 9 ? [state(id)] : [])]).flat();
      const outcome = await load(target, destination, [schema('t', key), ...rows], { settings: { batch_rows: 20 } });
      expect(outcome.code).toBe(1);
      expect(outcome.critical).toHaveLength(1);
      expect(outcome.critical[0]?.message).toMatch(says);
      const confirmed = Number((JSON.parse(outcome.states.at(-1) ?? '{"n":-1}') as { n: number }).n);
      const stored = (await destination.rows('t')).length;
      expect(stored).toBeLessThanOrEqual(50);
      expect(stored).toBeGreaterThan(confirmed);
    }
  });
});

it('a load that was asked to stop does not wait for a server that went silent', async () => {
  const proxy = await openProxy(destination.url);
  try {
    const loading = await begin(target, destination, { settings: { url: proxy.url, batch_rows: 100 } });
    loading.send([schema('t'), record(1), state(1)]);
    await loading.stdin.idle();
    proxy.hold();
    loading.stop('SIGTERM');
    loading.clock.advance(10_000);
    const { code, states, critical } = await loading.ended();
    expect([code, states]).toEqual([1, []]);
    expect(critical[0]?.message).toMatch(/the connection was lost — run again with the last state/);
  } finally {
    await proxy.close();
  }
});
