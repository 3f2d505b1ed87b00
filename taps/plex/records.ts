/** Vendor rows to records: every declared property, what Plex added since as it came, and the tap's own fields. */
import { exactNumber, isObject, isRawNumber, type Json, type Row } from '../../singer/lossless.ts';
import type { JsonSchema } from '../../singer/messages.ts';
import { sortable } from './dates.ts';

export type VendorRow = { readonly [field: string]: Json };

/** What every record carries. */
export interface Stamp {
  readonly _pcn: string;
  readonly _syncedAt: string;
}

/** Told of a value that the declared type cannot hold; it became null. */
export type OnUnreadable = (property: string) => void;

const RFC3339 = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(?:\.\d+)?(?:Z|[+-]\d{2}:\d{2})$/;

function asNumber(value: Json): Json | undefined {
  if (typeof value === 'number' || isRawNumber(value)) return value;
  return typeof value === 'string' && /^-?\d+(?:\.\d+)?$/.test(value) ? exactNumber(value) : undefined;
}

function asInteger(value: Json): Json | undefined {
  const number = asNumber(value);
  if (typeof number === 'number') return Number.isInteger(number) ? number : undefined;
  return number !== undefined && isRawNumber(number) && /^-?\d+$/.test(number.rawJSON) ? number : undefined;
}

function asDate(value: Json): Json | undefined {
  if (typeof value !== 'string') return undefined;
  if (value === '') return null;
  if (RFC3339.test(value)) return value;
  // Plex documents that the seconds may be missing; a date-time without them is none.
  return sortable(value)?.replace('.0000000', '');
}

function asText(value: Json): Json | undefined {
  if (typeof value === 'string') return value;
  if (isRawNumber(value)) return value.rawJSON;
  return typeof value === 'object' ? JSON.stringify(value) : String(value);
}

function readerOf(node: JsonSchema): (value: Json) => Json | undefined {
  const types = [node.type ?? []].flat();
  if (node.format === 'date-time') return asDate;
  if (types.includes('integer')) return asInteger;
  if (types.includes('number')) return asNumber;
  if (types.includes('boolean')) return (value) => (typeof value === 'boolean' ? value : undefined);
  if (types.includes('object')) return (value) => (isObject(value) ? value : undefined);
  if (types.includes('array')) return (value) => (Array.isArray(value) ? value : undefined);
  return asText;
}

/** The schema of an object's own properties, for the one level that Plex nests. */
function nestedReader(node: JsonSchema, onUnreadable: OnUnreadable, name: string): (value: Json) => Json | undefined {
  const inner = Object.entries(node.properties ?? {}).map(([field, each]) => [field, readerOf(each)] as const);
  if (inner.length === 0) return readerOf(node);
  return (value) => {
    if (!isObject(value)) return undefined;
    const read: Record<string, Json> = { ...value };
    for (const [field, reader] of inner) {
      const given = value[field] ?? null;
      const result = given === null ? null : reader(given);
      if (result === undefined) onUnreadable(`${name}.${field}`);
      read[field] = result ?? null;
    }
    return read;
  };
}

/**
 * Compiles the conversion of one stream. A missing field is null; so is a value that the declared type cannot hold, with a
 * word to `onUnreadable`: one odd cell of a tenant must not stop a load. Undefined for a row without its key.
 */
export function recordReader(
  schema: JsonSchema,
  key: readonly string[],
  stamp: Stamp,
  onUnreadable: OnUnreadable,
): (row: VendorRow) => Row | undefined {
  const declared = Object.entries(schema.properties ?? {}).filter(([name]) => !Object.hasOwn(stamp, name));
  const readers = declared.map(([name, node]) => [name, nestedReader(node, onUnreadable, name)] as const);
  const known = new Set(declared.map(([name]) => name));
  return (row) => {
    const record: Record<string, Json> = {};
    for (const [name, read] of readers) {
      const value = row[name];
      if (value === undefined || value === null) {
        record[name] = null;
        continue;
      }
      const result = read(value);
      if (result === undefined) onUnreadable(name);
      record[name] = result ?? null;
    }
    for (const name of key) if ((record[name] ?? null) === null) return undefined;
    record._pcn = stamp._pcn;
    record._syncedAt = stamp._syncedAt;
    for (const name of Object.keys(row))
      if (!known.has(name) && !Object.hasOwn(stamp, name)) record[name] = row[name] ?? null;
    return record;
  };
}

/** The vendor's rows of a group that are objects. */
export function objectsIn(values: readonly Json[]): readonly VendorRow[] {
  return values.filter(isObject);
}
