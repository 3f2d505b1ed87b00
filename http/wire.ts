/**
 * One attempt on the wire: send, judge, read.
 *
 * Of undici only the pool and `request` are loaded, by their files: the whole package brings fetch, caches, mocks and
 * web sockets, which nothing here uses, and takes 4 MB of the 100 a tap may have (Node 26, undici 8.12.4, pinned).
 */
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import type { Dispatcher } from 'undici';
import api from 'undici/lib/api/index.js';
import Agent from 'undici/lib/dispatcher/agent.js';
import { ConnectorError, systemCode, textOf, type Where } from '../singer/errors.ts';
import { stopOf } from '../singer/io.ts';
import type { Json } from '../singer/lossless.ts';
import { sampleOf } from '../singer/masking.ts';
import type { Run } from '../singer/stream.ts';
import { type Envelope, parseWhole, SMALL_BODY_BYTES, waysOf } from './body.ts';
import type { Exchange } from './exchange.ts';
import {
  type EnvelopeJudge,
  HttpFailure,
  judgeHead,
  judgeStatus,
  type ReplyHead,
  type Ruling,
  retryAfter,
} from './judge.ts';
import type { Spool } from './spool.ts';

export interface ConnectionSettings {
  readonly caFile?: string | undefined;
  readonly verifyTls?: boolean;
  readonly env: Readonly<Record<string, string | undefined>>;
}

/**
 * One connection pool. Honours HTTP_PROXY, HTTPS_PROXY and NO_PROXY of the environment it is given.
 * @throws ConnectorError `config` when `caFile` cannot be read.
 */
export function openDispatcher({ caFile, verifyTls = true, env }: ConnectionSettings): Dispatcher {
  let ca: string | undefined;
  if (caFile !== undefined) {
    try {
      ca = readFileSync(caFile, 'utf8');
    } catch (cause) {
      throw new ConnectorError(
        'config',
        `ca_file ${caFile} cannot be read: ${textOf(cause)}`,
        { setting: 'ca_file' },
        { cause },
      );
    }
  }
  const connect = { rejectUnauthorized: verifyTls, ...(ca !== undefined && { ca }) };
  const pick = (name: string) => env[name.toLowerCase()] ?? env[name];
  const [httpProxy, httpsProxy, noProxy] = [pick('HTTP_PROXY'), pick('HTTPS_PROXY'), pick('NO_PROXY')];
  if (!httpProxy && !httpsProxy) return new Agent({ connect });
  const { EnvHttpProxyAgent } = createRequire(import.meta.url)('undici') as typeof import('undici');
  return new EnvHttpProxyAgent({
    connect,
    requestTls: connect,
    ...(httpProxy && { httpProxy }),
    ...(httpsProxy && { httpsProxy }),
    ...(noProxy && { noProxy }),
  });
}

/** What the wire layer needs. */
export interface Wire {
  readonly dispatcher: Dispatcher;
  readonly timeout: number;
  readonly judge: EnvelopeJudge;
  readonly run: Pick<Run, 'signal' | 'clock'>;
  /** Bodies up to this size are parsed at once; 0 takes every body by way of a file (tests). */
  readonly smallBody?: number;
  readonly sampleAnswers?: boolean;
}

const CERTIFICATE = /CERT|SELF_SIGNED|ALTNAME/;

/** Turns what undici throws into a failure with a name. */
function wireFailure(thrown: unknown, url: string, where: Where): unknown {
  if (thrown instanceof ConnectorError || stopOf(thrown) !== undefined) return thrown;
  const code = systemCode(thrown) ?? systemCode((thrown as { cause?: unknown }).cause) ?? '';
  const host = new URL(url).host;
  const timedOut = (thrown instanceof Error && thrown.name === 'TimeoutError') || /TIMEOUT|TIMEDOUT/.test(code);
  if (timedOut)
    return new HttpFailure(
      { reaction: 'retry', type: 'network_timeout', message: `${host} did not answer in time` },
      where,
      { cause: thrown },
    );
  if (CERTIFICATE.test(code)) {
    const hint = 'set ca_file to the certificate authority of this server';
    return new HttpFailure(
      { reaction: 'fail', type: 'network_error', message: `the certificate of ${host} is not trusted (${code})`, hint },
      where,
      { cause: thrown },
    );
  }
  const hint = 'check the address and the network';
  return new HttpFailure(
    { reaction: 'retry', type: 'network_error', message: `no connection to ${host}: ${textOf(thrown)}`, hint },
    where,
    { cause: thrown },
  );
}

