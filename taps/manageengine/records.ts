/**
 * Vendor rows to records, driven by the stream's schema: the declared type decides how a value is read, because the
 * same field is a number on one endpoint and text on another.
 */
import { timestamp } from '../../singer/io.ts';
import { exactNumber, isObject, isRawNumber, type Json, type Row } from '../../singer/lossless.ts';
import type { JsonSchema } from '../../singer/messages.ts';

type VendorRow = { readonly [key: string]: Json };

/** What every record of a snapshot carries. */
export interface SnapshotFields {
  readonly snapshot_id: number;
  readonly extracted_at: string;
}

/** Told of a value that the declared type cannot hold; it became null. */
export type OnUnreadable = (property: string, value: Json) => void;

/** The vendor's word for "no value"; `-`, `NA` and the like are declared per property with `x-null`. */
const ABSENT = '--';

/** Live data is in milliseconds, some fixtures and older builds send ten-digit seconds. */
const SECONDS_BELOW = 1e11;

function textOf(value: Json): string | undefined {
  if (typeof value === 'string') return value.trim();
  if (typeof value === 'number') return String(value);
  return isRawNumber(value) ? value.rawJSON : undefined;
}

/** An id as decimal digits without leading zeros; other text is kept as it is. */
function id(value: Json): Json | undefined {
  const text = textOf(value);
  if (text === undefined || text === '') return text === '' ? null : undefined;
  return text.startsWith('0') && /^\d+$/.test(text) ? text.replace(/^0+(?=\d)/, '') : text;
}

function integer(value: Json): Json | undefined {
  if (Number.isSafeInteger(value)) return value;
  if (typeof value === 'boolean') return value ? 1 : 0;
  const text = textOf(value);
  if (text === '') return null;
  if (text === undefined || !/^-?\d+$/.test(text)) return undefined;
  const number = Number(text);
  return Number.isSafeInteger(number) ? number : JSON.rawJSON(text);
}

function number(value: Json): Json | undefined {
  if (typeof value === 'number' || isRawNumber(value)) return value;
  const text = textOf(value);
  if (text === undefined) return undefined;
  if (text === '') return null;
  return /^-?(?:0|[1-9]\d*)(?:\.\d+)?$/.test(text) ? exactNumber(text) : undefined;
}

function time(value: Json): Json | undefined {
  if (typeof value === 'number') return epoch(value);
  const text = textOf(value);
  if (text === undefined) return undefined;
  if (text === '') return null;
  if (/^-?\d+$/.test(text)) return epoch(Number(text));
  const match = ISO_TIME.exec(text);
  if (match === null) return undefined;
  // Without an offset it is UTC, whatever the zone of the machine that reads it.
  const instant = Date.parse(`${match[1]}T${match[2] ?? '00:00'}${match[3] ?? 'Z'}`);
  return Number.isNaN(instant) ? undefined : timestamp(instant);
}

/** Epoch milliseconds, or seconds where the number is too small for them; -1 and 0 stand for "never". */
function epoch(number: number): Json | undefined {
  if (number === -1 || number === 0) return null;
  const ms = number < SECONDS_BELOW ? number * 1000 : number;
  return Number.isInteger(number) && ms > 0 && ms <= 8.64e15 ? timestamp(ms) : undefined;
}

const ISO_TIME = /^(\d{4}-\d{2}-\d{2})(?:[T ](\d{2}:\d{2}(?::\d{2}(?:\.\d+)?)?)\s*(Z|[+-]\d{2}:?\d{2})?)?$/;

function boolean(value: Json): Json | undefined {
  if (typeof value === 'boolean') return value;
  const text = textOf(value)?.toLowerCase();
  if (text === '') return null;
  return text === 'true' || text === '1' ? true : text === 'false' || text === '0' ? false : undefined;
}

function string(value: Json): Json | undefined {
  if (typeof value === 'string') return value;
  if (typeof value === 'boolean') return String(value);
  return textOf(value) ?? JSON.stringify(value);
}

/** A list of ids; placeholders in it are left out. */
function ids(value: Json): Json | undefined {
  if (!Array.isArray(value)) return value === '' ? null : undefined;
  const read: Json[] = [];
  for (const element of value as readonly Json[]) {
    const one = element === null || element === ABSENT ? null : id(element);
    if (one === undefined) return undefined;
    if (one !== null) read.push(one);
  }
  return read;
}

