import { describe, expect, test } from 'vitest';
import { type Catalog, type CatalogEntry, catalogOf, projection, readCatalog, select } from '../../singer/catalog.ts';
import { ConnectorError } from '../../singer/errors.ts';
import type { JsonSchema } from '../../singer/messages.ts';
import type { StreamDeclaration } from '../../singer/stream.ts';
import { folder } from './folder.ts';

const text: JsonSchema = { type: ['string', 'null'] };
const declaration = (name: string, more: Partial<StreamDeclaration> = {}): StreamDeclaration => ({
  name,
  key: ['id'],
  schema: {
    type: 'object',
    properties: {
      id: text,
      a: { type: 'object', properties: { a1: text, a2: text }, required: ['a1', 'a2'] },
      b: { type: 'object', properties: { b1: text, b2: text } },
      c: text,
      at: text,
    },
    required: ['id', 'c'],
  },
  replication: 'FULL_TABLE',
  selectedByDefault: true,
  ...more,
});
const streams = [declaration('systems'), declaration('patches', { selectedByDefault: false })];

type Entries = readonly (readonly [path: string, metadata: Readonly<Record<string, unknown>>])[];

/** A catalog of one stream; paths are written as `a.a1`, the root as ``. */
function catalogWith(entries: Entries | undefined, more: Record<string, unknown> = {}): Catalog {
  const metadata = entries?.map(([path, given]) => ({
    breadcrumb: path === '' ? [] : path.split('.').flatMap((name) => ['properties', name]),
    metadata: given,
  }));
  const entry = {
    tap_stream_id: 'systems',
    stream: 'systems',
    schema: declaration('systems').schema,
    metadata,
    ...more,
  };
  return { streams: [entry as unknown as CatalogEntry] };
}

/** The property paths that are left of `systems`, or nothing when it is out. */
function left(catalog: Catalog, list = streams): readonly string[] | undefined {
  const paths = (schema: JsonSchema, above = ''): string[] =>
    Object.entries(schema.properties ?? {}).flatMap(([name, node]) =>
      node.properties === undefined ? [above + name] : paths(node, `${above}${name}.`),
    );
  const [first] = select(list, catalog, undefined);
  return first === undefined ? undefined : paths(first.schema);
}

const ALL = ['id', 'a.a1', 'a.a2', 'b.b1', 'b.b2', 'c', 'at'];
const without = (...names: string[]) => ALL.filter((name) => !names.includes(name));
const ROOT = ['', { selected: true }] as const;

