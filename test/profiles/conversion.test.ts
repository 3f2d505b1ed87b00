/** Values to their column's type: what comes out, what was done, or why not. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { COLUMN_TYPES, classifyAsDate, NOTHING, type Reason, takes } from '../../profiles/classes.ts';
import { type ConversionRules, convert, type Scalar } from '../../profiles/conversion.ts';
import { classify, type SqliteValue } from '../../profiles/grammar.ts';
import type { Note } from '../../profiles/notes.ts';
import { storedForm } from '../../profiles/stored-form.ts';
import { timeZone } from '../../profiles/time-zone.ts';
import { rulesFor } from './rules.ts';

type Case = readonly [SqliteValue, Scalar, ...Note[]] | readonly [SqliteValue, { readonly reason: Reason }];

function each(name: string, rules: ConversionRules, cases: readonly Case[]): void {
  describe(name, () => {
    test.each(cases.map((one) => [one[0], one] as const))('%s', (stored, [, wanted, ...notes]) => {
      const converted = convert(stored, rules);
      const isReason = typeof wanted === 'object' && wanted !== null && 'reason' in wanted;
      expect(converted).toEqual(isReason ? wanted : { value: wanted, notes });
    });
  });
}

each('a naive column of timestamps', rulesFor('timestamp'), [
  ['2025-05-20 08:42:00', '2025-05-20T08:42:00Z'],
  ['2025-05-20 08:42:00.12', '2025-05-20T08:42:00.12Z'],
  ['2025-05-20 08:42:00.120', '2025-05-20T08:42:00.12Z', 'iso_form'],
  ['2025-05-20 08:42:00.000000', '2025-05-20T08:42:00Z', 'iso_form'],
  ['2025-05-20 08:42:00.123456789', '2025-05-20T08:42:00.123456789Z'],
  ['2025-05-20T08:42:00', '2025-05-20T08:42:00Z', 'iso_form'],
  ['2025-05-20 08:42', '2025-05-20T08:42:00Z', 'iso_form'],
  ['2025-05-20', '2025-05-20T00:00:00Z', 'iso_form'],
  ['2025/05/20 08:42:00', '2025-05-20T08:42:00Z', 'slash_date'],
  ['20/05/2025 8:42', '2025-05-20T08:42:00Z', 'slash_date'],
  ['2/07/2025 16:21', '2025-07-02T16:21:00Z', 'slash_date', 'assumed_order'],
  ['2/07/2025 16:21:33', '2025-07-02T16:21:33Z', 'slash_date', 'assumed_order'],
  ['1/05/2025 3:15 PM', '2025-05-01T15:15:00Z', 'slash_date', 'assumed_order'],
  ['12/06/2025 12:05 AM', '2025-06-12T00:05:00Z', 'slash_date', 'assumed_order'],
  ['12/06/2025 12:05 PM', '2025-06-12T12:05:00Z', 'slash_date', 'assumed_order'],
  ['20/05/2025', '2025-05-20T00:00:00Z', 'slash_date'],
  ['5/05/2025', '2025-05-05T00:00:00Z', 'slash_date'],
  ['29/02/2024 10:00', '2024-02-29T10:00:00Z', 'slash_date'],
  ['05/13/2025 10:00', '2025-05-13T10:00:00Z', 'slash_date'],
  [' 20/05/2025 8:42', '2025-05-20T08:42:00Z', 'trimmed', 'slash_date'],
  ['2025-05-20T08:42:00Z', '2025-05-20T08:42:00Z', 'offset_stripped'],
  ['2025-05-20T08:42:00+10:00', '2025-05-20T08:42:00Z', 'offset_stripped'],
  ['2025-05-20 24:00:00', '2025-05-21T00:00:00Z', 'hour_24'],
  ['2024-12-31 24:00:00', '2025-01-01T00:00:00Z', 'hour_24'],
  ['9999-12-31 24:00:00', { reason: 'out_of_range' }],
  [20250520n, '2025-05-20T00:00:00Z', 'compact_date'],
  [45797.36, '2025-05-20T08:38:24Z', 'excel_serial'],
  [45797n, '2025-05-20T00:00:00Z', 'excel_serial'],
  [1747730520n, '2025-05-20T08:42:00Z', 'epoch_s'],
  [1747730520120n, '2025-05-20T08:42:00.12Z', 'epoch_ms'],
  ['0000-00-00 00:00:00', null, 'zero_date'],
  ['nan', null, 'null_token'],
  ['-', null, 'null_token'],
  ['', null, 'empty'],
  ['   ', null, 'whitespace'],
  [null, null],
  ['31/02/2025 10:00', { reason: 'impossible_date' }],
  ['29/02/2025 10:00', { reason: 'impossible_date' }],
  ['20/05/2025 25:99', { reason: 'impossible_date' }],
  ['2025-02-31', { reason: 'impossible_date' }],
  [20250231n, { reason: 'impossible_date' }],
  ['now', { reason: 'special_word' }],
  ['infinity', { reason: 'special_word' }],
  ['20/05/25', { reason: 'unparseable_date' }],
  ['20.05.2025', { reason: 'unparseable_date' }],
  ['next week', { reason: 'unparseable_date' }],
  [3700421n, { reason: 'unparseable_date' }],
  ['2025-05-20\0', { reason: 'nul_byte' }],
  [new Uint8Array([50]), { reason: 'blob_in_text' }],
]);

each('whole numbers', rulesFor('integer'), [
  [7n, 7],
  [0n, 0],
  ['9002114', 9002114],
  [3700398.0, 3700398],
  [-0.0, 0],
  ['-0', 0, 'number_form'],
  ['3700421.0', 3700421, 'integral_decimal'],
  [' 12 ', 12, 'trimmed'],
  ['+12', 12, 'number_form'],
  ['007', 7, 'padded_int'],
  [9007199254740991n, 9007199254740991],
  [9007199254740993n, JSON.rawJSON('9007199254740993')],
  [9223372036854775807n, JSON.rawJSON('9223372036854775807')],
  ['9223372036854775807', JSON.rawJSON('9223372036854775807')],
  [1e18, JSON.rawJSON('1000000000000000000')],
  ['9223372036854775808', { reason: 'bigint_overflow' }],
  [9.3e18, { reason: 'bigint_overflow' }],
  ['2.5', { reason: 'not_a_number' }],
  [2.5, { reason: 'not_a_number' }],
  ['1_000', { reason: 'not_a_number' }],
  ['1e5', { reason: 'not_a_number' }],
  ['C-77x', { reason: 'not_a_number' }],
  ['now', { reason: 'special_word' }],
  ['none', null, 'null_token'],
  ['', null, 'empty'],
]);

each('numbers', rulesFor('numeric'), [
  [0.75, 0.75],
  [2n, 2],
  ['0.75', 0.75],
  ['7,5', 7.5, 'decimal_comma'],
  ['-7,5', -7.5, 'decimal_comma'],
  ['+7.5', 7.5, 'number_form'],
  ['3.0', 3, 'number_form'],
  ['1e5', 100000, 'scientific'],
  ['007', 7, 'padded_int'],
  ['1234567890123456789.25', JSON.rawJSON('1234567890123456789.25')],
  ['99999999999999999999', JSON.rawJSON('99999999999999999999')],
  ['1,234', { reason: 'not_a_number' }],
  ['about 2', { reason: 'not_a_number' }],
  ['inf', { reason: 'special_word' }],
  [Number.NEGATIVE_INFINITY, { reason: 'special_word' }],
]);

each('hours, with bounds', rulesFor('numeric', { range: { exclusiveMinimum: 0, maximum: 24 } }), [
  [24, 24],
  [0.25, 0.25],
  [0, { reason: 'out_of_range' }],
  [-1.5, { reason: 'out_of_range' }],
  [24.25, { reason: 'out_of_range' }],
  ['99999999999999999999', { reason: 'out_of_range' }],
]);

each('yes and no', rulesFor('yes_no', { spelling: ['yes', 'no'] }), [
  ['yes', 'yes'],
  ['no', 'no'],
  ['Y', 'yes', 'yes_no'],
  [' yes ', 'yes', 'trimmed'],
  ['TRUE', 'yes', 'yes_no'],
  ['f', 'no', 'yes_no'],
  ['', null, 'empty'],
  ['maybe', { reason: 'schema_mismatch' }],
  [1n, { reason: 'schema_mismatch' }],
]);

each('texts', rulesFor('text', { maxChars: 8 }), [
  ['', ''],
  [' x ', ' x '],
  ['None', 'None'],
  ['a\0b', 'ab', 'nul_removed'],
  [12n, '12', 'number_as_text'],
  [731.0, '731.0', 'number_as_text'],
  [0.5, '0.5', 'number_as_text'],
  ['😀'.repeat(8), '😀'.repeat(8)],
  ['😀'.repeat(9), { reason: 'too_long' }],
  [new Uint8Array([1]), { reason: 'blob_in_text' }],
]);

each('bytes', rulesFor('blob'), [
  [new Uint8Array([255, 0]), '/wA='],
  [null, null],
  ['', null, 'empty'],
  ['text', { reason: 'schema_mismatch' }],
]);

describe('policies for texts', () => {
  const broken = { bytes: () => new Uint8Array([0x63, 0xe9]) };
  test('NUL may be refused or replaced', () => {
    expect(convert('a\0b', rulesFor('text', { nul: 'reject' }))).toEqual({ reason: 'nul_byte' });
    expect(convert('a\0b', rulesFor('text', { nul: 'replace' }))).toEqual({
      value: 'a\ufffdb',
      notes: ['nul_replaced'],
    });
  });
  test('bad UTF-8 is set aside, replaced, or read as Latin-1', () => {
    expect(convert('c\ufffd', rulesFor('text'), broken)).toEqual({ reason: 'invalid_utf8' });
    expect(convert('c\ufffd', rulesFor('text', { utf8: 'replace' }), broken)).toMatchObject({ value: 'c\ufffd' });
    expect(convert('c\ufffd', rulesFor('text', { utf8: 'latin1' }), broken)).toMatchObject({ value: 'cé' });
    expect(convert('1\ufffd', rulesFor('integer'), broken)).toEqual({ reason: 'invalid_utf8' });
  });
  test('U+FFFD that was stored as such is a text like any other', () => {
    const bytes = () => Buffer.from('c\ufffd');
    expect(convert('c\ufffd', rulesFor('text'), { bytes })).toEqual({ value: 'c\ufffd', notes: [] });
  });
});

describe('slash dates of a column', () => {
  test('a column that proves an order needs no assumption', () => {
    const rules = rulesFor('timestamp', { slash: { order: 'MDY', basis: 'column' } });
    expect(convert('2/07/2025', rules)).toEqual({ value: '2025-02-07T00:00:00Z', notes: ['slash_date'] });
  });
  const conflict = rulesFor('timestamp', { slash: { order: 'conflict', basis: 'column' } });
  test('both orders proven: ambiguous values are set aside, the others are not', () => {
    expect(convert('2/07/2025', conflict)).toEqual({ reason: 'slash_conflict' });
    expect(convert('20/07/2025', conflict)).toMatchObject({ value: '2025-07-20T00:00:00Z' });
    expect(convert('07/20/2025', conflict)).toMatchObject({ value: '2025-07-20T00:00:00Z' });
    expect(convert('7/07/2025', conflict)).toMatchObject({ value: '2025-07-07T00:00:00Z' });
  });
  test('what the row knows settles it', () => {
    const settled = (hints: object) => convert('2/07/2025 10:00', conflict, { hints });
    const dayFirst = { value: '2025-07-02T10:00:00Z', notes: ['slash_date', 'settled_order'] };
    expect(settled({ month: '2025-07' })).toEqual(dayFirst);
    expect(settled({ month: '2025-02' })).toMatchObject({ value: '2025-02-07T10:00:00Z' });
    expect(settled({ notBefore: '2025-07-01 00:00:00' })).toEqual(dayFirst);
    expect(settled({ notAfter: '2025-03-01 00:00:00' })).toMatchObject({ value: '2025-02-07T10:00:00Z' });
    expect(settled({ notAfter: '2026-01-01 00:00:00' })).toEqual({ reason: 'slash_conflict' });
    expect(settled({ month: '2025-09' })).toEqual({ reason: 'slash_conflict' });
  });
});

describe('a source whose time zone is known', () => {
  const rules = rulesFor('timestamp', { naive: false, zone: timeZone('Europe/Vienna') });
  const value = (stored: SqliteValue) => convert(stored, rules);
  test('clock times become instants', () => {
    expect(value('2025-01-15 12:00:00')).toEqual({ value: '2025-01-15T11:00:00Z', notes: ['zone_applied'] });
    expect(value('15/07/2025 0:30')).toMatchObject({ value: '2025-07-14T22:30:00Z' });
  });
  test('a value with an offset needs no zone', () => {
    expect(value('2025-05-20T08:42:00.5+10:00')).toEqual({
      value: '2025-05-19T22:42:00.5Z',
      notes: ['offset_applied'],
    });
    expect(value('2025-05-20T08:42:00Z')).toEqual({ value: '2025-05-20T08:42:00Z', notes: [] });
    expect(value(1747730520n)).toMatchObject({ value: '2025-05-20T08:42:00Z', notes: ['epoch_s'] });
  });
  test('an hour that the clock never showed is set aside; one that it showed twice is the first', () => {
    expect(value('2025-03-30 02:30:00')).toEqual({ reason: 'impossible_date' });
    expect(value('2025-10-26 02:30:00')).toEqual({
      value: '2025-10-26T00:30:00Z',
      notes: ['zone_applied', 'shown_twice'],
    });
  });
  test('without a zone a column of instants refuses a bare clock time', () => {
    expect(convert('2025-01-15 12:00:00', rulesFor('timestamp', { naive: false }))).toEqual({
      reason: 'unparseable_date',
    });
  });
  test('a zone that does not exist is refused', () => {
    expect(() => timeZone('Europe/Nowhere')).toThrow('there is no time zone "Europe/Nowhere"');
  });
});

const VALUES = fc.oneof(
  fc.constantFrom(
    '2025-05-20',
    '20/05/2025',
    '05/13/2025 1:00 PM',
    '3/04/2025',
    '31/02/2025',
    '7,5',
    '1e5',
    '007',
    '45797.36',
  ),
  fc.constantFrom('yes', 'N', 'nan', '', ' ', 'now', '20/05/25', '2025-05-20T10:00:00+02:00', '9223372036854775808'),
  fc.string({ maxLength: 12 }),
  fc.stringMatching(/^ ?[+-]?\d{1,20}([.,/:eE-]\d{1,4}){0,3} ?$/),
  fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
  fc.bigInt({ min: 19_000_000n, max: 21_020_000n }),
  fc.double({ noNaN: true }),
  fc.uint8Array({ maxLength: 3 }),
);

test('a value converts if and only if its class is one that the type takes', () => {
  fc.assert(
    fc.property(VALUES, fc.constantFrom(...COLUMN_TYPES), (value, type) => {
      const found = type === 'timestamp' ? classifyAsDate(value) : classify(value);
      const nothing = NOTHING.has(found);
      fc.pre(typeof value !== 'string' || type === 'text' || !value.includes('\0'));
      expect('value' in convert(value, rulesFor(type))).toBe(nothing || takes(type, found));
    }),
    { numRuns: 2000 },
  );
});

test('a value that was converted and stored needs no second conversion', () => {
  const types = fc.constantFrom(...(['integer', 'numeric', 'timestamp', 'yes_no', 'text'] as const));
  fc.assert(
    fc.property(VALUES, types, fc.boolean(), (value, type, naive) => {
      const rules = rulesFor(type, naive ? {} : { naive, zone: timeZone('Australia/Perth') });
      const once = convert(value, rules);
      fc.pre('value' in once);
      const stored = storedForm(once.value, type, rules.naive);
      expect(convert(stored, rules)).toEqual({ value: once.value, notes: [] });
    }),
    { numRuns: 2000 },
  );
});
