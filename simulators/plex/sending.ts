/** How an answer leaves: whole or in pieces, late, compressed, cut off, or never. */
import type { ServerResponse } from 'node:http';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGzip } from 'node:zlib';
import type { Answer, RowsBody } from './answers.ts';
import type { LoggedCall } from './call-log.ts';
import type { Outcome } from './serve.ts';

/** Rows are gathered into pieces of about so many characters. */
const PIECE = 65_536;

function* rowPieces({ before, between, after, rows }: RowsBody): Generator<string> {
  let text = before;
  let first = true;
  for (const row of rows) {
    text += `${first ? '' : between}${JSON.stringify(row)}`;
    first = false;
    if (text.length >= PIECE) {
      yield text;
      text = '';
    }
  }
  yield text + after;
}

function* pieces(body: Answer['body']): Generator<Buffer> {
  if (typeof body === 'string') {
    yield Buffer.from(body);
    return;
  }
  for (const piece of rowPieces(body)) yield Buffer.from(piece);
}

/** The first bytes of a body, and never all of it: a short one loses its last byte. */
function* cutOff(body: Iterable<Buffer>, bytes: number): Generator<Buffer> {
  let kept = Buffer.alloc(0);
  for (const piece of body) {
    kept = Buffer.concat([kept, piece]);
    if (kept.length > bytes) break;
  }
  yield kept.subarray(0, Math.min(bytes, kept.length - 1));
}

/** Waits in real time, unreferenced, so that a closed simulator does not keep its process waiting. */
async function later(milliseconds: number): Promise<void> {
  if (milliseconds > 0) await new Promise<void>((resolve) => setTimeout(resolve, milliseconds).unref());
}

async function* dripping(source: AsyncIterable<Buffer>, bytes: number, ms: number): AsyncGenerator<Buffer> {
  for await (const piece of source) {
    for (let at = 0; at < piece.length; at += bytes) {
      await later(ms);
      yield piece.subarray(at, at + bytes);
    }
  }
}

/** Sends a body that has been decided about, compressed when the client takes gzip. */
export async function sendAnswer(
  response: ServerResponse,
  { status, headers, body }: Answer,
  acceptsGzip: boolean,
  outcome: Pick<Outcome & { kind: 'answer' }, 'cut' | 'drip'> = {},
): Promise<void> {
  const { cut, drip } = outcome;
  // Nothing to compress, and a 204 must not say that it has a body.
  const empty = body === '';
  const gzip = acceptsGzip && !empty && !cut?.reset;
  response.writeHead(status, { ...headers, ...(gzip && { 'content-encoding': 'gzip' }) });
  if (empty) {
    response.end();
    return;
  }
  const whole = pieces(body);
  const source = Readable.from(cut ? cutOff(whole, cut.bytes) : whole);
  if (cut?.reset) {
    // What was not handed to the network before a reset never arrives.
    for await (const piece of source)
      await new Promise<void>((sent) => response.write(piece, () => setImmediate(sent)));
    response.socket?.resetAndDestroy();
    return;
  }
  const stages = [
    ...(gzip ? [createGzip()] : []),
    ...(drip ? [(input: AsyncIterable<Buffer>) => dripping(input, drip.bytes, drip.ms)] : []),
  ];
  await pipeline([source, ...stages, response]);
}

/** Carries out what was decided about a logged call. */
export async function carryOut(
  response: ServerResponse,
  outcome: Outcome,
  call: LoggedCall,
  acceptsGzip: boolean,
): Promise<void> {
  if (outcome.kind === 'hang') return;
  if (outcome.kind === 'close') {
    response.socket?.resetAndDestroy();
    return;
  }
  response.once('finish', () => {
    call.finished = true;
  });
  await later(outcome.delayMs);
  if (response.destroyed) return;
  call.status = outcome.answer.status;
  await sendAnswer(response, outcome.answer, acceptsGzip, outcome);
}