describe('selection', () => {
  test.each<[string, Entries | undefined, readonly string[] | undefined]>([
    ['no metadata at all: in', undefined, ALL],
    ['an empty list of metadata: in', [], ALL],
    ['root selected', [ROOT], ALL],
    ['root "true" as text', [['', { selected: 'true' }]], ALL],
    ['root not selected', [['', { selected: false }]], undefined],
    ['root "false" as text', [['', { selected: 'false' }]], undefined],
    ['root in by default', [['', { 'selected-by-default': true }]], ALL],
    ['root in by default and deselected', [['', { 'selected-by-default': true, selected: false }]], undefined],
    ['root says nothing: out', [['', { inclusion: 'available' }]], undefined],
    ['metadata, but none of the root: out', [['c', { selected: true }]], undefined],
    ['selected null counts as not said', [['', { selected: null, 'selected-by-default': true }]], ALL],
    [
      'a nested property out, the rest in',
      [ROOT, ['a', { selected: true }], ['a.a2', { selected: false }]],
      without('a.a2'),
    ],
    [
      'a parent out takes its selected child along',
      [ROOT, ['b', { selected: false }], ['b.b1', { selected: true }]],
      without('b.b1', 'b.b2'),
    ],
    [
      'and its automatic child',
      [ROOT, ['b', { selected: false }], ['b.b1', { inclusion: 'automatic' }]],
      without('b.b1', 'b.b2'),
    ],
    [
      'all children out: the object goes',
      [ROOT, ['b.b1', { selected: false }], ['b.b2', { selected: 'false' }]],
      without('b.b1', 'b.b2'),
    ],
    ['unsupported is out though selected', [ROOT, ['c', { inclusion: 'unsupported', selected: true }]], without('c')],
    ['automatic is in though deselected', [ROOT, ['c', { inclusion: 'automatic', selected: false }]], ALL],
    ['available without a word is in', [ROOT, ['c', { inclusion: 'available' }]], ALL],
    ['out by default', [ROOT, ['c', { 'selected-by-default': false }]], without('c')],
    ['out by default but selected', [ROOT, ['c', { 'selected-by-default': false, selected: true }]], ALL],
    ['a key stays', [ROOT, ['id', { selected: false, inclusion: 'unsupported' }]], ALL],
  ])('%s', (_name, entries, expected) => {
    expect(left(catalogWith(entries))).toEqual(expected);
  });

  test('the replication key stays too', () => {
    const list = [declaration('systems', { bookmarks: ['at'] })];
    expect(left(catalogWith([ROOT, ['at', { selected: false }]]), list)).toEqual(ALL);
  });

  test('what goes leaves the list of required properties', () => {
    const [stream] = select(
      streams,
      catalogWith([ROOT, ['c', { selected: false }], ['a.a2', { selected: false }]]),
      undefined,
    );
    expect(stream?.schema.required).toEqual(['id']);
    expect(stream?.schema.properties?.a?.required).toEqual(['a1']);
  });

  test.each([
    ['root', [['', { selected: 'yes' }]] as const, 'systems'],
    ['a property', [ROOT, ['a.a1', { selected: 1 }]] as const, 'systems.a.a1'],
    ['a default', [['', { 'selected-by-default': 'TRUE' }]] as const, 'systems'],
  ])('another word than true and false is refused: %s', (_name, entries, where) => {
    expect(() => left(catalogWith(entries))).toThrow(`for "selected" of ${where}`);
  });

  test('old catalogs keep "selected" in the schema; metadata has the last word', () => {
    const schema = declaration('systems').schema;
    const old = { ...schema, selected: true, properties: { ...schema.properties, c: { ...text, selected: false } } };
    expect(left(catalogWith(undefined, { schema: old }))).toEqual(without('c'));
    expect(left(catalogWith([['c', { selected: true }]], { schema: old }))).toEqual(ALL);
    expect(left(catalogWith(undefined, { schema: { ...schema, selected: false } }))).toBeUndefined();
    expect(left(catalogWith([ROOT], { schema: { ...schema, selected: false } }))).toEqual(ALL);
    expect(left(catalogWith(undefined, { selected: 'false' }))).toBeUndefined();
  });

  test("the catalog's schema wins, keys that it lacks are added", () => {
    const schema = { type: 'object', properties: { c: { type: 'integer' } } };
    const [stream] = select(streams, catalogWith([ROOT], { schema }), undefined);
    expect(stream?.schema.properties).toEqual({ id: text, c: { type: 'integer' } });
    expect(stream?.key).toEqual(['id']);
    expect(left(catalogWith([ROOT], { schema: {} }))).toEqual(ALL);
  });

  test('a key that nobody describes stays undescribed', () => {
    const list = [declaration('systems', { key: ['nowhere'] })];
    expect(left(catalogWith([ROOT]), list)).toEqual(ALL);
  });
});

describe('streams', () => {
  const namesOf = (...given: Parameters<typeof select>) => select(...given).map((s) => s.declaration.name);
  const list = [...streams, declaration('all_systems'), declaration('snapshots', { automatic: true })];

  test('without a catalog: the defaults and bookkeeping', () => {
    expect(namesOf(list, undefined, undefined)).toEqual(['systems', 'all_systems', 'snapshots']);
  });

  test.each([
    [['patches'], ['patches', 'snapshots']],
    [['*systems'], ['systems', 'all_systems', 'snapshots']],
    [
      ['?atches', 'all_*'],
      ['patches', 'all_systems', 'snapshots'],
    ],
    [['snapshots'], ['snapshots']],
    [[], ['snapshots']],
  ])('the setting %j replaces the defaults', (wanted, expected) => {
    expect(namesOf(list, undefined, wanted)).toEqual(expected);
  });

  test.each([
    ['sistems', 'did you mean "systems"?'],
    ['completely_else', 'known streams: systems, patches, all_systems'],
    ['x*', 'known streams'],
    ['s.stems', 'did you mean "systems"?'],
  ])('an unknown name %s is refused', (name, hint) => {
    const attempt = () => select(list, undefined, ['systems', name]);
    expect(attempt).toThrow(`the setting "streams" names the stream "${name}", which does not exist`);
    expect(attempt).toThrow(expect.objectContaining({ hint: expect.stringContaining(hint), code: 'config' }));
  });

  test('streams that the catalog does not name are out, bookkeeping is in', () => {
    expect(namesOf(list, catalogWith([ROOT]), ['patches'])).toEqual(['systems', 'snapshots']);
  });

  test('an unknown stream of a catalog matters only when selected', () => {
    const other = (selected: boolean) => catalogWith([['', { selected }]], { tap_stream_id: 'sytems' });
    expect(namesOf(list, other(false), undefined)).toEqual(['snapshots']);
    expect(() => select(list, other(true), undefined)).toThrow('the catalog names the stream "sytems"');
  });

  test('an old entry without tap_stream_id goes by its stream', () => {
    expect(namesOf(list, catalogWith([ROOT], { tap_stream_id: undefined }), undefined)).toContain('systems');
  });
});

