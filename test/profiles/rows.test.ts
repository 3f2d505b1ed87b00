/** Whole rows: values set aside, rows set aside, values in the wrong columns. */
import { describe, expect, test } from 'vitest';
import type { SqliteValue } from '../../profiles/grammar.ts';
import { convertRow, type RowColumn } from '../../profiles/rows.ts';
import { rulesFor } from './rules.ts';

const COLUMNS: readonly RowColumn[] = [
  { name: 'comment_id', rules: rulesFor('integer'), key: true },
  { name: 'ticket_id', rules: rulesFor('integer'), key: false },
  { name: 'comment_text', rules: rulesFor('text'), key: false },
  { name: 'user_id', rules: rulesFor('integer'), key: false },
  { name: 'user_name', rules: rulesFor('text'), key: false },
  { name: 'owner_type', rules: rulesFor('text'), key: false },
  { name: 'created_time', rules: rulesFor('timestamp'), key: false },
  { name: 'visible', rules: rulesFor('text'), key: false },
];
const ROW: readonly SqliteValue[] = [
  '9002114',
  '3700421',
  'done',
  '318',
  'agent.0042',
  'agent',
  '2025-08-03 14:22:05',
  'Yes',
];

const withValue = (index: number, value: SqliteValue) => ROW.map((old, at) => (at === index ? value : old));

test('a row without faults', () => {
  expect(convertRow(ROW, COLUMNS)).toEqual({
    values: [9002114, 3700421, 'done', 318, 'agent.0042', 'agent', '2025-08-03T14:22:05Z', 'Yes'],
    changes: [],
    setAside: [],
  });
});

test('a value that does not convert leaves null, a value that was changed is named', () => {
  const row = withValue(6, '31/02/2025').map((value, index) => (index === 1 ? '3700421.0' : value));
  expect(convertRow(row, COLUMNS)).toMatchObject({
    values: [9002114, 3700421, 'done', 318, 'agent.0042', 'agent', null, 'Yes'],
    changes: [{ column: 'ticket_id', notes: ['integral_decimal'] }],
    setAside: [{ column: 'created_time', reason: 'impossible_date' }],
  });
});

describe('keys', () => {
  test.each([null, '', ' ', 'nan'])('%j is no key', (value) => {
    expect(convertRow(withValue(0, value), COLUMNS)).toEqual({
      rejected: { column: 'comment_id', reason: 'null_key' },
    });
  });
  test('a key that does not convert', () => {
    expect(convertRow(withValue(0, 'C-77x'), COLUMNS)).toEqual({
      rejected: { column: 'comment_id', reason: 'bad_key' },
    });
  });
  test('an empty text is a key of a text column', () => {
    const columns = [{ name: 'name', rules: rulesFor('text'), key: true }];
    expect(convertRow([''], columns)).toMatchObject({ values: [''] });
    expect(convertRow([null], columns)).toEqual({ rejected: { column: 'name', reason: 'null_key' } });
    expect(convertRow([new Uint8Array([1])], columns)).toEqual({ rejected: { column: 'name', reason: 'bad_key' } });
  });
});

describe('shifted rows', () => {
  const rejected = { rejected: { column: 'ticket_id', reason: 'shifted_row' } };
  test('one column to the left', () => {
    expect(convertRow([...ROW.slice(1), null], COLUMNS)).toEqual(rejected);
  });
  test('one column to the right, from some column on', () => {
    const row = [
      '9002114',
      '3700421',
      'first half',
      'second half',
      '318',
      'agent.0042',
      'agent',
      '2025-08-03 14:22:05',
    ];
    expect(convertRow(row, COLUMNS)).toEqual({ rejected: { column: 'user_id', reason: 'shifted_row' } });
  });
  test('a single value that fits next door proves nothing', () => {
    const row = [...ROW.slice(0, 3), 'x', null, null, 'soon', '2025-08-03 14:22:05'];
    expect(convertRow(row, COLUMNS)).toMatchObject({ setAside: [{ column: 'user_id' }, { column: 'created_time' }] });
  });
  test('two bad values in their own columns are only that', () => {
    const row = withValue(6, 'soon').map((value, index) => (index === 3 ? 'x' : value));
    expect(convertRow(row, COLUMNS)).toMatchObject({
      setAside: [
        { column: 'user_id', reason: 'not_a_number' },
        { column: 'created_time', reason: 'unparseable_date' },
      ],
    });
  });
});
