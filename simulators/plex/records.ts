/** The rows of a plant as they stand: what was made, with what was changed by hand since. */
import { DAY, momentOf, sortableOf } from './dates.ts';
import type { Plant, Row } from './plant.ts';
import {
  HISTORIES,
  type HistoryName,
  historyOf,
  isHistory,
  isMaster,
  MASTERS,
  type MasterName,
  masterOf,
} from './row-sets.ts';
import { keyed } from './synthetic-keys.ts';
import type { Window } from './timeline.ts';

/** Fields that replace those of a row, or null for a row that is gone. */
type Change = Row | null;

function lengthOf(rows: Iterable<Row>): number {
  let length = 0;
  for (const _ of rows) length += 1;
  return length;
}

export class Records {
  readonly plant: Plant;
  readonly #changes = new Map<string, Map<string, Change>>();

  constructor(plant: Plant) {
    this.plant = plant;
  }

  /** From the first day of the history to now. */
  get wholeHistory(): Window {
    const { firstDay, now } = this.plant;
    return { begin: sortableOf(firstDay * DAY), end: sortableOf(now, true) };
  }

  /** The part of a window in which there can be rows; undefined when there is none. */
  visible({ begin, end }: Window): Window | undefined {
    const whole = this.wholeHistory;
    const window = { begin: begin > whole.begin ? begin : whole.begin, end: end < whole.end ? end : whole.end };
    return window.begin <= window.end ? window : undefined;
  }

  /** Rows with their ids as they stand; those of `some`, where only a part of the set is wanted. */
  *masters(name: MasterName, some?: Iterable<Row>): Generator<Row> {
    const { key, rows } = masterOf(name);
    const changes = this.#changes.get(name);
    for (const row of some ?? rows(this.plant)) {
      const change = changes?.get(String(row[key]));
      if (change !== null) yield change ? { ...row, ...change } : row;
    }
  }

  /** One row as it stands. */
  find(name: MasterName, key: string): Row | undefined {
    const master = masterOf(name);
    const found = master.find?.(this.plant, key) ?? this.#search(name, key);
    if (found === undefined) return undefined;
    for (const row of this.masters(name, [found])) return row;
    return undefined;
  }

  /** What happened within a window, oldest first, as it stands. */
  *history(name: HistoryName, window: Window): Generator<Row> {
    const { key, rows } = historyOf(name);
    const visible = this.visible(window);
    if (!visible) return;
    const changes = this.#changes.get(name);
    if (!changes) {
      yield* rows(this.plant, visible);
      return;
    }
    for (const [name, row] of keyed(rows(this.plant, visible), key)) {
      const change = changes.get(name);
      if (change !== null) yield change ? { ...row, ...change } : row;
    }
  }

  countMasters(name: MasterName): number {
    const { count } = masterOf(name);
    if (!count) return lengthOf(this.masters(name));
    return count(this.plant) - this.#gone(name);
  }

  countHistory(name: HistoryName, window: Window): number {
    const visible = this.visible(window);
    if (!visible) return 0;
    if (!this.#changes.has(name)) return historyOf(name).count(this.plant, visible);
    return lengthOf(this.history(name, visible));
  }

  /**
   * Changes a row, or takes it away with null. Where Plex keeps a date of the last change, it moves on to now.
   * @throws Error for an unknown set or key, and for a patch that touches the key.
   */
  change(name: string, key: string, patch: Change): Row | null {
    const row = this.#standing(name, key);
    const own = isMaster(name) ? String(row[masterOf(name).key]) : key;
    if (patch === null) {
      this.#put(name, own, null);
      return null;
    }
    const dated = isMaster(name) ? masterOf(name).changed : undefined;
    // A row is found again by these: its id, or the date that puts it in its place.
    const fixed = isMaster(name) ? masterOf(name).key : isHistory(name) ? historyOf(name).key.date : '';
    if (Object.hasOwn(patch, fixed)) throw new Error(`${fixed} of ${name} stays as it is`);
    const unknown = Object.keys(patch).filter((field) => !Object.hasOwn(row, field));
    if (unknown.length > 0) {
      throw new Error(`${name} has no field ${unknown.join(', ')}; its fields: ${Object.keys(row).join(', ')}`);
    }
    const stamp = dated === undefined ? {} : { [dated]: momentOf(this.plant.now, 2).text };
    const earlier = this.#changes.get(name)?.get(own) ?? {};
    this.#put(name, own, { ...earlier, ...stamp, ...patch });
    return { ...row, ...stamp, ...patch };
  }

  #standing(name: string, key: string): Row {
    const row = this.#row(name, key);
    if (row === undefined) throw new Error(`${name} has no row "${key}"`);
    return row;
  }

  #row(name: string, key: string): Row | undefined {
    if (isMaster(name)) return this.find(name, key);
    if (!isHistory(name)) {
      const known = [...Object.keys(MASTERS), ...Object.keys(HISTORIES)];
      throw new Error(`nothing to change in "${name}"; known: ${known.join(', ')}`);
    }
    const { key: rule, rows } = historyOf(name);
    for (const [own, row] of keyed(rows(this.plant, this.wholeHistory), rule)) {
      const change = this.#changes.get(name)?.get(own);
      if (own === key) return change === null ? undefined : { ...row, ...change };
    }
    return undefined;
  }

  #put(name: string, key: string, change: Change): void {
    const changes = this.#changes.get(name) ?? new Map<string, Change>();
    this.#changes.set(name, changes.set(key, change));
  }

  #search(name: MasterName, key: string): Row | undefined {
    const master = masterOf(name);
    if (master.find) return undefined;
    for (const row of master.rows(this.plant)) if (row[master.key] === key) return row;
    return undefined;
  }

  #gone(name: string): number {
    return [...(this.#changes.get(name)?.values() ?? [])].filter((change) => change === null).length;
  }
}
