/** What one CDF project holds, in memory. */
import { type Changes, Collection, type Stored } from './collection.ts';
import { ModelSpace } from './model-space.ts';
import { RawStore } from './raw-store.ts';
import type { Settings } from './settings.ts';

/** Resources whose objects have ids, by their place in a path. */
export const RESOURCES = [
  'assets',
  'events',
  'timeseries',
  'datasets',
  'extpipes',
  'relationships',
  'labels',
  'sequences',
] as const;
export type ResourceName = (typeof RESOURCES)[number];

/** A value of a time series. */
export type PointValue = number | string;

/** One report of an extraction pipeline. */
export interface Run {
  readonly id: number;
  /** Of the pipeline. */
  readonly pipeline: number;
  readonly status: string;
  readonly message?: string;
  readonly createdTime: number;
}

/** The first id, which is small enough for every number and large enough to be no index. */
const FIRST_ID = 1_000_001;

export class Project {
  readonly collections: Readonly<Record<ResourceName, Collection>>;
  /** Points of a time series by timestamp. */
  readonly points = new Map<number, Map<number, PointValue>>();
  readonly runs: Run[] = [];
  readonly raw = new RawStore();
  readonly models = new ModelSpace();
  #nextId = FIRST_ID;

  constructor() {
    const pairs = RESOURCES.map((name) => [name, new Collection()] as const);
    this.collections = Object.fromEntries(pairs) as Record<ResourceName, Collection>;
  }

  /** The id that comes next; `takeIds` makes it used. */
  get nextId(): number {
    return this.#nextId;
  }

  takeIds(count: number): void {
    this.#nextId += count;
  }

  /** Objects of a resource, without what belongs to them elsewhere. */
  of(resource: ResourceName): Collection {
    return this.collections[resource];
  }

  /** Removes an object with what cannot be without it. */
  remove(resource: ResourceName, id: number): void {
    this.of(resource).remove(id);
    if (resource === 'timeseries') this.points.delete(id);
  }

  /** Assets below some assets, themselves included. */
  subtree(roots: Iterable<number>): ReadonlySet<number> {
    const children = new Map<number, number[]>();
    for (const { id, parentId } of this.of('assets').values()) {
      if (typeof parentId !== 'number') continue;
      const siblings = children.get(parentId);
      if (siblings) siblings.push(id);
      else children.set(parentId, [id]);
    }
    const found = new Set(roots);
    // A set that grows while it is walked is walked to its end.
    for (const id of found) for (const child of children.get(id) ?? []) found.add(child);
    return found;
  }

  /** Removes what has an external id that begins so, with the assets below. Returns how many objects went. */
  removeNamed(begins: (externalId: string) => boolean): number {
    let gone = 0;
    for (const resource of RESOURCES) {
      if (resource === 'datasets' || resource === 'extpipes') continue;
      const found = [...this.of(resource).values()].filter(({ externalId = '' }) => begins(externalId));
      const ids = found.map((object: Stored) => object.id);
      for (const id of resource === 'assets' ? this.subtree(ids) : ids) {
        this.remove(resource, id);
        gone += 1;
      }
    }
    return gone;
  }

  get changes(): Readonly<Record<ResourceName, Changes>> {
    const pairs = RESOURCES.map((name) => [name, this.of(name).changes] as const);
    return Object.fromEntries(pairs) as Record<ResourceName, Changes>;
  }
}

/** What a request meets. */
export interface Context {
  readonly project: Project;
  /** Virtual epoch milliseconds. */
  readonly now: number;
  readonly settings: Settings;
}
