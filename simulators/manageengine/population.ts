import { hash } from '../draw.ts';
import { type Dataset, idOf } from './dataset.ts';
import { allPatchesRow, patchIdOf } from './patches.ts';
import { allSystemsRow, scanDetailsRow } from './systems.ts';

/** What a list's rows are about; a member that leaves disappears from every list of its kind. */
export type Kind = 'system' | 'patch';
export type ListName = 'scandetails' | 'allsystems' | 'allpatches';

interface ListDefinition {
  readonly kind: Kind;
  readonly row: (data: Dataset, member: number) => string;
}

const LISTS: Readonly<Record<ListName, ListDefinition>> = {
  scandetails: { kind: 'system', row: scanDetailsRow },
  allsystems: { kind: 'system', row: allSystemsRow },
  allpatches: { kind: 'patch', row: allPatchesRow },
};

export const LIST_NAMES = Object.keys(LISTS) as ListName[];

function range(start: number, end: number): number[] {
  return Array.from({ length: end - start }, (_, at) => start + at);
}

let populations = 0;

/**
 * Who is there now. Members are indexes into the data set; a list may show a member twice after
 * `repeatAfter`, which neither the total nor the manifest counts.
 */
export class Population {
  readonly data: Dataset;
  /** Tells populations of one process apart; keys the page cache together with `version`. */
  readonly serial: number;
  /** Changes whenever a list does. */
  version = 0;
  readonly #lists: Record<ListName, number[]>;
  readonly #rows: Record<ListName, Map<number, string>>;
  readonly #removed: Record<Kind, number[]> = { system: [], patch: [] };
  #totals: Partial<Record<ListName, number>> = {};
  #nextSystem: number;
  #nextPatch: number;
  #changes = 0;

  constructor(data: Dataset) {
    this.data = data;
    populations += 1;
    this.serial = populations;
    this.#lists = {
      scandetails: range(...data.sizes.scanWindow),
      allsystems: range(...data.sizes.allSystemsWindow),
      allpatches: range(0, data.sizes.patches),
    };
    this.#rows = { scandetails: new Map(), allsystems: new Map(), allpatches: new Map() };
    this.#nextSystem = data.sizes.systems;
    this.#nextPatch = data.sizes.patches;
  }

  /** Members as listed, repeats included. */
  listed(list: ListName): readonly number[] {
    return this.#lists[list];
  }

  /** Members, each once, in list order. */
  members(list: ListName): readonly number[] {
    return [...new Set(this.#lists[list])];
  }

  /** Different members, which is the total that the server reports. */
  total(list: ListName): number {
    return this.#totals[list] ?? this.#count(list);
  }

  #count(list: ListName): number {
    const total = new Set(this.#lists[list]).size;
    this.#totals[list] = total;
    return total;
  }

  id(list: ListName, member: number): string {
    return LISTS[list].kind === 'system' ? idOf(this.data, 'system', member) : patchIdOf(member);
  }

  row(list: ListName, member: number): string {
    const rows = this.#rows[list];
    let text = rows.get(member);
    if (text === undefined) {
      text = LISTS[list].row(this.data, member);
      rows.set(member, text);
    }
    return text;
  }

  /** Ids of members of the list's kind that were there and are gone. */
  removed(list: ListName): readonly string[] {
    return this.#removed[LISTS[list].kind].map((member) => this.id(list, member));
  }

  /** `count` members of the list vanish, from every list of their kind; which ones is drawn by seed. */
  shrink(list: ListName, count: number): void {
    const members = this.members(list);
    const drawn = members.map((member) => ({ member, order: this.#draw('shrink', member) }));
    drawn.sort((a, b) => a.order - b.order);
    const leaving = new Set(drawn.slice(0, count).map((entry) => entry.member));
    for (const name of LIST_NAMES) {
      if (LISTS[name].kind !== LISTS[list].kind) continue;
      this.#lists[name] = this.#lists[name].filter((member) => !leaving.has(member));
    }
    this.#removed[LISTS[list].kind].push(...leaving);
    this.#changed();
  }

  /** `count` new members join every list of the kind, at its end or at its start. */
  grow(list: ListName, count: number, at: 'start' | 'end'): void {
    const kind = LISTS[list].kind;
    const first = kind === 'system' ? this.#nextSystem : this.#nextPatch;
    const joining = range(first, first + count);
    if (kind === 'system') this.#nextSystem += count;
    else this.#nextPatch += count;
    for (const name of LIST_NAMES) {
      if (LISTS[name].kind !== kind) continue;
      this.#lists[name] = at === 'end' ? [...this.#lists[name], ...joining] : [...joining, ...this.#lists[name]];
    }
    this.#changed();
  }

  /** A member listed at or after `position` appears before it instead, so everything between shifts. */
  move(list: ListName, position: number): void {
    const rows = this.#lists[list];
    if (position <= 0 || position >= rows.length) return;
    const from = position + (this.#draw('from', position) % (rows.length - position));
    const [member] = rows.splice(from, 1);
    if (member !== undefined) rows.splice(this.#draw('to', position) % position, 0, member);
    this.#changed();
  }

  /** The `count` rows before `position` are listed again right at it; later rows shift. */
  repeatAfter(list: ListName, position: number, count: number): void {
    const rows = this.#lists[list];
    const repeated = rows.slice(Math.max(0, position - count), position);
    if (position >= rows.length || rows[position] === repeated[0]) return;
    rows.splice(position, 0, ...repeated);
    this.#changed();
  }

  #draw(purpose: string, value: number): number {
    return hash(this.data.seed, purpose, this.#changes, value);
  }

  #changed(): void {
    this.#changes += 1;
    this.#totals = {};
    this.version += 1;
  }
}
