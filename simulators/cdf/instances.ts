/** The API of instances: nodes and edges, made or changed by one call. */
import { CORE_SPACE } from './core-model.ts';
import { itemsOf, MOST_ITEMS } from './identities.ts';
import { checkComplete, mergedValues, relationsIn, sourceOf, valuesFrom, valuesThrough } from './instance-values.ts';
import { switchOf } from './model-definitions.ts';
import type { Instance } from './model-space.ts';
import { instanceExternalId, keyOf, nodeReference, space } from './model-types.ts';
import type { Context } from './project.ts';
import { invalid, Refusal } from './refusal.ts';
import { ok, type Reply } from './resource.ts';
import { type Check, checkShape, type Fields, integer, isObject, oneOf, type Shape } from './shapes.ts';

const SWITCHES = [
  'autoCreateDirectRelations',
  'autoCreateStartNodes',
  'autoCreateEndNodes',
  'skipOnVersionConflict',
  'replace',
];
const anyList: Check = (value) => (Array.isArray(value) ? undefined : 'must be an array');

const NAMES = { instanceType: oneOf('node', 'edge'), space, externalId: instanceExternalId } as const;
const KEY: Shape = { fields: NAMES, required: ['instanceType', 'space', 'externalId'] };
const NODE: Shape = {
  fields: { ...NAMES, existingVersion: integer(0, Number.MAX_SAFE_INTEGER), type: nodeReference, sources: anyList },
  required: ['instanceType', 'space', 'externalId'],
};
const EDGE: Shape = {
  fields: { ...NODE.fields, startNode: nodeReference, endNode: nodeReference },
  required: ['instanceType', 'space', 'externalId', 'type', 'startNode', 'endNode'],
};

/** One item of an upsert and what becomes of it. */
interface Outcome {
  readonly instance: Instance;
  readonly wasModified: boolean;
}

function same(a: unknown, b: unknown): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}

function outcomeOf(context: Context, item: Fields, where: string, replaces: boolean): Outcome {
  const { models } = context.project;
  const [instanceType, name] = [item.instanceType as 'node' | 'edge', String(item.externalId)];
  if (!models.defined('spaces').has(String(item.space))) {
    throw invalid(`${where}.space: ${String(item.space)} does not exist`);
  }
  const before = models.instance(instanceType, item.space, name);
  const written = valuesFrom(models, (item.sources ?? []) as readonly unknown[], where);
  const values = mergedValues(before?.values ?? {}, written, replaces);
  checkComplete(models, values, where);
  const { type = before?.type, startNode, endNode } = item;
  const ends = instanceType === 'edge' ? { startNode, endNode } : {};
  const wasModified =
    before === undefined || !same(before.values, values) || !same(before.type, type) || !same(before.endNode, endNode);
  const instance: Instance = {
    instanceType,
    space: String(item.space),
    externalId: name,
    version: (before?.version ?? 0) + (wasModified ? 1 : 0),
    ...(type !== undefined && { type }),
    ...ends,
    values,
    createdTime: before?.createdTime ?? context.now,
    lastUpdatedTime: wasModified ? context.now : before.lastUpdatedTime,
  };
  return { instance, wasModified };
}

/** Whether the item may be written at all: false skips it. */
function versionAllows({ project }: Context, item: Fields, where: string, skips: boolean): boolean {
  const before = project.models.instance(item.instanceType, item.space, item.externalId);
  if (before === undefined || item.existingVersion === undefined) return true;
  if (before.version <= Number(item.existingVersion)) return true;
  if (skips) return false;
  throw new Refusal(409, `${where}: version conflict, the instance has version ${before.version}`);
}

function bareNode({ now }: Context, { space: own, externalId }: Fields): Instance {
  const times = { createdTime: now, lastUpdatedTime: now };
  return { instanceType: 'node', space: String(own), externalId: String(externalId), version: 1, values: {}, ...times };
}

/** Nodes that are led to and do not exist. @throws Refusal where they are not to be made. */
function nodesToMake(context: Context, outcomes: readonly Outcome[], body: Fields): readonly Instance[] {
  const { models } = context.project;
  const made = new Map<string, Instance>();
  const present = new Set(
    outcomes.map(({ instance }) => keyOf(instance.instanceType, instance.space, instance.externalId)),
  );
  const need = (node: unknown, allowed: boolean, what: string): void => {
    if (!isObject(node)) return;
    const key = keyOf('node', node.space, node.externalId);
    if (present.has(key) || made.has(key) || models.instances.has(key)) return;
    if (!allowed) throw invalid(`${what} ${String(node.space)}:${String(node.externalId)} does not exist`);
    if (!models.defined('spaces').has(String(node.space))) {
      throw invalid(`space ${String(node.space)} does not exist`);
    }
    made.set(key, bareNode(context, node));
  };
  const direct = switchOf(body, 'autoCreateDirectRelations', true);
  const [start, end] = [switchOf(body, 'autoCreateStartNodes', false), switchOf(body, 'autoCreateEndNodes', false)];
  for (const { instance } of outcomes) {
    need(instance.type, direct, 'node');
    for (const node of relationsIn(models, instance.values)) need(node, direct, 'node');
    need(instance.startNode, start, 'start node');
    need(instance.endNode, end, 'end node');
  }
  return [...made.values()];
}

