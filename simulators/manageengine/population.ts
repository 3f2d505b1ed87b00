import { hash } from '../draw.ts';
import type { Dataset } from './dataset.ts';
import {
  FLEETING,
  firstRoll,
  type Kind,
  LIST_NAMES,
  LISTS,
  type ListName,
  MEMBERS,
  ROWS,
  type ServedList,
} from './lists.ts';
import type { Listing, Nested } from './paging.ts';
import { Roll } from './roll.ts';

/** How an endpoint shows a list. */
interface Shown {
  readonly name: string;
  readonly key: string;
  /** A member's row as JSON text. */
  readonly row: (member: number) => string;
  /** Members that belong to the part that is shown; all of them when absent. */
  readonly wanted?: ((member: number) => boolean) | undefined;
  readonly inner?: Nested;
}

/** Who is there now. Members are indexes into the data set. */
export class Population {
  readonly data: Dataset;
  /** Changes whenever a list does. */
  version = 0;
  /** Changes whenever a member leaves or joins, not when one moves. */
  membership = 0;
  readonly #rolls = new Map<ListName, Roll>();
  readonly #rows = new Map<ServedList, Map<number, string>>();
  readonly #removed = new Map<Kind, number[]>();
  /** The first index of a kind that was never used, once any was added. */
  readonly #next = new Map<Kind, number>();
  #changes = 0;

  constructor(data: Dataset) {
    this.data = data;
  }

  #roll(list: ListName): Roll {
    let roll = this.#rolls.get(list);
    if (!roll) {
      roll = firstRoll(this.data, list);
      this.#rolls.set(list, roll);
    }
    return roll;
  }

  #rollsOf(kind: Kind): [ListName, Roll][] {
    return LIST_NAMES.filter((list) => LISTS[list].kind === kind).map((list) => [list, this.#roll(list)]);
  }

  /** Members, each once, in list order. */
  members(list: ListName): readonly number[] {
    return this.#roll(list).members();
  }

  /** Different members, which is the total that the server reports. */
  total(list: ListName): number {
    return this.#roll(list).total;
  }

  has(list: ListName, member: number): boolean {
    return this.#roll(list).has(member);
  }

  id(list: ListName, member: number): string {
    return LISTS[list].id(this.data, member);
  }

  /** A member's row as JSON text. */
  row(list: ServedList, member: number): string {
    if (FLEETING.has(list)) return ROWS[list](this.data, member, this);
    let rows = this.#rows.get(list);
    if (!rows) {
      rows = new Map();
      this.#rows.set(list, rows);
    }
    let text = rows.get(member);
    if (text === undefined) {
      text = ROWS[list](this.data, member, this);
      rows.set(member, text);
    }
    return text;
  }

  /** The list as an endpoint shows it. */
  listing(list: ServedList): Listing {
    return this.listed(list, { name: list, key: list, row: (member) => this.row(list, member) });
  }

  /** A list, or the part of it that is wanted, with rows of its own. Only the whole list can move and repeat. */
  listed(list: ListName, { name, key, row, wanted, inner }: Shown): Listing {
    const whole = this.#roll(list);
    const roll = wanted ? Roll.of(whole.members().filter(wanted)) : whole;
    return {
      name,
      key,
      ...(inner && { inner }),
      total: roll.total,
      length: roll.length,
      rows: (start, end) => roll.slice(start, end).map(row),
      shrink: (count) => this.remove(LISTS[list].kind, roll.drawn(count, this.draw)),
      grow: (count, at) => this.grow(list, count, at),
      move: (position) => this.disturb(roll.move(position, this.draw)),
      repeat: (position, count) => this.disturb(roll.repeat(position, count)),
    };
  }

  /** Ids of members of the list's kind that were there and are gone. */
  removed(list: ListName): readonly string[] {
    return (this.#removed.get(LISTS[list].kind) ?? []).map((member) => this.id(list, member));
  }

  /** `count` members of the list vanish, from every list of their kind; which ones is drawn by seed. */
  shrink(list: ListName, count: number): void {
    this.remove(LISTS[list].kind, this.#roll(list).drawn(count, this.draw));
  }

  /** Members of a kind vanish from every list of it. */
  remove(kind: Kind, leaving: ReadonlySet<number>): void {
    for (const [, roll] of this.#rollsOf(kind)) roll.remove(leaving);
    this.#removed.set(kind, [...(this.#removed.get(kind) ?? []), ...leaving]);
    this.membership += 1;
    this.disturb(true);
  }

  /** `count` new members that belong on the list join every list of the kind that admits them. */
  grow(list: ListName, count: number, at: 'start' | 'end'): void {
    const { kind, admits } = LISTS[list];
    const joining: number[] = [];
    let next = this.#next.get(kind) ?? MEMBERS[kind](this.data.sizes);
    for (; joining.length < count; next += 1) if (admits?.(this.data, next) ?? true) joining.push(next);
    this.#next.set(kind, next);
    for (const [name, roll] of this.#rollsOf(kind)) {
      const { admits: admitsHere } = LISTS[name];
      roll.add(admitsHere ? joining.filter((member) => admitsHere(this.data, member)) : joining, at);
    }
    this.membership += 1;
    this.disturb(true);
  }

  /** A draw of the present state: the same question gets another answer after each change. */
  readonly draw = (purpose: string, value: number): number => hash(this.data.seed, purpose, this.#changes, value);

  /** Counts a change, if there was one. */
  disturb(changed: boolean): void {
    if (!changed) return;
    this.#changes += 1;
    this.version += 1;
  }
}
