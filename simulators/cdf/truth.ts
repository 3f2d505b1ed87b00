/** What the project holds, in a form that two loads can be compared in: no ids, no times of the simulator. */
import type { Stored } from './collection.ts';
import type { Context, ResourceName } from './project.ts';
import { RESOURCES } from './project.ts';
import type { Fields } from './shapes.ts';

/** One object as it is compared. */
export interface TruthLine {
  readonly key: Fields;
  readonly fields: Fields;
}

/** An object with its keys in order. */
function ordered(value: unknown): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value;
  const pairs = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
  return Object.fromEntries(pairs.map(([name, own]) => [name, ordered(own)]));
}

/** The external id of what an id leads to; null where it has none or is gone. */
function nameOf({ project }: Context, resource: ResourceName, id: unknown): string | null {
  return project.of(resource).get(Number(id))?.externalId ?? null;
}

/** Relations by external ids. */
function relations(context: Context, { parentId, dataSetId, assetId, assetIds }: Stored): Fields {
  const names = Array.isArray(assetIds) ? assetIds.map((id) => nameOf(context, 'assets', id)) : undefined;
  return {
    ...(parentId !== undefined && { parent: nameOf(context, 'assets', parentId) }),
    ...(dataSetId !== undefined && { dataSet: nameOf(context, 'datasets', dataSetId) }),
    ...(assetId !== undefined && { asset: nameOf(context, 'assets', assetId) }),
    ...(names && { assets: names.sort() }),
  };
}

function lineOf(context: Context, object: Stored): TruthLine {
  const { id: _id, rootId: _root, createdTime: _created, lastUpdatedTime: _updated, ...own } = object;
  const { externalId, parentId: _parent, dataSetId: _set, assetId: _asset, assetIds: _assets, ...fields } = own;
  return { key: { externalId: externalId ?? null }, fields: { ...fields, ...relations(context, object) } };
}

function* pointLines({ project }: Context): Generator<TruthLine> {
  for (const { id, externalId, instanceId } of project.of('timeseries').values()) {
    const key = externalId === undefined ? { instanceId } : { externalId };
    const points = [...(project.points.get(id) ?? [])].sort(([a], [b]) => a - b);
    for (const [timestamp, value] of points) yield { key: { ...key, timestamp }, fields: { value } };
  }
}

function* runLines(context: Context): Generator<TruthLine> {
  for (const [index, { pipeline, status, message }] of context.project.runs.entries()) {
    const key = { externalId: nameOf(context, 'extpipes', pipeline), number: index + 1 };
    yield { key, fields: { status, ...(message !== undefined && { message }) } };
  }
}

function* rowLines({ project }: Context): Generator<TruthLine> {
  for (const { database, table, row } of project.raw.rows()) {
    yield { key: { database, table, key: row.key }, fields: row.columns };
  }
}

function* instanceLines({ project }: Context, type: 'node' | 'edge'): Generator<TruthLine> {
  for (const { space, externalId, values, type: own, startNode, endNode } of project.models.ofType(type)) {
    yield { key: { space, externalId }, fields: { values, type: own, startNode, endNode } };
  }
}

function* definitionLines({ project }: Context, what: 'spaces' | 'containers' | 'views'): Generator<TruthLine> {
  for (const { key, definition, isGlobal } of project.models.defined(what).values()) {
    if (!isGlobal) yield { key: { name: key }, fields: definition };
  }
}

type Lines = (context: Context) => Iterable<TruthLine>;

const OTHERS: Readonly<Record<string, Lines>> = {
  datapoints: pointLines,
  extpipe_runs: runLines,
  raw_rows: rowLines,
  spaces: (context) => definitionLines(context, 'spaces'),
  containers: (context) => definitionLines(context, 'containers'),
  views: (context) => definitionLines(context, 'views'),
  nodes: (context) => instanceLines(context, 'node'),
  edges: (context) => instanceLines(context, 'edge'),
};

/** Names of everything that can be compared. */
export const STREAMS: readonly string[] = [...RESOURCES, ...Object.keys(OTHERS)];

function* objectLines(context: Context, resource: ResourceName): Generator<TruthLine> {
  for (const object of context.project.of(resource).values()) yield lineOf(context, object);
}

function linesOf(context: Context, stream: string): Iterable<TruthLine> {
  const resource = RESOURCES.find((name) => name === stream);
  if (resource !== undefined) return objectLines(context, resource);
  const lines = Object.hasOwn(OTHERS, stream) ? OTHERS[stream] : undefined;
  if (!lines) throw new Error(`unknown stream "${stream}"; known streams: ${STREAMS.join(', ')}`);
  return lines(context);
}

/** A place in the order of lines: texts in front of them would compare 10 before 9. */
function compare(a: TruthLine, b: TruthLine): number {
  const [left, right] = [Object.values(a.key), Object.values(b.key)];
  for (const [index, own] of left.entries()) {
    const other = right[index];
    const [x, y] = [
      typeof own === 'object' ? JSON.stringify(own) : own,
      typeof other === 'object' ? JSON.stringify(other) : other,
    ];
    if (x === y) continue;
    if (typeof x === 'number' && typeof y === 'number') return x - y;
    return String(x) < String(y) ? -1 : 1;
  }
  return 0;
}

/** The objects of a stream by key. With a prefix only those whose external id begins so. @throws Error for an unknown stream. */
export function truthOf(context: Context, stream: string, prefix: string): readonly object[] {
  const lines = [...linesOf(context, stream)].filter(
    ({ key }) => prefix === '' || String(key.externalId).startsWith(prefix),
  );
  return lines.sort(compare).map(({ key, fields }) => ({ key, fields: ordered(fields) }));
}

/** How many objects each stream has. */
export function manifestOf(context: Context): Readonly<Record<string, { readonly rows: number }>> {
  const counted = STREAMS.map((stream) => {
    let rows = 0;
    for (const _ of linesOf(context, stream)) rows += 1;
    return [stream, { rows }] as const;
  });
  return Object.fromEntries(counted);
}
