/** How far an incremental stream has come: compared by what its values mean, never by how they are written. */
import type { Scalar } from '../../profiles/conversion.ts';
import { isRawNumber } from '../../singer/lossless.ts';

type Value = string | number;

/** Remembers the highest value, and tells rows that are new from those that the target has. */
export class Highest {
  readonly #start: Value | undefined;
  readonly #limit: string;
  #highest: Value | undefined;

  /** `start` is where the last run ended, `soFar` where a run that goes on had come, `limit` the time that no bookmark passes. */
  constructor(start: Value | null | undefined, soFar: Value | null | undefined, limit: string) {
    this.#start = start ?? undefined;
    this.#highest = soFar ?? this.#start;
    this.#limit = limit;
  }

  /** The bookmark for the next run; undefined while no row had a value. */
  get value(): Value | undefined {
    return this.#highest;
  }

  /**
   * True for a row to send: its value is the last bookmark or beyond, or it has none, so nothing can be said of it. A time
   * beyond the limit is sent, but not remembered: it would hide all rows until then.
   */
  see(value: Scalar): boolean {
    if (value === null) return true;
    const plain = isRawNumber(value) ? value.rawJSON : value;
    if (!this.#isBeyondLimit(plain) && (this.#highest === undefined || compare(plain, this.#highest) > 0)) {
      this.#highest = plain;
    }
    return this.#start === undefined || compare(plain, this.#start) >= 0;
  }

  #isBeyondLimit(value: Value): boolean {
    return isTime(value) && compare(value, this.#limit) > 0;
  }
}

function isTime(value: Value): value is string {
  return typeof value === 'string' && /^\d{4}-/.test(value);
}

/** Times as `…Z`: the shorter of two equal beginnings is earlier. Numbers that a double cannot hold come as digits. */
function compare(one: Value, other: Value): number {
  if (isTime(one) && isTime(other)) {
    const [a, b] = [one.replace(/Z$/, ''), other.replace(/(?:\.0+)?Z$/, '')];
    return a < b ? -1 : a > b ? 1 : 0;
  }
  if (typeof one === 'number' && typeof other === 'number') return one - other;
  const isWhole = (value: Value) => /^-?\d+$/.test(String(value));
  if (!isWhole(one) || !isWhole(other)) return Number(one) - Number(other);
  const [a, b] = [BigInt(one), BigInt(other)];
  return a < b ? -1 : a > b ? 1 : 0;
}
