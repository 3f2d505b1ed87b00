/**
 * A response body as rows plus the rest. A small body is parsed at once; a larger one streams through stream-json, so
 * that memory is bounded by a row and not by a page. Both ways give the same rows (a property test holds them together).
 *
 * Why two: on 25-row pages of 40 KB `JSON.parse` is 4 times as fast as the token parser (Node 26, `bench/body.ts`),
 * and most pages are that small.
 */

import { getManyValues, isMany, none } from 'stream-chain/defs.js';
import Assembler from 'stream-json/assembler.js';
import { jsonParser } from 'stream-json/parser.js';
import { exactNumber, isObject, type Json, parseLossless } from '../singer/lossless.ts';

/** Bodies up to this many bytes are parsed at once. */
export const SMALL_BODY_BYTES = 256 * 1024;

/** Bytes parsed in one go: the tokens of a 64 KiB chunk alone take several megabytes. */
const PARSE_BYTES = 8 * 1024;

/** The envelope of a reply: the parsed body with an empty list where the rows were. */
export interface Envelope {
  readonly value: Json;
  /** False when there was no list at the rows' path. */
  readonly found: boolean;
}

/** Rows are handed out in groups: a group per chunk of the body costs less than a promise per row. */
export type RowGroups = AsyncGenerator<readonly Json[], Envelope>;

function at(value: Json, path: readonly string[]): Json | undefined {
  let node: Json | undefined = value;
  for (const key of path) node = isObject(node) ? node[key] : undefined;
  return node;
}

function without(value: Json, path: readonly string[]): Json {
  const [key, ...rest] = path;
  if (key === undefined) return [];
  return isObject(value) ? { ...value, [key]: without(value[key] ?? null, rest) } : value;
}

/** Rows and envelope of a whole text. @throws SyntaxError when it is not JSON. */
export function parseWhole(
  text: string,
  path: readonly string[] | undefined,
): { rows: readonly Json[]; envelope: Envelope } {
  const value = parseLossless(text);
  if (path === undefined) return { rows: [], envelope: { value, found: true } };
  const rows = at(value, path);
  return Array.isArray(rows)
    ? { rows, envelope: { value: without(value, path), found: true } }
    : { rows: [], envelope: { value, found: false } };
}

/** Builds values from tokens, keeping numbers that a double cannot hold. */
class LosslessAssembler extends Assembler {
  override numberValue(value: string): void {
    this.stringValue(exactNumber(value) as unknown as string);
  }
}

/**
 * Rows and envelope of a body that arrives in chunks.
 * @throws Error when it is not JSON or ends too early; rows before that place have been handed out already.
 */
export async function* parseStream(chunks: AsyncIterable<Uint8Array>, path: readonly string[]): RowGroups {
  const tokens = jsonParser({ packValues: true, streamValues: false });
  const assembler = new LosslessAssembler();
  const decoder = new TextDecoder();
  const depth = path.length + 1;
  let inRows = false;
  let found = false;

  /** Feeds text to the parser and returns the rows it completes, taking them out of the value being assembled. */
  function feed(text: string | typeof none): Json[] {
    const result = tokens(text as string);
    if (!isMany(result)) return [];
    const rows: Json[] = [];
    for (const token of getManyValues(result)) {
      assembler.consume(token);
      if (token.name === 'startArray' && assembler.depth === depth && samePath(assembler.path, path)) {
        inRows = true;
        found = true;
      } else if (inRows && assembler.depth < depth) inRows = false;
      if (!inRows || assembler.depth !== depth) continue;
      const list = assembler.current as Json[];
      if (list.length > 0) rows.push(list.pop() as Json);
    }
    return rows;
  }

  for await (const chunk of chunks) {
    for (let start = 0; start < chunk.length; start += PARSE_BYTES) {
      const rows = feed(decoder.decode(chunk.subarray(start, start + PARSE_BYTES), { stream: true }));
      if (rows.length > 0) yield rows;
    }
  }
  const rest = decoder.decode();
  if (rest !== '') feed(rest);
  feed(none);
  if (!assembler.done) throw new SyntaxError('the body ends in the middle');
  return { value: assembler.current as Json, found };
}

function samePath(path: readonly (string | number | null)[], wanted: readonly string[]): boolean {
  return path.length === wanted.length && wanted.every((key, index) => path[index] === key);
}
