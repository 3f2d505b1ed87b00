/**
 * Deterministic randomness: every value is a function of the seed and of what it is for, never of
 * what was asked before. So a page can be generated alone, and two servers agree byte for byte.
 */

/** Scrambles 32 bits so that neighbouring inputs give unrelated outputs (murmur3's last step). */
function scramble(value: number): number {
  let bits = value | 0;
  bits = Math.imul(bits ^ (bits >>> 16), 0x85ebca6b);
  bits = Math.imul(bits ^ (bits >>> 13), 0xc2b2ae35);
  return (bits ^ (bits >>> 16)) >>> 0;
}

/** An unsigned 32-bit number decided by the seed and the parts, whose order matters. */
export function hash(seed: number, ...parts: readonly (string | number)[]): number {
  let state = scramble(seed ^ 0x9e3779b9);
  for (const part of parts) {
    if (typeof part === 'number') {
      state = scramble(state ^ Math.imul(part + 1, 0x9e3779b1));
      continue;
    }
    for (let at = 0; at < part.length; at += 1) {
      state = Math.imul(state ^ part.charCodeAt(at), 0x01000193);
    }
    state = scramble(state);
  }
  return state;
}

/** A number from 0 (included) to 1 (excluded) decided by the seed and the parts. */
export function fraction(seed: number, ...parts: readonly (string | number)[]): number {
  return hash(seed, ...parts) / 0x1_0000_0000;
}

/** The draws of one row, in the order in which its fields are written. */
export class Draws {
  #state: number;

  constructor(seed: number, purpose: string, index: number) {
    this.#state = hash(seed, purpose, index);
  }

  /** From 0 (included) to 1 (excluded). */
  next(): number {
    this.#state = (this.#state + 0x9e3779b9) | 0;
    return scramble(this.#state) / 0x1_0000_0000;
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
}

/**
 * The place of `index` in a shuffle of 0 … size - 1. Shares cut from the shuffle are exact
 * ("139 of 1,735 are critical"), which independent draws cannot promise.
 */
export function shuffled(seed: number, purpose: string, index: number, size: number): number {
  // A small Feistel network over an even number of bits; results beyond the size are walked on.
  let half = 1;
  while (1 << (2 * half) < size) half += 1;
  const mask = (1 << half) - 1;
  const key = hash(seed, purpose, size);
  let value = index % size;
  do {
    let left = value >>> half;
    let right = value & mask;
    for (let round = 0; round < 4; round += 1) {
      const mixed = scramble(key ^ Math.imul(right + 1, 0x9e3779b1) ^ Math.imul(round + 1, 0x7feb352d)) & mask;
      [left, right] = [right, left ^ mixed];
    }
    value = (left << half) | right;
  } while (value >= size);
  return value;
}
