/** Discovery output and selection. */
import { readFile } from 'node:fs/promises';
import { nearest } from './config.ts';
import { ConnectorError, textOf } from './errors.ts';
import { isObject, type Json, jsonProblem, parseLossless, type Row, withoutBom } from './lossless.ts';
import type { JsonSchema } from './messages.ts';
import type { Selected, StreamChoice, StreamDeclaration } from './stream.ts';

type Metadata = { readonly [key: string]: Json };

interface MetadataEntry {
  readonly breadcrumb: readonly string[];
  readonly metadata: Metadata;
}

/** One stream of a catalog file. */
export interface CatalogEntry {
  readonly tap_stream_id: string;
  readonly stream: string;
  readonly schema: JsonSchema;
  readonly key_properties: readonly string[];
  readonly replication_method?: string;
  readonly replication_key?: string;
  readonly metadata: readonly MetadataEntry[];
}

export interface Catalog {
  readonly streams: readonly CatalogEntry[];
}

function propertyEntries(
  schema: JsonSchema,
  automatic: ReadonlySet<string>,
  facts: { readonly [property: string]: Metadata } = {},
  above: readonly string[] = [],
): MetadataEntry[] {
  return Object.entries(schema.properties ?? {}).flatMap(([name, node]) => {
    const breadcrumb = [...above, 'properties', name];
    const inclusion = above.length === 0 && automatic.has(name) ? 'automatic' : 'available';
    const known = above.length === 0 && Object.hasOwn(facts, name) ? facts[name] : undefined;
    return [{ breadcrumb, metadata: { inclusion, ...known } }, ...propertyEntries(node, automatic, {}, breadcrumb)];
  });
}

function catalogEntry(stream: StreamDeclaration): CatalogEntry {
  const automatic = new Set(
    stream.automatic ? Object.keys(stream.schema.properties ?? {}) : [...stream.key, ...(stream.bookmarks ?? [])],
  );
  return {
    tap_stream_id: stream.name,
    stream: stream.name,
    schema: stream.schema,
    key_properties: stream.key,
    replication_method: stream.replication,
    ...(stream.replicationKeys !== undefined &&
      stream.bookmarks?.[0] !== undefined && { replication_key: stream.bookmarks[0] }),
    metadata: [
      {
        breadcrumb: [],
        metadata: {
          inclusion: stream.automatic ? 'automatic' : 'available',
          'selected-by-default': stream.selectedByDefault || stream.automatic === true,
          'table-key-properties': stream.key,
          ...replicationOf(stream),
          ...stream.facts?.stream,
        },
      },
      ...propertyEntries(stream.schema, automatic, stream.facts?.properties),
    ],
  };
}

function replicationOf({ replication, replicationKeys, bookmarks }: StreamDeclaration): Metadata {
  if (replicationKeys !== undefined) return { 'valid-replication-keys': replicationKeys };
  return {
    'forced-replication-method': replication,
    ...(bookmarks !== undefined && { 'valid-replication-keys': bookmarks }),
  };
}

/** The catalog of static streams, ordered by name; every property has its own metadata entry (Meltano needs that to let users deselect it). */
export function catalogOf(streams: readonly StreamDeclaration[]): Catalog {
  return { streams: [...streams].sort((a, b) => (a.name < b.name ? -1 : 1)).map(catalogEntry) };
}

