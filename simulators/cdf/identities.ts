/** Which objects the items of a request mean. */
import type { Stored } from './collection.ts';
import type { Kind } from './kind.ts';
import type { Context } from './project.ts';
import { invalid, Refusal } from './refusal.ts';
import { type Check, type Fields, id, isObject, object, text, unknownField } from './shapes.ts';

/** Most items of a request that creates nothing. */
export const MOST_ITEMS = 1_000;

const CHECKS: Readonly<Record<string, Check>> = {
  id,
  externalId: text(255),
  instanceId: object({
    fields: { space: text(43, 1), externalId: text(256, 1) },
    required: ['space', 'externalId'],
  }),
};

/** The items of a body that may also hold these fields. @throws Refusal that names the limit. */
export function itemsOf(body: Fields, most: number, others: readonly string[] = []): readonly Fields[] {
  const unknown = Object.keys(body).find((name) => name !== 'items' && !others.includes(name));
  if (unknown !== undefined) throw invalid(`${unknown}: unknown field`);
  const { items } = body;
  if (!Array.isArray(items)) throw invalid(`items: an array of 1 to ${most} is required`);
  if (items.length === 0 || items.length > most) {
    throw invalid(`items: must have 1 to ${most} elements, ${items.length} were given`);
  }
  const odd = items.findIndex((item) => !isObject(item));
  if (odd >= 0) throw invalid(`items[${odd}]: must be an object`);
  return items as readonly Fields[];
}

/** The identity in an item, as an object of one field. */
export function identityOf(item: Fields, kinds: readonly string[], where: string): Fields {
  const given = ['externalId', ...kinds].filter((name) => item[name] !== undefined);
  const [name] = given;
  if (name === undefined || given.length > 1) throw invalid(`${where}: needs one of externalId, ${kinds.join(', ')}`);
  const problem = CHECKS[name]?.(item[name]);
  if (problem !== undefined) throw invalid(`${where}.${name}: ${problem}`);
  return { [name]: item[name] };
}

/** The object that an identity means. */
export function find({ project }: Context, kind: Pick<Kind, 'name'>, identity: Fields): Stored | undefined {
  const collection = project.of(kind.name);
  if (typeof identity.id === 'number') return collection.get(identity.id);
  if (typeof identity.externalId === 'string') return collection.named(identity.externalId);
  const series = project.models.seriesOf(identity.instanceId as Fields);
  return series === undefined ? undefined : collection.get(series);
}

/** Identities that occur more than once, each one time. */
export function repeated(identities: readonly Fields[]): readonly Fields[] {
  const seen = new Set<string>();
  const twice = new Map<string, Fields>();
  for (const identity of identities) {
    const text = JSON.stringify(identity);
    if (seen.has(text)) twice.set(text, identity);
    seen.add(text);
  }
  return [...twice.values()];
}

/** Refuses identities that occur twice: 422 for time series, as the API specification says, else 400. */
export function refuseRepeated(kind: Pick<Kind, 'name'>, identities: readonly Fields[]): void {
  const duplicated = repeated(identities);
  if (duplicated.length === 0) return;
  throw new Refusal(kind.name === 'timeseries' ? 422 : 400, 'Items must be unique', { duplicated });
}

/** An item and what it means. */
export interface Meant {
  readonly item: Fields;
  readonly object: Stored;
}

/** The objects that items mean. @throws Refusal with `missing` unless `ignoresUnknown`. */
export function meantBy(
  context: Context,
  kind: Kind,
  items: readonly Fields[],
  options: { readonly ignoresUnknown: boolean; readonly others?: readonly string[] },
): readonly Meant[] {
  const names = ['externalId', ...kind.identities, ...(options.others ?? [])];
  const shape = { fields: Object.fromEntries(names.map((name) => [name, () => undefined])) };
  const identities = items.map((item, index) => {
    const unknown = unknownField(item, shape);
    if (unknown !== undefined) throw invalid(`items[${index}].${unknown}: unknown field`);
    return identityOf(item, kind.identities, `items[${index}]`);
  });
  refuseRepeated(kind, identities);
  const found = identities.map((identity) => find(context, kind, identity));
  const missing = identities.filter((_identity, index) => found[index] === undefined);
  if (missing.length > 0 && !options.ignoresUnknown) {
    const name = Object.keys(missing[0] ?? {})[0] ?? 'id';
    throw invalid(`${kind.unknownText(name)}: ${missing.map((each) => shown(each)).join(', ')}`, { missing });
  }
  return items.flatMap((item, index) => {
    const object = found[index];
    return object === undefined ? [] : [{ item, object }];
  });
}

/** An identity in a text. */
function shown(identity: Fields): string {
  const [value] = Object.values(identity);
  return typeof value === 'object' ? JSON.stringify(value) : String(value);
}

/** A switch of a request: absent is false. */
export function flag(body: Fields, name: string): boolean {
  const value = body[name] ?? false;
  if (typeof value !== 'boolean') throw invalid(`${name}: must be true or false`);
  return value;
}
