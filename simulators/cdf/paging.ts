/** Pages of a list: cursors, sizes and parts. */
import { invalid } from './refusal.ts';
import { type Fields, integer } from './shapes.ts';

const DEFAULT_SIZE = 100;
const MOST_PARTS = 10;

/** Which page a request means. */
export interface Page {
  readonly size: number;
  /** Position after which the page begins. */
  readonly after: number | undefined;
}

function cursorText(list: string, position: number): string {
  return Buffer.from(`${list}|${position}`).toString('base64url');
}

function position(list: string, cursor: unknown): number {
  const parts = typeof cursor === 'string' ? Buffer.from(cursor, 'base64url').toString().split('|') : [];
  const found = Number(parts.at(-1));
  if (parts.slice(0, -1).join('|') !== list || !Number.isSafeInteger(found)) throw invalid('cursor: is not valid');
  return found;
}

/** Reads `limit` and `cursor`. A cursor counts only for the list and the filter that gave it. */
export function pageOf(list: string, body: Fields, most = 1_000, otherwise = DEFAULT_SIZE): Page {
  const { limit = otherwise, cursor } = body;
  const problem = integer(1, most)(limit);
  if (problem !== undefined) throw invalid(`limit: ${problem}`);
  return { size: Number(limit), after: cursor === undefined ? undefined : position(list, cursor) };
}

/** Reads `partition`, like `3/10`. */
export function partOf(partition: unknown): (id: number) => boolean {
  if (partition === undefined) return () => true;
  const [, part = '', parts = ''] = /^(\d+)\/(\d+)$/.exec(String(partition)) ?? [];
  const [own, all] = [Number(part), Number(parts)];
  if (own < 1 || own > all || all > MOST_PARTS) throw invalid(`partition: must be m/n with n up to ${MOST_PARTS}`);
  return (id) => id % all === own - 1;
}

/** Reads `sort`, like `["startTime:desc"]`; undefined where nothing is to be sorted. */
export function orderBy(sort: unknown, known: readonly string[]): ((a: Fields, b: Fields) => number) | undefined {
  if (sort === undefined || (Array.isArray(sort) && sort.length === 0)) return undefined;
  if (!Array.isArray(sort)) throw invalid('sort: must be an array');
  const keys = sort.map((key) => {
    const [field = '', direction = 'asc'] = String(key).split(':');
    if (!known.includes(field) || !['asc', 'desc'].includes(direction)) throw invalid(`sort: ${field} is not known`);
    return { field, sign: direction === 'asc' ? 1 : -1 };
  });
  // What lacks the field comes last, whatever the direction.
  const place = (value: unknown, sign: number) => (typeof value === 'number' ? value * sign : Infinity);
  return (a, b) => {
    for (const { field, sign } of keys) {
      const [left, right] = [place(a[field], sign), place(b[field], sign)];
      if (left !== right) return left < right ? -1 : 1;
    }
    return 0;
  };
}

/** One page and the cursor of the next. `positionOf` grows from element to element. */
export function cut<T>(
  list: string,
  elements: Iterable<T>,
  { size, after }: Page,
  positionOf: (element: T, index: number) => number,
): { readonly items: readonly T[]; readonly nextCursor?: string } {
  const items: T[] = [];
  let last = 0;
  let index = -1;
  for (const element of elements) {
    index += 1;
    const at = positionOf(element, index);
    if (after !== undefined && at <= after) continue;
    if (items.length === size) return { items, nextCursor: cursorText(list, last) };
    items.push(element);
    last = at;
  }
  return { items };
}
