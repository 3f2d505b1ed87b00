/**
 * What a stored value is, by strict grammars that must match all of it. Nothing is read leniently here: `1_000`, digits
 * of other scripts and `20.05.2025` are texts. Which of these classes a column's type accepts is decided in classes.ts.
 */
import { readIsoDate } from './iso-dates.ts';
import { readSlashDate } from './slash-dates.ts';

/** A value as better-sqlite3 hands it out with `safeIntegers(true)`. */
export type SqliteValue = null | bigint | number | string | Uint8Array;

/**
 * - `int`: fits 64 bits. `padded_int`: with leading zeros, which a number loses. `bigint_overflow`: beyond 64 bits.
 * - `integral_decimal`: `3700421.0`. `decimal_comma`: `7,5`. `scientific`: `1e5`.
 * - `slash_…`: by what the value proves about its own order. `slash_ymd`: the year first.
 * - `impossible_date`: has the shape of a date, but no calendar or clock has it. `two_digit_year`: no century.
 * - `special_word`: a word that PostgreSQL would read as a time or a number.
 */
export const VALUE_CLASSES = [
  'null',
  'empty',
  'whitespace',
  'null_token',
  'int',
  'padded_int',
  'bigint_overflow',
  'integral_decimal',
  'decimal',
  'decimal_comma',
  'scientific',
  'iso_date',
  'iso_ts',
  'iso_ts_tz',
  'slash_ymd',
  'slash_dmy_certain',
  'slash_mdy_certain',
  'slash_ambiguous',
  'compact_date',
  'excel_serial',
  'epoch_s',
  'epoch_ms',
  'zero_date',
  'impossible_date',
  'two_digit_year',
  'special_word',
  'bool_token',
  'text',
  'blob',
] as const;

export type ValueClass = (typeof VALUE_CLASSES)[number];

const WORDS = new Map<string, ValueClass>([
  ...['nan', 'nat', 'none', 'null', 'n/a', '<na>', '-'].map((word) => [word, 'null_token'] as const),
  ...['yes', 'no', 'y', 'n', 'true', 'false', 't', 'f'].map((word) => [word, 'bool_token'] as const),
  ...['now', 'today', 'tomorrow', 'yesterday', 'epoch', 'allballs'].map((word) => [word, 'special_word'] as const),
  ...['infinity', '+infinity', '-infinity', 'inf', '+inf', '-inf'].map((word) => [word, 'special_word'] as const),
]);
const LONGEST_WORD = 9;
/** Longer texts are no number or date that anybody wrote on purpose; a cap keeps long prose away from the grammars. */
const LONGEST_VALUE = 400;

const NUMBER = /^([+-]?)(\d+)(?:\.(\d+))?$/;
const SCIENTIFIC = /^[+-]?\d+(?:\.\d+)?[eE][+-]?\d{1,3}$/;
const COMMA = /^[+-]?(\d+),(\d+)$/;
const INT64_MAX = 2n ** 63n - 1n;
const INT64_MIN = -(2n ** 63n);

/** The class of a value, whatever its column. Numbers are numbers here; a column of dates reads some of them as dates. */
export function classify(value: SqliteValue): ValueClass {
  switch (typeof value) {
    case 'string':
      return classifyText(value);
    case 'bigint':
      return 'int';
    case 'number':
      if (!Number.isFinite(value)) return 'special_word';
      if (!Number.isInteger(value)) return 'decimal';
      return value >= -(2 ** 63) && value < 2 ** 63 ? 'integral_decimal' : 'bigint_overflow';
    default:
      return value === null ? 'null' : 'blob';
  }
}

function classifyText(stored: string): ValueClass {
  if (stored === '') return 'empty';
  const text = trimmed(stored);
  if (text === '') return 'whitespace';
  if (text.length > LONGEST_VALUE) return 'text';
  const word = text.length <= LONGEST_WORD ? WORDS.get(text.toLowerCase()) : undefined;
  if (word !== undefined) return word;
  const first = text.charCodeAt(0);
  const digitFirst = first >= 0x30 && first <= 0x39;
  // Signs may open a number; everything else that is no digit opens prose.
  if (!digitFirst && first !== 0x2b && first !== 0x2d) return 'text';
  return (digitFirst ? dateClass(text) : undefined) ?? numberClass(text) ?? 'text';
}

function dateClass(text: string): ValueClass | undefined {
  const iso = readIsoDate(text);
  if (iso !== undefined) {
    if (typeof iso === 'string') return iso === 'zero' ? 'zero_date' : 'impossible_date';
    if (iso.slashes) return 'slash_ymd';
    if (iso.offset !== undefined) return 'iso_ts_tz';
    return iso.hasTime ? 'iso_ts' : 'iso_date';
  }
  const slash = readSlashDate(text);
  if (slash === undefined || slash === 'two_digit_year') return slash;
  if (slash === 'zero') return 'zero_date';
  if (slash === 'impossible') return 'impossible_date';
  if (slash.evidence === 'ambiguous') return 'slash_ambiguous';
  return slash.evidence === 'DMY' ? 'slash_dmy_certain' : 'slash_mdy_certain';
}

function numberClass(text: string): ValueClass | undefined {
  const match = NUMBER.exec(text);
  if (match !== null) {
    const [, sign = '', whole = '', fraction] = match;
    if (whole.length > 1 && whole.startsWith('0')) return fraction === undefined ? 'padded_int' : undefined;
    if (fraction !== undefined && /[1-9]/.test(fraction)) return 'decimal';
    if (whole.length > 18 && !fitsInt64(sign, whole)) return 'bigint_overflow';
    return fraction === undefined ? 'int' : 'integral_decimal';
  }
  if (SCIENTIFIC.test(text)) return Number.isFinite(Number(text)) ? 'scientific' : undefined;
  const comma = COMMA.exec(text);
  if (comma === null) return undefined;
  const [, whole = '', places = ''] = comma;
  // `1,234` may be a thousand and more, or a little more than one: nobody can know.
  return places.length === 3 && whole.length <= 3 && whole !== '0' ? undefined : 'decimal_comma';
}

function fitsInt64(sign: string, whole: string): boolean {
  if (whole.length > 19) return false;
  const value = BigInt(`${sign === '-' ? '-' : ''}${whole}`);
  return value <= INT64_MAX && value >= INT64_MIN;
}

/**
 * The text without blanks around it: space, the ASCII controls that stand for space, and the no-break space that
 * spreadsheets export.
 */
export function trimmed(text: string): string {
  let start = 0;
  let end = text.length;
  while (start < end && isBlank(text.charCodeAt(start))) start += 1;
  while (end > start && isBlank(text.charCodeAt(end - 1))) end -= 1;
  return start === 0 && end === text.length ? text : text.slice(start, end);
}

function isBlank(code: number): boolean {
  return code === 0x20 || (code >= 0x09 && code <= 0x0d) || code === 0xa0;
}
