/** The API of spaces, containers and views, as far as instances need it. */
import { flag, itemsOf } from './identities.ts';
import type { DefinedName, Definition } from './model-space.ts';
import { keyOf, type Properties, type Property, propertyFrom, space } from './model-types.ts';
import { cut, pageOf } from './paging.ts';
import type { Context } from './project.ts';
import { invalid } from './refusal.ts';
import { ok, type Reply } from './resource.ts';
import { type Check, checkShape, type Fields, isObject, listOf, oneOf, type Shape, text } from './shapes.ts';

const MOST = 100;
const IDENTIFIER = /^[a-zA-Z]([a-zA-Z0-9_]{0,253}[a-zA-Z0-9])?$/;
const RESERVED_SPACES = ['space', 'cdf', 'dms', 'pg3', 'shared', 'system', 'node', 'edge'];

const identifier: Check = (value) =>
  typeof value === 'string' && IDENTIFIER.test(value) ? undefined : 'must be letters, digits and underscores';
const version: Check = (value) =>
  typeof value === 'string' && /^[a-zA-Z0-9]([.a-zA-Z0-9_-]{0,41}[a-zA-Z0-9])?$/.test(value)
    ? undefined
    : 'must be letters, digits, dots, dashes and underscores';
const anyObject: Check = (value) => (isObject(value) ? undefined : 'must be an object');
const ownSpace: Check = (value) =>
  space(value) ?? (RESERVED_SPACES.includes(String(value)) ? 'is reserved' : undefined);

const NAMES = { name: text(255), description: text(1_024) };
const SHAPES: Readonly<Record<DefinedName, Shape>> = {
  spaces: { fields: { space: ownSpace, ...NAMES }, required: ['space'] },
  containers: {
    fields: {
      space,
      externalId: identifier,
      ...NAMES,
      usedFor: oneOf('node', 'edge', 'all'),
      properties: anyObject,
      constraints: anyObject,
      indexes: anyObject,
    },
    required: ['space', 'externalId', 'properties'],
  },
  views: {
    fields: {
      space,
      externalId: identifier,
      version,
      ...NAMES,
      properties: anyObject,
      implements: listOf(anyObject, 10),
      filter: anyObject,
    },
    required: ['space', 'externalId', 'version'],
  },
};

/** Fields that name a definition. */
const KEYS: Readonly<Record<DefinedName, readonly string[]>> = {
  spaces: ['space'],
  containers: ['space', 'externalId'],
  views: ['space', 'externalId', 'version'],
};

function keyIn(what: DefinedName, item: Fields): string {
  return keyOf(...KEYS[what].map((name) => item[name]));
}

function containerProperties(item: Fields, where: string): Properties {
  const container = keyIn('containers', item);
  const pairs = Object.entries(item.properties as Fields).map(([name, definition]) => {
    const property = propertyFrom(container, name, definition);
    if (typeof property === 'string') throw invalid(`${where}.${property}`);
    return [name, property] as const;
  });
  return Object.fromEntries(pairs);
}

/** What a view shows: what it implements, then what it maps itself. Connections are no values and are left out. */
function viewProperties({ project }: Context, item: Fields, where: string): Properties {
  const properties: Record<string, Property> = {};
  for (const parent of (item.implements ?? []) as readonly Fields[]) {
    const found = project.models.defined('views').get(keyIn('views', parent));
    if (found === undefined) throw invalid(`${where}.implements: view ${keyIn('views', parent)} does not exist`);
    Object.assign(properties, found.properties);
  }
  for (const [name, mapping] of Object.entries((item.properties ?? {}) as Fields)) {
    if (!isObject(mapping) || !isObject(mapping.container)) continue;
    const container = project.models.defined('containers').get(keyIn('containers', mapping.container));
    const property = container?.properties[String(mapping.containerPropertyIdentifier)];
    if (property === undefined) throw invalid(`${where}.properties.${name}: no such property of a container`);
    properties[name] = property;
  }
  return properties;
}

function shown({ definition, isGlobal, createdTime, lastUpdatedTime }: Definition): object {
  return { ...definition, isGlobal, createdTime, lastUpdatedTime };
}

/** Creates or replaces definitions: all of them, or none. */
export function define(context: Context, what: DefinedName, body: Fields): Reply {
  const { project, now } = context;
  const known = project.models.defined(what);
  const items = itemsOf(body, MOST).map((item, index) => checkShape(item, SHAPES[what], `items[${index}]`));
  const definitions = items.map((item, index): Definition => {
    const key = keyIn(what, item);
    const before = known.get(key);
    if (before?.isGlobal) throw invalid(`items[${index}]: ${key} belongs to Cognite and cannot be changed`);
    if (what !== 'spaces' && !project.models.defined('spaces').has(String(item.space))) {
      throw invalid(`items[${index}].space: ${String(item.space)} does not exist`);
    }
    const properties =
      what === 'containers'
        ? containerProperties(item, `items[${index}]`)
        : what === 'views'
          ? viewProperties(context, item, `items[${index}]`)
          : {};
    const createdTime = before?.createdTime ?? now;
    return { key, definition: item, properties, isGlobal: false, createdTime, lastUpdatedTime: now };
  });
  for (const definition of definitions) known.set(definition.key, definition);
  return ok({ items: definitions.map(shown) });
}

/** A page of definitions; those of Cognite only with `includeGlobal`. */
export function listDefined({ project }: Context, what: DefinedName, query: Fields): Reply {
  const wantsGlobal = String(query.includeGlobal) === 'true';
  const found = [...project.models.defined(what).values()].filter(
    ({ isGlobal, definition }) =>
      (wantsGlobal || !isGlobal) && (query.space === undefined || query.space === definition.space),
  );
  const { items, ...next } = cut(what, found, pageOf(what, query, 1_000, 10), (_each, index) => index);
  return ok({ items: items.map(shown), ...next });
}

/** Definitions by name; those that do not exist are left out. */
export function definedByIds({ project }: Context, what: DefinedName, body: Fields): Reply {
  const items = itemsOf(body, MOST, ['includeInheritedProperties']);
  const found = items.flatMap((item) => project.models.defined(what).get(keyIn(what, item)) ?? []);
  return ok({ items: found.map(shown) });
}

/** Deletes definitions; a space has to be empty. Returns the names of those that went. */
export function deleteDefined({ project }: Context, what: DefinedName, body: Fields): Reply {
  const known = project.models.defined(what);
  const gone = itemsOf(body, MOST).flatMap((item) => known.get(keyIn(what, item)) ?? []);
  const global = gone.find(({ isGlobal }) => isGlobal);
  if (global) throw invalid(`${global.key} belongs to Cognite and cannot be deleted`);
  const full = gone.find(({ key }) => what === 'spaces' && isUsed(project.models.instances.values(), key));
  if (full) throw invalid(`space ${full.key} is not empty`);
  for (const { key } of gone) known.delete(key);
  const names = gone.map(({ definition }) => Object.fromEntries(KEYS[what].map((name) => [name, definition[name]])));
  return ok({ items: names });
}

function isUsed(instances: Iterable<{ readonly space: string }>, space: string): boolean {
  for (const instance of instances) if (instance.space === space) return true;
  return false;
}

/** Reads a switch that may be absent. */
export function switchOf(body: Fields, name: string, otherwise: boolean): boolean {
  return body[name] === undefined ? otherwise : flag(body, name);
}
