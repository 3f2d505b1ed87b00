/** Which type a column gets, from what it holds. */
import { describe, expect, test } from 'vitest';
import type { ColumnProfile } from '../../profiles/artifact.ts';
import { isAccepted, printedShare, wilsonLow } from '../../profiles/confidence.ts';
import type { SqliteValue } from '../../profiles/grammar.ts';
import type { ProfileOptions } from '../../profiles/profile.ts';
import { addColumn, database, profileOf, times } from './sqlite-file.ts';

function column(
  values: readonly SqliteValue[],
  declared = 'TEXT',
  options: Partial<ProfileOptions> = {},
): ColumnProfile {
  const found = profileOf(addColumn(database(), 't', declared, values), options).tables.t?.columns.v;
  if (found === undefined) throw new Error('the column is missing');
  return found;
}

const ISO = '2025-07-14 09:12:00';

describe('without anybody saying what the column is', () => {
  test.each([
    ['ISO texts', times(3, ISO), 'timestamp'],
    ['slash dates alone', ['20/05/2025 8:42', '2/07/2025 16:21'], 'timestamp'],
    ['dates, empties and words for nothing', [ISO, '', null, 'NaT', ' '], 'timestamp'],
    ['digits as text', ['9002114', '9002115'], 'integer'],
    ['whole doubles as text', ['3700421.0', '9002115'], 'text'],
    ['hours', ['0.25', '1', '7.5'], 'numeric'],
    ['19 numbers and a decimal comma', [...times(19, '1.5'), '7,5'], 'text'],
    ['codes with leading zeros', ['000731', '123456', '654321'], 'text'],
    ['codes with zeros at their end', ['1.1', '1.10'], 'text'],
    ['codes of which one has letters', [...times(99, '4326'), 'ETRS89'], 'text'],
    ['digits, one with blanks, one empty, one for nothing', [...times(97, '4326'), ' 7', '', 'N/A'], 'text'],
    ['codes that look like powers', ['1e5', '2e7'], 'text'],
    ['prose', ['Mailbox', '7', ISO], 'text'],
    ['months', ['2025-07', '2025-08'], 'text'],
    ['clock times', ['09:00', '09:45'], 'text'],
    ['yes and no', ['yes', 'no', 'Y'], 'yes_no'],
    ['a flag with a third value', [...times(99, 'yes'), 'no', 'maybe'], 'text'],
    ['a code that only says N', times(9, 'N'), 'text'],
    ['bytes', times(20, new Uint8Array([1])), 'blob'],
  ] as const)('%s', (_what, values, type) => {
    expect(column(values)).toMatchObject({ decided_type: type, decision: 'detected' });
  });

  test.each([
    ['19 numbers and a word', [...times(19, '1.5'), 'seven'], 'REAL', 'numeric'],
    ['19 whole ones and a word', [...times(19, '12'), 'twelve'], 'INTEGER', 'integer'],
    ['one that says both', [...times(19, '12'), 'twelve'], 'INTEGER_OR_TEXT', 'text'],
  ] as const)('a label that says number: %s', (_what, values, label, type) => {
    expect(column(values, label)).toMatchObject({ decided_type: type, confidence: type === 'text' ? 1 : 0.95 });
  });

  test.each([
    ['INTEGER', [1n, 2n], 'integer'],
    ['TEXT', ['2025-07-10', '2025-07-11 00:00:00'], 'text'],
    ['TEXT', ['1', '2'], 'text'],
    ['INT', [...Array.from({ length: 99 }, (_, index) => BigInt(index)), 'ninety-nine'], 'text'],
  ] as const)('a key of %s keeps its texts, of which two may mean the same', (label, values, type) => {
    const db = database(`CREATE TABLE t (v ${label}, PRIMARY KEY (v))`);
    for (const value of values) db.prepare('INSERT INTO t VALUES (?)').run(value);
    expect(profileOf(db).tables.t?.columns.v?.decided_type).toBe(type);
  });

  test('whole numbers under a label that says REAL may have decimals tomorrow', () => {
    expect(column([1, 2], 'DOUBLE')).toMatchObject({ decided_type: 'numeric' });
    expect(
      column([1, 2], 'DOUBLE', { expected: { tables: { t: { columns: { v: { type: 'integer' } } } } } }),
    ).toMatchObject({
      decided_type: 'integer',
    });
  });

  test('19 of 20 dates are enough, 18 of 20 are not', () => {
    expect(column([...times(19, ISO), 'soon'])).toMatchObject({ decided_type: 'timestamp', confidence: 0.95 });
    expect(column([...times(18, ISO), 'soon', 'later'])).toMatchObject({
      decided_type: 'text',
      candidate_type: 'timestamp',
      decision: 'manual_review',
      confidence: 0.9,
      pg_type: 'text',
    });
  });

  test('bytes between texts need a look', () => {
    const half = column([new Uint8Array([1]), 'text']);
    expect(half).toMatchObject({ decided_type: 'text', decision: 'manual_review', confidence: 0.5 });
  });

  test('values, not labels: nulls and empties lower no confidence', () => {
    const sparse = column([...times(95, null), ...times(4, ''), ISO], 'REAL');
    expect(sparse).toMatchObject({ decided_type: 'timestamp', confidence: 1, values: 1, empty: 4, declared: 'REAL' });
    expect(sparse.wilson_low).toBe(0.2065);
  });

  test('numbers are dates only in a column that is labelled so, or mostly holds dates', () => {
    const serials = [20250520n, 45797.36, 1747730520n];
    expect(column(serials, 'TIMESTAMP')).toMatchObject({
      decided_type: 'timestamp',
      classes: { compact_date: 1, excel_serial: 1, epoch_s: 1 },
    });
    expect(column([20250520n, 20250521n], 'INTEGER')).toMatchObject({ decided_type: 'integer', classes: { int: 2 } });
    expect(column([...times(3, ISO), 20250520n], 'BLOB')).toMatchObject({
      decided_type: 'timestamp',
      confidence: 1,
      classes: { iso_ts: 3, compact_date: 1 },
    });
  });

  test.each([
    ['INTEGER', 'integer'],
    ['POINT', 'integer'],
    ['VARCHAR(20)', 'text'],
    ['REAL', 'numeric'],
    ['TIMESTAMP', 'timestamp'],
    ['datetime', 'timestamp'],
    ['BLOB', 'blob'],
    ['', 'text'],
  ])('without values the label %j stands', (declared, type) => {
    expect(column([null, '', 'nan'], declared)).toMatchObject({
      decision: 'no_values',
      decided_type: type,
      confidence: null,
      wilson_low: null,
    });
  });
});

