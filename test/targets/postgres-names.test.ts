/** Names as PostgreSQL has them: 63 bytes, system columns, one space of names for tables, views, indexes and types. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { target } from '../../targets/postgres/target.ts';
import { lines, load } from '../contract/target/load.ts';
import { openPostgres, type PostgresDestination } from './postgres.ts';

let destination: PostgresDestination;

beforeAll(async () => {
  destination = await openPostgres();
});

afterAll(() => destination?.close());

beforeEach(() => destination.query('DROP SCHEMA public CASCADE; CREATE SCHEMA public'));

const schema = (stream: string, properties: readonly string[], key: readonly string[] = ['id']) => ({
  type: 'SCHEMA',
  stream,
  key_properties: key,
  schema: { properties: Object.fromEntries(['id', ...properties].map((name) => [name, { type: ['null', 'string'] }])) },
});

const record = (stream: string, values: object) => ({ type: 'RECORD', stream, record: values });

/** A byte at a time would take minutes over so many columns. */
const WIDE = { chunk: 64 * 1024 };

const bytes = (name: string) => Buffer.byteLength(name);

/**
 * Loads a row of this id with a value per property, twice, and returns the column of each property. The second run must
 * find what the first one made.
 */
async function twice(properties: readonly string[], key: readonly string[] = ['id'], id = '1') {
  const values = Object.fromEntries(properties.map((name, place) => [name, `value ${place}`]));
  const input = lines(schema('t', properties, key), record('t', { id, ...values }));
  const columns: (readonly string[])[] = [];
  for (const counts of [
    { inserted: 1, unchanged: 0 },
    { inserted: 0, unchanged: 1 },
  ]) {
    const outcome = await load(target, destination, input);
    expect(outcome).toMatchObject({ code: 0, critical: [] });
    const done = outcome.logs.find(({ event_type }) => event_type === 'load_complete');
    expect(done?.streams).toMatchObject({ t: counts });
    columns.push(await destination.columns('t'));
  }
  expect(columns[1]).toEqual(columns[0]);
  const row = (await destination.rows('t')).find((one) => one.id === id) ?? {};
  const place = (name: string) => columns[0]?.find((column) => row[column] === values[name]) ?? '';
  return { columns: columns[0] ?? [], of: new Map(properties.map((name) => [name, place(name)])) };
}

