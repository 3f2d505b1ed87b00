/**
 * One stored value to one of its column's type, or the reason why not. Every change that is more than a change of
 * storage is named by a note, so a value without notes is canonical: it equals what its type prints.
 */
import { isUtf8 } from 'node:buffer';
import { exactNumber, isRawNumber, type RawNumber } from '../singer/lossless.ts';
import { type ColumnType, NOTHING, numberOf, type Reason, refusal, takes } from './classes.ts';
import { classify, type SqliteValue, trimmed, type ValueClass } from './grammar.ts';
import type { Note } from './notes.ts';
import type { SlashHints } from './slash-dates.ts';
import { type TimestampRules, toTimestamp } from './timestamps.ts';

/** A number outside these bounds is `out_of_range`. */
export interface NumberRange {
  readonly minimum?: number;
  readonly exclusiveMinimum?: number;
  readonly maximum?: number;
}

/** How the values of one column are read. */
export interface ConversionRules extends TimestampRules {
  readonly type: ColumnType;
  /** How the column spells yes and no; `yes_no` only. */
  readonly spelling: readonly [yes: string, no: string] | undefined;
  readonly range: NumberRange | undefined;
  /** Characters that a text may have; none: any number. */
  readonly maxChars: number | undefined;
  /** What becomes of a text with NUL characters, which PostgreSQL refuses. */
  readonly nul: 'strip' | 'replace' | 'reject';
  /** What becomes of a text that is no UTF-8: set aside, U+FFFD for what cannot be read, or read as Latin-1. */
  readonly utf8: 'reject' | 'replace' | 'latin1';
}

/** A value of a record: JSON, with numbers that a double cannot hold as digits. */
export type Scalar = string | number | RawNumber | null;

export type Converted = { readonly value: Scalar; readonly notes: readonly Note[] } | { readonly reason: Reason };

/** What may be known beside the value. */
export interface Beside {
  /** The bytes of the stored text, asked for when the driver may have replaced some: it reads bad UTF-8 as U+FFFD. */
  readonly bytes?: () => Uint8Array;
  readonly hints?: SlashHints;
}

const NONE: readonly Note[] = [];
const REPLACED = '\ufffd';

/**
 * Converts a value to its column's type. Typed columns (all but text) give null for `''`, blanks and words for nothing.
 * @returns a JSON value and what was done to it, or the reason to set it aside. Never throws for a value.
 */
export function convert(value: SqliteValue, rules: ConversionRules, beside: Beside = {}): Converted {
  if (value === null) return { value: null, notes: NONE };
  if (value instanceof Uint8Array) {
    if (rules.type !== 'blob') return { reason: 'blob_in_text' };
    return { value: Buffer.from(value).toString('base64'), notes: NONE };
  }
  if (rules.type === 'text') return toText(value, rules, beside);
  const found = classify(value);
  if (NOTHING.has(found)) return { value: null, notes: [found as Note] };
  if (rules.type === 'blob') return { reason: 'schema_mismatch' };
  if (typeof value !== 'string') return toTyped(value, found, rules, beside);
  if (value.includes(REPLACED)) return { reason: isBroken(beside) ? 'invalid_utf8' : refusal(rules.type, found) };
  if (value.includes('\0')) return { reason: 'nul_byte' };
  const text = trimmed(value);
  const converted = toTyped(text, found, rules, beside);
  if ('reason' in converted || text === value) return converted;
  return { value: converted.value, notes: ['trimmed', ...converted.notes] };
}

function toTyped(
  value: string | number | bigint,
  found: ValueClass,
  rules: ConversionRules,
  beside: Beside,
): Converted {
  if (rules.type === 'timestamp') return toTimestamp(value, found, rules, beside.hints ?? {});
  if (!takes(rules.type, found)) return { reason: refusal(rules.type, found) };
  if (rules.type === 'yes_no') return toYesNo(String(value), rules);
  return toNumber(value, found, rules);
}

