/** Spaces, containers, views and the instances in them, as they are kept. */
import { CORE_CONTAINERS, CORE_SPACE, CORE_VERSION, CORE_VIEWS } from './core-model.ts';
import { keyOf, type Properties } from './model-types.ts';
import { type Fields, isObject } from './shapes.ts';

/** A space, container or view with what somebody sent to define it. */
export interface Definition {
  readonly key: string;
  readonly definition: Fields;
  /** Of containers and views. */
  readonly properties: Properties;
  /** Made by Cognite. */
  readonly isGlobal: boolean;
  readonly createdTime: number;
  readonly lastUpdatedTime: number;
}

/** A node or edge. Values are kept by container, whatever view they came through. */
export interface Instance {
  readonly instanceType: 'node' | 'edge';
  readonly space: string;
  readonly externalId: string;
  readonly version: number;
  readonly type?: unknown;
  readonly startNode?: unknown;
  readonly endNode?: unknown;
  /** Values by container, then by name. */
  readonly values: Readonly<Record<string, Fields>>;
  readonly createdTime: number;
  readonly lastUpdatedTime: number;
}

export const DEFINED = ['spaces', 'containers', 'views'] as const;
export type DefinedName = (typeof DEFINED)[number];

function core(key: string, definition: Fields, properties: Properties = {}): [string, Definition] {
  return [key, { key, definition, properties, isGlobal: true, createdTime: 0, lastUpdatedTime: 0 }];
}

export class ModelSpace {
  readonly #defined: Readonly<Record<DefinedName, Map<string, Definition>>> = {
    spaces: new Map([core(CORE_SPACE, { space: CORE_SPACE })]),
    containers: new Map(
      Object.entries(CORE_CONTAINERS).map(([externalId, properties]) =>
        core(keyOf(CORE_SPACE, externalId), { space: CORE_SPACE, externalId, usedFor: 'node' }, properties),
      ),
    ),
    views: new Map(
      Object.entries(CORE_VIEWS).map(([externalId, properties]) =>
        core(
          keyOf(CORE_SPACE, externalId, CORE_VERSION),
          { space: CORE_SPACE, externalId, version: CORE_VERSION },
          properties,
        ),
      ),
    ),
  };
  readonly #instances = new Map<string, Instance>();
  /** Time series in the classic API of nodes that are time series. */
  readonly #series = new Map<string, number>();

  defined(what: DefinedName): Map<string, Definition> {
    return this.#defined[what];
  }

  get instances(): ReadonlyMap<string, Instance> {
    return this.#instances;
  }

  instance(type: unknown, space: unknown, externalId: unknown): Instance | undefined {
    return this.#instances.get(keyOf(type, space, externalId));
  }

  put(instance: Instance): void {
    this.#instances.set(keyOf(instance.instanceType, instance.space, instance.externalId), instance);
  }

  remove({ instanceType, space, externalId }: Instance): void {
    this.#instances.delete(keyOf(instanceType, space, externalId));
    if (instanceType === 'node') this.#series.delete(keyOf(space, externalId));
  }

  /** Nodes or edges, oldest first. */
  *ofType(type: 'node' | 'edge'): Generator<Instance> {
    for (const instance of this.#instances.values()) if (instance.instanceType === type) yield instance;
  }

  /** The id in the classic API of a node that is a time series. */
  seriesOf(node: unknown): number | undefined {
    return isObject(node) ? this.#series.get(keyOf(node.space, node.externalId)) : undefined;
  }

  linkSeries(node: Pick<Instance, 'space' | 'externalId'>, id: number): void {
    this.#series.set(keyOf(node.space, node.externalId), id);
  }
}
