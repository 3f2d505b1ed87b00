/**
 * Events spread over the days: each has a slot of its day for itself, so that they come in order and a window is
 * found by arithmetic, however many there are.
 */
import { hash } from '../draw.ts';
import { DAY, type Moment, momentOf, msOf, sortable } from './dates.ts';

/** From and to, both included, with all seven digits. */
export interface Window {
  readonly begin: string;
  readonly end: string;
}

export interface Occurrence {
  /** Days since 1970. */
  readonly day: number;
  /** Place in its day, from 0. */
  readonly place: number;
  readonly at: Moment;
}

export class Timeline {
  readonly perDay: number;
  readonly #seed: number;
  readonly #purpose: string;
  readonly #twins: boolean;
  readonly #slot: number;

  /** With `twins` the second event of each day happens at the very moment of the first. */
  constructor(seed: number, purpose: string, perDay: number, twins = false) {
    this.#seed = seed;
    this.#purpose = purpose;
    this.perDay = perDay;
    this.#twins = twins && perDay > 1;
    this.#slot = DAY / perDay;
  }

  /** When the event at a place of a day happens. */
  at(day: number, place: number): Moment {
    const own = this.#twins && place === 1 ? 0 : place;
    const draw = hash(this.#seed, this.#purpose, day, own);
    // Begins a second after its slot, so that it is still inside when its fraction is cut off.
    const ms = day * DAY + Math.ceil(own * this.#slot) + 1_000 + (draw % Math.floor(this.#slot - 1_002));
    return momentOf(ms, hash(draw, 'digits'));
  }

  /** Events of a window, oldest first. */
  *within({ begin, end }: Window): Generator<Occurrence> {
    const [from, to] = [msOf(begin), msOf(end)];
    for (let day = Math.floor(from / DAY); day <= Math.floor(to / DAY); day += 1) {
      const [first, last] = this.#places(day, from, to);
      for (let place = first; place <= last; place += 1) {
        const at = this.at(day, place);
        const date = sortable(at.text);
        if (date >= begin && date <= end) yield { day, place, at };
      }
    }
  }

  /** How many events a window has. */
  count(window: Window): number {
    const [from, to] = [msOf(window.begin), msOf(window.end)];
    const [first, last] = [Math.ceil(from / DAY), Math.floor(to / DAY)];
    // Days that are wholly inside need no look at their events.
    if (last - first < 1) return this.#counted(window);
    const before = { begin: window.begin, end: `${new Date(first * DAY - 1).toISOString().slice(0, 23)}9999Z` };
    const after = { begin: `${new Date(last * DAY).toISOString().slice(0, 23)}0000Z`, end: window.end };
    return this.#counted(before) + (last - first) * this.perDay + this.#counted(after);
  }

  #counted(window: Window): number {
    let count = 0;
    for (const _ of this.within(window)) count += 1;
    return count;
  }

  #places(day: number, from: number, to: number): readonly [number, number] {
    const place = (ms: number): number => Math.floor((ms - day * DAY) / this.#slot);
    const first = Math.max(0, place(from) - 1);
    const last = Math.min(this.perDay - 1, place(to) + 1);
    return [first, last];
  }
}
