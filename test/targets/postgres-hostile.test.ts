/** Somebody else's functions, operators, tables and presets in the database change nothing about a load. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { target } from '../../targets/postgres/target.ts';
import { begin, lines, load } from '../contract/target/load.ts';
import { openPostgres, type PostgresDestination } from './postgres.ts';

let destination: PostgresDestination;

beforeEach(async () => {
  destination = await openPostgres();
});

afterEach(() => destination.close());

const ALIKE = `${'long '.repeat(20)}name`;
const head = (amount: object, key = ['id']) => ({
  type: 'SCHEMA',
  stream: 'orders',
  key_properties: key,
  schema: {
    properties: {
      id: { type: 'string' },
      amount,
      at: { type: ['null', 'string'], format: 'date-time' },
      note: { type: ['null', 'string'] },
      ratio: { type: ['null', 'number'] },
      [ALIKE]: { type: ['null', 'string'] },
    },
    'x-indexes': [['amount']],
  },
});
const record = (values: string, version: number) =>
  `{"type":"RECORD","stream":"orders","version":${version},"record":{${values}}}`;

/** A load that uses everything there is: keys twice, widening, versions, records set aside, long names, a state. */
const INPUT = lines(
  head({ type: 'integer' }),
  record('"id":"a","amount":1,"ratio":0.1,"at":"2026-01-02T03:04:05.678901+02:00","note":null', 1),
  record('"id":"b","amount":2,"note":""', 1),
  record('"id":"b","amount":3,"note":"\\\\N \'x\' \\\\"', 1),
  record('"id":"gone","amount":4,"ratio":0.30000000000000004', 1),
  record('"id":"bad","amount":"no number"', 1),
  { type: 'STATE', value: { n: 1 } },
  head({ type: 'number' }),
  record('"id":"a","amount":0.1,"ratio":0.30000000000000004', 2),
  record('"id":"b","amount":12345678901234567890.123,"at":"2026-02-03"', 2),
  record(`"id":"c","amount":9007199254740993,"${ALIKE}":"x","ratio":0.1234567890123456789`, 2),
  { type: 'ACTIVATE_VERSION', stream: 'orders', version: 2 },
  { type: 'STATE', value: { n: 2 } },
);

const SETTINGS = { on_invalid_record: 'quarantine', state_table: 'states', state_key: 'k' };
const HOUSE = 'In the "house"';
const quoted = (name: string) => `"${name.replaceAll('"', '""')}"`;

