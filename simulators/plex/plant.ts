/** What every row of a simulated plant is a function of. */
import { Draws, hash } from '../draw.ts';
import { DAY } from './dates.ts';
import { indexOf, kindMark, uuidOf } from './ids.ts';
import { type Sizes, sizesOf } from './profiles.ts';

/** One row as the vendor's JSON has it. */
export type Row = Readonly<Record<string, unknown>>;

/** Days of history that a plant has when it opens. */
export const HISTORY_DAYS = 7;
/** Of a hundred optional values so many are null. */
const NULLS = 0.15;

/** Draws that know about optional fields. */
export class RowDraws extends Draws {
  /** The value, or null in 15 % of the rows. */
  optional<T>(value: T): T | null {
    return this.chance(NULLS) ? null : value;
  }

  /** From `low` to `high`, with four decimals at most. */
  amount(low: number, high: number): number {
    return Math.round((low + this.next() * (high - low)) * 10_000) / 10_000;
  }
}

/** A tenant's plant: seed, sizes and clock. Whatever is made from it depends on nothing else. */
export class Plant {
  readonly seed: number;
  readonly profile: string;
  readonly sizes: Sizes;
  /** Virtual epoch milliseconds at which the simulator began. */
  readonly started: number;
  /** Midnight UTC of that day. */
  readonly opened: number;
  readonly #now: () => number;
  /** Marks of the kinds that ids were made of: a row has up to ten ids. */
  readonly #marks = new Map<string, number>();

  /** @throws Error for an unknown profile. */
  constructor(
    options: { readonly seed: number; readonly profile: string; readonly started: number },
    now: () => number,
  ) {
    this.seed = options.seed;
    this.profile = options.profile;
    this.sizes = sizesOf(options.profile);
    this.started = options.started;
    this.opened = Math.floor(options.started / DAY) * DAY;
    this.#now = now;
  }

  /** Virtual epoch milliseconds. */
  get now(): number {
    return this.#now();
  }

  /** The first day of which there is a history, in days since 1970. */
  get firstDay(): number {
    return this.opened / DAY - HISTORY_DAYS;
  }

  draws(purpose: string, index: number): RowDraws {
    return new RowDraws(this.seed, purpose, index);
  }

  /** A whole number from 0 to `below` - 1, decided by the purpose and the index. */
  whole(below: number, purpose: string, index: number): number {
    return hash(this.seed, purpose, index) % below;
  }

  id(kind: string, index: number): string {
    return uuidOf(this.#mark(kind), index);
  }

  /** Which thing of a kind an id names, if its index is below `size`. */
  index(kind: string, uuid: string, size: number): number | undefined {
    const index = indexOf(this.#mark(kind), uuid);
    return index !== undefined && index < size ? index : undefined;
  }

  #mark(kind: string): number {
    let mark = this.#marks.get(kind);
    if (mark === undefined) {
      mark = kindMark(this.seed, kind);
      this.#marks.set(kind, mark);
    }
    return mark;
  }
}