/** Reads a catalog file. @throws ConnectorError `config` when it is not a catalog. */
export async function readCatalog(path: string): Promise<Catalog> {
  let value: Json;
  try {
    value = parseLossless(withoutBom(await readFile(path, 'utf8')));
  } catch (cause) {
    throw new ConnectorError(
      'config',
      `cannot read the catalog ${path}: ${cause instanceof SyntaxError ? jsonProblem(cause) : textOf(cause)}`,
      { path },
      { cause },
    );
  }
  if (!isObject(value) || !Array.isArray(value.streams)) {
    throw new ConnectorError(
      'config',
      `${path} is not a catalog: it has no list "streams"`,
      { path },
      {
        hint: 'start from the output of --discover',
      },
    );
  }
  const misshapen = value.streams.findIndex((entry) => !isEntry(entry));
  if (misshapen !== -1) {
    throw new ConnectorError(
      'config',
      `${path} is not a catalog: entry ${misshapen + 1} of "streams" needs a "tap_stream_id", and "metadata" must be a list of {"breadcrumb": [names], "metadata": {…}}`,
      { path },
      { hint: 'start from the output of --discover' },
    );
  }
  return value as unknown as Catalog;
}

function isEntry(entry: Json): boolean {
  if (!isObject(entry) || typeof (entry.tap_stream_id ?? entry.stream) !== 'string') return false;
  const { metadata } = entry;
  if (metadata === undefined || metadata === null) return true;
  return (
    Array.isArray(metadata) &&
    metadata.every((item) => isObject(item) && Array.isArray(item.breadcrumb) && isObject(item.metadata))
  );
}

/** Hand-written catalogs hold `"true"` as often as `true`; anything else is a slip worth an error. */
function flag(value: Json | undefined, where: string): boolean | undefined {
  if (value === undefined || value === null) return undefined;
  if (value === true || value === 'true') return true;
  if (value === false || value === 'false') return false;
  throw new ConnectorError(
    'config',
    `the catalog says ${JSON.stringify(value)} for "selected" of ${where}`,
    {},
    {
      hint: 'write true or false',
    },
  );
}

function chosen(metadata: Metadata | undefined, where: string): boolean | undefined {
  return flag(metadata?.selected, where) ?? flag(metadata?.['selected-by-default'], where);
}

/**
 * What is left of a schema after selection: `unsupported` and children of what is out are out, `automatic` is in, else
 * `selected`, else `selected-by-default`, else as the parent. Returns undefined when nothing is left.
 */
function prune(
  schema: JsonSchema,
  find: (breadcrumb: string) => Metadata | undefined,
  always: ReadonlySet<string>,
  stream: string,
  above: readonly string[] = [],
): JsonSchema | undefined {
  if (schema.properties === undefined) return schema;
  const kept = new Map<string, JsonSchema>();
  for (const [name, node] of Object.entries(schema.properties)) {
    const breadcrumb = [...above, 'properties', name];
    const metadata = find(JSON.stringify(breadcrumb));
    const inclusion = metadata?.inclusion;
    const where = `${stream}.${breadcrumb.filter((_, index) => index % 2 === 1).join('.')}`;
    const key = above.length === 0 && always.has(name);
    if (!key) {
      if (inclusion === 'unsupported') continue;
      if (
        inclusion !== 'automatic' &&
        (chosen(metadata, where) ?? flag(node.selected as Json | undefined, where)) === false
      )
        continue;
    }
    const inner = prune(node, find, new Set(), stream, breadcrumb);
    if (inner !== undefined) kept.set(name, inner);
  }
  if (kept.size === 0 && Object.keys(schema.properties).length > 0 && above.length > 0) return undefined;
  const required = schema.required?.filter((name) => kept.has(name));
  // Not by assignment: a property may be called __proto__.
  return { ...schema, properties: Object.fromEntries(kept), ...(required !== undefined && { required }) };
}

/** A user's schema may leave keys out; they are in whatever the catalog says. */
function withKeys(
  schema: JsonSchema,
  { schema: declared }: StreamDeclaration,
  always: ReadonlySet<string>,
): JsonSchema {
  const missing = [...always].filter((name) => schema.properties?.[name] === undefined);
  if (missing.length === 0) return schema;
  const added = missing.flatMap((name) => {
    const node = declared.properties?.[name];
    return node === undefined ? [] : [[name, node] as const];
  });
  return { ...schema, properties: { ...Object.fromEntries(added), ...schema.properties } };
}

