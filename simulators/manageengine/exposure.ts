import { idOf } from './dataset.ts';
import type { Pairs } from './pairs.ts';
import type { Population } from './population.ts';
import { exposureUpdated, patchesAgainst, vulnerabilityIdOf } from './vulnerabilities.ts';

/** A vulnerability that is open on a system. */
export interface Open {
  readonly system: number;
  readonly vulnerability: number;
  /** A patch against it that the system lacks. */
  readonly patch: number;
  /** When this last changed, epoch milliseconds. */
  readonly updated: number;
}

/** What is open, as of one state of the pairs. */
interface Present {
  readonly version: number;
  /** By system and vulnerability. */
  readonly open: readonly Open[];
  readonly bySystem: ReadonlyMap<number, readonly Open[]>;
}

/** Which vulnerabilities are open on which systems: those of which a patch is missing or failed there. */
export class Exposure {
  readonly #population: Population;
  readonly #pairs: Pairs;
  readonly #now: () => number;
  #present: Present | undefined;
  /** When those that came up after the first look did, by system and vulnerability. */
  readonly #cameUp = new Map<string, number>();

  /** `now`: virtual epoch milliseconds. */
  constructor(population: Population, pairs: Pairs, now: () => number) {
    this.#population = population;
    this.#pairs = pairs;
    this.#now = now;
  }

  #look(): Present {
    const { version } = this.#pairs;
    if (this.#present?.version === version) return this.#present;
    const against = this.#against();
    const systems = [...this.#population.members('dcapi_systems')].sort((a, b) => a - b);
    const found = systems.flatMap((system) => this.#openOn(system, against));
    const open = this.#present === undefined ? found : this.#dated(found, this.#present);
    this.#present = { version, open, bySystem: Map.groupBy(open, ({ system }) => system) };
    return this.#present;
  }

  /** What was not open at the look before has come up since. */
  #dated(found: readonly Open[], { open }: Present): Open[] {
    const name = ({ system, vulnerability }: Open): string => `${system} ${vulnerability}`;
    const before = new Set(open.map(name));
    for (const each of found) if (!before.has(name(each))) this.#cameUp.set(name(each), this.#now());
    return found.map((each) => ({ ...each, updated: this.#cameUp.get(name(each)) ?? each.updated }));
  }

  /** Vulnerabilities by the patches against them. */
  #against(): ReadonlyMap<number, readonly number[]> {
    const against = new Map<number, number[]>();
    for (const vulnerability of this.#population.members('dcapi_vulnerabilities')) {
      for (const patch of patchesAgainst(this.#population.data, vulnerability)) {
        against.set(patch, [...(against.get(patch) ?? []), vulnerability]);
      }
    }
    return against;
  }

  #openOn(system: number, against: ReadonlyMap<number, readonly number[]>): Open[] {
    const { data } = this.#population;
    const open = new Map<number, Open>();
    for (const { patch, state } of this.#pairs.of(system)) {
      if (state === 'installed') continue;
      for (const vulnerability of against.get(patch) ?? []) {
        if (open.has(vulnerability)) continue;
        open.set(vulnerability, {
          system,
          vulnerability,
          patch,
          updated: exposureUpdated(data, system, vulnerability),
        });
      }
    }
    return [...open.values()].sort((a, b) => a.vulnerability - b.vulnerability);
  }

  /** All that is open, by system and vulnerability. */
  get open(): readonly Open[] {
    return this.#look().open;
  }

  /** What is open on a system, by vulnerability. */
  of(system: number): readonly Open[] {
    return this.#look().bySystem.get(system) ?? [];
  }

  /** All that is open, as `resource_id/vulnerability_id`. */
  get ids(): string[] {
    const { data } = this.#population;
    return this.open.map(
      ({ system, vulnerability }) => `${idOf(data, 'system', system)}/${vulnerabilityIdOf(data, vulnerability)}`,
    );
  }
}
