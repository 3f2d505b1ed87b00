/** Which classes of values a type takes, and why it refuses the others. Decision, breaker and conversion all read it here. */
import { classify, type SqliteValue, trimmed, type ValueClass } from './grammar.ts';
import { numberedDateClass } from './numbered-dates.ts';

/**
 * What a column is decided to hold.
 * - `integer`: whole numbers of 64 bits. `numeric`: any number. `timestamp`: a date with or without a time.
 * - `yes_no`: text of two spellings. `blob`: bytes.
 */
export const COLUMN_TYPES = ['integer', 'numeric', 'timestamp', 'yes_no', 'text', 'blob'] as const;

export type ColumnType = (typeof COLUMN_TYPES)[number];

/** Why a value or a row is set aside. The first group is found value by value, the second needs the row or the table. */
export const REASONS = [
  'impossible_date',
  'unparseable_date',
  'slash_conflict',
  'special_word',
  'not_a_number',
  'out_of_range',
  'bigint_overflow',
  'nul_byte',
  'invalid_utf8',
  'blob_in_text',
  'too_long',
  'schema_mismatch',
  'bad_key',
  'null_key',
  'shifted_row',
  'duplicate_key',
  'exact_duplicate',
  'copy_error',
] as const;

export type Reason = (typeof REASONS)[number];

/** Classes that say nothing: they are no part of the values that a column's type is judged by. */
export const NOTHING: ReadonlySet<ValueClass> = new Set(['null', 'empty', 'whitespace', 'null_token']);

const DATE_CLASSES: readonly ValueClass[] = [
  'iso_date',
  'iso_ts',
  'iso_ts_tz',
  'slash_ymd',
  'slash_dmy_certain',
  'slash_mdy_certain',
  'slash_ambiguous',
];

/** Numbers that are dates, once it is known that their column holds dates. */
export const NUMBERED_DATES: readonly ValueClass[] = ['compact_date', 'excel_serial', 'epoch_s', 'epoch_ms'];

/** Classes that become a value of the type by a rule of conversion.ts. */
const TAKEN: Readonly<Record<Exclude<ColumnType, 'text'>, ReadonlySet<ValueClass>>> = {
  integer: new Set(['int', 'padded_int', 'integral_decimal']),
  numeric: new Set([
    'int',
    'padded_int',
    'integral_decimal',
    'decimal',
    'decimal_comma',
    'scientific',
    'bigint_overflow',
  ]),
  timestamp: new Set([...DATE_CLASSES, ...NUMBERED_DATES, 'zero_date']),
  yes_no: new Set(['bool_token']),
  blob: new Set(['blob']),
};

/**
 * Classes that speak for a type when nobody has said what the column is. They are fewer: leading zeros, `7,5` and `1e5`
 * are mostly codes, and a number is a number until something else makes its column one of dates.
 */
export const EVIDENCE: Readonly<Record<Exclude<ColumnType, 'text'>, ReadonlySet<ValueClass>>> = {
  integer: new Set(['int', 'integral_decimal']),
  numeric: new Set(['int', 'integral_decimal', 'decimal']),
  timestamp: new Set(DATE_CLASSES),
  yes_no: new Set(['bool_token']),
  blob: new Set(['blob']),
};

/** True when values of this class become values of the type. In a column of both slash orders ambiguous ones do not. */
export function takes(type: ColumnType, found: ValueClass, slashConflict = false): boolean {
  if (type === 'text') return found !== 'blob';
  return TAKEN[type].has(found) && !(slashConflict && found === 'slash_ambiguous');
}

/** The class of a value in a column of dates, where a bare number may be a date. */
export function classifyAsDate(value: SqliteValue, found: ValueClass = classify(value)): ValueClass {
  if (found !== 'int' && found !== 'integral_decimal' && found !== 'decimal') return found;
  return numberedDateClass(numberOf(value)) ?? found;
}

/** The nearest double of a value of a number class. */
export function numberOf(value: SqliteValue): number {
  return typeof value === 'string' ? Number(trimmed(value)) : Number(value);
}

/** Why a type refuses a class that it does not take. */
export function refusal(type: ColumnType, found: ValueClass): Reason {
  if (found === 'blob') return 'blob_in_text';
  switch (type) {
    case 'timestamp':
      if (found === 'impossible_date' || found === 'special_word') return found;
      return found === 'slash_ambiguous' ? 'slash_conflict' : 'unparseable_date';
    case 'integer':
    case 'numeric':
      return found === 'bigint_overflow' || found === 'special_word' ? found : 'not_a_number';
    default:
      return 'schema_mismatch';
  }
}
