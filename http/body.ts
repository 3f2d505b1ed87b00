/**
 * A response body as rows plus the rest. A small body is parsed at once; a larger one streams through stream-json, so
 * that memory is bounded by a row and not by a page. Both ways give the same rows (a property test holds them together).
 *
 * Why two: on 25-row pages of 40 KB `JSON.parse` is 4 times as fast as the token parser (Node 26, `bench/body.ts`),
 * and most pages are that small. The limit is what the memory allows: on DCAPI's pages of 330 KB (1,500 rows) parsing at
 * once takes a quarter of the time at the same 92 to 94 MB in all, at 1 MB a page it takes 108 MB (Node 26, tap-dcapi on
 * the simulator).
 */

import { getManyValues, isMany, none } from 'stream-chain/defs.js';
import Assembler from 'stream-json/assembler.js';
import { jsonParser } from 'stream-json/parser.js';
import { exactNumber, isObject, type Json, parseLossless } from '../singer/lossless.ts';

/** Bodies up to this many bytes are parsed at once. */
export const SMALL_BODY_BYTES = 640 * 1024;

/** Bytes parsed in one go: the tokens of a 64 KiB chunk alone take several megabytes. */
const PARSE_BYTES = 8 * 1024;

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

/** Builds values from tokens, keeping numbers that a double cannot hold. */
class LosslessAssembler extends Assembler {
  override numberValue(value: string): void {
    this.stringValue(exactNumber(value) as unknown as string);
  }
}

/** Envelope of a body that arrives in chunks, which are all read. @throws Error when it is not JSON or ends too early. */
export async function envelopeOf(chunks: AsyncIterable<Uint8Array>, path: RowsPath): Promise<Envelope> {
  const groups = streamed(chunks, path, false);
  for (;;) {
    const step = await groups.next();
    if (step.done === true) return step.value;
  }
}

/**
 * Rows and envelope of a body that arrives in chunks.
 * @throws Error when it is not JSON or ends too early; rows before that place have been handed out already.
 */
export function parseStream(chunks: AsyncIterable<Uint8Array>, path: RowsPath): RowGroups {
  return streamed(chunks, path, true);
}

const OPENS = new Set(['startObject', 'startArray']);
const CLOSES = new Set(['endObject', 'endArray']);

/** Without `rowsWanted` rows are checked and not built, which takes half the time. */
async function* streamed(chunks: AsyncIterable<Uint8Array>, path: RowsPath, rowsWanted: boolean): RowGroups {
  const tokens = jsonParser({ packValues: true, streamValues: false });
  const assembler = new LosslessAssembler();
  const decoder = new TextDecoder();
  const ways = waysOf(path);
  let way: readonly string[] | undefined;
  let inRows = false;
  /** Depth below the list of rows that are not built. */
  let below = 0;

  /** Feeds text to the parser and returns the rows it completes, taking them out of the value being assembled. */
  function feed(text: string | typeof none): Json[] {
    const result = tokens(text as string);
    if (!isMany(result)) return [];
    const rows: Json[] = [];
    for (const token of getManyValues(result)) {
      if (inRows && !rowsWanted) {
        if (OPENS.has(token.name)) below += 1;
        else if (CLOSES.has(token.name)) below -= 1;
        if (below >= 0) continue;
        below = 0;
      }
      assembler.consume(token);
      if (token.name === 'startArray') {
        const found = (way === undefined ? ways : [way]).find(
          (each) => assembler.depth === each.length + 1 && samePath(assembler.path, each),
        );
        if (found !== undefined) [way, inRows] = [found, true];
      }
      if (way === undefined) continue;
      const depth = way.length + 1;
      if (inRows && assembler.depth < depth) inRows = false;
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
  return { value: assembler.current as Json, found: way !== undefined };
}

function samePath(path: readonly (string | number | null)[], wanted: readonly string[]): boolean {
  return path.length === wanted.length && wanted.every((key, index) => path[index] === key);
}
