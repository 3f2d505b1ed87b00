/**
 * Vendor rows to records, driven by the stream's schema: the declared type decides how a value is read, because the
 * same field is a number on one endpoint and text on another.
 */
import { timestamp } from '../../singer/io.ts';
import { isObject, isRawNumber, type Json, type Row } from '../../singer/lossless.ts';
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
  return /^\d+$/.test(text) ? text.replace(/^0+(?=\d)/, '') : text;
}

function integer(value: Json): Json | undefined {
  if (typeof value === 'boolean') return value ? 1 : 0;
  const text = textOf(value);
  if (text === '') return null;
  if (text === undefined || !/^-?\d+$/.test(text)) return undefined;
  const number = Number(text);
  return Number.isSafeInteger(number) ? number : JSON.rawJSON(text);
}

function time(value: Json): Json | undefined {
  const text = textOf(value);
  if (text === undefined) return undefined;
  if (text === '' || text === '-1' || text === '0') return null;
  if (/^\d+$/.test(text)) {
    const number = Number(text);
    const ms = number < SECONDS_BELOW ? number * 1000 : number;
    return ms <= 8.64e15 ? timestamp(ms) : undefined;
  }
  const match = ISO_TIME.exec(text);
  if (match === null) return undefined;
  // Without an offset it is UTC, whatever the zone of the machine that reads it.
  const instant = Date.parse(`${match[1]}T${match[2] ?? '00:00'}${match[3] ?? 'Z'}`);
  return Number.isNaN(instant) ? undefined : timestamp(instant);
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

function readerOf(schema: JsonSchema): (value: Json) => Json | undefined {
  const types = [schema.type ?? []].flat();
  if (schema['x-kind'] === 'id') return id;
  if (schema.format === 'date-time') return time;
  if (types.includes('integer')) return integer;
  if (types.includes('boolean')) return boolean;
  if (types.includes('object')) return (value) => (isObject(value) ? value : undefined);
  return string;
}

/** Finds a field by its exact (possibly dotted) name, else by following the dots. An empty name is the whole row. */
function field(row: VendorRow, name: string): Json | undefined {
  if (name === '') return row;
  if (name in row) return row[name];
  const [head = '', ...rest] = name.split('.');
  const inner = row[head];
  return rest.length > 0 && isObject(inner) ? field(inner, rest.join('.')) : undefined;
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
    .map(([name, node]) => ({
      name,
      sources: (node['x-source'] as readonly string[] | undefined) ?? [name],
      absent: new Set<Json>([ABSENT, ...((node['x-null'] as readonly string[] | undefined) ?? [])]),
      read: readerOf(node),
    }));
  const keys = key.filter((name) => !(name in snapshot));
  return (row) => {
    const record: Record<string, Json> = {};
    for (const { name, sources, absent, read } of readers) {
      let value: Json | undefined;
      for (const source of sources) {
        value = field(row, source);
        if (value !== undefined && value !== null && !absent.has(value)) break;
      }
      if (value === undefined || value === null || absent.has(value)) {
        record[name] = null;
        continue;
      }
      const result = read(value);
      if (result === undefined) onUnreadable(name, value);
      record[name] = result ?? null;
    }
    for (const name of keys) if (record[name] === null) return undefined;
    return { ...record, ...snapshot };
  };
}

/** Keywords that steer the conversion and mean nothing to whoever receives the schema. */
const INTERNAL = new Set(['x-source', 'x-kind', 'x-null']);

/** The schema as it is published: without the conversion's own keywords. */
export function publishedSchema(schema: JsonSchema): JsonSchema {
  const properties = Object.fromEntries(
    Object.entries(schema.properties ?? {}).map(([name, node]) => [
      name,
      Object.fromEntries(Object.entries(node).filter(([keyword]) => !INTERNAL.has(keyword))),
    ]),
  );
  const { $schema, title, ...rest } = schema;
  return { ...rest, properties };
}