describe('columns', () => {
  const A = 'a'.repeat(70);
  const UMLAUTS = 'ä'.repeat(40);
  const FACES = '😀'.repeat(20);
  it.each([
    ['ASCII', [`${A}1`, `${A}2`, A, 'a'.repeat(63), 'a'.repeat(64)]],
    ['letters of two bytes', [`${UMLAUTS}1`, `${UMLAUTS}2`, `a${UMLAUTS}`, 'ä'.repeat(31), 'ä'.repeat(32)]],
    ['characters of four bytes', [`${FACES}1`, `${FACES}2`, `ab${FACES}`, `abc${FACES}`, '😀'.repeat(16)]],
    ['dots', [`${'x.'.repeat(40)}a`, `${'x.'.repeat(40)}b`, `${'x__'.repeat(40)}a`]],
  ])('longer than 63 bytes share nothing: %s', async (_kind, properties) => {
    const { columns, of } = await twice(properties);
    expect(columns).toHaveLength(properties.length + 1);
    expect(new Set(of.values()).size).toBe(properties.length);
    for (const name of columns) expect(bytes(name)).toBeLessThanOrEqual(63);
    for (const name of properties.filter((one) => bytes(one) <= 63 && !one.includes('.')))
      expect(of.get(name)).toBe(name);
    expect(columns.join('')).not.toContain('\ufffd');
  });

  it('that are called like a shortened one keep out of its way, also in a later run', async () => {
    const long = `${A}1`;
    const short = (await twice([long])).of.get(long) ?? '';
    const { of } = await twice([long, short], ['id'], '2');
    expect(of.get(long)).toBe(short);
    expect(of.get(short)).not.toBe(short);
  });

  it.each([['id'], ['xmin']])('of the system are no obstacle, not even as a key (%s)', async (key) => {
    const system = ['tableoid', 'xmin', 'cmin', 'xmax', 'cmax', 'ctid', 'oid'];
    const { of } = await twice(system, [key]);
    expect(of.get('oid')).toBe('oid');
    for (const name of system.slice(0, -1)) expect(of.get(name)).toMatch(new RegExp(`^${name}_[0-9a-f]{8}$`));
  });

  it('are told apart by every letter, reserved or not', async () => {
    const names = [
      'ID',
      'Id',
      'iD',
      'select',
      'SELECT',
      'user',
      'table',
      'order',
      'default',
      'primary',
      'a b',
      'a"b',
      "a'b",
      'ſ',
      's',
      'K',
      '\u212a',
      ' id',
      'id ',
      '$1',
      '%s',
      '?',
      '\\',
      '\n',
      '--',
      ';',
      'x=1',
    ];
    const { of } = await twice(names);
    expect([...of]).toEqual(names.map((name) => [name, name]));
  });

  it('with what SQL text cannot hold have a column each', async () => {
    const { columns } = await twice(['a\0b', 'a_b', 'a\ud800', 'a\udfff', 'a\ufffd', '']);
    expect(columns).toHaveLength(7);
  });

  it('may be 1600', async () => {
    const properties = Array.from({ length: 1599 }, (_, place) => `c${place}`);
    const input = lines(schema('wide', properties), record('wide', { id: '1', c0: 'first', c1598: 'last' }));
    for (const _run of [1, 2])
      expect(await load(target, destination, input, WIDE)).toMatchObject({ code: 0, critical: [] });
    expect(await destination.query('SELECT c0, c1598 FROM wide')).toEqual([{ c0: 'first', c1598: 'last' }]);
  });

  it.each(['upsert', 'overwrite', 'append-only'])(
    'more than 1600 are refused, with what to do (%s)',
    async (load_method) => {
      const properties = Array.from({ length: 1600 }, (_, place) => `c${place}`);
      const { code, critical } = await load(target, destination, [schema('wide', properties)], {
        ...WIDE,
        settings: { load_method },
      });
      expect(code).toBe(1);
      expect(critical.map(({ message }) => message)).toEqual([
        'stream "wide" needs 1601 columns, and a table of PostgreSQL has at most 1600 — deselect properties of the stream at the tap',
      ]);
      expect(await destination.tables()).toEqual([]);
    },
  );

  it('that were dropped count too, and that is said', async () => {
    const properties = Array.from({ length: 1599 }, (_, place) => `c${place}`);
    await load(target, destination, [schema('wide', properties)], WIDE);
    await destination.query('ALTER TABLE wide DROP COLUMN c0');
    const { code, critical } = await load(target, destination, [schema('wide', ['new'])]);
    expect(code).toBe(1);
    expect(critical.map(({ message }) => message)).toEqual([
      expect.stringMatching(/at most 1600 columns, those that were dropped included.*deselect/),
    ]);
  });

  it('a row that no page can hold is refused as that', async () => {
    const properties = Array.from({ length: 1599 }, (_, place) => `c${place}`);
    const head = schema('wide', properties);
    const numbers = Object.fromEntries(properties.map((name) => [name, { type: ['null', 'integer'] }]));
    const input = lines(
      { ...head, schema: { properties: { id: { type: 'string' }, ...numbers } } },
      record('wide', { id: '1', ...Object.fromEntries(properties.map((name) => [name, 2 ** 40])) }),
    );
    const { code, critical } = await load(target, destination, input, WIDE);
    expect(code).toBe(1);
    expect(critical.map(({ message }) => message)).toEqual([
      expect.stringMatching(/row is too (big|large).*deselect properties/),
    ]);
  });

  it('a key that no index can hold is refused as that', async () => {
    const random = Array.from({ length: 4_000 }, (_, place) =>
      String.fromCodePoint(0x4e00 + ((place * 7919) % 20_000)),
    );
    const { code, critical } = await load(target, destination, [schema('t', []), record('t', { id: random.join('') })]);
    expect(code).toBe(1);
    expect(critical.map(({ message }) => message)).toEqual([
      expect.stringMatching(/too large for an index.*leave the key or the index/),
    ]);
    expect(critical[0]?.message).not.toContain(random[5]);
  });
});

