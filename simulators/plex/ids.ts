/**
 * UUIDs that carry, scrambled, the index of what they name: so a row of 17,000 is found by its id without a
 * table of ids in memory.
 */
import { hash } from '../draw.ts';

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;

export function isUuid(text: string): boolean {
  return UUID.test(text);
}

/** Two digits per byte, looked up: a list of 20,000 rows has 200,000 ids. */
const DIGITS = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, '0'));

function hex16(value: number): string {
  return `${DIGITS[value >>> 8]}${DIGITS[value & 0xff]}`;
}

/** What tells the ids of one kind from those of others, and of other seeds. */
export function kindMark(seed: number, kind: string): number {
  return hash(seed, kind);
}

/** The id of the `index`-th thing of the kind with this mark, in lower case. */
export function uuidOf(mark: number, index: number): string {
  const [first, second, third] = [hash(mark, index), hash(mark, index, 1), hash(mark, index, 2)];
  const place = (index ^ mark) >>> 0;
  const version = hex16(0x4000 | (second & 0xfff));
  const variant = hex16(0x8000 | (third & 0x3fff));
  const node = `${hex16(third >>> 16)}${hex16(place >>> 16)}${hex16(place & 0xffff)}`;
  return `${hex16(first >>> 16)}${hex16(first & 0xffff)}-${hex16(second >>> 16)}-${version}-${variant}-${node}`;
}

/** Which thing of a kind an id names; undefined when it names none. Upper and lower case are the same. */
export function indexOf(mark: number, uuid: string): number | undefined {
  if (!isUuid(uuid)) return undefined;
  const index = (Number.parseInt(uuid.slice(-8), 16) ^ mark) >>> 0;
  return uuidOf(mark, index) === uuid.toLowerCase() ? index : undefined;
}
