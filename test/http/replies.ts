/** A server that answers as a test says, and a client for it. */
import { createServer, type IncomingMessage, type RequestListener, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach } from 'vitest';
import type { Auth } from '../../http/auth.ts';
import { openHttp, type RetrySettings } from '../../http/client.ts';
import type { Http } from '../../http/exchange.ts';
import type { EnvelopeJudge } from '../../http/judge.ts';
import type { Turns } from '../../http/throttle.ts';
import { openDispatcher } from '../../http/wire.ts';
import type { Json } from '../../singer/lossless.ts';
import type { Run } from '../../singer/stream.ts';

export interface Reply {
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Uint8Array;
}

export interface Replies {
  readonly url: string;
  /** Requests so far. */
  readonly requests: readonly IncomingMessage[];
}

const closing: (() => Promise<unknown>)[] = [];

afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

/** Closes something after the test. */
export function closeLater(close: () => Promise<unknown>): void {
  closing.push(close);
}

export const OK: Reply = { body: JSON.stringify({ rows: [{ id: 1 }], total: 1 }) };

/** Handles requests by number, from 1. */
export async function serve(
  handle: (number: number, request: IncomingMessage, response: ServerResponse) => Reply | undefined,
): Promise<Replies> {
  const requests: IncomingMessage[] = [];
  const listener: RequestListener = (request, response) => {
    requests.push(request);
    const reply = handle(requests.length, request, response);
    if (reply !== undefined) response.writeHead(reply.status ?? 200, { ...reply.headers }).end(reply.body ?? '');
  };
  const server = createServer(listener);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  closeLater(async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, requests };
}

/** Answers with these replies in turn; the last one stays. */
export function inTurn(...replies: readonly Reply[]): Promise<Replies> {
  return serve((number) => replies[Math.min(number, replies.length) - 1]);
}

export const RETRY: RetrySettings = {
  attempts: 3,
  backoff: 1_000,
  throttleWait: 60_000,
  maxWait: 300_000,
  timeout: 5_000,
};

export interface ClientOptions {
  readonly retry?: Partial<RetrySettings>;
  readonly judge?: EnvelopeJudge;
  readonly pace?: Turns;
  readonly auth?: Auth;
  readonly smallBody?: number;
  readonly env?: Run['env'];
  readonly caFile?: string;
  readonly verifyTls?: boolean;
}

export function clientFor(run: Run, options: ClientOptions = {}): Http {
  const { retry, judge = () => undefined, env = {}, caFile, verifyTls = true, ...rest } = options;
  const dispatcher = openDispatcher({ env, verifyTls, ...(caFile !== undefined && { caFile }) });
  const http = openHttp({ dispatcher, retry: { ...RETRY, ...retry }, judge, ...rest }, run);
  closeLater(() => http.close());
  return http;
}

/** All rows of one request. */
export async function ask(
  http: Http,
  url: string,
  rows: readonly string[] | null = ['rows'],
): Promise<{ rows: Json[]; rest: Json }> {
  const groups = http.exchange({ url, ...(rows !== null && { rows }), where: { stream: 'list', page: 1 } });
  const found: Json[] = [];
  for (;;) {
    const step = await groups.next();
    if (step.done === true) return { rows: found, rest: step.value.value };
    found.push(...step.value);
  }
}
