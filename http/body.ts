/**
 * A response body as rows plus the rest. A small body is parsed at once; a larger one streams through stream-json, so
 * that memory is bounded by a row and not by a page. Both ways give the same rows (a property test holds them together).
 *
 * Why two: on 25-row pages of 40 KB `JSON.parse` is 4 times as fast as the token parser (Node 26, `bench/body.ts`),
 * and most pages are that small. The limit is what the memory allows: on DCAPI's pages of 330 KB (1,500 rows) parsing at
 * once takes a quarter of the time at the same 92 to 94 MB in all, at 1 MB a page it takes 108 MB (Node 26, tap-dcapi on
 * the simulator).
 */

import { isObject, type Json, parseLossless } from '../singer/lossless.ts';

/** Bodies up to this many bytes are parsed at once. */
export const SMALL_BODY_BYTES = 640 * 1024;

/** The envelope of a reply: the parsed body with an empty list where the rows were. */
export interface Envelope {
  readonly value: Json;
  /** False when there was no list at the rows' path. */
  readonly found: boolean;
}

/** Keys that lead to the list of rows; or several such ways, of which the first that a body has is taken. */
export type RowsPath = readonly string[] | readonly (readonly string[])[];

/** Rows are handed out in groups: a group per chunk of the body costs less than a promise per row. */
export type RowGroups = AsyncGenerator<readonly Json[], Envelope>;

function at(value: Json, path: readonly string[]): Json | undefined {
  let node: Json | undefined = value;
  for (const key of path) node = isObject(node) ? node[key] : undefined;
  return node;
}

/** The ways to the rows, whatever spelling of `RowsPath`. */
export function waysOf(path: RowsPath): readonly (readonly string[])[] {
  const [first] = path;
  return first === undefined || typeof first === 'string'
    ? [path as readonly string[]]
    : (path as readonly (readonly string[])[]);
}

/** The first of the ways, in the order of the body, that leads to a list. */
function wayTaken(value: Json, ways: readonly (readonly string[])[]): readonly string[] | undefined {
  const leading = ways.filter((way) => Array.isArray(at(value, way)));
  if (leading.length < 2 || !isObject(value)) return leading[0];
  for (const key of Object.keys(value)) {
    const deeper = leading.filter(([head]) => head === key).map(([, ...rest]) => rest);
    if (deeper.length > 0) return [key, ...(wayTaken(value[key] ?? null, deeper) ?? [])];
  }
  return leading[0];
}

function without(value: Json, path: readonly string[]): Json {
  const [key, ...rest] = path;
  if (key === undefined) return [];
  return isObject(value) ? { ...value, [key]: without(value[key] ?? null, rest) } : value;
}

/** Rows and envelope of a whole text. @throws SyntaxError when it is not JSON. */
export function parseWhole(text: string, path: RowsPath | undefined): { rows: readonly Json[]; envelope: Envelope } {
  const value = parseLossless(text);
  if (path === undefined) return { rows: [], envelope: { value, found: true } };
  const way = wayTaken(value, waysOf(path));
  return way === undefined
    ? { rows: [], envelope: { value, found: false } }
    : { rows: at(value, way) as readonly Json[], envelope: { value: without(value, way), found: true } };
}
