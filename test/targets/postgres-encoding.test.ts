/** Every kind of value in every type of column: the text that is sent, and what the table then holds. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Json, parseLossless } from '../../singer/lossless.ts';
import type { JsonSchema } from '../../singer/messages.ts';
import { columnsOf } from '../../targets/columns.ts';
import { Encoder, NUL, TOO_NARROW, UNFIT } from '../../targets/postgres/encoding.ts';
import { target } from '../../targets/postgres/target.ts';
import { holderOf } from '../../targets/postgres/types.ts';
import { lines, load } from '../contract/target/load.ts';
import { openPostgres, type PostgresDestination } from './postgres.ts';
import { COLUMNS, type ColumnOfValues, type Kept } from './postgres-values.ts';

let destination: PostgresDestination;

beforeAll(async () => {
  destination = await openPostgres();
});

afterAll(() => destination?.close());

const kindOf = (node: JsonSchema) => columnsOf({ properties: { v: node } })[0]?.kind ?? 'json';
const encode = (encoder: Encoder, json: string, declared: string, node: JsonSchema) =>
  encoder.encode(parseLossless(json) as Exclude<Json, null>, holderOf(declared), kindOf(node));
const short = (text: string) => (text.length > 60 ? `${text.slice(0, 57)}…` : text);

/** A byte at a time would take minutes over texts of a megabyte. */
const CHUNK = 64 * 1024;
const SETTINGS = { validate_records: false, on_invalid_record: 'quarantine' };

/** Loads values into a column of a table made by hand, by the key of their place. */
async function into({ declared, node }: ColumnOfValues, key: readonly string[], values: readonly string[]) {
  await destination.query(
    `DROP TABLE IF EXISTS t, _tapworks_rejects; CREATE TABLE t (id bigint ${key.length > 0 ? 'PRIMARY KEY' : ''}, v ${declared})`,
  );
  const head = {
    type: 'SCHEMA',
    stream: 't',
    key_properties: key,
    schema: { properties: { id: { type: 'integer' }, v: node } },
  };
  const records = values.map((json, id) => `{"type":"RECORD","stream":"t","record":{"id":${id},"v":${json}}}`);
  const outcome = await load(target, destination, lines(head, ...records), { settings: SETTINGS, chunk: CHUNK });
  const rows = await destination.query<{ v: string | null }>('SELECT v::text AS v FROM t ORDER BY id');
  const [type] = await destination.query<{ type: string }>(
    `SELECT format_type(atttypid, atttypmod) AS type FROM pg_attribute WHERE attrelid = 't'::regclass AND attname = 'v'`,
  );
  return { ...outcome, stored: rows.map(({ v }) => v), type: type?.type };
}

describe.each(COLUMNS)('$declared for $node', (column) => {
  const { declared, node, kept, unfit = [], narrow = [] } = column;
  it('values become texts, or are said not to fit', () => {
    const encoder = new Encoder(false);
    const found = (json: string) => [short(json), encode(encoder, json, declared, node)];
    expect(kept.map(([json]) => found(json))).toEqual(kept.map(([json, copy]) => [short(json), copy]));
    expect(unfit.map(found)).toEqual(unfit.map((json) => [short(json), UNFIT]));
    expect(narrow.map(([json]) => found(json))).toEqual(narrow.map(([json]) => [short(json), TOO_NARROW]));
  });

  it.each([
    ['with a key', ['id']],
    ['without a key', []],
  ])('the table holds them: %s', async (_, key) => {
    const { code, stored, type } = await into(column, key, [...kept.map(([json]) => json), 'null', ...unfit]);
    expect(code).toBe(unfit.length > 0 ? 2 : 0);
    expect(type).toBe(declared);
    expect(stored).toEqual([...kept.map(([, copy, shown]) => shown ?? copy), null]);
    if (unfit.length === 0) return;
    const rejects = await destination.query<{ line: string; record: string }>(
      'SELECT line, record FROM _tapworks_rejects ORDER BY line',
    );
    expect(rejects.map(({ line }) => Number(line))).toEqual(unfit.map((_value, place) => kept.length + 3 + place));
    expect(rejects.map(({ record }) => record)).toEqual(
      unfit.map((json, place) => JSON.stringify({ id: kept.length + 1 + place, v: parseLossless(json) })),
    );
  });
});

