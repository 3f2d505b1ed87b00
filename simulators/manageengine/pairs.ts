import { idOf, memberOf } from './dataset.ts';
import { patchRank } from './matrix.ts';
import { matrixIndex, type PairState } from './matrix-index.ts';
import type { Listing } from './paging.ts';
import { patchDetailsRow, systemReportRow } from './pair-rows.ts';
import { patchIdOf, patchOf } from './patches.ts';
import type { Population } from './population.ts';
import { Roll } from './roll.ts';

/** The endpoints that show the pairs of one system, or of one patch. */
export type ViewName = 'systemreport' | 'allpatchdetails';

/** A patch on a system, and how it stands there. */
export interface Pair {
  readonly patch: number;
  readonly state: PairState;
}

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
  version: number;
}

/** The pairs of system and patch of one population: who left or joined is gone from or in every view of them. */
export class Pairs {
  readonly #population: Population;
  readonly #disturbed = new Map<string, Disturbed>();
  /** Patches of systems that no longer have or lack them, though both are still there. */
  readonly #removed = new Map<number, Set<number>>();
  #removals = 0;
  #present: Present | undefined;
  readonly #counts = new Map<'scandetails' | undefined, { readonly version: number; readonly pairs: number }>();

  constructor(population: Population) {
    this.#population = population;
  }

  /** Changes whenever a pair comes or goes. */
  get version(): number {
    return this.#population.membership + this.#removals;
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
    const joined = this.#population.members('dcapi_systems').filter((system) => system >= data.sizes.systems);
    this.#present = { membership, patches, weights, joined };
    return this.#present;
  }

  #isRemoved(system: number, patch: number): boolean {
    return this.#removed.get(system)?.has(patch) === true;
  }

  /** The pairs of a system, by patch. */
  of(system: number): readonly Pair[] {
    if (!this.#population.has('dcapi_systems', system)) return [];
    const { patches } = this.#now();
    const pairs: Pair[] = [];
    for (const { rank, state } of matrixIndex(this.#population.data).patches(system)) {
      for (const patch of patches.get(rank) ?? []) {
        if (!this.#isRemoved(system, patch)) pairs.push({ patch, state });
      }
    }
    return pairs.sort((a, b) => a.patch - b.patch);
  }

  /** Systems that have or lack a listed patch, by id. */
  #systemsOf(patch: number): number[] {
    const { data } = this.#population;
    if (!this.#population.has('allpatches', patch)) return [];
    const index = matrixIndex(data);
    const rank = patchRank(data, patch);
    const settled = index.systems(rank).filter((system) => this.#population.has('dcapi_systems', system));
    const joined = this.#now().joined.filter((system) => index.state(system, rank) !== undefined);
    return [...settled, ...joined].filter((system) => !this.#isRemoved(system, patch)).sort((a, b) => a - b);
  }

  /** The members on one side of the pairs: systems or patches, according to the view. */
  #members(view: ViewName, parent: number): number[] {
    return view === 'systemreport' ? this.of(parent).map(({ patch }) => patch) : this.#systemsOf(parent);
  }

  #roll(view: ViewName, parent: number): Roll {
    const members = this.#members(view, parent);
    const disturbed = this.#disturbed.get(`${view} ${parent}`);
    if (!disturbed) return Roll.of(members);
    const { roll } = disturbed;
    if (disturbed.version !== this.version) {
      const present = new Set(members);
      roll.remove(new Set(roll.members().filter((member) => !present.has(member))));
      roll.add(
        members.filter((member) => !roll.has(member)),
        'end',
      );
      disturbed.version = this.version;
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
    const list = view === 'systemreport' ? 'allpatches' : 'dcapi_systems';
    const disturb = (changed: boolean): void => {
      if (!changed) return;
      this.#disturbed.set(`${view} ${parent}`, { roll, version: this.version });
      population.disturb(true);
    };
    return {
      name: view,
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

  /** Systems whose pairs are meant: all, or those that are also on a list. */
  #systems(on?: 'scandetails'): readonly number[] {
    const systems = this.#population.members('dcapi_systems');
    return on === undefined ? systems : systems.filter((system) => this.#population.has(on, system));
  }

  /** The number of pairs of a system, without making them. */
  #rows(system: number): number {
    const weight = matrixIndex(this.#population.data).weight(system, this.#now().weights);
    const removed = this.#removed.get(system);
    if (!removed) return weight;
    return weight - [...removed].filter((patch) => this.#population.has('allpatches', patch)).length;
  }

  /** All pairs, or those of the systems of a list: a client finds the latter who asks for each of them. */
  count(on?: 'scandetails'): number {
    const known = this.#counts.get(on);
    if (known?.version === this.version) return known.pairs;
    const pairs = this.#systems(on).reduce((sum, system) => sum + this.#rows(system), 0);
    this.#counts.set(on, { version: this.version, pairs });
    return pairs;
  }

  /** The pairs that `count` counts, as `resource_id/patch_id`. */
  ids(on?: 'scandetails'): string[] {
    const { data } = this.#population;
    return this.#systems(on).flatMap((system) => {
      const id = idOf(data, 'system', system);
      return this.of(system).map(({ patch }) => `${id}/${patchIdOf(data, patch)}`);
    });
  }

  /** `count` pairs vanish while their systems and patches stay: every so many-th, from a drawn one on. */
  shrink(count: number): void {
    const step = Math.max(1, this.count() / count);
    const first = this.#population.draw('pairs', 0) / 0x1_0000_0000;
    let nth = 0;
    let reached = 0;
    for (const system of this.#systems()) {
      const pairs = this.of(system);
      for (; nth < count && (first + nth) * step < reached + pairs.length; nth += 1) {
        const patch = pairs[Math.floor((first + nth) * step) - reached]?.patch;
        const removed = this.#removed.get(system) ?? new Set();
        if (patch !== undefined) this.#removed.set(system, removed.add(patch));
      }
      reached += pairs.length;
    }
    this.#removals += 1;
    this.#population.disturb(true);
  }
}
