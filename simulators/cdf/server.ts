/** CDF as an HTTP server on 127.0.0.1: token endpoint, API of one project and `/__sim/`. */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { sendAnswer } from '../plex/sending.ts';
import type { CallLog, LoggedCall } from './call-log.ts';
import { control } from './control.ts';
import { type Outcome, serve } from './serve.ts';
import { Site, type SiteOptions } from './site.ts';

export interface CdfOptions extends SiteOptions {
  /** 0 or absent: any free port. */
  readonly port?: number;
  /** Epoch milliseconds; `/__sim/advance` adds to it. */
  readonly now: () => number;
}

/** A running simulator. */
export interface Cdf {
  readonly url: string;
  /** Settings that target-cdf can use as they are. */
  readonly config: Readonly<Record<string, unknown>>;
  readonly site: Site;
  /** Settles when the server has ended, by `close` or by `/__sim/stop`. */
  readonly ended: Promise<void>;
  /** Ends all connections, hanging ones too. */
  close(): Promise<void>;
}

const CONTROL = '/__sim/';

async function bodyOf(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}

/** Carries out what was decided about a logged call. */
async function carryOut(
  response: ServerResponse,
  outcome: Outcome,
  { call, log }: { readonly call: LoggedCall; readonly log: CallLog },
  acceptsGzip: boolean,
): Promise<void> {
  if (outcome.kind === 'hang') return;
  if (outcome.kind === 'close') {
    response.socket?.resetAndDestroy();
    return;
  }
  const { answer, delayMs, cut } = outcome;
  response.once('finish', () => {
    call.finished = true;
  });
  // Unreferenced, so that a closed simulator does not keep its process waiting.
  if (delayMs > 0) await new Promise<void>((resolve) => setTimeout(resolve, delayMs).unref());
  if (response.destroyed) return;
  call.status = answer.status;
  // Before the first byte: a client that has its answer may come again sooner than the end of the sending is known.
  log.settle(call);
  await sendAnswer(response, answer, acceptsGzip, cut ? { cut } : {});
}

async function answer(
  site: Site,
  request: IncomingMessage,
  response: ServerResponse,
  close: () => void,
): Promise<void> {
  const url = new URL(request.url ?? '/', 'http://127.0.0.1');
  const { method = 'GET', headers } = request;
  const { pathname: path, searchParams: query } = url;
  const acceptsGzip = /\bgzip\b/.test(String(headers['accept-encoding'] ?? ''));
  if (path.startsWith(CONTROL)) {
    const text = (await bodyOf(request)).toString('utf8');
    const stop = (): void => void response.once('close', close);
    await sendAnswer(response, control({ site, query, stop }, method, path, text), acceptsGzip);
    return;
  }
  const { log } = site;
  const call = log.open({ at: site.now, method, path, requestId: (seq) => site.requestId(seq) });
  response.once('close', () => log.settle(call));
  const body = await bodyOf(request);
  await carryOut(response, serve(site, call, { method, path, query, headers, body }), { call, log }, acceptsGzip);
}

async function listen(server: Server, port: number): Promise<string> {
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, '127.0.0.1', resolve);
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

/**
 * Starts a simulated CDF project. `profile` is `ready`, `seed` 1 and `scenario` `happy` when absent.
 * @throws Error for an unknown profile or scenario, and when the port is taken.
 */
export async function startCdf(options: CdfOptions): Promise<Cdf> {
  const { port = 0, now, ...wanted } = options;
  const site = new Site(wanted, now);
  const server = createServer((request, response) => {
    answer(site, request, response, close).catch((error: unknown) => {
      // The client went away in the middle of its answer, or the simulator failed: either way this one is over.
      response.destroy(error instanceof Error ? error : new Error(String(error)));
    });
  });
  const ended = new Promise<void>((resolve) => server.once('close', resolve));
  const close = (): Promise<void> => {
    server.close();
    server.closeAllConnections();
    return ended;
  };
  server.keepAliveTimeout = 60_000;
  const url = await listen(server, port);
  site.settleAt(url);
  return {
    url,
    get config() {
      return site.config;
    },
    site,
    ended,
    close,
  };
}
