/** What all resources can do: create, list, byids, update, delete, search, aggregate. */
import type { Stored } from './collection.ts';
import { wantedBy } from './filters.ts';
import { flag, itemsOf, MOST_ITEMS, meantBy } from './identities.ts';
import type { Kind } from './kind.ts';
import { cut, orderBy, pageOf, partOf } from './paging.ts';
import { patched } from './patches.ts';
import type { Context } from './project.ts';
import { invalid, Refusal } from './refusal.ts';
import { checkShape, type Fields, isObject } from './shapes.ts';

/** A status and the body that goes with it. */
export interface Reply {
  readonly status: number;
  readonly body: object;
}

export const ok = (body: object, status = 200): Reply => ({ status, body });

/** Whether unknown fields of these items pass, which only assets and events may be told to do. */
function passesUnknown(kind: Kind, { settings }: Context): boolean {
  return settings.unknown_fields === 'ignore' && (kind.name === 'assets' || kind.name === 'events');
}

function refuseConflicts(context: Context, kind: Kind, names: readonly string[]): void {
  const collection = context.project.of(kind.name);
  const taken = names.filter((name) => collection.named(name) !== undefined);
  if (taken.length === 0) return;
  throw new Refusal(409, kind.existsText, { duplicated: taken.map((externalId) => ({ externalId })) });
}

/** Creates objects: all of them, or none. */
export function create(context: Context, kind: Kind, body: Fields): Reply {
  const { project, now } = context;
  const lenient = passesUnknown(kind, context);
  const items = itemsOf(body, kind.most).map((item, index) => checkShape(item, kind.shape, `items[${index}]`, lenient));
  const names = items.flatMap(({ externalId }) => (typeof externalId === 'string' ? [externalId] : []));
  const twice = names.filter((name, index) => names.indexOf(name) !== index);
  if (twice.length > 0) throw kind.twice([...new Set(twice)]);
  refuseConflicts(context, kind, names);
  const drafts = items.map((item, index): Stored => {
    const known = Object.entries(item).filter(([name]) => Object.hasOwn(kind.shape.fields, name));
    const own = { id: project.nextId + index, createdTime: now, lastUpdatedTime: now };
    return { ...Object.fromEntries(known), ...own };
  });
  const objects = kind.prepare?.(context, drafts) ?? drafts;
  project.takeIds(objects.length);
  for (const object of objects) project.of(kind.name).put(object);
  return ok({ items: objects.map((object) => kind.view(context, object, {})) }, kind.createdStatus);
}

/** Changes objects: all of them, or none. */
export function update(context: Context, kind: Kind, body: Fields): Reply {
  const { rules = {} } = kind;
  const { project, now } = context;
  const items = itemsOf(body, kind.most);
  const meant = meantBy(context, kind, items, { ignoresUnknown: false, others: ['update'] });
  const changes = meant.map(({ item, object }, index) => {
    const after = patched(object, item.update, rules, `items[${index}].update`);
    return { before: object, after: { ...after, lastUpdatedTime: now }, update: item.update as Fields };
  });
  const renamed = changes.flatMap(({ before, after }) =>
    after.externalId === undefined || after.externalId === before.externalId ? [] : [after.externalId],
  );
  refuseConflicts(context, kind, renamed);
  if (new Set(renamed).size < renamed.length) throw kind.twice(renamed);
  const objects = kind.amend?.(context, changes) ?? changes.map(({ after }) => after);
  for (const object of objects) project.of(kind.name).put(object);
  return ok({ items: objects.map((object) => kind.view(context, object, {})) });
}

/** Objects by their ids, in the order of the request. */
export function byIds(context: Context, kind: Kind, body: Fields): Reply {
  const items = itemsOf(body, MOST_ITEMS, ['ignoreUnknownIds', ...kind.readFlags]);
  const meant = meantBy(context, kind, items, { ignoresUnknown: flag(body, 'ignoreUnknownIds') });
  return ok({ items: meant.map(({ object }) => kind.view(context, object, body)) });
}

/** Deletes objects: all of them, or none. */
export function remove(context: Context, kind: Kind, body: Fields): Reply {
  const items = itemsOf(body, MOST_ITEMS, kind.deleteFlags);
  for (const name of kind.deleteFlags) flag(body, name);
  const ignoresUnknown = kind.deleteFlags.includes('ignoreUnknownIds') && flag(body, 'ignoreUnknownIds');
  const objects = meantBy(context, kind, items, { ignoresUnknown }).map(({ object }) => object);
  const gone = [...(kind.withDependents?.(context, objects, body) ?? objects.map(({ id }) => id))];
  for (const id of gone) context.project.remove(kind.name, id);
  return ok({}, kind.deletedStatus);
}

/** Objects that a list may show by now. */
function* listed({ project, now, settings }: Context, kind: Kind): Generator<Stored> {
  for (const object of project.of(kind.name).values()) {
    if (object.createdTime + settings.list_lag_ms <= now) yield object;
  }
}

function refuseOthers(body: Fields, known: readonly string[]): void {
  const unknown = Object.keys(body).find((name) => !known.includes(name));
  if (unknown !== undefined) throw invalid(`${unknown}: unknown field`);
}

/** A page of what a filter wants, in the order of ids or as `sort` says. */
export function list(context: Context, kind: Kind, body: Fields): Reply {
  const { sorts = [] } = kind;
  refuseOthers(body, [
    'filter',
    'limit',
    'cursor',
    'partition',
    ...(sorts.length > 0 ? ['sort'] : []),
    ...kind.readFlags,
  ]);
  const name = `${kind.name}${JSON.stringify([body.filter ?? {}, body.partition, body.sort])}`;
  const compare = orderBy(body.sort, sorts);
  const page = pageOf(name, body);
  const [wanted, mine] = [wantedBy(context, body.filter, kind.filters), partOf(body.partition)];
  const found = listed(context, kind).filter((object) => mine(object.id) && wanted(object));
  const { items, ...next } =
    compare === undefined
      ? cut(name, found, page, ({ id }) => id)
      : cut(name, [...found].sort(compare), page, (_object, index) => index);
  return ok({ items: items.map((object) => kind.view(context, object, body)), ...next });
}

/** Up to `limit` objects with a word in their name, description or both. */
export function search(context: Context, kind: Kind, body: Fields): Reply {
  refuseOthers(body, ['filter', 'search', 'limit', ...kind.readFlags]);
  const wanted = wantedBy(context, body.filter, kind.filters);
  const { size } = pageOf('search', { limit: body.limit ?? 100 });
  if (body.search !== undefined && !isObject(body.search)) throw invalid('search: must be an object');
  const { name, description, query, ...others } = body.search ?? {};
  refuseOthers(others, []);
  const has = (value: unknown, word: unknown) =>
    word === undefined ||
    String(value ?? '')
      .toLowerCase()
      .includes(String(word).toLowerCase());
  const found = listed(context, kind).filter(
    (object) =>
      wanted(object) &&
      has(object.name, name) &&
      has(object.description, description) &&
      has(`${object.name ?? ''} ${object.description ?? ''}`, query),
  );
  return ok({ items: [...found.take(size)].map((object) => kind.view(context, object, body)) });
}

/** How many objects a filter wants. */
export function aggregate(context: Context, kind: Kind, body: Fields): Reply {
  refuseOthers(body, ['filter', 'aggregate']);
  if (body.aggregate !== undefined && body.aggregate !== 'count') {
    throw invalid('aggregate: this simulator knows only count');
  }
  const wanted = wantedBy(context, body.filter, kind.filters);
  return ok({ items: [{ count: [...listed(context, kind).filter(wanted)].length }] });
}