describe('with an expected type', () => {
  const expecting = (type: 'integer' | 'numeric' | 'timestamp' | 'yes_no') => ({
    expected: { tables: { t: { columns: { v: { type } } } } },
  });
  test('it is accepted when the values convert', () => {
    expect(column(['007', '12'], 'TEXT', expecting('integer'))).toMatchObject({
      decided_type: 'integer',
      decision: 'expected',
      confidence: 1,
    });
    expect(column([2n, 3n], 'REAL', expecting('numeric'))).toMatchObject({ decided_type: 'numeric' });
    expect(column([20250520n], 'INTEGER', expecting('timestamp'))).toMatchObject({ decided_type: 'timestamp' });
  });
  test('else a person decides, and the column is text', () => {
    expect(column(['a', 'b', '7'], 'TEXT', expecting('integer'))).toMatchObject({
      decided_type: 'text',
      decision: 'manual_review',
      confidence: 0.3333,
      candidate_type: 'integer',
      json_schema: { type: ['null', 'string'], 'x-sd': { pg: 'text' } },
    });
  });
  test('it stands where there are no values', () => {
    expect(column([null], 'REAL', expecting('integer'))).toMatchObject({ decided_type: 'integer', pg_type: 'bigint' });
  });
});

describe('slash dates', () => {
  test.each([
    [['20/05/2025', '2/07/2025'], 'DMY', 'column', 1],
    [['05/20/2025', '2/07/2025'], 'MDY', 'column', 1],
    [['3/04/2025', '2/07/2025'], 'MDY', 'assumed', 1],
    [[...times(30, ISO), '20/05/2025', '05/20/2025', '2/07/2025'], 'conflict', 'column', 32 / 33],
  ] as const)('%j', (values, order, basis, share) => {
    const found = column(values, 'TEXT', { slashOrder: 'MDY' });
    expect(found).toMatchObject({
      decided_type: 'timestamp',
      date_order: order,
      date_order_basis: basis,
      confidence: printedShare(share),
      json_schema: { 'x-sd': { date_order: order } },
    });
  });
  test('the setting is day first', () => {
    expect(column(['3/04/2025'])).toMatchObject({ date_order: 'DMY', date_order_basis: 'assumed' });
  });
});