describe('projection', () => {
  const full = declaration('systems').schema;
  const selected = (entries: Entries) => select(streams, catalogWith(entries), undefined)[0]?.schema ?? {};

  test('nothing to drop: no work', () => {
    expect(projection(full, selected([ROOT]))).toBeUndefined();
  });

  test('drops at every depth and leaves other shapes alone', () => {
    const project = projection(full, selected([ROOT, ['c', { selected: false }], ['a.a2', { selected: false }]]));
    expect(project?.({ id: '1', c: 'x', extra: 1, a: { a1: 'p', a2: 'q', extra: 2 }, b: { b1: 's' } })).toEqual({
      id: '1',
      a: { a1: 'p' },
      b: { b1: 's' },
    });
    expect(project?.({ id: '1', a: null })).toEqual({ id: '1', a: null });
    expect(project?.({ id: '1', a: 'text' })).toEqual({ id: '1', a: 'text' });
  });
});

describe('discovery', () => {
  const list = [
    declaration('systems', { bookmarks: ['at'], replication: 'INCREMENTAL' }),
    declaration('all', { selectedByDefault: false }),
    declaration('snapshots', { automatic: true, selectedByDefault: false }),
  ];
  const entryOf = (name: string) => catalogOf(list).streams.find((entry) => entry.stream === name);
  const inclusions = (name: string) =>
    Object.fromEntries(
      (entryOf(name)?.metadata ?? []).map(({ breadcrumb, metadata }) => [breadcrumb.join('/'), metadata.inclusion]),
    );

  test('is sorted by name and the same whatever the order of declaration', () => {
    expect(catalogOf(list).streams.map(({ tap_stream_id }) => tap_stream_id)).toEqual(['all', 'snapshots', 'systems']);
    expect(JSON.stringify(catalogOf([...list].reverse()))).toBe(JSON.stringify(catalogOf(list)));
  });

  test('has metadata for every property, nested ones included', () => {
    expect(inclusions('systems')).toEqual({
      '': 'available',
      'properties/id': 'automatic',
      'properties/a': 'available',
      'properties/a/properties/a1': 'available',
      'properties/a/properties/a2': 'available',
      'properties/b': 'available',
      'properties/b/properties/b1': 'available',
      'properties/b/properties/b2': 'available',
      'properties/c': 'available',
      'properties/at': 'automatic',
    });
  });

  test('says at the root what is known of the stream', () => {
    expect(entryOf('systems')).toMatchObject({ key_properties: ['id'], replication_method: 'INCREMENTAL' });
    expect(entryOf('systems')?.metadata[0]?.metadata).toEqual({
      inclusion: 'available',
      'selected-by-default': true,
      'table-key-properties': ['id'],
      'forced-replication-method': 'INCREMENTAL',
      'valid-replication-keys': ['at'],
    });
    expect(entryOf('all')?.metadata[0]?.metadata).toMatchObject({ 'selected-by-default': false });
    expect(entryOf('snapshots')?.metadata[0]?.metadata).toMatchObject({
      'selected-by-default': true,
      inclusion: 'automatic',
    });
  });

  test('given back as a catalog it is the default selection', () => {
    const namesOf = (catalog?: Catalog) => select(list, catalog, undefined).map((s) => s.declaration.name);
    expect(namesOf(catalogOf(list))).toEqual(namesOf());
  });
});

describe('catalog files', () => {
  const files = folder();

  test.each([
    ['none.json', undefined, 'cannot read the catalog'],
    ['text.json', 'streams: []', 'cannot read the catalog'],
    ['list.json', [], 'it has no list "streams"'],
    ['object.json', { streams: {} }, 'it has no list "streams"'],
    ['entry.json', { streams: [{ stream: 's' }, null] }, 'entry 2 of "streams" needs'],
    ['nameless.json', { streams: [{ schema: {} }] }, 'entry 1 of "streams" needs'],
    ['metadata.json', { streams: [{ stream: 's', metadata: {} }] }, '"metadata" must be a list'],
    ['crumbs.json', { streams: [{ stream: 's', metadata: [{ metadata: {} }] }] }, '"metadata" must be a list'],
  ])('%s is refused', async (name, content, problem) => {
    if (content !== undefined) files.put(name, content);
    const error = await readCatalog(files.at(name)).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(ConnectorError);
    expect(error).toMatchObject({ code: 'config', message: expect.stringContaining(problem) });
  });

  test('a file may begin with a byte order mark', async () => {
    const path = files.put('bom.json', `\ufeff${JSON.stringify(catalogOf(streams))}`);
    expect((await readCatalog(path)).streams).toHaveLength(2);
  });
});