function toNumber(value: string | number | bigint, found: ValueClass, rules: ConversionRules): Converted {
  const { range } = rules;
  const converted =
    rules.type === 'integer' ? whole(value) : typeof value === 'number' ? value : decimal(String(value));
  if (range !== undefined && !isWithin(isRawNumber(converted) ? numberOf(converted.rawJSON) : converted, range)) {
    return { reason: 'out_of_range' };
  }
  if (typeof value !== 'string') return { value: converted, notes: NONE };
  if (found === 'padded_int' || found === 'decimal_comma' || found === 'scientific') {
    return { value: converted, notes: [found] };
  }
  if (found === 'integral_decimal' && rules.type === 'integer')
    return { value: converted, notes: ['integral_decimal'] };
  const printed = isRawNumber(converted) ? converted.rawJSON : String(converted);
  return { value: converted, notes: printed === value ? NONE : ['number_form'] };
}

/** The integer that a text of digits (perhaps with zeros after a point), a double or an SQLite integer holds. */
function whole(value: string | number | bigint): number | RawNumber {
  const digits = typeof value === 'string' ? value.replace(/\..*$/, '').replace(/^\+/, '') : value;
  // Adding 0 turns a negative zero into zero.
  if (typeof digits === 'number' && Number.isSafeInteger(digits)) return digits + 0;
  const exact = BigInt(digits);
  const double = Number(exact);
  return Number.isSafeInteger(double) ? double : JSON.rawJSON(String(exact));
}

/** The number that a text spells; leading zeros and a plus sign are no JSON. */
function decimal(text: string): number | RawNumber {
  const [, sign = '', digits = ''] = /^([+-]?)(?:0+(?=\d))?(.*)$/.exec(text.replace(',', '.')) ?? [];
  const exact = exactNumber(`${sign === '-' ? '-' : ''}${digits}`);
  return typeof exact === 'number' ? exact + 0 : exact;
}

function isWithin(value: number, { minimum, exclusiveMinimum, maximum }: NumberRange): boolean {
  return (
    (minimum === undefined || value >= minimum) &&
    (exclusiveMinimum === undefined || value > exclusiveMinimum) &&
    (maximum === undefined || value <= maximum)
  );
}

function toYesNo(text: string, { spelling = ['yes', 'no'] }: ConversionRules): Converted {
  const value = /^[yt]/i.test(text) ? spelling[0] : spelling[1];
  return { value, notes: value === text ? NONE : ['yes_no'] };
}

function toText(value: string | number | bigint, rules: ConversionRules, beside: Beside): Converted {
  if (typeof value !== 'string') return { value: printed(value), notes: ['number_as_text'] };
  const notes: Note[] = [];
  let text = value;
  if (text.includes(REPLACED) && isBroken(beside)) {
    if (rules.utf8 === 'reject') return { reason: 'invalid_utf8' };
    if (rules.utf8 === 'latin1') text = new TextDecoder('latin1').decode(beside.bytes?.());
    notes.push('utf8_repaired');
  }
  if (text.includes('\0')) {
    if (rules.nul === 'reject') return { reason: 'nul_byte' };
    text = text.replaceAll('\0', rules.nul === 'strip' ? '' : REPLACED);
    notes.push(rules.nul === 'strip' ? 'nul_removed' : 'nul_replaced');
  }
  if (rules.maxChars !== undefined && isLongerThan(text, rules.maxChars)) return { reason: 'too_long' };
  return { value: text, notes: notes.length === 0 ? NONE : notes };
}

/** True for more than so many characters, where one outside the basic plane counts as one. */
export function isLongerThan(text: string, limit: number): boolean {
  if (text.length <= limit) return false;
  let characters = 0;
  for (const _ of text) characters += 1;
  return characters > limit;
}

function isBroken({ bytes }: Beside): boolean {
  return bytes !== undefined && !isUtf8(bytes());
}

/** As SQLite prints it: a double keeps its point. */
function printed(value: number | bigint): string {
  return typeof value === 'number' && Number.isInteger(value) && Math.abs(value) < 1e15 ? `${value}.0` : String(value);
}
