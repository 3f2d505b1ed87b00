/** Lists of instances and their filters. */
import { hasData, sourceOf, valuesThrough } from './instance-values.ts';
import { shownThrough } from './instances.ts';
import type { Instance } from './model-space.ts';
import { keyOf } from './model-types.ts';
import { cut, pageOf } from './paging.ts';
import type { Context } from './project.ts';
import { invalid } from './refusal.ts';
import { ok, type Reply } from './resource.ts';
import { type Fields, isObject } from './shapes.ts';

const DEFAULT_SIZE = 1_000;

type Test = (instance: Instance) => boolean;

/** The value that a filter names: `["node", "space"]`, or space, view with version, and property. */
function readerOf({ project }: Context, property: unknown): (instance: Instance) => unknown {
  const parts = Array.isArray(property) ? property.map(String) : [];
  const [first = '', second = '', third] = parts;
  if (parts.length === 2 && (first === 'node' || first === 'edge')) {
    return (instance) => (instance as unknown as Fields)[second];
  }
  if (third === undefined) throw invalid('filter: property must be ["node", …] or [space, "View/version", name]');
  const [externalId, version] = second.split('/');
  const type = version === undefined ? 'container' : 'view';
  const { properties } = sourceOf(project.models, { type, space: first, externalId, version }, 'filter.property');
  if (!Object.hasOwn(properties, third)) throw invalid(`filter: ${second} has no property ${third}`);
  return (instance) => valuesThrough(project.models, instance, properties)[third];
}

const same = (a: unknown, b: unknown): boolean => JSON.stringify(a) === JSON.stringify(b);

function inRange(value: unknown, { gt, gte, lt, lte }: Fields): boolean {
  if (value === undefined) return false;
  const than = (bound: unknown, holds: (value: never, bound: never) => boolean) =>
    bound === undefined || holds(value as never, bound as never);
  return (
    than(gt, (a, b) => a > b) && than(gte, (a, b) => a >= b) && than(lt, (a, b) => a < b) && than(lte, (a, b) => a <= b)
  );
}

type Reader = (context: Context, argument: Fields) => Test;

/** Leaves of a filter: how each looks at a value. */
const LEAVES: Readonly<Record<string, Reader>> = {
  equals: (context, { property, value }) => {
    const read = readerOf(context, property);
    return (instance) => same(read(instance), value);
  },
  in: (context, { property, values }) => {
    const read = readerOf(context, property);
    if (!Array.isArray(values)) throw invalid('filter.in.values: must be an array');
    return (instance) => values.some((value) => same(read(instance), value));
  },
  prefix: (context, { property, value }) => {
    const read = readerOf(context, property);
    return (instance) => String(read(instance) ?? '').startsWith(String(value));
  },
  range: (context, { property, ...bounds }) => {
    const read = readerOf(context, property);
    return (instance) => inRange(read(instance), bounds);
  },
  exists: (context, { property }) => {
    const read = readerOf(context, property);
    return (instance) => read(instance) !== undefined;
  },
  matchAll: () => () => true,
};

function tests(context: Context, filters: unknown): readonly Test[] {
  if (!Array.isArray(filters)) throw invalid('filter: and, or and hasData take an array');
  return filters.map((filter) => testOf(context, filter));
}

/** Reads a filter. @throws Refusal for one that this simulator does not know. */
function testOf(context: Context, filter: unknown): Test {
  if (filter === undefined) return () => true;
  const [name = '', argument] = (isObject(filter) ? Object.entries(filter) : [])[0] ?? [];
  if (name === 'and') return (instance) => tests(context, argument).every((test) => test(instance));
  if (name === 'or') return (instance) => tests(context, argument).some((test) => test(instance));
  if (name === 'not') {
    const test = testOf(context, argument);
    return (instance) => !test(instance);
  }
  if (name === 'hasData') {
    if (!Array.isArray(argument)) throw invalid('filter.hasData: must be an array');
    const all = argument.map((source) => sourceOf(context.project.models, source, 'filter.hasData').properties);
    return (instance) => all.every((properties) => hasData(instance, properties));
  }
  const leaf = Object.hasOwn(LEAVES, name) ? LEAVES[name] : undefined;
  if (!leaf || !isObject(argument)) throw invalid(`filter: this simulator does not know ${name || 'this form'}`);
  return leaf(context, argument);
}

/** A page of nodes, or of edges, that a filter wants. */
export function listInstances(context: Context, body: Fields): Reply {
  const known = ['instanceType', 'sources', 'filter', 'limit', 'cursor', 'includeTyping'];
  const unknown = Object.keys(body).find((name) => !known.includes(name));
  if (unknown !== undefined) throw invalid(`${unknown}: unknown field`);
  const { instanceType = 'node', filter, sources } = body;
  if (instanceType !== 'node' && instanceType !== 'edge') throw invalid('instanceType: must be node or edge');
  const list = keyOf(instanceType, JSON.stringify(filter ?? {}));
  const test = testOf(context, filter);
  const found = [...context.project.models.ofType(instanceType)].filter(test);
  const page = pageOf(list, body, 1_000, DEFAULT_SIZE);
  const { items, ...next } = cut(list, found, page, (_each, index) => index);
  return ok({ items: items.map((instance) => shownThrough(context, instance, sources)), ...next });
}