describe('tables', () => {
  const load1 = (stream: string, settings = {}) =>
    load(target, destination, [schema(stream, ['v']), record(stream, { id: '1', v: `of ${stream}` })], { settings });
  /** The table whose row came from the stream. */
  const tableOf = async (stream: string) => {
    const found: string[] = [];
    for (const name of await destination.tables()) {
      const rows = await destination.rows(name).catch(() => []);
      if (rows.some(({ v }) => v === `of ${stream}`)) found.push(name);
    }
    return found;
  };

  it('of long names that begin alike are several, the same in every run', async () => {
    const streams = [`${'s'.repeat(80)}1`, `${'s'.repeat(80)}2`, `${'Ö'.repeat(40)}1`, `${'Ö'.repeat(40)}2`];
    for (const _run of [1, 2]) {
      for (const stream of streams) expect(await load1(stream)).toMatchObject({ code: 0, critical: [] });
    }
    expect(await destination.tables()).toHaveLength(4);
    for (const stream of streams) expect(await tableOf(stream)).toHaveLength(1);
  });

  it('are told apart by every letter', async () => {
    for (const stream of ['Users', 'users', 'USERS', 'select', 'user']) await load1(stream);
    expect(await destination.tables()).toEqual(['USERS', 'Users', 'select', 'user', 'users']);
  });

  it.each([
    ['a view', 'CREATE VIEW x AS SELECT 1 AS id'],
    ['a materialized view', 'CREATE MATERIALIZED VIEW x AS SELECT 1 AS id'],
    ['a sequence', 'CREATE SEQUENCE x'],
    ['an index', 'CREATE TABLE other (v text); CREATE INDEX x ON other (v)'],
    ['an enum', "CREATE TYPE x AS ENUM ('a')"],
    ['a composite type', 'CREATE TYPE x AS (a bigint)'],
    ['a domain', 'CREATE DOMAIN x AS text'],
    ['a range', 'CREATE TYPE x AS RANGE (subtype = bigint)'],
  ])('leave %s of that name alone and are called otherwise, the same in every run', async (_what, statement) => {
    await destination.query(statement);
    for (const _run of [1, 2]) expect(await load1('x')).toMatchObject({ code: 0, critical: [] });
    const tables = await tableOf('x');
    expect(tables).toEqual([expect.stringMatching(/^x_[0-9a-f]{8}$/)]);
    const settings = { load_method: 'overwrite' };
    expect(await load1('x', settings)).toMatchObject({ code: 0, critical: [] });
    expect(await tableOf('x')).toEqual(tables);
  });

  it.each([
    ['the primary key of another', ['x', 'x_pkey']],
    ['the array type of another', ['x', '_x']],
    ['the array type of another, which comes later', ['_x', 'x']],
    ['the table aside', ['x', '_tapworks_new_x']],
  ])('called like %s are tables of their own', async (_what, streams) => {
    for (const load_method of ['upsert', 'overwrite', 'overwrite', 'upsert']) {
      const input = streams.flatMap((stream) => [
        schema(stream, ['v']),
        record(stream, { id: '1', v: `of ${stream}` }),
      ]);
      expect(await load(target, destination, input, { settings: { load_method } })).toMatchObject({
        code: 0,
        critical: [],
      });
      for (const stream of streams) expect(await tableOf(stream)).toHaveLength(1);
      expect(await destination.tables()).toHaveLength(2);
    }
  });

  it('made by hand take rows; a partitioned one too', async () => {
    await destination.query(
      `CREATE TABLE x (id text, v text, PRIMARY KEY (id)) PARTITION BY HASH (id);
       CREATE TABLE x0 PARTITION OF x FOR VALUES WITH (MODULUS 1, REMAINDER 0)`,
    );
    for (const _run of [1, 2]) expect(await load1('x')).toMatchObject({ code: 0, critical: [] });
    expect(await destination.query('SELECT id, v FROM x')).toEqual([{ id: '1', v: 'of x' }]);
  });

  it.each(['Größe & "Maß"', ' ', 'select', "it's", 'S'.repeat(63), 'ß'.repeat(31)])(
    'may be in a schema called %j, whatever load_method',
    async (default_target_schema) => {
      const place = `"${default_target_schema.replaceAll('"', '""')}"`;
      try {
        for (const load_method of ['upsert', 'upsert', 'overwrite']) {
          const settings = { default_target_schema, load_method, state_table: 'states', state_key: 'k' };
          const input = [
            schema('t', ['ctid', 'v']),
            record('t', { id: '1', v: 'a' }),
            { type: 'STATE', value: { n: 1 } },
          ];
          expect(await load(target, destination, input, { settings })).toMatchObject({ code: 0, critical: [] });
          expect(await destination.query(`SELECT id, v FROM ${place}.t`)).toEqual([{ id: '1', v: 'a' }]);
          expect(await destination.query(`SELECT state FROM ${place}.states`)).toEqual([{ state: '{"n":1}' }]);
        }
        expect(await destination.tables()).toEqual([]);
      } finally {
        await destination.query(`DROP SCHEMA IF EXISTS ${place} CASCADE`);
      }
    },
  );

  it('are not made in a schema whose name PostgreSQL would cut', async () => {
    const outcome = await load1('t', { default_target_schema: 'ß'.repeat(40) });
    expect(outcome.code).toBe(1);
    expect(outcome.critical[0]?.message).toMatch(/default_target_schema.*63 bytes/);
  });
});
