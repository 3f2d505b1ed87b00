import { describe, expect, test } from 'vitest';
import { Batches } from '../../singer/batches.ts';
import { ConnectorError } from '../../singer/errors.ts';
import { parseLossless, type Row } from '../../singer/lossless.ts';
import type { JsonSchema, RecordMessage, SchemaMessage } from '../../singer/messages.ts';

const schemaMessage = (stream: string, schema: JsonSchema, keys: readonly string[] = []): SchemaMessage => ({
  type: 'SCHEMA',
  stream,
  schema,
  key_properties: keys,
});
const recordMessage = (stream: string, record: Row): RecordMessage => ({ type: 'RECORD', stream, record });
const idSchema: JsonSchema = { properties: { id: { type: 'integer' }, name: { type: ['null', 'string'] } } };

function open(batches: Batches, message: SchemaMessage): void {
  const stream = batches.changed(message, 1);
  if (stream === undefined) throw new Error('a new stream is a change');
  batches.open(stream, message);
}

/** Batches with the stream `s` opened. */
function opened(
  schema: JsonSchema,
  keys: readonly string[] = [],
  validate = true,
  limits = { rows: 100, bytes: 1000 },
) {
  const now = () => '2026-01-31T06:00:00Z';
  const batches = new Batches(limits, { validate, hardDelete: false, metadata: undefined, now });
  open(batches, schemaMessage('s', schema, keys));
  return batches;
}

function problemOf(action: () => unknown): ConnectorError | undefined {
  try {
    action();
    return undefined;
  } catch (error) {
    if (error instanceof ConnectorError) return error;
    throw error;
  }
}

describe('limits', () => {
  test.each([
    ['rows', { rows: 3, bytes: 1e9 }, 1],
    ['bytes', { rows: 1e9, bytes: 30 }, 10],
  ])('of %s', (_name, limits, bytes) => {
    const batches = opened(idSchema, [], true, limits);
    for (const id of [1, 2]) batches.add(recordMessage('s', { id }), 2, bytes);
    expect(batches.full).toBe(false);
    batches.add(recordMessage('s', { id: 3 }), 2, bytes);
    expect(batches.full).toBe(true);
    batches.take();
    batches.committed();
    expect([batches.full, batches.pending]).toEqual([false, 0]);
    for (const id of [1, 2]) batches.add(recordMessage('s', { id }), 2, bytes);
    expect(batches.full).toBe(false);
  });

  test('rows are handed out once, streams in the order they first appeared, and are pending until committed', () => {
    const batches = opened(idSchema);
    open(batches, schemaMessage('a', idSchema));
    batches.add(recordMessage('a', { id: 1 }), 3, 1);
    batches.add(recordMessage('s', { id: 2 }), 4, 1);
    batches.add(recordMessage('a', { id: 3 }), 5, 1);
    const shape = () => batches.take().map(({ stream, rows }) => [stream.name, rows]);
    expect(shape()).toEqual([
      ['s', [{ id: 2 }]],
      ['a', [{ id: 1 }, { id: 3 }]],
    ]);
    expect([shape(), batches.pending]).toEqual([[], 3]);
    batches.committed();
    expect(batches.pending).toBe(0);
  });

  test('a group is due long before a limit is reached', () => {
    const batches = opened(idSchema, [], true, { rows: 1e9, bytes: 1e9 });
    for (let id = 1; id < 500; id += 1) batches.add(recordMessage('s', { id }), 2, 10);
    expect(batches.due).toBe(false);
    batches.add(recordMessage('s', { id: 500 }), 2, 10);
    expect([batches.due, batches.full]).toEqual([true, false]);
    batches.take();
    expect(batches.due).toBe(false);
    batches.add(recordMessage('s', { id: 501 }), 2, 300_000);
    expect(batches.due).toBe(true);
  });
});