/** One attempt. Every failure leaves as an `HttpFailure`, except a stop. */
export function wire(options: Wire): Exchange {
  const { dispatcher, timeout, judge, run, smallBody = SMALL_BODY_BYTES, sampleAnswers = true } = options;
  return async function* (request) {
    const { method = 'GET', url, query, form, json, headers, rows: path, where } = request;
    const limit = new AttemptLimit(timeout);
    const own = request.signal === undefined ? [] : [request.signal];
    const signal = AbortSignal.any([run.signal, limit.signal, ...own]);
    let reply: Dispatcher.ResponseData | undefined;
    let spool: Spool | undefined;
    try {
      limit.resume();
      const { origin, pathname } = new URL(url);
      reply = await api.request.call(dispatcher, {
        origin,
        path: pathname,
        method,
        signal,
        headers: {
          accept: 'application/json',
          ...(form !== undefined && { 'content-type': 'application/x-www-form-urlencoded' }),
          ...(json !== undefined && { 'content-type': 'application/json; charset=utf-8' }),
          ...headers,
        },
        ...(query !== undefined && { query: { ...query } }),
        ...(form !== undefined && { body: new URLSearchParams(form).toString() }),
        ...(json !== undefined && { body: JSON.stringify(json) }),
        headersTimeout: 0,
        bodyTimeout: 0,
      });
      const { statusCode: status, headers: received, body } = reply;
      const { chunks, ended } = await beginning(body, path === undefined ? Number.POSITIVE_INFINITY : smallBody);
      limit.pause();
      const head: ReplyHead = { status, headers: received, text: headOf(chunks) };
      const fail = (ruling: Ruling, cause?: unknown) =>
        new HttpFailure(
          ruling,
          { ...where, status },
          {
            retryAfter: retryAfter(received['retry-after'], run.clock.now()),
            ...((sampleAnswers || status >= 400) && { sample: sampleOf(head.text) }),
            cause,
          },
        );
      const early = judgeHead(head);
      if (early !== undefined) throw fail(early);
      let envelope: Envelope;
      let rows: readonly Json[] = [];
      try {
        if (path === undefined || (ended && lengthOf(chunks) <= smallBody)) {
          ({ rows, envelope } = parseWhole(taken(chunks), path));
        } else {
          const [{ envelopeOf }, { Spool }] = await Promise.all([import('./body-stream.ts'), import('./spool.ts')]);
          spool = await Spool.open();
          const failure = (thrown: unknown) => wireFailure(thrown, url, where);
          envelope = await envelopeOf(spool.keeping(continued(chunks, ended, body, limit, failure)), path);
        }
        const ruling = judge(envelope.value, status) ?? judgeStatus(status);
        if (ruling !== undefined) throw fail(ruling);
      } catch (cause) {
        if (cause instanceof ConnectorError || signal.aborted) throw cause;
        // A refusal need not be JSON; then its status is all that it says.
        throw fail(
          judgeStatus(status) ?? {
            reaction: 'retry',
            type: 'json_parse_error',
            message: `the body is not complete JSON: ${textOf(cause)}`,
          },
          cause,
        );
      }
      if (!envelope.found) {
        throw fail({
          reaction: 'fail',
          type: 'contract_error',
          message: `the answer has no list at "${waysOf(path ?? [])
            .map((way) => way.join('.'))
            .join('" or "')}"`,
        });
      }
      // The answer is whole and means what was asked for: only now a row leaves.
      if (rows.length > 0) yield rows;
      if (spool !== undefined && path !== undefined) {
        const { parseStream } = await import('./body-stream.ts');
        yield* parseStream(spool.read(), path);
      }
      return envelope;
    } catch (thrown) {
      run.signal.throwIfAborted();
      request.signal?.throwIfAborted();
      throw wireFailure(thrown, url, where);
    } finally {
      limit.pause();
      if (spool !== undefined) await spool.close();
      // Whoever stops reading half-way must not leave the connection waiting: closing the pool would wait for it too.
      if (reply !== undefined && !reply.body.readableEnded) reply.body.on('error', () => undefined).destroy();
    }
  };
}

/** As much of a reply as its judge looks at, in bytes. */
const HEAD_BYTES = 4096;

/** The body's beginning: all of it when it is no longer than `limit` bytes, and at least what the judge looks at. */
async function beginning(
  body: AsyncIterable<Uint8Array>,
  limit: number,
): Promise<{ chunks: Uint8Array[]; ended: boolean }> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  const source = body[Symbol.asyncIterator]();
  for (;;) {
    const next = await source.next();
    if (next.done === true) return { chunks, ended: true };
    chunks.push(next.value);
    size += next.value.length;
    if (size > Math.max(limit, HEAD_BYTES)) return { chunks, ended: false };
  }
}

function lengthOf(chunks: readonly Uint8Array[]): number {
  return chunks.reduce((sum, { length }) => sum + length, 0);
}

/** The whole text. The chunks are let go: what outlives the work on a page is freed late, and pages are many. */
function taken(chunks: Uint8Array[]): string {
  const text = Buffer.concat(chunks.splice(0)).toString('utf8');
  return text.startsWith('\ufeff') ? text.slice(1) : text;
}

/** The text at the beginning of the body. */
function headOf(chunks: readonly Uint8Array[]): string {
  const first: Uint8Array[] = [];
  for (let at = 0; at < chunks.length && lengthOf(first) < HEAD_BYTES; at += 1) first.push(chunks[at] as Uint8Array);
  return Buffer.concat(first)
    .toString('utf8', 0, HEAD_BYTES)
    .replace(/^\ufeff/, '');
}

/** The whole body. Of its beginning each chunk is let go once it is handed on. */
async function* continued(
  start: Uint8Array[],
  ended: boolean,
  body: AsyncIterable<Uint8Array>,
  limit: AttemptLimit,
  failure: (thrown: unknown) => unknown,
): AsyncGenerator<Uint8Array> {
  for (let chunk = start.shift(); chunk !== undefined; chunk = start.shift()) yield chunk;
  if (ended) return;
  const source = body[Symbol.asyncIterator]();
  for (;;) {
    limit.resume();
    const next = await source.next().catch((thrown: unknown) => {
      throw failure(thrown);
    });
    limit.pause();
    if (next.done === true) return;
    yield next.value;
  }
}

/** The time limit of one attempt. It runs only while the network is waited for: a slow reader of our rows must not cost a page. */
class AttemptLimit {
  readonly #abort = new AbortController();
  #left: number;
  #since = 0;
  #timer: NodeJS.Timeout | undefined;

  constructor(ms: number) {
    this.#left = ms;
  }

  get signal(): AbortSignal {
    return this.#abort.signal;
  }

  resume(): void {
    this.#since = performance.now();
    this.#timer = setTimeout(() => this.#abort.abort(new DOMException('time limit', 'TimeoutError')), this.#left);
  }

  pause(): void {
    if (this.#timer === undefined) return;
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#left = Math.max(0, this.#left - (performance.now() - this.#since));
  }
}