describe('how a decision travels', () => {
  const schema = (values: readonly SqliteValue[], declared: string) => column(values, declared).json_schema;
  test('whole numbers, numbers, texts', () => {
    expect(schema([3700398n], 'INTEGER')).toEqual({
      type: ['null', 'integer'],
      'x-sd': { pg: 'bigint', declared: 'INTEGER', confidence: 1 },
    });
    expect(schema(['0.5'], 'TEXT')).toMatchObject({ type: ['null', 'number'], 'x-sd': { pg: 'numeric' } });
    expect(schema(['x'], 'TEXT')).toMatchObject({ type: ['null', 'string'], 'x-sd': { pg: 'text' } });
  });
  test('timestamps are naive unless every one names its offset', () => {
    expect(schema([ISO], 'TEXT')).toEqual({
      type: ['null', 'string'],
      format: 'date-time',
      'x-sd': { pg: 'timestamp', declared: 'TEXT', confidence: 1, naive: true },
    });
    expect(schema([ISO, '2025-07-14T09:12:00Z'], 'TEXT')).toMatchObject({ 'x-sd': { pg: 'timestamp', naive: true } });
    expect(schema(['2025-07-14T09:12:00Z', '2025-07-14 09:12+02'], 'TEXT')).toMatchObject({
      'x-sd': { pg: 'timestamptz', naive: false },
    });
  });
  test('yes and no in the spelling that the column mostly uses', () => {
    expect(schema(['Yes', 'No', 'No', 'yes', 'TRUE'], 'TEXT')).toMatchObject({
      type: ['null', 'string'],
      maxLength: 3,
      'x-sd': { pg: 'text', yes_no: ['Yes', 'No'] },
    });
  });
  test('bytes as base64', () => {
    expect(schema([new Uint8Array([1])], 'BLOB')).toMatchObject({ contentEncoding: 'base64', 'x-sd': { pg: 'text' } });
  });
  test('a declared key is never null', () => {
    const db = database(`CREATE TABLE t (id INTEGER PRIMARY KEY, x TEXT); INSERT INTO t VALUES (1, 'a')`);
    expect(profileOf(db).tables.t?.columns.id?.json_schema).toMatchObject({ type: 'integer' });
  });
});

test('a confidence prints as 1 only when it is', () => {
  expect(printedShare(0.99999)).toBe(0.9999);
  expect(printedShare(1)).toBe(1);
});

test('exactly 95 % are accepted, however many they are', () => {
  expect(isAccepted(19, 20)).toBe(true);
  expect(isAccepted(949_999, 1_000_000)).toBe(false);
});

test('the Wilson bound is that of the textbooks', () => {
  expect(wilsonLow(8, 10)).toBeCloseTo(0.4902, 4);
  expect(wilsonLow(0, 10)).toBe(0);
  expect(wilsonLow(10_939, 10_939)).toBeCloseTo(0.99965, 5);
});
