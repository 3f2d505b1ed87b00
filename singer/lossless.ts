/**
 * Numbers that pass digit for digit. JavaScript's `number` damages integers above 2^53 and decimals of more than 15
 * digits, so such a number travels as raw JSON text (`JSON.rawJSON`), which `JSON.stringify` writes back verbatim.
 */

/** A number kept as its source text because a double could not hold it. */
export interface RawNumber {
  readonly rawJSON: string;
}

/** Any JSON value; a number may be raw. */
export type Json = null | boolean | number | string | RawNumber | readonly Json[] | { readonly [key: string]: Json };

/** One record: property name to value. */
export type Row = { readonly [property: string]: Json | undefined };

declare global {
  interface JSON {
    rawJSON(text: string): RawNumber;
    isRawJSON(value: unknown): value is RawNumber;
    parse(text: string, reviver: (key: string, value: unknown, context: { source?: string }) => unknown): unknown;
  }
}

/**
 * Finds texts that may hold a number a double cannot: after `:`, `,` or `[`, sixteen or more characters of digits and
 * points, or an exponent of three digits. A false alarm inside a string costs time, never correctness. On 384-byte
 * records the test takes a third of the time of `JSON.parse` itself (72 of 217 ms for 165,850 lines, Node 26), 3 % of
 * what loading them takes; with the start of the text as a further alternative it took twice as long.
 */
const RISKY_NUMBER = /[:[,]\s*-?\d(?:[\d.]{15}|[\d.]*[eE][+-]?\d{3})/;

/** A text that is nothing but a number. */
const BARE_NUMBER = /^\s*-?\d/;

/** Keeps `source` when the double reads back as different digits. `1.0` and `1e2` are equal as numbers and stay doubles. */
function keepExact(_key: string, value: unknown, context: { source?: string }): unknown {
  if (typeof value !== 'number' || context.source === undefined) return value;
  return exactNumber(context.source);
}

/** The number that `source` (a JSON number) spells: a double when that loses nothing, else raw. */
export function exactNumber(source: string): number | RawNumber {
  const value = Number(source);
  // Fifteen digits always survive; an exponent may still underflow (`1e-400`) or leave a few bits only (`123e-324`).
  if (source.length <= 15 && !/[eE]/.test(source)) return value;
  return significant(source) === significant(String(value)) ? value : JSON.rawJSON(source);
}

/** Sign, digits and power of ten of a decimal, so that `1.50e3` and `1500` compare equal. */
function significant(text: string): string {
  const match = /^(-?)(\d+)(?:\.(\d+))?(?:[eE]([+-]?\d+))?$/.exec(text);
  if (match === null) return text;
  const [, sign = '', whole = '', fraction = '', exponent = '0'] = match;
  const digits = whole + fraction;
  // Loops, because `/0+$/` takes quadratic time on a long run of zeros inside the digits.
  let start = 0;
  while (digits[start] === '0') start += 1;
  if (start === digits.length) return '0';
  let end = digits.length;
  while (digits[end - 1] === '0') end -= 1;
  return `${sign}${digits.slice(start, end)}e${Number(exponent) - fraction.length + (digits.length - end)}`;
}

/** `JSON.parse` that loses no digit. Throws `SyntaxError` like `JSON.parse`. */
export function parseLossless(text: string): Json {
  return (RISKY_NUMBER.test(text) || BARE_NUMBER.test(text) ? JSON.parse(text, keepExact) : JSON.parse(text)) as Json;
}

/** Like `parseLossless`, but keeps the spelling of every number (`1.0` stays `1.0`). For values that are only relayed. */
export function parseVerbatim(text: string): Json {
  return JSON.parse(text, (_key, value, context) =>
    typeof value === 'number' && context.source !== undefined && String(value) !== context.source
      ? JSON.rawJSON(context.source)
      : value,
  ) as Json;
}

/** What is wrong with a text that is not JSON, without the excerpt that the engine adds: it may hold a secret. */
export function jsonProblem(cause: unknown): string {
  const text = cause instanceof Error ? cause.message : String(cause);
  return text.replace(/,? (?:\.\.\.)?".*is not valid JSON$/s, '');
}

/** Files written by Windows editors begin with a byte order mark. */
export function withoutBom(text: string): string {
  return text.startsWith('\ufeff') ? text.slice(1) : text;
}

/**
 * The digits of a whole number that is kept as a double: those it was sent with, because `exactNumber` keeps a double only
 * where its shortest text has the same digits. Its exact value may differ: of -119012770726809470 that ends in 472.
 * Undefined for a number with a fraction.
 */
export function wholeDigits(value: number): string | undefined {
  if (!Number.isInteger(value)) return undefined;
  const [, sign = '', whole = '', fraction = '', power = '0'] =
    /^(-?)(\d+)(?:\.(\d+))?(?:e\+(\d+))?$/.exec(String(value)) ?? [];
  return `${sign}${whole}${fraction.padEnd(Number(power), '0')}`;
}

/** True for a number that is kept as text. */
export function isRawNumber(value: unknown): value is RawNumber {
  return JSON.isRawJSON(value);
}

/** True for a JSON object (not an array, not null, not a raw number). */
export function isObject(value: unknown): value is { readonly [key: string]: Json } {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !JSON.isRawJSON(value);
}

/** The value with every raw number turned into the nearest finite double: for checks that need JavaScript numbers only. */
export function approximate(value: Json): Json {
  if (isRawNumber(value)) {
    return Math.min(Number.MAX_VALUE, Math.max(-Number.MAX_VALUE, Number(value.rawJSON)));
  }
  if (Array.isArray(value)) return value.map(approximate);
  if (!isObject(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, approximate(inner)]));
}

/** True if a raw number stands anywhere in the value. */
export function holdsRawNumber(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false;
  if (isRawNumber(value)) return true;
  return Object.values(value).some(holdsRawNumber);
}
