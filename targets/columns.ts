/**
 * JSON Schema to column kinds, the same for every SQL store; a store says what type it declares for each kind.
 * Nothing here fails: what cannot be understood is `json`, which holds any value.
 */
import { isRawNumber } from '../singer/lossless.ts';
import type { JsonSchema } from '../singer/messages.ts';
import { DELETED_AT, TABLE_VERSION, withColumns } from '../singer/metadata.ts';

/**
 * - `big_integer`: an integer whose bounds go beyond 64 bit.
 * - `decimal`: digits matter (money); may come as a number or as text.
 * - `local_date_time`: a date-time that stands for what a clock on a wall showed, in no known zone (`x-sd: {"naive": true}`).
 * - `json`: objects, arrays, anything without a type.
 */
export type ColumnKind =
  | 'boolean'
  | 'integer'
  | 'big_integer'
  | 'number'
  | 'decimal'
  | 'text'
  | 'date_time'
  | 'local_date_time'
  | 'date'
  | 'time'
  | 'json';

/** One property and the kind of column that it needs. */
export interface PropertyColumn {
  readonly property: string;
  readonly kind: ColumnKind;
}

/** The columns that a stream's schema asks for, in schema order. */
export function columnsOf(schema: JsonSchema): readonly PropertyColumn[] {
  return Object.entries(schema.properties ?? {}).map(([property, node]) => ({
    property,
    kind: union(kinds(node, schema, [])),
  }));
}

/**
 * `_sdc_…` columns from earlier runs that this run does not ask for. They are written all the same: a row that comes
 * again loses its stamp, and one without a version does not keep the version of a former reading.
 */
export function keptColumns(schema: JsonSchema, existing: readonly string[]): readonly PropertyColumn[] {
  return [DELETED_AT, TABLE_VERSION]
    .filter((property) => !Object.hasOwn(schema.properties ?? {}, property) && existing.includes(property))
    .flatMap((property) => columnsOf(withColumns({}, [property])));
}

/**
 * The column lists of the indexes that a schema asks for (`x-indexes`), by the names that `nameOf` gives its properties.
 * An index over a property that was not selected has nothing to index and is left out.
 */
export function indexGroups(
  schema: JsonSchema,
  nameOf: (property: string) => string | undefined,
): readonly (readonly string[])[] {
  const wanted = schema['x-indexes'];
  if (!Array.isArray(wanted)) return [];
  return wanted.flatMap((group: unknown) => {
    if (!Array.isArray(group) || group.length === 0) return [];
    const names = group.map((property) => nameOf(String(property)));
    return names.every((name) => name !== undefined) ? [names] : [];
  });
}

const INT64_MAX = 2n ** 63n - 1n;
const INT64_MIN = -(2n ** 63n);
/** Kinds whose values are texts and are kept as they came. */
export const TEXTUAL: ReadonlySet<ColumnKind> = new Set(['text', 'date_time', 'local_date_time', 'date', 'time']);
const NUMERIC: ReadonlySet<ColumnKind> = new Set(['integer', 'big_integer', 'number', 'decimal']);

/** The one kind that holds values of all given kinds without loss. */
function union(found: ReadonlySet<ColumnKind>): ColumnKind {
  const [first, ...others] = found;
  // Nothing but null: no value will tell what the column should have been.
  if (first === undefined) return 'json';
  if (others.length === 0) return first;
  if (found.has('json')) return 'json';
  const all = [...found];
  if (all.every((kind) => NUMERIC.has(kind))) {
    if (!found.has('number') && !found.has('decimal')) return 'big_integer';
    return found.has('decimal') || found.has('big_integer') ? 'decimal' : 'number';
  }
  // A date-time beside plain text must stay text, or the first value that is no date would fail.
  if (all.every((kind) => TEXTUAL.has(kind))) return 'text';
  return 'text';
}

/** All kinds a node allows. `path` holds the references already followed, to cut recursion. */
function kinds(node: unknown, root: JsonSchema, path: readonly string[]): Set<ColumnKind> {
  if (!isNode(node)) return new Set(['json']);
  if (typeof node.$ref === 'string') {
    const target = resolve(node.$ref, root);
    if (path.includes(node.$ref) || !isNode(target)) return new Set(['json']);
    const { $ref, ...rest } = node;
    return kinds({ ...target, ...rest }, root, [...path, $ref as string]);
  }
  if (Array.isArray(node.allOf)) {
    const { allOf, ...rest } = node;
    const parts = allOf.map((part) => dereferenced(part, root, path));
    return kinds(Object.assign({}, ...parts, rest) as JsonSchema, root, [...path, ...allOf.flatMap(refOf)]);
  }
  const choices = node.anyOf ?? node.oneOf;
  if (Array.isArray(choices)) {
    const { anyOf: _any, oneOf: _one, ...rest } = node;
    return new Set(choices.flatMap((choice) => [...kinds(merged(rest, choice), root, path)]));
  }
  return ofTypes(node);
}

