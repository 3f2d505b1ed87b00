/** A pattern may read a line in its own way only if that is what the parser would have read. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Row } from '../../singer/lossless.ts';
import { type JsonSchema, parseMessage, type RecordMessage } from '../../singer/messages.ts';
import { RecordPattern, spelledValue } from '../../singer/record-pattern.ts';

const SCHEMA: JsonSchema = {
  type: 'object',
  properties: {
    id: { type: 'integer' },
    name: { type: ['null', 'string'] },
    ratio: { type: ['null', 'number'] },
    'is "open"': { type: ['null', 'boolean'] },
    at: { type: ['null', 'string'], format: 'date-time' },
  },
};

const FIRST = { id: 1, name: 'a', ratio: 1.5, 'is "open"': true, at: null };

const compact = (record: object, rest: object = {}) => JSON.stringify({ type: 'RECORD', stream: 's', record, ...rest });
/** As Python's json.dumps writes it. */
const spaced = (record: object) =>
  `{"type": "RECORD", "stream": "s", "record": {${Object.entries(record)
    .map(([key, value]) => `${JSON.stringify(key)}: ${JSON.stringify(value)}`)
    .join(', ')}}}`;

function patternOf(text: string, schema: JsonSchema = SCHEMA, key: readonly string[] = ['id']) {
  const { record } = parseMessage(text, 1) as RecordMessage;
  return RecordPattern.of('s', schema, key, text, record);
}

/** What the pattern makes of a line; undefined when it leaves the line to the parser. */
function read(
  pattern: RecordPattern | undefined,
  text: string,
): { record: Row; version: string | undefined } | undefined {
  const matched = pattern?.begins(text) ? pattern.match(text) : undefined;
  return matched && { record: pattern?.record(matched.values) ?? {}, version: matched.version };
}

const record = fc.record({
  id: fc.integer(),
  name: fc.option(fc.oneof(fc.string({ unit: 'binary', maxLength: 12 }), fc.constantFrom('', '\\', '"', '\n', 'é🙂'))),
  ratio: fc.option(
    fc.oneof(fc.double({ noNaN: true, noDefaultInfinity: true }), fc.integer(), fc.constantFrom(-0, 12.5)),
  ),
  'is "open"': fc.option(fc.boolean()),
  at: fc.option(fc.string({ maxLength: 25 })),
});