/** All that a schema holds afterwards, and what the load said. */
async function outcome(schema: string, load_method: string) {
  const settings = { ...SETTINGS, load_method, default_target_schema: schema };
  const { code, states, logs, critical } = await load(target, destination, INPUT, { settings });
  const done = logs.find(({ event_type }) => event_type === 'load_complete');
  const tables = [];
  for (const table of ['orders', 'states', '_tapworks_rejects', '_tapworks_names']) {
    // Only what PostgreSQL itself brings may answer.
    const [found] = await destination.query(
      `SET search_path = pg_catalog; SELECT pg_catalog.jsonb_agg(pg_catalog.to_jsonb(t) ORDER BY pg_catalog.to_jsonb(t)::text)::text AS all
       FROM ${quoted(schema)}.${quoted(table)} AS t`,
    );
    tables.push(found?.all?.replace(/"(rejected_at|updated_at)": "[^"]*"/g, ''));
  }
  return { critical, code, states, streams: done?.streams, tables };
}

/** Everything that a statement without a schema could meet by mistake; whoever calls it fails. */
const TRAPS = `
  CREATE FUNCTION public.trap() RETURNS text LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'trapped'; END $$;
  CREATE FUNCTION public.md5(text) RETURNS text LANGUAGE sql AS 'SELECT public.trap()';
  CREATE FUNCTION public.to_char(timestamp, text) RETURNS text LANGUAGE sql AS 'SELECT public.trap()';
  CREATE FUNCTION public.format_type(oid, integer) RETURNS text LANGUAGE sql AS 'SELECT public.trap()';
  CREATE FUNCTION public.hashtextextended(text, bigint) RETURNS bigint LANGUAGE sql AS 'SELECT public.trap()::bigint';
  CREATE FUNCTION public.pg_advisory_xact_lock(bigint) RETURNS void LANGUAGE sql AS 'SELECT public.trap()';
  CREATE FUNCTION public.count_all(bigint, text) RETURNS bigint LANGUAGE sql AS 'SELECT public.trap()::bigint';
  CREATE AGGREGATE public.count(*) (SFUNC = public.count_none, STYPE = bigint);
  CREATE AGGREGATE public.string_agg(text, text) (SFUNC = public.join_none, STYPE = text);
  CREATE FUNCTION public.differ(text, text) RETURNS boolean LANGUAGE sql AS 'SELECT public.trap() IS NULL';
  CREATE FUNCTION public.differ(bigint, bigint) RETURNS boolean LANGUAGE sql AS 'SELECT public.trap() IS NULL';
  CREATE FUNCTION public.differ(name, text) RETURNS boolean LANGUAGE sql AS 'SELECT public.trap() IS NULL';
  CREATE OPERATOR public.= (LEFTARG = text, RIGHTARG = text, FUNCTION = public.differ);
  CREATE OPERATOR public.= (LEFTARG = bigint, RIGHTARG = bigint, FUNCTION = public.differ);
  CREATE OPERATOR public.= (LEFTARG = name, RIGHTARG = text, FUNCTION = public.differ);
  CREATE FUNCTION public.glue(text, text) RETURNS text LANGUAGE sql AS 'SELECT public.trap()';
  CREATE OPERATOR public.|| (LEFTARG = text, RIGHTARG = text, FUNCTION = public.glue);
  CREATE TABLE public.pg_class (oid oid, relname text, relkind text, relnamespace oid);
  CREATE TABLE public.pg_namespace (oid oid, nspname text);
  CREATE TABLE public.pg_attribute (attrelid oid, attname text);
  CREATE TABLE public.pg_settings (name text);
  CREATE DOMAIN public.text AS pg_catalog.text CHECK (VALUE IS NULL);
  CREATE DOMAIN public.bigint AS pg_catalog.int8 CHECK (VALUE IS NULL);
  CREATE DOMAIN public.jsonb AS pg_catalog.jsonb CHECK (VALUE IS NULL);
  CREATE DOMAIN public.timestamptz AS pg_catalog.timestamptz CHECK (VALUE IS NULL)`;

const NONE = `
  CREATE FUNCTION public.count_none(bigint) RETURNS bigint LANGUAGE sql AS 'SELECT -1::int8';
  CREATE FUNCTION public.join_none(text, text, text) RETURNS text LANGUAGE sql AS 'SELECT NULL::text'`;

/** Sets what every session of the database begins with. */
async function preset(settings: Readonly<Record<string, string>>): Promise<void> {
  const { pathname } = new URL(destination.url);
  for (const [name, value] of Object.entries(settings)) {
    await destination.query(`ALTER DATABASE ${pathname.slice(1)} SET ${name} = ${value}`);
  }
}

const PRESETS = {
  DateStyle: "'German, DMY'",
  IntervalStyle: "'sql_standard'",
  TimeZone: "'America/St_Johns'",
  client_encoding: "'LATIN1'",
  standard_conforming_strings: 'off',
  backslash_quote: 'on',
  extra_float_digits: '-15',
  bytea_output: "'escape'",
  transform_null_equals: 'on',
  default_transaction_isolation: "'serializable'",
  default_transaction_deferrable: 'on',
  synchronous_commit: 'off',
  quote_all_identifiers: 'on',
  row_security: 'off',
  temp_buffers: '100',
};

describe.each(['upsert', 'overwrite', 'append-only'])('load_method %s', (method) => {
  it('is not led astray by objects in public, even first in the search path', async () => {
    const expected = await outcome('clean', method);
    expect(expected).toMatchObject({ critical: [], code: 2, states: expect.arrayContaining(['{"n":2}']) });
    await destination.query(NONE);
    await destination.query(TRAPS);
    await preset({ search_path: 'public, pg_catalog' });
    expect(await outcome(HOUSE, method)).toEqual(expected);
    expect(await outcome('clean', method)).toMatchObject({ critical: [], code: 2 });
  });

  it('stores the same whatever the database presets', async () => {
    const expected = await outcome('clean', method);
    await preset(PRESETS);
    expect(await outcome(HOUSE, method)).toEqual(expected);
  });
});

it('a trap does spring when it is called', async () => {
  await destination.query(NONE);
  await destination.query(TRAPS);
  await expect(
    destination.query("SET search_path = public, pg_catalog; SELECT 'a'::pg_catalog.text = 'b'::pg_catalog.text"),
  ).rejects.toThrow('trapped');
});

it('two loads do not fail each other under a preset isolation', async () => {
  await preset({ default_transaction_isolation: "'serializable'" });
  const input = (from: number) =>
    lines(
      head({ type: 'integer' }),
      ...Array.from({ length: 60 }, (_, place) => record(`"id":"${(from + place) % 40}","amount":${place}`, 1)),
    );
  const loads = [];
  for (const from of [0, 20]) {
    const loading = await begin(target, destination, { settings: { batch_rows: 7 } });
    loading.send(input(from));
    loads.push(loading.finish());
  }
  for (const { code, critical } of await Promise.all(loads)) expect([critical, code]).toEqual([[], 0]);
  expect(await destination.rows('orders')).toHaveLength(40);
});

it('a session that waits long for its tap is not ended by a preset', async () => {
  await preset({ idle_session_timeout: "'50ms'", idle_in_transaction_session_timeout: "'50ms'" });
  const loading = await begin(target, destination, { settings: { batch_rows: 1 } });
  loading.send([head({ type: 'integer' }), record('"id":"a","amount":1', 1)]);
  await loading.stdin.idle();
  // Longer than the presets, by the server's clock, on another connection that has none of them.
  await destination.query('SET idle_session_timeout = 0; SELECT pg_sleep(0.2)');
  loading.send([record('"id":"b","amount":1', 1)]);
  const { code, critical } = await loading.finish();
  expect([critical, code]).toEqual([[], 0]);
});
