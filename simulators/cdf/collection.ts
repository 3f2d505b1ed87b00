/** Objects of one resource, by id and by external id, in the order of their ids. */

/** An object as it is kept. Relations are kept as ids. */
export interface Stored {
  readonly id: number;
  readonly externalId?: string;
  readonly createdTime: number;
  readonly lastUpdatedTime: number;
  readonly [field: string]: unknown;
}

/** How often something happened to the objects of a resource. */
export interface Changes {
  readonly created: number;
  readonly updated: number;
  readonly deleted: number;
}

export class Collection {
  readonly #objects = new Map<number, Stored>();
  readonly #ids = new Map<string, number>();
  #changes: Changes = { created: 0, updated: 0, deleted: 0 };

  get size(): number {
    return this.#objects.size;
  }

  get changes(): Changes {
    return this.#changes;
  }

  /** In the order of creation, which is that of the ids. */
  values(): IterableIterator<Stored> {
    return this.#objects.values();
  }

  get(id: number): Stored | undefined {
    return this.#objects.get(id);
  }

  named(externalId: string): Stored | undefined {
    const id = this.#ids.get(externalId);
    return id === undefined ? undefined : this.#objects.get(id);
  }

  /** Keeps a new object, or a changed one in the place of what it was. */
  put(object: Stored): void {
    const before = this.#objects.get(object.id);
    if (before?.externalId !== undefined) this.#ids.delete(before.externalId);
    this.#objects.set(object.id, object);
    if (object.externalId !== undefined) this.#ids.set(object.externalId, object.id);
    const { created, updated } = this.#changes;
    this.#changes = { ...this.#changes, ...(before ? { updated: updated + 1 } : { created: created + 1 }) };
  }

  remove(id: number): void {
    const object = this.#objects.get(id);
    if (object === undefined) return;
    if (object.externalId !== undefined) this.#ids.delete(object.externalId);
    this.#objects.delete(id);
    this.#changes = { ...this.#changes, deleted: this.#changes.deleted + 1 };
  }
}
