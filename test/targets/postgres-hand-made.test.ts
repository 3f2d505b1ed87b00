/** Tables that somebody made by hand: what they can hold is stored exactly, anything else is a clear error. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { target } from '../../targets/postgres/target.ts';
import { lines, load, type Outcome } from '../contract/target/load.ts';
import { openPostgres, type PostgresDestination } from './postgres.ts';

let destination: PostgresDestination;

beforeAll(async () => {
  destination = await openPostgres();
});

afterAll(() => destination?.close());

beforeEach(() => destination.query('DROP SCHEMA public CASCADE; CREATE SCHEMA public'));

const head = (properties: object, key: readonly string[] = ['id']) => ({
  type: 'SCHEMA',
  stream: 't',
  key_properties: key,
  schema: { properties: { id: { type: 'integer' }, ...properties } },
});

async function types(): Promise<ReadonlyMap<string, string>> {
  const found = await destination.query<{ name: string; type: string }>(
    `SELECT attname AS name, format_type(atttypid, atttypmod) AS type FROM pg_attribute
     WHERE attrelid = 't'::regclass AND attnum > 0 AND NOT attisdropped ORDER BY attnum`,
  );
  return new Map(found.map(({ name, type }) => [name, type]));
}

/** Rows by key; every value as text. */
async function rows(): Promise<readonly Readonly<Record<string, string | null>>[]> {
  return destination.query('SELECT * FROM t ORDER BY id');
}

const total = ({ logs }: Outcome) =>
  (logs.find(({ event_type }) => event_type === 'load_complete')?.streams as Record<string, unknown> | undefined)?.t;

describe('a column made by hand', () => {
  /** Declared type, property, value → stored text and type, or what the error says. */
  const STORED: readonly [declared: string, node: object, json: string, stored: string, type: string][] = [
    ['smallint', { type: 'integer' }, '32767', '32767', 'smallint'],
    ['smallint', { type: 'integer' }, '32768', '32768', 'numeric'],
    ['integer', { type: 'integer' }, '-2147483648', '-2147483648', 'integer'],
    ['integer', { type: 'integer' }, '9007199254740993', '9007199254740993', 'numeric'],
    ['varchar', { type: 'string' }, '"any text  "', 'any text  ', 'character varying'],
    ['varchar(5)', { type: 'string' }, '"ä😀 \\\\"', 'ä😀 \\', 'character varying(5)'],
    [
      'uuid',
      { type: 'string' },
      '"a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11"',
      'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11',
      'uuid',
    ],
    ['color', { type: 'string' }, '"dark red\\t\\\\N"', 'dark red\t\\N', 'color'],
    ['json', { type: 'object' }, '{"b":1,"a":2}', '{"b":1,"a":2}', 'json'],
    ['xml', { type: 'string' }, '"<a>&amp;</a>"', '<a>&amp;</a>', 'xml'],
    ['point', { type: 'string' }, '"(1,2)"', '(1,2)', 'point'],
    ['inet', { type: 'string' }, '"192.0.2.1"', '192.0.2.1', 'inet'],
    ['numeric(10,2)', { type: 'number' }, '1.239', '1.239', 'numeric'],
    ['numeric(10,2)', { type: 'number', multipleOf: 0.01 }, '1.20', '1.2', 'numeric'],
    ['numeric(10,2)', { type: 'integer' }, '12345678', '12345678.00', 'numeric(10,2)'],
    ['numeric(10,2)', { type: 'string' }, '"1.239"', '1.239', 'text'],
    ['numeric(5,-2)', { type: 'integer' }, '1234', '1234', 'numeric'],
    ['real', { type: 'number' }, '0.123456789', '0.123456789', 'double precision'],
    ['real', { type: 'integer' }, '16777217', '16777217', 'double precision'],
    ['real', { type: 'number', multipleOf: 0.01 }, '12345678901.23', '12345678901.23', 'numeric'],
    ['money', { type: 'number' }, '1.239', '1.239', 'numeric'],
    ['char(5)', { type: 'string' }, '"ab "', 'ab ', 'text'],
    ['"char"', { type: 'string' }, '"ab"', 'ab', 'text'],
    ['name', { type: 'string' }, `"${'n'.repeat(70)}"`, 'n'.repeat(70), 'text'],
    [
      'timestamptz(0)',
      { type: 'string', format: 'date-time' },
      '"2026-01-31T05:59:59.9Z"',
      '2026-01-31 05:59:59.9+00',
      'timestamp with time zone',
    ],
    [
      'timestamp(3)',
      { type: 'string', format: 'date-time', 'x-sd': { naive: true } },
      '"2026-01-31T05:59:59.9999"',
      '2026-01-31 05:59:59.9999',
      'timestamp without time zone',
    ],
    [
      'timestamp(0)',
      { type: 'string', format: 'date-time' },
      '"2026-01-31T05:59:59.9+02:00"',
      '2026-01-31T05:59:59.9+02:00',
      'text',
    ],
    ['time(0)', { type: 'string', format: 'time' }, '"23:59:59.9"', '23:59:59.9', 'time without time zone'],
  ];
  const REFUSED: readonly [declared: string, node: object, json: string, says: RegExp][] = [
    ['varchar(5)', { type: 'string' }, '"sixty chars"', /too long for type character varying\(5\)/],
    ['uuid', { type: 'string' }, '"secret value"', /invalid input syntax for type uuid/],
    ['color', { type: 'string' }, '"secret value"', /invalid input value for enum.*color/],
    ['numeric(10,2)', { type: 'integer' }, '123456789', /numeric field overflow/],
    ['inet', { type: 'string' }, '"secret value"', /invalid input syntax for type inet/],
    ['text[]', { type: 'array' }, '["secret value"]', /malformed array literal/],
    ["text CHECK (v <> 'bad')", { type: 'string' }, '"bad"', /check constraint/],
    ['bigint GENERATED ALWAYS AS (id + 1) STORED', { type: 'integer' }, '5', /generated column/],
  ];

  const make = (declared: string, key = 'PRIMARY KEY') =>
    destination.query(
      `CREATE TYPE color AS ENUM ('red', E'dark red\\t\\\\N'); CREATE TABLE t (id bigint ${key}, v ${declared})`,
    );
  const record = (json: string) => `{"type":"RECORD","stream":"t","record":{"id":1,"v":${json}}}`;

  it.each(STORED)('%s for %j: %s is stored exactly', async (declared, node, json, stored, type) => {
    await make(declared);
    const input = lines(head({ v: node }), record(json));
    expect(await load(target, destination, input)).toMatchObject({ code: 0, critical: [] });
    expect((await types()).get('v')).toBe(type);
    expect(await rows()).toEqual([{ id: '1', v: stored }]);
    expect(total(await load(target, destination, input))).toMatchObject({ unchanged: 1 });
  });

  it.each(REFUSED)('%s for %j: %s is refused', async (declared, node, json, says) => {
    for (const key of [['id'], []]) {
      await destination.query('DROP TABLE IF EXISTS t; DROP TYPE IF EXISTS color');
      await make(declared, key.length === 0 ? '' : undefined);
      const { code, states, critical } = await load(
        target,
        destination,
        lines(head({ v: node }, key), record(json), { type: 'STATE', value: { n: 1 } }),
      );
      expect([code, states]).toEqual([1, []]);
      expect(critical.map(({ message }) => message)).toEqual([expect.stringMatching(says)]);
      expect(critical[0]?.message).not.toContain('secret value');
      expect(await rows()).toEqual([]);
    }
  });

  it.each([
    ['real', '0.1', '0.1'],
    ['numeric(10,2)', '1.20', '1.20'],
    ['timestamptz(0)', '2026-01-31 06:00:00+00', '2026-01-31 06:00:00+00'],
    ['char(5)', 'ab', 'ab'],
    ['timestamp(0)', '2026-01-31 06:00:00', '2026-01-31T06:00:00.000000'],
  ])('%s: what it had stays when it gives way', async (declared, value, kept) => {
    const node = declared.startsWith('time')
      ? { type: 'string', format: 'date-time' }
      : { type: declared === 'char(5)' ? 'string' : 'number' };
    await make(declared);
    await destination.query('INSERT INTO t VALUES (7, $1)', [value]);
    expect((await load(target, destination, lines(head({ v: node })))).critical).toEqual([]);
    const [row] = await rows();
    expect(row?.v).toBe(kept);
    expect((await types()).get('v')).not.toBe(declared);
  });

  it('that would round is left alone where the settings say so', async () => {
    await make('numeric(10,2)');
    const input = lines(head({ v: { type: 'number' } }), record('1.239'));
    const { code, critical } = await load(target, destination, input, { settings: { schema_change: 'fail' } });
    expect(code).toBe(1);
    expect(critical[0]?.message).toMatch(/"v" is now number, but its column is numeric\(10,2\)/);
    await load(target, destination, input, { settings: { schema_change: 'new_column' } });
    expect(await rows()).toEqual([{ id: '1', v: null, v__number: '1.239' }]);
  });
});