function readerOf(schema: JsonSchema): (value: Json) => Json | undefined {
  const types = [schema.type ?? []].flat();
  if (schema['x-kind'] === 'id') return id;
  if (schema.format === 'date-time') return time;
  if (types.includes('integer')) return integer;
  if (types.includes('number')) return number;
  if (types.includes('boolean')) return boolean;
  if (types.includes('object')) return (value) => (isObject(value) ? value : undefined);
  if (types.includes('array')) return ids;
  return string;
}

/** Finds a field by its exact (possibly dotted) name, else by following the dots. An empty name is the whole row. */
function field(row: VendorRow, name: string): Json | undefined {
  const value = row[name];
  if (value !== undefined) return value;
  if (name === '') return row;
  const dot = name.indexOf('.');
  if (dot < 0) return undefined;
  const inner = row[name.slice(0, dot)];
  return isObject(inner) ? field(inner, name.slice(dot + 1)) : undefined;
}

/** How one property is read. */
interface Reader {
  readonly name: string;
  readonly source: string;
  /** Looked at in turn when the first source holds nothing. */
  readonly others: readonly string[];
  /** Placeholders beside `--`, if there are any. */
  readonly absent: ReadonlySet<Json> | undefined;
  /** Undefined for plain text, which most properties are: text is taken as it is without a call. */
  readonly read: ((value: Json) => Json | undefined) | undefined;
}

function compiled(name: string, node: JsonSchema): Reader {
  const [source = name, ...others] = (node['x-source'] as readonly string[] | undefined) ?? [name];
  const placeholders = (node['x-null'] as readonly string[] | undefined) ?? [];
  const read = readerOf(node);
  return {
    name,
    source,
    others,
    absent: placeholders.length === 0 ? undefined : new Set<Json>(placeholders),
    read: read === string ? undefined : read,
  };
}

/** The first value among the sources that says something; null when none does. */
function firstValue(row: VendorRow, { source, others, absent }: Reader): Json {
  let value = field(row, source);
  for (let next = 0; ; next += 1) {
    if (value !== undefined && value !== null && value !== ABSENT && absent?.has(value) !== true) return value;
    const other = others[next];
    if (other === undefined) return null;
    value = field(row, other);
  }
}

/**
 * Compiles the conversion of one stream. Placeholders become null, a missing field null, a value that cannot be read
 * null with a word to `onUnreadable`. Returns undefined for a row without its key.
 */
export function recordReader(
  schema: JsonSchema,
  key: readonly string[],
  snapshot: SnapshotFields,
  onUnreadable: OnUnreadable,
): (row: VendorRow) => Row | undefined {
  const readers = Object.entries(schema.properties ?? {})
    .filter(([name]) => !(name in snapshot))
    .map(([name, node]) => compiled(name, node));
  const keys = key.filter((name) => !(name in snapshot));
  // Each record is a copy of one object that has all properties already: made and written
  // as JSON that takes a tenth less time than adding them one by one (45 properties, Node 26).
  const empty: Record<string, Json> = { ...Object.fromEntries(readers.map(({ name }) => [name, null])), ...snapshot };
  return (row) => {
    const record = { ...empty };
    for (const reader of readers) {
      const { name, read, absent } = reader;
      const first = row[reader.source];
      // Most values are plain and stand where they are looked for: they are not worth a call.
      const plain =
        absent === undefined && (typeof first === 'number' || (typeof first === 'string' && first !== ABSENT));
      const value = plain ? first : firstValue(row, reader);
      if (value === null) continue;
      if (read === undefined && typeof value === 'string') {
        record[name] = value;
        continue;
      }
      const result = (read ?? string)(value);
      if (result === undefined) onUnreadable(name, value);
      else record[name] = result;
    }
    for (const name of keys) if (record[name] === null) return undefined;
    return record;
  };
}

/** Keywords that steer the conversion and mean nothing to whoever receives the schema. */
const INTERNAL = new Set(['x-source', 'x-kind', 'x-null', 'x-optional']);

/** The schema as it is published: without the conversion's own keywords. */
export function publishedSchema(schema: JsonSchema): JsonSchema {
  const properties = Object.fromEntries(
    Object.entries(schema.properties ?? {}).map(([name, node]) => [
      name,
      Object.fromEntries(Object.entries(node).filter(([keyword]) => !INTERNAL.has(keyword))),
    ]),
  );
  const { $schema, title, 'x-left-out': leftOut, ...rest } = schema;
  return { ...rest, properties };
}