describe('schemas', () => {
  test('an equal one is no change, whatever the order of its keys', () => {
    const limit = '{"type":"integer","maximum":12345678901234567890}';
    const one = parseLossless(`{"properties":{"id":${limit},"name":{"type":["null","string"]}}}`) as JsonSchema;
    const two = parseLossless(`{"properties":{"name":{"type":["null","string"]},"id":${limit}}}`) as JsonSchema;
    const three = parseLossless(`{"properties":{"id":${limit.replace('0}', '1}')},"name":{}}}`) as JsonSchema;
    const batches = opened(one, ['id']);
    expect(batches.changed(schemaMessage('s', two, ['id']), 2)).toBeUndefined();
    expect(batches.changed(schemaMessage('s', three, ['id']), 2)).toMatchObject({ schema: three });
    expect(batches.changed(schemaMessage('s', two, []), 2)).toMatchObject({ key: [] });
  });

  test.each(['nope', 'constructor', '__proto__'])('a key "%s" that is not in the schema is refused', (key) => {
    const error = problemOf(() => opened(idSchema, [key]));
    expect(error?.message).toBe(`line 1: key property "${key}" of stream "s" is not in its schema`);
  });

  test('one that is not JSON Schema is refused by its stream', () => {
    const error = problemOf(() => opened({ properties: { id: { minimum: 'low' } } }));
    expect(error?.message).toContain('the schema of stream "s" is not a JSON Schema');
    expect(problemOf(() => opened({ properties: { id: { minimum: 'low' } } }, [], false))).toBeUndefined();
  });

  test.each<[string, string]>([
    ['another draft', '{"$schema":"http://json-schema.org/draft-04/schema#","id":"x","properties":{"v":{"id":"y"}}}'],
    ['a newer draft', '{"$schema":"https://json-schema.org/draft/2020-12/schema","properties":{"v":{}}}'],
    ['limits of a bigint', '{"properties":{"v":{"minimum":-9223372036854775808,"maximum":9223372036854775807}}}'],
    ['limits of draft 4', '{"properties":{"v":{"maximum":10,"exclusiveMaximum":true,"exclusiveMinimum":false}}}'],
    ['a tiny step', '{"properties":{"v":{"type":"number","multipleOf":1e-38}}}'],
    ['required of draft 3', '{"properties":{"v":{"type":"integer","required":true}}}'],
    ['unknown types', '{"properties":{"v":{"type":["null","date"]}}}'],
    ['nullable without a type', '{"properties":{"v":{"nullable":true}}}'],
    ['a pattern of Python', '{"properties":{"v":{"type":"integer","pattern":"(?P<x>a)"}}}'],
    ['references', '{"definitions":{"n":{"type":"integer"}},"properties":{"v":{"$ref":"#/definitions/n"}}}'],
    [
      'properties named like keywords',
      '{"properties":{"v":{},"format":{"format":"x"},"enum":{"maxLength":1},"const":{}}}',
    ],
  ])('%s can be read', (_name, text) => {
    const batches = opened(parseLossless(text) as JsonSchema);
    expect(batches.add(recordMessage('s', { v: 5 }), 2, 1).unknown).toEqual([]);
  });
});