describe('a key made by hand', () => {
  it.each([
    ['smallint', { type: 'integer' }, '7', '32768'],
    ['integer', { type: 'integer' }, '7', '9223372036854775808'],
    ['bigint', { type: 'integer' }, '7', '18446744073709551615'],
    ['varchar(40)', { type: 'string' }, '"a"', '"a "'],
    ['uuid', { type: 'string' }, '"a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11"', '"a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a12"'],
    ['double precision', { type: 'number' }, '34639314995', '34639314995.5'],
    ['numeric(20,0)', { type: 'integer' }, '7', '18446744073709551615'],
  ])('as %s: equal keys meet, others do not', async (declared, node, one, other) => {
    await destination.query(`CREATE TABLE t (k ${declared} PRIMARY KEY, n bigint)`);
    const record = (key: string, n: number) => `{"type":"RECORD","stream":"t","record":{"k":${key},"n":${n}}}`;
    const schema = {
      type: 'SCHEMA',
      stream: 't',
      key_properties: ['k'],
      schema: { properties: { k: node, n: { type: 'integer' } } },
    };
    for (const batch_rows of [1, 100]) {
      const input = lines(schema, record(one, 1), record(other, 2), record(one, 3), record(other, 4));
      const outcome = await load(target, destination, input, { settings: { batch_rows } });
      expect(outcome.critical).toEqual([]);
      const found = await destination.query('SELECT k::text AS k, n FROM t ORDER BY n');
      expect(found).toEqual([
        { k: String(one).replaceAll('"', ''), n: '3' },
        { k: String(other).replaceAll('"', ''), n: '4' },
      ]);
    }
  });

  it.each([
    ['char(3)', { type: 'string' }],
    ['numeric(10,2)', { type: 'number' }],
    ['real', { type: 'number' }],
    ['timestamptz(0)', { type: 'string', format: 'date-time' }],
  ])('as %s is refused: it could make one key of two', async (declared, node) => {
    await destination.query(`CREATE TABLE t (k ${declared} PRIMARY KEY)`);
    const schema = { type: 'SCHEMA', stream: 't', key_properties: ['k'], schema: { properties: { k: node } } };
    const { code, critical } = await load(target, destination, lines(schema));
    expect(code).toBe(1);
    expect(critical.map(({ message }) => message)).toEqual([
      expect.stringMatching(/table "t" has the key column "k" as .*until two become one — give the column the type/),
    ]);
  });
});
