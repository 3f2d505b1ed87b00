/** A draw from 0 to 2^32 - 1 for a purpose and a value. */
export type Draw = (purpose: string, value: number) => number;

/**
 * An ordered list of members, which are indexes into the data set. It may show a member twice, which
 * its total does not count. A range stays a range until something disturbs it: the largest list has
 * 365,487 members.
 */
export class Roll {
  #range: readonly [number, number] | undefined;
  #listed: number[] = [];
  #distinct: ReadonlySet<number> | undefined;

  /** From `start` (included) to `end` (excluded). */
  static range(start: number, end: number): Roll {
    const roll = new Roll();
    roll.#range = [start, end];
    return roll;
  }

  static of(members: Iterable<number>): Roll {
    const roll = new Roll();
    roll.#listed = [...members];
    return roll;
  }

  /** Entries, repeats included. */
  get length(): number {
    return this.#range ? this.#range[1] - this.#range[0] : this.#listed.length;
  }

  /** Different members. */
  get total(): number {
    return this.#range ? this.length : this.#members.size;
  }

  has(member: number): boolean {
    return this.#range ? member >= this.#range[0] && member < this.#range[1] : this.#members.has(member);
  }

  /** Entries from `start` (included) to `end` (excluded). */
  slice(start: number, end: number): readonly number[] {
    if (!this.#range) return this.#listed.slice(start, end);
    const [first, past] = this.#range;
    const from = Math.min(first + start, past);
    return Array.from({ length: Math.max(0, Math.min(first + end, past) - from) }, (_, at) => from + at);
  }

  /** Members, each once, in list order. */
  members(): readonly number[] {
    return this.#range ? this.slice(0, this.length) : [...this.#members];
  }

  get #members(): ReadonlySet<number> {
    this.#distinct ??= new Set(this.#listed);
    return this.#distinct;
  }

  #change(change: (listed: number[]) => number[]): void {
    this.#listed = change(this.#range ? [...this.slice(0, this.length)] : this.#listed);
    this.#range = undefined;
    this.#distinct = undefined;
  }

  remove(leaving: ReadonlySet<number>): void {
    this.#change((listed) => listed.filter((member) => !leaving.has(member)));
  }

  add(joining: readonly number[], at: 'start' | 'end'): void {
    this.#change((listed) => (at === 'end' ? [...listed, ...joining] : [...joining, ...listed]));
  }

  /** A member listed at or after `position` appears before it instead. Says whether there was one. */
  move(position: number, draw: Draw): boolean {
    const { length } = this;
    if (position <= 0 || position >= length) return false;
    this.#change((listed) => {
      const [member] = listed.splice(position + (draw('from', position) % (length - position)), 1);
      if (member !== undefined) listed.splice(draw('to', position) % position, 0, member);
      return listed;
    });
    return true;
  }

  /** The `count` entries before `position` are listed again right at it. Says whether anything changed. */
  repeat(position: number, count: number): boolean {
    const repeated = this.slice(Math.max(0, position - count), position);
    const [next] = this.slice(position, position + 1);
    if (next === undefined || next === repeated[0]) return false;
    this.#change((listed) => {
      listed.splice(position, 0, ...repeated);
      return listed;
    });
    return true;
  }

  /** Members drawn to leave: the same ones for the same draws, whatever the order of the list. */
  drawn(count: number, draw: Draw): Set<number> {
    const order = this.members().map((member) => ({ member, place: draw('shrink', member) }));
    order.sort((a, b) => a.place - b.place);
    return new Set(order.slice(0, count).map(({ member }) => member));
  }
}