describe('a pattern', () => {
  test('reads what the parser reads, or nothing', () => {
    for (const write of [compact, spaced]) {
      const pattern = patternOf(write(FIRST));
      expect(pattern).toBeDefined();
      fc.assert(
        fc.property(record, (row) => {
          const text = write(row);
          const found = read(pattern, text);
          if (found !== undefined) expect(found.record).toEqual((parseMessage(text, 1) as RecordMessage).record);
        }),
        { numRuns: 2_000 },
      );
    }
  });

  test('takes no line that is not JSON, whatever is wrong with it', () => {
    const pattern = patternOf(compact(FIRST));
    const spoilt = fc.tuple(
      record,
      fc.nat(),
      fc.constantFrom(
        '',
        '"',
        '\\',
        '\t',
        '\u0001',
        '\0',
        '}',
        ',',
        '0',
        '-',
        '.',
        ' ',
        'e5',
        'null',
        '\\u0041',
        '\\x',
      ),
      fc.nat(2),
    );
    fc.assert(
      fc.property(spoilt, ([row, at, inserted, removed]) => {
        const text = compact(row);
        const place = at % text.length;
        const line = text.slice(0, place) + inserted + text.slice(place + removed);
        const found = read(pattern, line);
        if (found !== undefined) expect(found.record).toEqual((parseMessage(line, 1) as RecordMessage).record);
      }),
      { numRuns: 20_000 },
    );
  });

  test.each<[string, Row, object?]>([
    ['texts with the usual escapes', { ...FIRST, name: 'a"b\\c\n\t/' }],
    ['nulls', { ...FIRST, name: null, ratio: null, 'is "open"': null }],
    ['text beyond Latin 1', { ...FIRST, name: 'Größe 🙂 регистрация' }],
    ['a version', FIRST, { version: 1_769_839_200 }],
    ['a time of extraction', FIRST, { time_extracted: '2026-01-31T06:00:00Z' }],
  ])('reads %s', (_what, row, rest) => {
    const text = compact(row, rest);
    const found = read(patternOf(compact(FIRST)), text);
    const parsed = parseMessage(text, 1) as RecordMessage;
    expect(found?.record).toEqual(parsed.record);
    expect(found?.version).toEqual(parsed.version === undefined ? undefined : String(parsed.version));
  });

  test.each<[string, string]>([
    ['a key that is null', compact({ ...FIRST, id: null })],
    ['a value of another type', compact({ ...FIRST, name: 5 })],
    ['a number that a double rounds', compact(FIRST).replace('1.5', '0.12345678901234567')],
    ['an integer that a double rounds', compact(FIRST).replace('"id":1', '"id":9007199254740993')],
    ['half a character', compact({ ...FIRST, name: '\ud800' })],
    ['U+0000', compact({ ...FIRST, name: '\0' })],
    ['another order', compact({ at: null, ratio: 1, id: 1, name: 'a', 'is "open"': true })],
    ['a property more', compact({ ...FIRST, more: 1 })],
    ['another stream', compact(FIRST).replace('"s"', '"t"')],
    ['a version that is no JSON', compact(FIRST, { version: 7 }).replace(':7}', ':007}')],
    ['an unknown field of the message', compact(FIRST, { extra: 1 })],
  ])('leaves %s to the parser', (_what, text) => {
    expect(read(patternOf(compact(FIRST)), text)).toBeUndefined();
  });

  test.each<[string, JsonSchema]>([
    ['a nested value', { properties: { id: { type: 'integer' }, v: { type: 'object' } } }],
    ['two types in one property', { properties: { id: { type: 'integer' }, v: { type: ['string', 'integer'] } } }],
    ['a limit', { properties: { id: { type: 'integer' }, v: { type: 'integer', maximum: 5 } } }],
    ['a rule over the record', { properties: { id: { type: 'integer' }, v: {} }, minProperties: 2 }],
    ['a version of its own', { properties: { id: {}, v: {}, _sdc_table_version: { type: 'integer' } } }],
    ['a record that may say that it is gone', { properties: { id: {}, v: {}, _sdc_deleted_at: { type: 'string' } } }],
  ])('is not made of a schema with %s', (_what, schema) => {
    expect(patternOf(compact({ id: 1, v: 1 }), schema)).toBeUndefined();
  });

  test('is not made of a record without a property that is required', () => {
    const schema = { ...SCHEMA, required: ['name'] };
    expect(patternOf(compact({ id: 1 }), schema)).toBeUndefined();
    expect(patternOf(compact({ id: 1, name: null }), schema)).toBeDefined();
  });

  test('may be made of a schema whose required is no list', () => {
    const schema = { ...SCHEMA, required: true } as unknown as JsonSchema;
    expect(patternOf(compact(FIRST), schema)).toBeDefined();
  });

  test('is worthless once most lines had to be parsed', () => {
    const pattern = patternOf(compact(FIRST));
    for (let line = 0; line < 16; line += 1) pattern?.match('{}');
    expect(pattern?.worthless).toBe(false);
    pattern?.match('{}');
    expect(pattern?.worthless).toBe(true);
  });

  test('is no slower for being long: a text of a megabyte full of escapes', () => {
    const name = '\\"\n'.repeat(300_000);
    expect(read(patternOf(compact(FIRST)), compact({ ...FIRST, name }))?.record.name).toBe(name);
  });
});

test.each([
  ['text', 'a', 'a'],
  ['text', String.raw`a\"b\\\n`, 'a"b\\\n'],
  ['number', '-12.50', -12.5],
  ['boolean', 'false', false],
  ['text', undefined, null],
] as const)('%s %s stands for %j', (spelling, text, value) => {
  expect(spelledValue(spelling, text)).toBe(value);
});
