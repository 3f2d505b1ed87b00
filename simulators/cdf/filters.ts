/** Filters of lists: which objects somebody wants. */
import type { Stored } from './collection.ts';
import type { Context } from './project.ts';
import { invalid } from './refusal.ts';
import {
  type Check,
  externalId,
  type Fields,
  id,
  isObject,
  listOf,
  metadata,
  object,
  range,
  rangeOrNull,
  text,
  truth,
} from './shapes.ts';

/** Whether an object is wanted. */
export type Wanted = (object: Stored) => boolean;

/** A key of a filter: what it may be, and what it then wants. */
export interface FilterRule {
  readonly check: Check;
  readonly wants: (context: Context, value: never) => Wanted;
}

export type Filters = Readonly<Record<string, FilterRule>>;

type Ends = { readonly min?: number; readonly max?: number; readonly isNull?: boolean };
type Reference = { readonly id?: number; readonly externalId?: string };

/** Most values of a filter by references. */
const MOST = 100;
/** Most assets below those of a filter by subtrees. */
const MOST_IN_SUBTREES = 100_000;

const reference: Check = (value) => {
  const problem = object({ fields: { id, externalId } })(value);
  if (problem !== undefined) return problem;
  return Object.keys(value as object).length === 1 ? undefined : 'needs id or externalId';
};
const references = listOf(reference, MOST);

export function equal(field: string, check: Check = text(Infinity)): FilterRule {
  return { check, wants: (_context, value: unknown) => (each) => each[field] === value };
}

export function among(field: string, check: Check = externalId): FilterRule {
  return {
    check: listOf(check, MOST),
    wants: (_context, values: readonly unknown[]) => (each) => values.includes(each[field]),
  };
}

function within(value: unknown, { min = -Infinity, max = Infinity, isNull }: Ends): boolean {
  if (typeof value !== 'number') return isNull === true;
  return isNull !== true && value >= min && value <= max;
}

export function between(field: string): FilterRule {
  return { check: range, wants: (_context, ends: Ends) => (each) => within(each[field], ends) };
}

export function betweenOrNull(field: string): FilterRule {
  return { check: rangeOrNull, wants: (_context, ends: Ends) => (each) => within(each[field], ends) };
}

export const externalIdPrefix: FilterRule = {
  check: text(255),
  wants: (_context, prefix: string) => (each) => each.externalId?.startsWith(prefix) ?? false,
};

export const allPairs: FilterRule = {
  check: metadata({ valueBytes: Infinity, totalBytes: Infinity }),
  wants: (_context, pairs: Fields) => (each) => {
    const own = isObject(each.metadata) ? each.metadata : {};
    return Object.entries(pairs).every(([key, value]) => own[key] === value);
  },
};

function resolved({ project }: Context, resource: 'assets' | 'datasets', wanted: readonly Reference[]): Set<number> {
  const ids = wanted.map((each) =>
    each.externalId === undefined ? each.id : project.of(resource).named(each.externalId)?.id,
  );
  return new Set(ids.filter((each) => each !== undefined));
}

export const dataSetIds: FilterRule = {
  check: references,
  wants: (context, wanted: readonly Reference[]) => {
    const ids = resolved(context, 'datasets', wanted);
    return (each) => ids.has(Number(each.dataSetId));
  },
};

/** Ids of assets that an object is linked with, by any of these. */
export type Links = (object: Stored) => readonly number[];

export function linkedWith(links: Links): FilterRule {
  return {
    check: listOf(id, MOST),
    wants: (_context, ids: readonly number[]) => (each) => links(each).some((link) => ids.includes(link)),
  };
}

export function linkedWithNamed(links: Links): FilterRule {
  return {
    check: listOf(externalId, MOST),
    wants: (context, names: readonly string[]) => {
      const ids = resolved(
        context,
        'assets',
        names.map((name) => ({ externalId: name })),
      );
      return (each) => links(each).some((link) => ids.has(link));
    },
  };
}

export function inSubtrees(links: Links): FilterRule {
  return {
    check: references,
    wants: (context, roots: readonly Reference[]) => {
      const ids = context.project.subtree(resolved(context, 'assets', roots));
      if (ids.size > MOST_IN_SUBTREES) {
        throw invalid(`assetSubtreeIds: subtrees have ${ids.size} assets, ${MOST_IN_SUBTREES} are allowed`);
      }
      return (each) => links(each).some((link) => ids.has(link));
    },
  };
}

const labelList = listOf(object({ fields: { externalId }, required: ['externalId'] }), MOST);

export const labels: FilterRule = {
  check: object({ fields: { containsAny: labelList, containsAll: labelList } }),
  wants: (_context, { containsAny, containsAll }: Readonly<Record<string, readonly Reference[]>>) => {
    return (each) => {
      const own = new Set(((each.labels as readonly Reference[]) ?? []).map((label) => label.externalId));
      const has = (label: Reference) => own.has(label.externalId);
      return (containsAny?.some(has) ?? true) && (containsAll?.every(has) ?? true);
    };
  },
};

/** Whether an object has a parent. */
export const root: FilterRule = {
  check: truth,
  wants: (_context, wanted: boolean) => (each) => (each.parentId === undefined) === wanted,
};

/** What happened at some time of a range; without an end it goes on. */
export const activeAtTime: FilterRule = {
  check: range,
  wants: (_context, { min = -Infinity, max = Infinity }: Ends) => {
    return ({ startTime, endTime }) =>
      typeof startTime === 'number' && startTime <= max && (typeof endTime !== 'number' || endTime >= min);
  },
};

export const TIMES: Filters = { createdTime: between('createdTime'), lastUpdatedTime: between('lastUpdatedTime') };

/** Reads the filter of a body. @throws Refusal for keys that do not exist and values that are none. */
export function wantedBy(context: Context, filter: unknown, filters: Filters): Wanted {
  if (filter === undefined) return () => true;
  if (!isObject(filter)) throw invalid('filter: must be an object');
  const tests = Object.entries(filter).map(([name, value]) => {
    const rule = Object.hasOwn(filters, name) ? filters[name] : undefined;
    if (!rule) throw invalid(`filter.${name}: unknown field`);
    const problem = rule.check(value);
    if (problem !== undefined) throw invalid(`filter.${name}: ${problem}`);
    return rule.wants(context, value as never);
  });
  return (each) => tests.every((test) => test(each));
}
