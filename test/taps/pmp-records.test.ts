/** Vendor rows to records: one line per quirk that ManageEngine servers are known for. */
import { describe, expect, it } from 'vitest';
import type { Json } from '../../singer/lossless.ts';
import { parseLossless } from '../../singer/lossless.ts';
import type { JsonSchema } from '../../singer/messages.ts';
import { publishedSchema, recordReader } from '../../taps/manageengine/records.ts';

const SNAPSHOT = { snapshot_id: 1_768_478_400, extracted_at: '2026-01-15T12:00:00Z' };

const SCHEMA: JsonSchema = {
  type: 'object',
  properties: {
    key: { type: 'string', 'x-kind': 'id', 'x-source': ['key_string', 'key'] },
    other_id: { type: ['null', 'string'], 'x-kind': 'id' },
    time: { type: ['null', 'string'], format: 'date-time' },
    count: { type: ['null', 'integer'] },
    flag: { type: ['null', 'boolean'] },
    text: { type: ['null', 'string'], 'x-null': ['NA', '-'] },
    branch: { type: ['null', 'string'], 'x-source': ['branch', 'office.details.name'] },
    whole: { type: ['null', 'object'], 'x-source': [''] },
    ids: { type: ['null', 'array'], items: { type: 'string' } },
    snapshot_id: { type: 'integer' },
    extracted_at: { type: 'string' },
  },
};

function convert(text: string): {
  record: { readonly [key: string]: Json | undefined } | undefined;
  unreadable: string[];
} {
  const unreadable: string[] = [];
  const read = recordReader(SCHEMA, ['key'], SNAPSHOT, (property) => unreadable.push(property));
  return { record: read(parseLossless(text) as { readonly [key: string]: Json }), unreadable };
}

/** Column, vendor's JSON, what the record holds. */
const READABLE: readonly (readonly [string, string, Json])[] = [
  ['time', '1768478400000', '2026-01-15T12:00:00Z'],
  ['time', '"1768478400000"', '2026-01-15T12:00:00Z'],
  ['time', '1768478400123', '2026-01-15T12:00:00.123Z'],
  ['time', '1768478400', '2026-01-15T12:00:00Z'],
  ['time', '"1768478400"', '2026-01-15T12:00:00Z'],
  ['time', '"2026-01-15T12:00:00+02:00"', '2026-01-15T10:00:00Z'],
  ['time', '"2026-01-15T12:00:00"', '2026-01-15T12:00:00Z'],
  ['time', '"2026-01-15 12:00:00"', '2026-01-15T12:00:00Z'],
  ['time', '"2026-01-15"', '2026-01-15T00:00:00Z'],
  ['time', '"--"', null],
  ['time', '-1', null],
  ['time', '"-1"', null],
  ['time', '0', null],
  ['time', '"0"', null],
  ['time', '""', null],
  ['time', '"  "', null],
  ['time', 'null', null],
  ['other_id', '12345', '12345'],
  ['other_id', '"12345"', '12345'],
  ['other_id', '52500000000000001', '52500000000000001'],
  ['other_id', '"52500000000000001"', '52500000000000001'],
  ['other_id', '"00042"', '42'],
  ['other_id', '"000"', '0'],
  ['other_id', '0', '0'],
  ['other_id', '"  77 "', '77'],
  ['other_id', '"TU-001"', 'TU-001'],
  ['other_id', '"--"', null],
  ['other_id', '""', null],
  ['count', '3', 3],
  ['count', '"3"', 3],
  ['count', '-1', -1],
  ['count', '"--"', null],
  ['count', '""', null],
  ['count', 'true', 1],
  ['flag', 'true', true],
  ['flag', '"true"', true],
  ['flag', '"FALSE"', false],
  ['flag', '1', true],
  ['flag', '"0"', false],
  ['flag', '"--"', null],
  ['flag', '""', null],
  ['text', '"plain"', 'plain'],
  ['text', '" kept as it is "', ' kept as it is '],
  ['text', '52500000000000001', '52500000000000001'],
  ['text', '1.50', '1.5'],
  ['text', 'true', 'true'],
  ['text', '["a",1]', '["a",1]'],
  ['text', '"NA"', null],
  ['text', '"-"', null],
  ['text', '"--"', null],
  ['text', '"N/A"', 'N/A'],
  ['text', '""', ''],
  ['ids', '[1,"2"]', ['1', '2']],
  ['ids', '["007",52500000000000001]', ['7', '52500000000000001']],
  ['ids', '["--",null,"",5]', ['5']],
  ['ids', '[]', []],
  ['ids', '"--"', null],
  ['ids', '""', null],
];