describe('records', () => {
  test('before their schema', () => {
    const error = problemOf(() => opened(idSchema).add(recordMessage('other', { id: 1 }), 9, 1));
    expect(error).toMatchObject({ code: 'protocol', where: { stream: 'other', line: 9 } });
    expect(error?.message).toBe('line 9: a record of stream "other" before its schema');
  });

  test.each<[string, Row]>([
    ['absent', {}],
    ['null', { id: null }],
  ])('a key that is %s', (_name, record) => {
    for (const validate of [true, false]) {
      const error = problemOf(() => opened(idSchema, ['id'], validate).add(recordMessage('s', record), 9, 1));
      expect(error?.message).toBe('line 9: a record of stream "s" has no value for its key "id"');
    }
  });

  test('a key that every object inherits', () => {
    const batches = opened({ properties: { constructor: { type: 'string' } } }, ['constructor']);
    expect(problemOf(() => batches.add(recordMessage('s', {}), 9, 1))?.message).toContain('has no value for its key');
    expect(problemOf(() => batches.add(recordMessage('s', { constructor: 'x' }), 9, 1))).toBeUndefined();
  });

  test('each unknown property is told once, also one that every object inherits', () => {
    const batches = opened(idSchema);
    const add = (record: Row) => batches.add(recordMessage('s', record), 2, 1).unknown;
    expect(add({ id: 1, x: 1, constructor: 2 })).toEqual(['x', 'constructor']);
    expect(add({ id: 1, x: 1, y: 1 })).toEqual(['y']);
    expect(add({ id: 1, x: 1 })).toEqual([]);
  });

  const schema = parseLossless(`{
    "properties": {
      "id": {"type": "integer", "maximum": 9223372036854775807},
      "share": {"type": ["null", "number"], "minimum": 0},
      "at": {"type": "string", "format": "date-time", "maxLength": 3},
      "mode": {"enum": ["a", 12345678901234567890, {"format": "x"}]},
      "list": {"type": "array", "items": {"type": "object", "properties": {"n": {"type": "integer"}}, "required": ["n"]}},
      "closed": {"type": "object", "properties": {"a": {}}, "additionalProperties": false},
      "code": {"type": "string", "pattern": "^[A-Z]+$"}
    },
    "required": ["id"],
    "additionalProperties": false
  }`) as JsonSchema;

  test.each([
    ['plain', '{"id":1,"share":0.5}'],
    ['null where it may be', '{"id":1,"share":null}'],
    ['an integer of 19 digits', '{"id":9223372036854775807}'],
    ['an integer that is written as a decimal', '{"id":1.0}'],
    ['a decimal of 40 digits', '{"id":1,"share":0.1234567890123456789012345678901234567890}'],
    ['a number beyond every double', '{"id":1,"share":1e400}'],
    ['raw numbers inside lists', '{"id":1,"list":[{"n":9007199254740993}]}'],
    ['a format that does not fit is loadable', '{"id":1,"at":"2019-02-01 15:12:45"}'],
    ['a value of an enum that is a long number', '{"id":1,"mode":12345678901234567890}'],
    ['a value of an enum that looks like a schema', '{"id":1,"mode":{"format":"x"}}'],
    ['properties that a target adds itself', '{"id":1,"_sdc_batched_at":"x"}'],
    ['a pattern that fits', '{"id":1,"code":"AB"}'],
  ])('%s is accepted', (_name, text) => {
    const batches = opened(schema);
    batches.add(recordMessage('s', parseLossless(text) as Row), 2, 1);
    expect(batches.pending).toBe(1);
  });

  test.each([
    ['a required property is absent', '{"share":1}', 'the record lacks "id"'],
    ['text for a number', '{"id":"1"}', '"id" must be integer'],
    ['null where it may not be', '{"id":null}', '"id" must be integer'],
    ['a decimal for an integer', '{"id":1.5}', '"id" must be integer'],
    ['a raw number for text', '{"id":1,"at":12345678901234567890}', '"at" must be string'],
    ['a raw number below the minimum', '{"id":1,"share":-12345678901234567890}', '"share" must be >= 0'],
    ['a raw number beside another fault', '{"id":12345678901234567,"at":5}', '"at" must be string'],
    ['inside lists', '{"id":1,"list":[{"n":1},{}]}', '"list/1" lacks "n"'],
    ['outside an enum', '{"id":1,"mode":"b"}', '"mode" must be one of "a"'],
    ['unknown in a closed object', '{"id":1,"closed":{"b":1}}', '"closed" has an unknown property "b"'],
    ['a pattern that does not fit', '{"id":1,"code":"a"}', '"code" must match pattern'],
  ])('%s is refused, unless records are not validated', (_name, text, problem) => {
    const message = recordMessage('s', parseLossless(text) as Row);
    const error = problemOf(() => opened(schema).add(message, 9, 1));
    expect(error?.message).toContain(`line 9: stream "s": ${problem}`);
    expect(error?.hint).toContain('validate_records: false');
    const lenient = opened(schema, [], false);
    lenient.add(message, 9, 1);
    expect(lenient.pending).toBe(1);
  });

  test('a refused record is not pending', () => {
    const batches = opened(schema);
    problemOf(() => batches.add(recordMessage('s', { id: 'x' }), 2, 1));
    expect(batches.pending).toBe(0);
  });
});
