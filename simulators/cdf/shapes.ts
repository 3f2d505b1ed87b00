/** What a body may hold: fields, their types and limits. Limits are those of the CDF API specification. */
import { invalid } from './refusal.ts';

export type Fields = Readonly<Record<string, unknown>>;

/** Says what is wrong with a value; undefined when nothing is. */
export type Check = (value: unknown) => string | undefined;

/** An object that may hold these fields and no others. */
export interface Shape {
  readonly fields: Readonly<Record<string, Check>>;
  readonly required?: readonly string[];
}

/** The largest id: the API keeps to what a double holds exactly. */
const LARGEST_ID = Number.MAX_SAFE_INTEGER;

export function isObject(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** UTF-8 bytes, in which the API counts metadata and string datapoints. */
export function bytesOf(text: string): number {
  return Buffer.byteLength(text, 'utf8');
}

/** A string of so many UTF-16 units, as the API's own language counts characters. */
export function text(most: number, least = 0): Check {
  return (value) => {
    if (typeof value !== 'string') return 'must be a string';
    if (value.length > most) return `at most ${most} characters are allowed, ${value.length} were given`;
    return value.length < least ? `at least ${least} character is needed` : undefined;
  };
}

export function integer(from: number, to: number): Check {
  return (value) =>
    Number.isSafeInteger(value) && Number(value) >= from && Number(value) <= to
      ? undefined
      : `must be an integer from ${from} to ${to}`;
}

export function number(from: number, to: number): Check {
  return (value) =>
    typeof value === 'number' && value >= from && value <= to ? undefined : `must be a number from ${from} to ${to}`;
}

export const id: Check = integer(1, LARGEST_ID);
/** Milliseconds since 1970. */
export const time: Check = integer(0, LARGEST_ID);
export const externalId: Check = text(255, 1);

export const truth: Check = (value) => (typeof value === 'boolean' ? undefined : 'must be true or false');

export function oneOf(...known: readonly unknown[]): Check {
  return (value) => (known.includes(value) ? undefined : `must be one of ${known.join(', ')}`);
}

export function listOf(check: Check, most: number, options: { readonly unique?: boolean } = {}): Check {
  return (value) => {
    if (!Array.isArray(value)) return 'must be an array';
    if (value.length > most) return `at most ${most} elements are allowed, ${value.length} were given`;
    if (options.unique && new Set(value).size < value.length) return 'elements must be unique';
    for (const [index, element] of value.entries()) {
      const problem = check(element);
      if (problem !== undefined) return `[${index}] ${problem}`;
    }
    return undefined;
  };
}

/** First field that the shape does not know. */
export function unknownField(value: Fields, { fields }: Shape): string | undefined {
  return Object.keys(value).find((name) => !Object.hasOwn(fields, name));
}

function wrongField(value: Fields, { fields, required = [] }: Shape): string | undefined {
  const absent = required.find((name) => value[name] === undefined);
  if (absent !== undefined) return `${absent}: is required`;
  for (const [name, content] of Object.entries(value)) {
    const problem = Object.hasOwn(fields, name) ? fields[name]?.(content) : undefined;
    if (problem !== undefined) return `${name}: ${problem}`;
  }
  return undefined;
}

export function object(shape: Shape): Check {
  return (value) => {
    if (!isObject(value)) return 'must be an object';
    const unknown = unknownField(value, shape);
    return unknown === undefined ? wrongField(value, shape) : `${unknown}: unknown field`;
  };
}

/** Refuses an object that does not have its shape. `where` begins the text. */
export function checkShape(value: unknown, shape: Shape, where: string, ignoresUnknown = false): Fields {
  if (!isObject(value)) throw invalid(`${where}: must be an object`);
  const unknown = ignoresUnknown ? undefined : unknownField(value, shape);
  if (unknown !== undefined) throw invalid(`${where}.${unknown}: unknown field`);
  const problem = wrongField(value, shape);
  if (problem !== undefined) throw invalid(`${where}.${problem}`);
  return value;
}

/** Limits of metadata: string keys and string values. */
export interface MetadataLimits {
  readonly valueBytes: number;
  /** Of all keys and values together. */
  readonly totalBytes: number;
}

const KEY_BYTES = 128;
const PAIRS = 256;

export function metadata({ valueBytes, totalBytes }: MetadataLimits): Check {
  return (value) => {
    if (!isObject(value)) return 'must be an object of strings';
    const pairs = Object.entries(value);
    if (pairs.length > PAIRS) return `at most ${PAIRS} pairs are allowed, ${pairs.length} were given`;
    let total = 0;
    for (const [key, content] of pairs) {
      if (typeof content !== 'string') return `${key}: must be a string`;
      const [keySize, size] = [bytesOf(key), bytesOf(content)];
      if (keySize > KEY_BYTES) return `a key may have ${KEY_BYTES} bytes, one has ${keySize}`;
      if (size > valueBytes) return `${key}: at most ${valueBytes} bytes are allowed, ${size} were given`;
      total += keySize + size;
    }
    return total > totalBytes ? `at most ${totalBytes} bytes in total are allowed, ${total} were given` : undefined;
  };
}

/** From and to, both included; `isNull` where a missing value can be asked for. */
export const range: Check = object({ fields: { min: number(0, LARGEST_ID), max: number(0, LARGEST_ID) } });
export const rangeOrNull: Check = object({
  fields: { min: number(0, LARGEST_ID), max: number(0, LARGEST_ID), isNull: truth },
});
