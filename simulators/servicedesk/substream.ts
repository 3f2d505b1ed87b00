/**
 * One source of chance per table and column, asked by row: what a cell holds depends on the seed, its column and its row
 * alone. So a further column or a larger file moves nothing else.
 */
import { hash } from '../draw.ts';

/** Scrambles 32 bits (murmur3's last step). */
function mix(value: number): number {
  let bits = value | 0;
  bits = Math.imul(bits ^ (bits >>> 16), 0x85ebca6b);
  bits = Math.imul(bits ^ (bits >>> 13), 0xc2b2ae35);
  return bits ^ (bits >>> 16);
}

const rotated = (bits: number, by: number) => (bits << by) | (bits >>> (32 - by));

/** A choice among values of unequal weight. Weights are whole numbers, so no platform rounds them differently. */
export class Weighted<T> {
  readonly #values: readonly T[];
  readonly #ends: readonly number[];
  readonly #total: number;

  constructor(entries: Iterable<readonly [T, number]>) {
    const values: T[] = [];
    const ends: number[] = [];
    let total = 0;
    for (const [value, weight] of entries) {
      total += weight;
      values.push(value);
      ends.push(total);
    }
    this.#values = values;
    this.#ends = ends;
    this.#total = total;
  }

  /** The value that a fraction from 0 (included) to 1 (excluded) falls on. */
  at(fraction: number): T {
    const wanted = fraction * this.#total;
    let low = 0;
    let high = this.#ends.length - 1;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#ends[middle] ?? 0) > wanted) high = middle;
      else low = middle + 1;
    }
    return this.#values[low] as T;
  }
}

/** Ranks 1 … `size`, rank k with a weight of k to the power of -1.1 (Zipf). */
export function zipf(size: number): Weighted<number> {
  return new Weighted(
    Array.from({ length: size }, (_, index) => [index + 1, Math.round(1e9 * (index + 1) ** -1.1)] as const),
  );
}

/** The draws of one column (xoshiro128**, 128 bits of state). `at` goes to a row; the draws that follow belong to it. */
export class Substream {
  readonly #key: readonly [number, number, number, number];
  #a = 0;
  #b = 0;
  #c = 0;
  #d = 0;

  /** @param seed a whole number from 0 to 2^53 - 1. */
  constructor(seed: number, table: string, column: string) {
    const part = (index: number) => hash(seed, Math.floor(seed / 0x1_0000_0000), table, column, index);
    this.#key = [part(0), part(1), part(2), part(3)];
    this.at(0);
  }

  /** Goes to the first draw of a row, counted from 0. */
  at(row: number): this {
    const [a, b, c, d] = this.#key;
    const step = Math.imul(row + 1, 0x9e3779b1);
    this.#a = mix(a ^ step);
    this.#b = mix(b + step);
    this.#c = mix(c ^ Math.imul(step, 0x85ebca77));
    // xoshiro stays at zero for ever if all of its state is zero.
    this.#d = mix(d + Math.imul(step, 0xc2b2ae3d)) | 1;
    return this;
  }

  #bits(): number {
    const result = Math.imul(rotated(Math.imul(this.#b, 5), 7), 9);
    const shifted = this.#b << 9;
    this.#c ^= this.#a;
    this.#d ^= this.#b;
    this.#b ^= this.#c;
    this.#a ^= this.#d;
    this.#c ^= shifted;
    this.#d = rotated(this.#d, 11);
    return result >>> 0;
  }

  /** From 0 (included) to 1 (excluded). */
  next(): number {
    return this.#bits() / 0x1_0000_0000;
  }

  /** A whole number from 0 to `below` - 1. */
  whole(below: number): number {
    return Math.floor(this.next() * below);
  }

  chance(probability: number): boolean {
    return this.next() < probability;
  }

  pick<T>(choices: readonly [T, ...T[]]): T {
    return choices[this.whole(choices.length)] ?? choices[0];
  }

  of<T>(choices: Weighted<T>): T {
    return choices.at(this.next());
  }

  /** A whole number whose logarithm is normal with this mean and deviation, at most `cap`. */
  logNormal(mean: number, deviation: number, cap: number): number {
    const radius = Math.sqrt(-2 * Math.log(1 - this.next()));
    const normal = radius * Math.cos(2 * Math.PI * this.next());
    return Math.min(cap, Math.round(Math.exp(mean + deviation * normal)));
  }

  /** A whole number from 0 on whose chances fall by the same factor at each step. */
  geometric(mean: number): number {
    return Math.floor(Math.log(1 - this.next()) / Math.log(mean / (1 + mean)));
  }

  /** True for exactly one row in `every` of each block of that many rows. */
  static oneIn(every: number, row: number, stream: Substream): boolean {
    return stream.at(Math.floor(row / every)).whole(every) === row % every;
  }
}
