/** How an outcome leaves: whole, in pieces, late, cut off, or never. */
import type { ServerResponse } from 'node:http';
import type { LoggedRequest } from '../request-log.ts';
import { type Answer, JSON_AS_TEXT } from './envelopes.ts';
import type { Outcome } from './serve.ts';
import type { Tenant } from './tenant.ts';

/** Sends whole, or in pieces that reach the client one by one. */
async function sendBody(response: ServerResponse, body: Buffer, chunkBytes: number): Promise<void> {
  if (chunkBytes === 0) {
    response.end(body);
    return;
  }
  for (let at = 0; at < body.length && !response.destroyed; at += chunkBytes) {
    await new Promise<void>((resolve) => {
      response.write(body.subarray(at, at + chunkBytes), () => setImmediate(resolve));
    });
  }
  response.end();
}

/** Sends an answer; `chunkBytes` 0 sends the body whole. */
export async function sendAnswer(response: ServerResponse, answer: Answer, chunkBytes: number): Promise<void> {
  const body = typeof answer.body === 'string' ? Buffer.from(answer.body) : answer.body;
  response.writeHead(answer.status, {
    'content-type': JSON_AS_TEXT,
    ...answer.headers,
    'content-length': body.length,
  });
  await sendBody(response, body, chunkBytes);
}

/** Sends the headers and the first bytes, then resets the connection. */
function resetAfter(response: ServerResponse, answer: Answer | undefined, bytes: number): void {
  const reset = (): void => {
    response.socket?.resetAndDestroy();
  };
  if (!answer) {
    reset();
    return;
  }
  const body = Buffer.from(answer.body);
  response.writeHead(answer.status, { 'content-type': JSON_AS_TEXT, 'content-length': body.length });
  response.write(body.subarray(0, Math.min(bytes, body.length - 1)), () => setImmediate(reset));
}

/** Waits in real time, unreferenced, so that a closed simulator does not keep its process waiting. */
export async function later(milliseconds: number): Promise<void> {
  if (milliseconds > 0) await new Promise<void>((resolve) => setTimeout(resolve, milliseconds).unref());
}

/** Carries out the outcome of a logged request, after the tenant's latency. */
export async function carryOut(
  response: ServerResponse,
  outcome: Outcome,
  entry: LoggedRequest,
  tenant: Tenant,
): Promise<void> {
  if (outcome.kind === 'hang') return;
  if (outcome.kind === 'reset') {
    resetAfter(response, outcome.answer, outcome.afterBytes);
    return;
  }
  response.once('finish', () => {
    entry.finished = true;
  });
  const delayMs = tenant.settings.latency_ms + outcome.delayMs;
  await later(delayMs);
  if (response.destroyed) return;
  entry.status = outcome.answer.status;
  await sendAnswer(response, outcome.answer, tenant.settings.chunk_bytes);
}
