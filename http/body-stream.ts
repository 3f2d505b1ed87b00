/** Bodies in chunks, token by token, so that memory is bounded by a row and not by a page. Loaded when one is too large. */
import { getManyValues, isMany, none } from 'stream-chain/defs.js';
import Assembler from 'stream-json/assembler.js';
import { jsonParser } from 'stream-json/parser.js';
import { exactNumber, type Json } from '../singer/lossless.ts';
import { type Envelope, type RowGroups, type RowsPath, waysOf } from './body.ts';

/** Bytes parsed in one go: the tokens of a 64 KiB chunk alone take several megabytes. */
const PARSE_BYTES = 8 * 1024;

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