function wholeStream(declaration: StreamDeclaration): Selected {
  return { declaration, schema: declaration.schema, key: declaration.key };
}

/** True when `name` matches a pattern with `*` and `?`. */
function matches(pattern: string, name: string): boolean {
  const source = pattern
    .replace(/[.+^${}()|[\]\\]/g, '\\$&')
    .replaceAll('*', '.*')
    .replaceAll('?', '.');
  return new RegExp(`^${source}$`).test(name);
}

/**
 * The streams to read: from the catalog if one is given, else from the `streams` setting (names or globs), else each
 * stream's default. Streams that a catalog does not name are deselected. Bookkeeping streams are always in.
 * @throws ConnectorError `config` when a selected stream is unknown.
 */
export function select(
  streams: readonly StreamDeclaration[],
  catalog: Catalog | undefined,
  wanted: readonly string[] | undefined,
): readonly Selected[] {
  if (catalog !== undefined) return fromCatalog(streams, catalog);
  if (wanted === undefined) return streams.filter((s) => s.selectedByDefault || s.automatic).map(wholeStream);
  const choosable = streams.filter((s) => !s.automatic).map(({ name }) => name);
  for (const pattern of wanted) {
    if (choosable.some((name) => matches(pattern, name)) || streams.some(({ name }) => name === pattern)) continue;
    throw unknownStream(pattern, choosable, 'the setting "streams"');
  }
  return streams.filter((s) => s.automatic || wanted.some((pattern) => matches(pattern, s.name))).map(wholeStream);
}

function unknownStream(name: string, known: readonly string[], where: string): ConnectorError {
  const near = nearest(name, known);
  return new ConnectorError(
    'config',
    `${where} names the stream "${name}", which does not exist`,
    { stream: name },
    {
      hint: near === undefined ? `known streams: ${known.join(', ')}` : `did you mean "${near}"?`,
    },
  );
}

/**
 * Tells of streams that are yet to be discovered whether `select` will take their schema: from the same catalog and the
 * same setting.
 */
export function schemaNeeded(catalog: Catalog | undefined, wanted: readonly string[] | undefined): StreamChoice {
  if (catalog !== undefined) {
    const bare = catalog.streams.filter((entry) => isSelected(entry) && !hasSchema(entry)).map(nameOf);
    return (stream) => bare.includes(stream);
  }
  return (stream, selectedByDefault) =>
    wanted === undefined ? selectedByDefault : wanted.some((pattern) => matches(pattern, stream));
}

function nameOf(entry: CatalogEntry): string {
  return entry.tap_stream_id ?? entry.stream;
}

function hasSchema({ schema }: CatalogEntry): boolean {
  return isObject(schema) && schema.properties !== undefined;
}

function rootOf({ metadata }: CatalogEntry): Metadata | undefined {
  return metadata?.find(({ breadcrumb }) => breadcrumb.length === 0)?.metadata;
}

function isSelected(entry: CatalogEntry): boolean {
  const legacy = flag(
    (entry as unknown as Metadata).selected ?? (entry.schema?.selected as Json | undefined),
    entry.stream,
  );
  if ((entry.metadata ?? []).length === 0) return legacy ?? true;
  return chosen(rootOf(entry), entry.stream) ?? legacy ?? false;
}

/**
 * The stream as the catalog wants it read, where there is a choice: whole or by a replication key, and which properties
 * name a row that nothing in the source names.
 * @throws ConnectorError `config` for a method or a key that the stream does not have.
 */
