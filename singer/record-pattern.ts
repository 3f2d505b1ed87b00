/**
 * Records of plain values, taken from their line by one regular expression instead of being parsed. Most lines of a
 * stream look like the one before: the same properties in the same order, each a text, a number, a boolean or null. The
 * pattern says all of that at once (form of the message, names, order, types, well-formed JSON), and hands out each value
 * as it is spelled. A line that it does not match is parsed like any other, so it decides nothing but speed.
 */

import type { Json, Row } from './lossless.ts';
import type { JsonSchema } from './messages.ts';
import { DELETED_AT, TABLE_VERSION } from './metadata.ts';
import { scalarProperties } from './record-check.ts';

/** How a value is spelled: a text without its quotes, its escapes as they stand; a number; `true` or `false`. */
export type Spelling = 'text' | 'number' | 'boolean';

/** One property of a matched line. */
export interface Spelled {
  readonly property: string;
  readonly spelling: Spelling;
}

/** Values by their place in `properties`; undefined is null. */
export type Spellings = readonly (string | undefined)[];

/** A line that matched. */
export interface Matched {
  readonly values: Spellings;
  /** The version of the record as digits. */
  readonly version: string | undefined;
}

/** Beyond this many properties the expression costs more than it saves. */
const MOST_PROPERTIES = 250;
/** So many lines may fail to match before a stream is no longer tried, beside a quarter of those that match. */
const PATIENCE = 16;

/** No escape but those that mean the same to COPY: `\u` and what needs it are left to the parser. */
const TEXT = String.raw`"([^"\\\x00-\x1f]*(?:\\["\\/bfnrt][^"\\\x00-\x1f]*)*)"`;
/** Numbers that a double holds digit for digit. */
const INTEGER = String.raw`(-?[1-9]\d{0,14}|0)`;
const NUMBER = String.raw`(-?(?:[1-9]\d{0,14}|0)|-?(?:[1-9]\d{0,7}|0)\.\d{1,6})`;
const BOOLEAN = '(true|false)';

/** The pattern of one stream's lines. */
export class RecordPattern {
  readonly properties: readonly Spelled[];
  readonly #opening: string;
  readonly #expression: RegExp;
  #hits = 0;
  #misses = 0;

  private constructor(properties: readonly Spelled[], opening: string, expression: RegExp) {
    this.properties = properties;
    this.#opening = opening;
    this.#expression = expression;
  }

  /**
   * The pattern of lines like `text`, which was parsed as `record`; undefined when there can be none: a value is nested,
   * a property has no plain type, or the message is written in an unusual way. Every property of `key` must have a value.
   */
  static of(
    stream: string,
    schema: JsonSchema,
    key: readonly string[],
    text: string,
    record: Row,
  ): RecordPattern | undefined {
    const scalars = scalarProperties(schema);
    if (scalars === undefined) return undefined;
    const gap = text.startsWith('{"type": ') ? ' ' : '';
    const names = Object.keys(record);
    const { properties: declared = {} } = schema;
    // Another draft of JSON Schema means something else by it.
    const required: readonly string[] = Array.isArray(schema.required) ? schema.required : [];
    if (names.length === 0 || names.length > MOST_PROPERTIES) return undefined;
    // The runner has its own word about these.
    if (Object.hasOwn(declared, DELETED_AT) || Object.hasOwn(declared, TABLE_VERSION)) return undefined;
    if (![...required, ...key].every((name) => Object.hasOwn(record, name))) return undefined;
    const properties: Spelled[] = [];
    const parts: string[] = [];
    for (const property of names) {
      const scalar = scalars.get(property);
      if (scalar === undefined) return undefined;
      const nullable = scalar.nullable && !key.includes(property);
      const value =
        scalar.spelling === 'text' ? TEXT : scalar.spelling === 'boolean' ? BOOLEAN : scalar.integer ? INTEGER : NUMBER;
      parts.push(`${literal(`${JSON.stringify(property)}:${gap}`)}${nullable ? `(?:null|${value})` : value}`);
      properties.push({ property, spelling: scalar.spelling });
    }
    const opening = `{"type":${gap}"RECORD",${gap}"stream":${gap}${JSON.stringify(stream)},${gap}"record":${gap}{`;
    const version = `(?:${literal(`,${gap}"version":${gap}`)}([1-9]\\d{0,14}|0))?`;
    const extracted = `(?:${literal(`,${gap}"time_extracted":${gap}`)}${TEXT.replace('(', '(?:')})?`;
    const record_ = parts.join(literal(`,${gap}`));
    const pattern = new RegExp(`^${literal(opening)}${record_}\\}${version}${extracted}\\}$`);
    return pattern.test(text) ? new RecordPattern(properties, opening, pattern) : undefined;
  }

  /** Whether a line may be one of this stream's. */
  begins(text: string): boolean {
    return text.slice(0, this.#opening.length) === this.#opening;
  }

  /** The values of a line; undefined when it has to be parsed. */
  match(text: string): Matched | undefined {
    const found = this.#expression.exec(text);
    if (found === null) {
      this.#misses += 1;
      return undefined;
    }
    this.#hits += 1;
    const version = found.pop();
    found.shift();
    return { values: found, version };
  }

  /** Whether so many lines had to be parsed after all that trying costs more than it saves. */
  get worthless(): boolean {
    return this.#misses > PATIENCE + this.#hits / 4;
  }

  /** The record that the values spell. */
  record(values: Spellings): Row {
    return Object.fromEntries(
      this.properties.map(({ property, spelling }, place) => [property, spelledValue(spelling, values[place])]),
    );
  }
}

/** The value that a spelling stands for. */
export function spelledValue(spelling: Spelling, text: string | undefined): Json {
  if (text === undefined) return null;
  if (spelling === 'number') return Number(text);
  if (spelling === 'boolean') return text === 'true';
  return text.includes('\\') ? (JSON.parse(`"${text}"`) as string) : text;
}

function literal(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|/]/g, '\\$&');
}