const NARROW = COLUMNS.flatMap((column) => (column.narrow ?? []).map((value) => ({ column, value })));

describe('a value that its column would round', () => {
  it.each(NARROW)('$column.declared gives way to $value', async ({ column, value: [json, type, shown] }) => {
    const first = column.kept.find(([text]) => /^\d/.test(text)) as Kept;
    const outcome = await into(column, ['id'], [first[0], json, first[0]]);
    expect(outcome.critical).toEqual([]);
    expect(outcome.type).toBe(type);
    const before = first[2] ?? first[1];
    expect(outcome.stored).toEqual([before, shown, before]);
  });
});

describe('the character U+0000', () => {
  const places: readonly [declared: string, node: JsonSchema, json: string, shown: string][] = [
    ['text', { type: 'string' }, '"a\\u0000\\u0000b"', 'a\ufffd\ufffdb'],
    ['character varying(9)', { type: 'string' }, '"\\u0000"', '\ufffd'],
    ['jsonb', {}, '{"a":["\\u0000"]}', '{"a": ["\ufffd"]}'],
    ['jsonb', {}, '{"a\\u0000":1}', '{"a\ufffd": 1}'],
  ];

  it.each(places)('in %s for %j: %s is refused, with its line', async (declared, node, json) => {
    expect(encode(new Encoder(false), json, declared, node)).toBe(NUL);
    const { code, stored } = await into({ declared, node, kept: [] }, ['id'], ['null', json, 'null']);
    expect([code, stored]).toEqual([2, [null, null]]);
    const [reject] = await destination.query('SELECT line, reason, record FROM _tapworks_rejects');
    expect(reject?.line).toBe('3');
    expect(reject?.reason).toMatch(/U\+0000 in "v".*null_byte/);
  });

  it.each(places)('in %s for %j: %s is replaced if the settings say so', async (declared, node, json, shown) => {
    const encoder = new Encoder(true);
    expect(typeof encode(encoder, json, declared, node)).toBe('string');
    expect(encoder.mended.nulls).toBe(1);
    await destination.query(`DROP TABLE IF EXISTS t; CREATE TABLE t (id bigint PRIMARY KEY, v ${declared})`);
    const head = {
      type: 'SCHEMA',
      stream: 't',
      key_properties: ['id'],
      schema: { properties: { id: { type: 'integer' }, v: node } },
    };
    const outcome = await load(
      target,
      destination,
      lines(head, `{"type":"RECORD","stream":"t","record":{"id":1,"v":${json}}}`),
      {
        settings: { null_byte: 'replace' },
      },
    );
    expect(outcome.code).toBe(0);
    expect(outcome.logs.find(({ event_type }) => event_type === 'nulls_replaced')).toMatchObject({ count: 1 });
    expect(await destination.query('SELECT v::text AS v FROM t')).toEqual([{ v: shown }]);
  });

  it('is kept as the escape that it came as in JSON that a text column holds', async () => {
    const { code, stored } = await into({ declared: 'text', node: {}, kept: [] }, ['id'], ['{"a":"\\u0000"}']);
    expect([code, stored]).toEqual([0, ['{"a":"\\u0000"}']]);
  });
});

it('what had to be changed is counted and told once', async () => {
  const node = { type: 'string', format: 'date-time' };
  const encoder = new Encoder(false);
  for (const json of ['"\\ud800\\ud801"', '"fine"', '"\\udc00"']) encode(encoder, json, 'text', { type: 'string' });
  encode(encoder, '{"a":"\\ud800","b":"\\ud800"}', 'jsonb', {});
  encode(encoder, '"2026-01-31T06:00:00.1234567Z"', 'timestamp with time zone', node);
  encode(encoder, '"2026-01-31T06:00:00.1234560Z"', 'timestamp with time zone', node);
  expect(encoder.mended).toEqual({ surrogates: 4, nulls: 0, fractions: 1 });
  const { logs } = await into(
    { declared: 'text', node: { type: 'string' }, kept: [] },
    ['id'],
    ['"\\ud800"', '"\\ud800"'],
  );
  expect(logs.filter(({ event_type }) => event_type === 'surrogates_replaced')).toMatchObject([{ count: 2 }]);
});