function asChosen(declaration: StreamDeclaration, entry: CatalogEntry): StreamDeclaration {
  const { name, replicationKeys, schema } = declaration;
  if (replicationKeys === undefined) return declaration;
  const root = rootOf(entry);
  const refuse = (problem: string, hint: string) =>
    new ConnectorError('config', `the catalog ${problem}`, { stream: name }, { hint });
  const key = [root?.['view-key-properties'], entry.key_properties].find(isFilledList)?.map(String) ?? declaration.key;
  for (const property of key) {
    if (Object.hasOwn(schema.properties ?? {}, property)) continue;
    throw refuse(`names the key "${property}" for "${name}"`, 'a key is made of properties of the stream');
  }
  const method = String(root?.['replication-method'] ?? entry.replication_method ?? declaration.replication);
  if (method.toUpperCase() === 'FULL_TABLE') {
    const { bookmarks: _none, ...whole } = declaration;
    return { ...whole, key, replication: 'FULL_TABLE' };
  }
  if (method.toUpperCase() !== 'INCREMENTAL') {
    throw refuse(`wants ${method} for "${name}"`, 'this source can be read by FULL_TABLE or INCREMENTAL');
  }
  const bookmark = root?.['replication-key'] ?? entry.replication_key ?? declaration.bookmarks?.[0];
  if (typeof bookmark !== 'string' || !replicationKeys.includes(bookmark)) {
    const keys = replicationKeys.length === 0 ? 'it has none: use FULL_TABLE' : replicationKeys.join(', ');
    const given = typeof bookmark === 'string' ? `by "${bookmark}"` : 'without a replication-key';
    throw refuse(`wants INCREMENTAL ${given} for "${name}"`, `valid replication keys: ${keys}`);
  }
  return { ...declaration, key, replication: 'INCREMENTAL', bookmarks: [bookmark] };
}

function isFilledList(value: Json | readonly string[] | undefined): value is readonly Json[] {
  return Array.isArray(value) && value.length > 0;
}

function fromCatalog(streams: readonly StreamDeclaration[], catalog: Catalog): readonly Selected[] {
  const byName = new Map(catalog.streams.map((entry) => [nameOf(entry), entry]));
  for (const [name, entry] of byName) {
    if (!streams.some((stream) => stream.name === name) && isSelected(entry)) {
      throw unknownStream(
        name,
        streams.map((stream) => stream.name),
        'the catalog',
      );
    }
  }
  return streams.flatMap((found) => {
    if (found.automatic) return [wholeStream(found)];
    const entry = byName.get(found.name);
    if (entry === undefined || !isSelected(entry)) return [];
    const declaration = asChosen(found, entry);
    const metadata = new Map((entry.metadata ?? []).map((item) => [JSON.stringify(item.breadcrumb), item.metadata]));
    const always = new Set([...declaration.key, ...(declaration.bookmarks ?? [])]);
    // The catalog's schema wins, so that a user's override counts; without one the declared schema is used.
    const schema = hasSchema(entry) ? entry.schema : declaration.schema;
    const pruned = prune(
      withKeys(schema, declaration, always),
      (breadcrumb) => metadata.get(breadcrumb),
      always,
      declaration.name,
    );
    return pruned === undefined ? [] : [{ declaration, schema: pruned, key: declaration.key }];
  });
}

/** Takes everything out of a record that its schema does not have, at every depth; `undefined` when nothing had to go. */
export function projection(full: JsonSchema, selected: JsonSchema): ((record: Row) => Row) | undefined {
  const names = Object.keys(selected.properties ?? {});
  const inner = new Map<string, (record: Row) => Row>();
  for (const name of names) {
    const before = full.properties?.[name];
    const after = selected.properties?.[name];
    if (before?.properties === undefined || after === undefined) continue;
    const nested = projection(before, after);
    if (nested !== undefined) inner.set(name, nested);
  }
  const dropped = Object.keys(full.properties ?? {}).some((name) => !names.includes(name));
  if (!dropped && inner.size === 0) return undefined;
  return (record) => {
    const kept: Record<string, Json> = {};
    for (const name of names) {
      const value = record[name];
      if (value === undefined) continue;
      const nested = inner.get(name);
      kept[name] = nested !== undefined && isObject(value) ? (nested(value) as Json) : value;
    }
    return kept;
  };
}