const SERIES = keyOf(CORE_SPACE, 'CogniteTimeSeries');
const DESCRIBABLE = keyOf(CORE_SPACE, 'CogniteDescribable');

/** A node that is a time series is one in the classic API too, where its points are written. */
function keepSeries({ project, now }: Context, { values, space: own, externalId }: Instance): void {
  const series = values[SERIES];
  if (series === undefined) return;
  const known = project.models.seriesOf({ space: own, externalId });
  const before = known === undefined ? undefined : project.of('timeseries').get(known);
  const { name, description } = values[DESCRIBABLE] ?? {};
  const id = before?.id ?? project.nextId;
  project.of('timeseries').put({
    id,
    instanceId: { space: own, externalId },
    isString: series.type === 'string',
    isStep: series.isStep === true,
    ...(name !== undefined && { name }),
    ...(description !== undefined && { description }),
    ...(series.sourceUnit !== undefined && { unit: series.sourceUnit }),
    createdTime: before?.createdTime ?? now,
    lastUpdatedTime: now,
  });
  if (before === undefined) project.takeIds(1);
  project.models.linkSeries({ space: own, externalId }, id);
}

/** Makes or changes nodes and edges: all of them, or none. */
export function upsertInstances(context: Context, body: Fields): Reply {
  const { models } = context.project;
  const [replaces, skips] = [switchOf(body, 'replace', false), switchOf(body, 'skipOnVersionConflict', false)];
  const items = itemsOf(body, MOST_ITEMS, SWITCHES).map((item, index) =>
    checkShape(item, item.instanceType === 'edge' ? EDGE : NODE, `items[${index}]`),
  );
  const keys = items.map((item) => keyOf(item.instanceType, item.space, item.externalId));
  if (new Set(keys).size < keys.length) throw invalid('items: the same instance was given twice');
  const outcomes = items.flatMap((item, index) => {
    const where = `items[${index}]`;
    return versionAllows(context, item, where, skips) ? [outcomeOf(context, item, where, replaces)] : [];
  });
  const nodes = nodesToMake(context, outcomes, body);
  for (const node of nodes) models.put(node);
  for (const { instance, wasModified } of outcomes) {
    if (!wasModified) continue;
    models.put(instance);
    keepSeries(context, instance);
  }
  const slim = outcomes.map(({ instance, wasModified }) => {
    const { values: _values, type: _type, startNode: _start, endNode: _end, ...shown } = instance;
    return { ...shown, wasModified };
  });
  return ok({ items: slim });
}

/** An instance with its values through the views of a request. */
export function shownThrough({ project }: Context, instance: Instance, sources: unknown): object {
  const { values: _values, ...shown } = instance;
  const properties: Record<string, Record<string, Fields>> = {};
  for (const [index, each] of ((sources ?? []) as readonly unknown[]).entries()) {
    const source = sourceOf(project.models, isObject(each) ? each.source : undefined, `sources[${index}].source`);
    const values = valuesThrough(project.models, instance, source.properties);
    if (Object.keys(values).length === 0) continue;
    const { space: own, externalId, version } = source.definition;
    const name = version === undefined ? String(externalId) : keyOf(externalId, version);
    properties[String(own)] = { ...properties[String(own)], [name]: values };
  }
  return { ...shown, ...(Object.keys(properties).length > 0 && { properties }) };
}

function keysOf(body: Fields, others: readonly string[]): readonly Fields[] {
  return itemsOf(body, MOST_ITEMS, others).map((item, index) => checkShape(item, KEY, `items[${index}]`));
}

/** Instances by name; those that do not exist are left out. */
export function instancesByIds(context: Context, body: Fields): Reply {
  const found = keysOf(body, ['sources', 'includeTyping']).flatMap(
    (key) => context.project.models.instance(key.instanceType, key.space, key.externalId) ?? [],
  );
  return ok({ items: found.map((instance) => shownThrough(context, instance, body.sources)) });
}

/** Deletes instances, with the edges at deleted nodes. Returns the names of those that were asked for and went. */
export function deleteInstances({ project }: Context, body: Fields): Reply {
  const { models } = project;
  const gone = keysOf(body, []).flatMap((key) => models.instance(key.instanceType, key.space, key.externalId) ?? []);
  const nodes = new Set(
    gone.filter((each) => each.instanceType === 'node').map((each) => keyOf(each.space, each.externalId)),
  );
  const touches = (node: unknown) => isObject(node) && nodes.has(keyOf(node.space, node.externalId));
  const edges = [...models.ofType('edge')].filter(({ startNode, endNode }) => touches(startNode) || touches(endNode));
  for (const instance of [...gone, ...edges]) {
    const series = instance.instanceType === 'node' ? models.seriesOf(instance) : undefined;
    if (series !== undefined) project.remove('timeseries', series);
    models.remove(instance);
  }
  return ok({
    items: gone.map(({ instanceType, space: own, externalId }) => ({ instanceType, space: own, externalId })),
  });
}
