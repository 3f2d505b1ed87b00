/** Plex as an HTTP server on 127.0.0.1: Connect REST, Data Source API and `/__sim/`. */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { control } from './control.ts';
import { carryOut, sendAnswer } from './sending.ts';
import { serve } from './serve.ts';
import { Site, type SiteOptions } from './site.ts';

export interface PlexOptions extends SiteOptions {
  /** 0 or absent: any free port. */
  readonly port?: number;
  /** Epoch milliseconds; `/__sim/advance` adds to it. */
  readonly now: () => number;
}

/** A running simulator. */
export interface Plex {
  readonly url: string;
  /** Settings that tap-plex can use as they are. */
  readonly config: Readonly<Record<string, unknown>>;
  readonly site: Site;
  /** Settles when the server has ended, by `close` or by `/__sim/stop`. */
  readonly ended: Promise<void>;
  /** Ends all connections, hanging ones too. */
  close(): Promise<void>;
}

const CONTROL = '/__sim/';

async function bodyText(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString('utf8');
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
  const text = await bodyText(request);
  if (path.startsWith(CONTROL)) {
    const stop = (): void => void response.once('close', close);
    await sendAnswer(response, control({ site, query, stop }, method, path, text), acceptsGzip);
    return;
  }
  const call = site.log.open({ at: site.now, method, path, query, headers: Object.keys(headers) });
  await carryOut(response, serve(site, call, { method, path, query, headers, text }), call, acceptsGzip);
}

async function listen(server: Server, port: number): Promise<string> {
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, '127.0.0.1', resolve);
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

/**
 * Starts a simulated Plex tenant. `profile` is `demo`, `seed` 1 and `scenario` `happy` when absent.
 * @throws Error for an unknown profile or scenario, and when the port is taken.
 */
export async function startPlex(options: PlexOptions): Promise<Plex> {
  const { port = 0, now, ...wanted } = options;
  const site = new Site(wanted, now);
  const server = createServer((request, response) => {
    answer(site, request, response, close).catch((error: unknown) => {
      // The client went away in the middle of its answer, or a row could not be made: either way this one is over.
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
