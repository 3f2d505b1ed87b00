/**
 * How a stored value is spelled for the content hash: by the target from the record, by PostgreSQL from the column. The
 * spelling does not depend on the form in which a value was sent, so both sides agree on `1.50` and `1.5`.
 */
import { hash } from 'node:crypto';
import { isRawNumber, type Json, wholeDigits } from '../../../singer/lossless.ts';
import type { ColumnKind } from '../../columns.ts';
import type { Holder } from '../types.ts';

type Value = Exclude<Json, null>;

/** The value in a column of this type; not for types that PostgreSQL alone decides about. */
export function spelled(value: Value, holder: Holder, kind: ColumnKind): string {
  switch (holder) {
    case 'boolean':
      return value === true || value === 1 || value === 'true' ? 't' : 'f';
    case 'int2':
    case 'int4':
    case 'int8':
      return wholeNumber(value);
    case 'numeric':
      return decimal(digitsOf(value))
        .replace(/(\.\d*?)0+$/, '$1')
        .replace(/\.$/, '');
    case 'float8':
      return double(Number(digitsOf(value)));
    case 'timestamptz':
    case 'timestamp':
      return moment(String(value), holder === 'timestamptz');
    case 'time':
      return moment(`2000-01-01T${String(value)}`, false);
    case 'date':
      return String(value).slice(0, 10);
    case 'json':
      return hash('md5', jsonb(value));
    default:
      return storedText(value, kind);
  }
}

/** The same by PostgreSQL: an expression over the quoted column. Fixed-size types in their bytes, which no setting changes. */
export function spelledBy(column: string, holder: Holder): string {
  switch (holder) {
    case 'numeric':
      return `trim_scale(${column})`;
    case 'float8':
      return `encode(float8send(${column}), 'hex')`;
    case 'timestamptz':
      return `encode(timestamptz_send(${column}), 'hex')`;
    case 'timestamp':
      return `encode(timestamp_send(${column}), 'hex')`;
    case 'time':
      return `encode(time_send(${column}), 'hex')`;
    case 'date':
      return `to_char(${column}, 'YYYY-MM-DD')`;
    case 'json':
      return `md5(${column}::text)`;
    default:
      return column;
  }
}

function digitsOf(value: Value): string {
  return isRawNumber(value) ? value.rawJSON : String(value);
}

function wholeNumber(value: Value): string {
  if (Number.isSafeInteger(value)) return String(value);
  if (typeof value === 'number') return wholeDigits(value) ?? '';
  return BigInt(digitsOf(value).replace(/\.0+$/, '')).toString();
}

/** A number as PostgreSQL's `numeric` prints it: no exponent, every digit that was sent. */
function decimal(digits: string): string {
  const [, sign = '', whole = '', fraction = '', exponent = '0'] =
    /^(-?)(\d+)(?:\.(\d+))?(?:[eE]([+-]?\d+))?$/.exec(digits) ?? [];
  const scale = Math.max(0, fraction.length - Number(exponent));
  const all = `${whole}${fraction}${'0'.repeat(Math.max(0, Number(exponent) - fraction.length))}`.padStart(
    scale + 1,
    '0',
  );
  const before = all.slice(0, all.length - scale).replace(/^0+(?=\d)/, '');
  const text = scale === 0 ? before : `${before}.${all.slice(-scale)}`;
  return /[1-9]/.test(text) ? `${sign}${text}` : text;
}

const EIGHT = new DataView(new ArrayBuffer(8));

function hexOfEight(): string {
  return EIGHT.getBigUint64(0).toString(16).padStart(16, '0');
}

function double(value: number): string {
  EIGHT.setFloat64(0, value);
  return hexOfEight();
}

const MOMENT =
  /^(\d{4})-(\d\d)-(\d\d)(?:[Tt ](\d\d):(\d\d)(?::(\d\d)(?:\.(\d+))?)?)?\s?(?:[Zz]|([+-])(\d\d):?(\d\d)?)?$/;
/** PostgreSQL counts from the start of 2000. */
const EPOCH_MS = Date.UTC(2000, 0, 1);

/** The form that nearly all times have; the engine reads it ten times as fast. */
const PLAIN = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/;

/** Microseconds since 2000 as 16 hexadecimal digits. */
function moment(text: string, zoned: boolean): string {
  const plain = PLAIN.test(text) ? Date.parse(text) : Number.NaN;
  const micros = (plain - EPOCH_MS) * 1000;
  if (micros >= 0 && micros <= Number.MAX_SAFE_INTEGER) return micros.toString(16).padStart(16, '0');
  const [, year, month, day, hour = '0', minute = '0', second = '0', fraction = '', sign, hours = '0', minutes = '0'] =
    MOMENT.exec(text) ?? [];
  const date = new Date(0);
  // Unlike Date.UTC this takes the year 70 for what it is.
  date.setUTCFullYear(Number(year), Number(month) - 1, Number(day));
  date.setUTCHours(Number(hour), Number(minute), Number(second));
  const ahead = zoned && sign !== undefined ? Number(hours) * 60 + Number(minutes) : 0;
  const milliseconds = date.getTime() - ahead * (sign === '-' ? -60_000 : 60_000) - EPOCH_MS;
  EIGHT.setBigInt64(0, BigInt(milliseconds) * 1000n + BigInt(fraction.slice(0, 6).padEnd(6, '0')));
  return hexOfEight();
}

function mended(text: string): string {
  return text.isWellFormed() && !text.includes('\0') ? text : text.toWellFormed().replaceAll('\0', '\ufffd');
}

function storedText(value: Value, kind: ColumnKind): string {
  if (typeof value === 'string' && kind !== 'json') return mended(value);
  if (typeof value === 'object' || kind === 'json') {
    // JSON in a column of text is kept as it was spelled; only half characters cannot be.
    return JSON.stringify(value).replace(/\\(?:u(d[89a-f][0-9a-f]{2})|.)/g, (spelling, code: string | undefined) =>
      code === undefined ? spelling : '\ufffd',
    );
  }
  return kind === 'integer' || kind === 'big_integer' ? wholeNumber(value) : String(value);
}

/** JSON as `jsonb` prints it: keys by length, then by bytes; blanks behind commas and colons; no exponents. */
function jsonb(value: Json): string {
  if (value === null || typeof value === 'boolean') return String(value);
  if (typeof value === 'string') return JSON.stringify(mended(value));
  if (typeof value === 'number') return decimal(JSON.stringify(value));
  if (isRawNumber(value)) return decimal(value.rawJSON);
  if (Array.isArray(value)) return `[${value.map(jsonb).join(', ')}]`;
  const entries = new Map(Object.entries(value).map(([key, inner]) => [mended(key), inner]));
  const keys = [...entries.keys()].map((key) => Buffer.from(key));
  keys.sort((a, b) => a.length - b.length || Buffer.compare(a, b));
  return `{${keys
    .map(String)
    .map((key) => `${JSON.stringify(key)}: ${jsonb(entries.get(key) ?? null)}`)
    .join(', ')}}`;
}