const UNREADABLE: readonly (readonly [string, string])[] = [
  ['time', '"yesterday"'],
  ['time', '"2026-13-45"'],
  ['time', '{"at":1}'],
  ['time', '99999999999999999999'],
  ['other_id', '{"id":1}'],
  ['count', '1.5'],
  ['count', '"many"'],
  ['flag', '2'],
  ['flag', '"perhaps"'],
  ['ids', '7'],
  ['ids', '"1,2"'],
  ['ids', '[{"id":1}]'],
];

describe('a vendor value', () => {
  it.each(READABLE)('%s: %s becomes %j', (column, json, expected) => {
    const { record, unreadable } = convert(`{"key":1,"${column}":${json}}`);
    expect(record?.[column]).toEqual(expected);
    expect(unreadable).toEqual([]);
  });

  it.each(UNREADABLE)('%s: %s becomes null and is told', (column, json) => {
    const { record, unreadable } = convert(`{"key":1,"${column}":${json}}`);
    expect(record?.[column]).toBeNull();
    expect(unreadable).toEqual([column]);
  });

  it('keeps counts beyond 2^53 digit for digit', () => {
    expect(JSON.stringify(convert('{"key":1,"count":9007199254740993}').record?.count)).toBe('9007199254740993');
  });
});

describe('a field', () => {
  it('missing is null, and every declared column is there', () => {
    const { record } = convert('{"key":"7"}');
    expect(record).toEqual({
      key: '7',
      other_id: null,
      time: null,
      count: null,
      flag: null,
      text: null,
      branch: null,
      whole: { key: '7' },
      ids: null,
      ...SNAPSHOT,
    });
  });

  it('is found under a name with literal dots', () => {
    expect(convert('{"key":1,"office.details.name":"North"}').record?.branch).toBe('North');
  });

  it('is found below an object, or below a name that is half dotted', () => {
    expect(convert('{"key":1,"office":{"details":{"name":"North"}}}').record?.branch).toBe('North');
    expect(convert('{"key":1,"office":{"details.name":"North"}}').record?.branch).toBe('North');
  });

  it('falls back to the next source when the first holds a placeholder', () => {
    expect(convert('{"key":1,"branch":"--","office.details.name":"South"}').record?.branch).toBe('South');
    expect(convert('{"key":8,"key_string":"--"}').record?.key).toBe('8');
  });

  it('of the exact twin wins over the number', () => {
    expect(convert('{"key":52500000000000001,"key_string":"52500000000000003"}').record?.key).toBe('52500000000000003');
  });
});

describe('a row', () => {
  it.each(['{}', '{"key":null}', '{"key":"--"}', '{"key":""}', '{"key":{"id":1}}'])(
    '%s without a key is no record',
    (row) => {
      expect(convert(row).record).toBeUndefined();
    },
  );

  it('has the columns in the order of the schema whatever the vendor sends first', () => {
    const a = convert('{"text":"x","key":1,"count":2}').record;
    const b = convert('{"count":2,"key":1,"text":"x","unknown":true}').record;
    expect(Object.keys(a ?? {})).toEqual(Object.keys(b ?? {}));
  });
});

it('publishes a schema without the keywords of the conversion', () => {
  expect(JSON.stringify(publishedSchema(SCHEMA))).not.toMatch(/x-source|x-kind|x-null/);
});
