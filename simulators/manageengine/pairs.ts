import { idOf, memberOf } from './dataset.ts';
import { patchRank } from './matrix.ts';
import { matrixIndex } from './matrix-index.ts';
import type { Listing } from './paging.ts';
import { patchDetailsRow, systemReportRow } from './pair-rows.ts';
import { patchIdOf, patchOf } from './patches.ts';
import type { Population } from './population.ts';
import { Roll } from './roll.ts';

/** The endpoints that show the pairs of system and patch: all patches of a system, all systems of a patch. */
export type ViewName = 'systemreport' | 'allpatchdetails';

/** Who takes part in the matrix, as of one state of the lists. */
interface Present {
  readonly membership: number;
  /** Patches that are listed, by rank; new patches share the ranks of old ones. */
  readonly patches: ReadonlyMap<number, readonly number[]>;
  /** How many of them a rank has. */
  readonly weights: Uint32Array;
  /** Systems that joined, which the index by patch does not know. */
  readonly joined: readonly number[];
}

/** A view that a fault has disturbed. */
interface Disturbed {
  readonly roll: Roll;
  membership: number;
}

/** Both views of the matrix of one population: who left or joined is gone from or in both. */
export class Pairs {
  readonly #population: Population;
  readonly #disturbed = new Map<string, Disturbed>();
  #present: Present | undefined;

  constructor(population: Population) {
    this.#population = population;
  }

  #now(): Present {
    const { data, membership } = this.#population;
    if (this.#present?.membership === membership) return this.#present;
    const patches = new Map<number, number[]>();
    const weights = new Uint32Array(data.sizes.patches);
    for (const patch of this.#population.members('allpatches')) {
      const rank = patchRank(data, patch);
      weights[rank] = (weights[rank] ?? 0) + 1;
      patches.set(rank, [...(patches.get(rank) ?? []), patch]);
    }
    const joined = this.#population.members('matrix').filter((system) => system >= data.sizes.systems);
    this.#present = { membership, patches, weights, joined };
    return this.#present;
  }

  /** Patches of a system that are listed, by id. */
  #patchesOf(system: number): number[] {
    if (!this.#population.has('matrix', system)) return [];
    const { patches } = this.#now();
    const ranked = matrixIndex(this.#population.data).patches(system);
    return ranked.flatMap(({ rank }) => patches.get(rank) ?? []).sort((a, b) => a - b);
  }

  /** Systems that have or lack a listed patch, by id. */
  #systemsOf(patch: number): number[] {
    const { data } = this.#population;
    if (!this.#population.has('allpatches', patch)) return [];
    const index = matrixIndex(data);
    const rank = patchRank(data, patch);
    const settled = index.systems(rank).filter((system) => this.#population.has('matrix', system));
    const joined = this.#now().joined.filter((system) => index.state(system, rank) !== undefined);
    return [...settled, ...joined].sort((a, b) => a - b);
  }

  /** The members on one side of the pairs: systems or patches, according to the view. */
  #members(view: ViewName, parent: number): number[] {
    return view === 'systemreport' ? this.#patchesOf(parent) : this.#systemsOf(parent);
  }

  #roll(view: ViewName, parent: number): Roll {
    const members = this.#members(view, parent);
    const disturbed = this.#disturbed.get(`${view} ${parent}`);
    if (!disturbed) return Roll.of(members);
    const { roll } = disturbed;
    if (disturbed.membership !== this.#population.membership) {
      const present = new Set(members);
      roll.remove(new Set(roll.members().filter((member) => !present.has(member))));
      roll.add(
        members.filter((member) => !roll.has(member)),
        'end',
      );
      disturbed.membership = this.#population.membership;
    }
    return roll;
  }

  #row(view: ViewName, parent: number, member: number): string {
    const { data } = this.#population;
    const [system, patch] = view === 'systemreport' ? [parent, member] : [member, parent];
    const state = matrixIndex(data).state(system, patchRank(data, patch)) ?? 'installed';
    return view === 'systemreport'
      ? systemReportRow(data, system, patch, state)
      : patchDetailsRow(data, system, patch, state);
  }

  /** A view of one system or patch, named by its id; empty when nobody of that id takes part. */
  listing(view: ViewName, id: string): Listing {
    const population = this.#population;
    const parent = view === 'systemreport' ? memberOf(population.data, 'system', id) : patchOf(population.data, id);
    const roll = parent === undefined ? Roll.of([]) : this.#roll(view, parent);
    const list = view === 'systemreport' ? 'allpatches' : 'matrix';
    const disturb = (changed: boolean): void => {
      if (!changed) return;
      this.#disturbed.set(`${view} ${parent}`, { roll, membership: population.membership });
      population.disturb(true);
    };
    return {
      key: view,
      total: roll.total,
      length: roll.length,
      rows: (start, end) =>
        parent === undefined ? [] : roll.slice(start, end).map((member) => this.#row(view, parent, member)),
      shrink: (count) =>
        population.remove(view === 'systemreport' ? 'patch' : 'system', roll.drawn(count, population.draw)),
      grow: (count, at) => population.grow(list, count, at),
      move: (position) => disturb(roll.move(position, population.draw)),
      repeat: (position, count) => disturb(roll.repeat(position, count)),
    };
  }

  /** Systems of whom the view shows pairs: those of `scandetails` by system, all by patch. */
  #systems(view: ViewName): readonly number[] {
    const systems = this.#population.members('matrix');
    return view === 'systemreport' ? systems.filter((system) => this.#population.has('scandetails', system)) : systems;
  }

  /**
   * Pairs that a client finds who asks for each system of `scandetails`, or for each patch of
   * `allpatches`.
   */
  count(view: ViewName): number {
    const index = matrixIndex(this.#population.data);
    const { weights } = this.#now();
    return this.#systems(view).reduce((sum, system) => sum + index.weight(system, weights), 0);
  }

  /** The pairs that `count` counts, as `resource_id/patch_id`. */
  ids(view: ViewName): string[] {
    const { data } = this.#population;
    return this.#systems(view).flatMap((system) => {
      const id = idOf(data, 'system', system);
      return this.#patchesOf(system).map((patch) => `${id}/${patchIdOf(data, patch)}`);
    });
  }
}
