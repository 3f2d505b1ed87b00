/** Record values to what SQLite is given, exact to the digit. */
import { isRawNumber, type Json, wholeDigits } from '../../singer/lossless.ts';
import type { Column } from './tables.ts';

/** What the driver binds. A number is always bound as a double; the column's affinity makes it an integer again. */
export type Bound = null | string | number | bigint;

/** Returned instead of a value when the column's type would damage it: the column has to lose its type first. */
export const TOO_NARROW = Symbol('too narrow');

/** Returned instead of a value when the column can hold no form of it. */
export const UNFIT = Symbol('unfit');

type Outcome = Bound | typeof TOO_NARROW | typeof UNFIT;

const INT64_LIMIT = 2 ** 63;

/**
 * The bound form of a value that is not null, for every combination of kind and column; a lane handles the common ones
 * itself. Whatever a column can hold without loss is accepted.
 */
export function bindable(value: Exclude<Json, null>, column: Column): Outcome {
  switch (column.kind) {
    case 'json':
      return JSON.stringify(value);
    case 'boolean':
      return booleanValue(value, column);
    case 'integer':
    case 'big_integer':
    case 'number':
      return numberValue(value, column);
    case 'decimal':
      return typeof value === 'string' ? value : numberValue(value, column);
    default:
      return typeof value === 'string' ? value : JSON.stringify(value);
  }
}

function booleanValue(value: Exclude<Json, null>, column: Column): Outcome {
  const truth =
    value === true || value === 1 || value === 'true'
      ? true
      : value === false || value === 0 || value === 'false'
        ? false
        : undefined;
  if (truth === undefined) return UNFIT;
  if (column.affinity === 'TEXT') return String(truth);
  return truth ? 1n : 0n;
}

function numberValue(value: Exclude<Json, null>, column: Column): Outcome {
  if (typeof value === 'number') return doubleValue(value, column);
  if (isRawNumber(value)) return exactValue(value.rawJSON, column);
  if (typeof value === 'string' && isPlainNumber(value)) {
    if (column.kind === 'number' || !/[.eE]/.test(value)) return exactValue(value, column);
  }
  return UNFIT;
}

function doubleValue(value: number, column: Column): Outcome {
  const { kind, affinity } = column;
  if (kind === 'number' || kind === 'decimal') return affinity === 'TEXT' ? String(value) : value;
  const digits = wholeDigits(value);
  if (digits === undefined) return UNFIT;
  if (Math.abs(value) < INT64_LIMIT) {
    if (affinity === 'TEXT') return digits;
    // Without a type the value would stay a double and be read as 5.0; a double beyond 2^53 is not what was sent.
    return affinity === 'NONE' || !Number.isSafeInteger(value) ? BigInt(digits) : value;
  }
  return affinity === 'TEXT' || affinity === 'NONE' ? digits : TOO_NARROW;
}

/** A number given by its digits, which a double may not hold. */
function exactValue(source: string, { affinity }: Column): Bound | typeof TOO_NARROW {
  const whole = /^(-?\d+)(?:\.0+)?$/.exec(source)?.[1];
  if (whole !== undefined) {
    const digits = BigInt(whole);
    const fits = digits === BigInt.asIntN(64, digits);
    if (affinity === 'TEXT') return String(digits);
    if (affinity === 'NONE') return fits ? digits : String(digits);
    if (fits && affinity !== 'REAL') return digits;
    return fits && BigInt(Number(digits)) === digits ? Number(digits) : TOO_NARROW;
  }
  if (affinity === 'TEXT' || affinity === 'NONE') return source;
  return String(Number(source)) === source ? Number(source) : TOO_NARROW;
}

/** Text that is a number and nothing else: no blanks, no leading zeros, no plus sign. */
function isPlainNumber(text: string): boolean {
  return /^-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?$/.test(text);
}
