/** Values of instances: written through views and containers, read through views. */
import { CORE_SPACE } from './core-model.ts';
import type { Definition, Instance, ModelSpace } from './model-space.ts';
import { checkProperty, keyOf, type Properties } from './model-types.ts';
import { invalid } from './refusal.ts';
import { type Fields, isObject } from './shapes.ts';

/** Values by container, then by name; null takes a value away. */
export type Values = Readonly<Record<string, Fields>>;

/** The view or container that a source names. @throws Refusal where there is none. */
export function sourceOf(models: ModelSpace, source: unknown, where: string): Definition {
  const { type, space, externalId, version } = isObject(source) ? source : {};
  if (type !== 'view' && type !== 'container') throw invalid(`${where}.type: must be view or container`);
  const found =
    type === 'view'
      ? models.defined('views').get(keyOf(space, externalId, version))
      : models.defined('containers').get(keyOf(space, externalId));
  if (found === undefined) throw invalid(`${where}: ${type} ${String(space)}:${String(externalId)} does not exist`);
  return found;
}

/** What the sources of an item write, by container. */
export function valuesFrom(models: ModelSpace, sources: readonly unknown[], where: string): Values {
  const values: Record<string, Record<string, unknown>> = {};
  for (const [index, each] of sources.entries()) {
    const place = `${where}.sources[${index}]`;
    if (!isObject(each)) throw invalid(`${place}: must be an object`);
    const odd = Object.keys(each).find((name) => name !== 'source' && name !== 'properties');
    if (odd !== undefined) throw invalid(`${place}.${odd}: unknown field`);
    const { properties } = sourceOf(models, each.source, `${place}.source`);
    // A write through a view touches all its containers: the instance is then one of that view.
    for (const { container } of Object.values(properties)) values[container] ??= {};
    for (const [name, value] of Object.entries((each.properties ?? {}) as Fields)) {
      const property = Object.hasOwn(properties, name) ? properties[name] : undefined;
      if (!property) throw invalid(`${place}.properties.${name}: unknown property`);
      if (property.computed) throw invalid(`${place}.properties.${name}: is filled by CDF and cannot be written`);
      const problem = checkProperty(property, value);
      if (problem !== undefined) throw invalid(`${place}.properties.${name}: ${problem}`);
      Object.assign(values[property.container] ?? {}, { [property.name]: value });
    }
  }
  return values;
}

/** Values after a write: `replaces` forgets what a container held before. */
export function mergedValues(before: Values, written: Values, replaces: boolean): Values {
  const merged: Record<string, Fields> = { ...before };
  for (const [container, values] of Object.entries(written)) {
    const all = { ...(replaces ? {} : before[container]), ...values };
    merged[container] = Object.fromEntries(Object.entries(all).filter(([, value]) => value !== null));
  }
  return merged;
}

/** Refuses an instance whose containers lack a value that they need. */
export function checkComplete(models: ModelSpace, values: Values, where: string): void {
  for (const [container, own] of Object.entries(values)) {
    const properties = models.defined('containers').get(container)?.properties ?? {};
    const lacking = Object.values(properties).find(({ nullable, name }) => !nullable && own[name] === undefined);
    if (lacking) throw invalid(`${where}: ${lacking.name} of ${container} is required`);
  }
}

/** Nodes that values lead to. */
export function* relationsIn(models: ModelSpace, values: Values): Generator<Fields> {
  for (const [container, own] of Object.entries(values)) {
    const properties = models.defined('containers').get(container)?.properties ?? {};
    for (const { name, type } of Object.values(properties)) {
      if (type !== 'direct') continue;
      for (const node of [own[name]].flat()) if (isObject(node)) yield node;
    }
  }
}

const ASSET = keyOf(CORE_SPACE, 'CogniteAsset');

/** The way from the root to an asset, itself included. Parents that do not exist, and circles, end it. */
function pathOf(models: ModelSpace, asset: Instance): readonly object[] {
  const path: Instance[] = [];
  for (let at: Instance | undefined = asset; at !== undefined && !path.includes(at); ) {
    path.unshift(at);
    const parent: unknown = at.values[ASSET]?.parent;
    at = isObject(parent) ? models.instance('node', parent.space, parent.externalId) : undefined;
  }
  return path.map(({ space, externalId }) => ({ space, externalId }));
}

function computedValues(models: ModelSpace, instance: Instance): Fields {
  const path = pathOf(models, instance);
  return { root: path[0], path, pathLastUpdatedTime: new Date(instance.lastUpdatedTime).toISOString() };
}

/** Whether an instance was written to in every container of a view. */
export function hasData({ values }: Instance, properties: Properties): boolean {
  return Object.values(properties).every(({ container }) => values[container] !== undefined);
}

/** Values of an instance as a view shows them. */
export function valuesThrough(models: ModelSpace, instance: Instance, properties: Properties): Fields {
  const shown: Record<string, unknown> = {};
  const computed = instance.values[ASSET] === undefined ? {} : computedValues(models, instance);
  for (const [name, property] of Object.entries(properties)) {
    const own = property.computed
      ? (computed as Fields)[property.name]
      : instance.values[property.container]?.[property.name];
    if (own !== undefined) shown[name] = own;
  }
  return shown;
}
