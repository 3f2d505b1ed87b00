/**
 * Which keys a sweep has seen, small enough to travel in the state. A key is kept as 40 bits of its SHA-1, so two of
 * 3,362 systems are taken for one with a chance of 5 in a million, and of 1,000,000 systems every other sweep has one
 * such pair. Sorted and written as differences, once per checkpoint, this costs 6.6 characters of state per key at 3,362 and 4.3
 * at 1,000,000 (`bench/key-set.ts`), only while the sweep is open.
 */
import { hash } from 'node:crypto';
import { ConnectorError } from '../singer/errors.ts';

/** Recent keys are merged into the sorted ones when they are an eighth as many, so that sorting them all stays rare. */
const MERGE_SHARE = 8;
const MERGE_LEAST = 4_096;

export class KeySet {
  #sorted: Float64Array = new Float64Array(0);
  #sortedText = '';
  #recent = new Set<number>();
  /** The recent ones as text, each checkpoint's written once, and those that came after the last. */
  #recentTexts: string[] = [];
  #unwritten: number[] = [];

  /** Distinct keys so far. */
  get size(): number {
    return this.#sorted.length + this.#recent.size;
  }

  has(key: string): boolean {
    const print = printOf(key);
    return this.#recent.has(print) || includes(this.#sorted, print);
  }

  /** Adds a key; false when it was there. */
  add(key: string): boolean {
    const print = printOf(key);
    if (this.#recent.has(print) || includes(this.#sorted, print)) return false;
    this.#recent.add(print);
    this.#unwritten.push(print);
    return true;
  }

  /** The set as strings for the state. */
  encode(): string[] {
    if (this.#recent.size >= Math.max(MERGE_LEAST, this.#sorted.length / MERGE_SHARE)) this.#merge();
    if (this.#unwritten.length > 0) {
      this.#recentTexts.push(pack(Float64Array.from(this.#unwritten).sort()));
      this.#unwritten = [];
    }
    return [this.#sortedText, ...this.#recentTexts];
  }

  /** The set that `encode` wrote. @throws ConnectorError `state` when the strings were damaged. */
  static decode(parts: readonly string[]): KeySet {
    const set = new KeySet();
    const [sorted = '', ...recent] = parts;
    set.#sortedText = sorted;
    set.#sorted = unpack(sorted);
    for (const part of recent) {
      for (const print of unpack(part)) if (!includes(set.#sorted, print)) set.#recent.add(print);
      set.#recentTexts.push(part);
    }
    return set;
  }

  #merge(): void {
    this.#sorted = merged(this.#sorted, Float64Array.from(this.#recent).sort());
    this.#recent = new Set();
    this.#recentTexts = [];
    this.#unwritten = [];
    this.#sortedText = pack(this.#sorted);
  }
}

function printOf(key: string): number {
  return Number.parseInt(hash('sha1', key, 'hex').slice(0, 10), 16);
}

/** Two ascending lists as one: in one pass, where sorting them together takes twenty. */
function merged(a: Float64Array, b: Float64Array): Float64Array {
  const all = new Float64Array(a.length + b.length);
  let [i, j] = [0, 0];
  for (let at = 0; at < all.length; at += 1) {
    const [left, right] = [a[i] ?? Number.POSITIVE_INFINITY, b[j] ?? Number.POSITIVE_INFINITY];
    all[at] = left < right ? left : right;
    if (left < right) i += 1;
    else j += 1;
  }
  return all;
}

function includes(sorted: Float64Array, wanted: number): boolean {
  let low = 0;
  let high = sorted.length - 1;
  while (low <= high) {
    const middle = (low + high) >>> 1;
    const value = sorted[middle] ?? 0;
    if (value === wanted) return true;
    if (value < wanted) low = middle + 1;
    else high = middle - 1;
  }
  return false;
}

/** Differences of ascending numbers, seven bits a byte, the highest bit saying that more follow; base64url. */
function pack(sorted: Float64Array): string {
  const bytes = Buffer.allocUnsafe(sorted.length * 6);
  let end = 0;
  let before = 0;
  for (const print of sorted) {
    let difference = print - before;
    before = print;
    while (difference >= 128) {
      bytes[end++] = (difference % 128) + 128;
      difference = Math.floor(difference / 128);
    }
    bytes[end++] = difference;
  }
  return bytes.toString('base64url', 0, end);
}

function damaged(how: string): ConnectorError {
  return new ConnectorError(
    'state',
    `the list of seen keys in the state is ${how}`,
    {},
    { hint: 'start over with --reset' },
  );
}

function unpack(text: string): Float64Array {
  // Buffer leaves out what is no base64url without a word.
  if (!/^[\w-]*$/.test(text)) throw damaged('damaged');
  const bytes = Buffer.from(text, 'base64url');
  const prints = new Float64Array(bytes.length);
  let count = 0;
  let before = 0;
  let difference = 0;
  let scale = 1;
  for (const byte of bytes) {
    difference += (byte % 128) * scale;
    scale *= 128;
    if (byte >= 128) continue;
    before += difference;
    if (before >= 2 ** 40 || (difference === 0 && count > 0)) throw damaged('damaged');
    prints[count++] = before;
    difference = 0;
    scale = 1;
  }
  if (scale !== 1) throw damaged('cut off');
  return prints.subarray(0, count);
}