function isNode(node: unknown): node is JsonSchema {
  return typeof node === 'object' && node !== null && !Array.isArray(node);
}

function merged(rest: JsonSchema, choice: unknown): unknown {
  return isNode(choice) ? { ...rest, ...choice } : choice;
}

function refOf(part: unknown): readonly string[] {
  return isNode(part) && typeof part.$ref === 'string' ? [part.$ref] : [];
}

function dereferenced(part: unknown, root: JsonSchema, path: readonly string[]): unknown {
  const [ref] = refOf(part);
  return ref === undefined || path.includes(ref) ? part : resolve(ref, root);
}

/** A local reference (`#/$defs/name`); anything else is not fetched. */
function resolve(ref: string, root: JsonSchema): unknown {
  if (!ref.startsWith('#')) return undefined;
  let node: unknown = root;
  for (const step of ref.slice(1).split('/').slice(1)) {
    const name = decodeURIComponent(step).replaceAll('~1', '/').replaceAll('~0', '~');
    if (typeof node !== 'object' || node === null || !Object.hasOwn(node, name)) return undefined;
    node = (node as Readonly<Record<string, unknown>>)[name];
  }
  return node;
}

function ofTypes(node: JsonSchema): Set<ColumnKind> {
  const types = node.type === undefined ? inferred(node) : typeof node.type === 'string' ? [node.type] : node.type;
  return new Set(types.filter((type) => type !== 'null').map((type) => ofType(type, node)));
}

/** `enum` and `const` tell the type when nothing else does. */
function inferred(node: JsonSchema): readonly string[] {
  const values = Array.isArray(node.enum) ? node.enum : 'const' in node ? [node.const] : undefined;
  if (values === undefined) return ['any'];
  return values.map((value) => {
    if (value === null) return 'null';
    if (typeof value === 'number') return Number.isInteger(value) ? 'integer' : 'number';
    return isRawNumber(value) ? 'number' : typeof value;
  });
}

function ofType(type: string, node: JsonSchema): ColumnKind {
  switch (type) {
    case 'boolean':
      return 'boolean';
    case 'integer':
      return beyond64(node) ? 'big_integer' : 'integer';
    case 'number':
      return isDecimal(node) || isStep(node.multipleOf) ? 'decimal' : 'number';
    case 'string':
      if (isDecimal(node)) return 'decimal';
      if (node.format === 'date-time') return isLocal(node) ? 'local_date_time' : 'date_time';
      if (node.format === 'date') return 'date';
      return node.format === 'time' ? 'time' : 'text';
    default:
      return 'json';
  }
}

/** Both spellings that SDK taps use, and what a profiled column was decided to be. */
function isDecimal(node: JsonSchema): boolean {
  return (
    node.format === 'singer.decimal' ||
    node.format === 'x-singer.decimal' ||
    node['x-singer.decimal'] === true ||
    decided(node).pg === 'numeric'
  );
}

function isLocal(node: JsonSchema): boolean {
  return decided(node).naive === true || decided(node).pg === 'timestamp';
}

/** What `tap-servicedesk-sqlite` found out about a column beyond its JSON type. */
function decided(node: JsonSchema): { readonly [finding: string]: unknown } {
  const found = node['x-sd'];
  return isNode(found) ? found : {};
}

/** `multipleOf: 0.01` is the old Singer way to say decimal. */
function isStep(multipleOf: unknown): boolean {
  return isRawNumber(multipleOf) || (typeof multipleOf === 'number' && !Number.isInteger(multipleOf));
}

function beyond64(node: JsonSchema): boolean {
  const bounds = [node.minimum, node.maximum, node.exclusiveMinimum, node.exclusiveMaximum];
  return bounds.some((bound) => {
    if (isRawNumber(bound)) {
      if (!/^-?\d+$/.test(bound.rawJSON)) return true;
      const value = BigInt(bound.rawJSON);
      return value > INT64_MAX + 1n || value < INT64_MIN - 1n;
    }
    // 2^63 as a double stands for the bound that writers without big integers mean by "64 bit".
    return typeof bound === 'number' && (bound > 2 ** 63 || bound < -(2 ** 63));
  });
}
