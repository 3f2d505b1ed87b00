import { afterEach } from 'vitest';
import { type Cdf, type CdfOptions, startCdf } from '../../simulators/cdf/server.ts';
import { VirtualClock } from '../http/virtual-clock.ts';

export type Json = Readonly<Record<string, unknown>>;

export const START = Date.UTC(2026, 2, 14, 6);
export const SECOND = 1_000;

/** An answer, read to its end. */
export interface Reply {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  /** The body as an object. */
  readonly json: () => Json;
  /** Its `items`. */
  readonly items: () => readonly Json[];
  /** Its `error`. */
  readonly error: () => Json;
}

/** A simulator with a clock that stands still, and a client of it. */
export interface Running extends Cdf {
  readonly clock: VirtualClock;
  readonly token: string;
  /** A POST to a path after the project. */
  post(path: string, body: unknown, headers?: Readonly<Record<string, string>>): Promise<Reply>;
  get(path: string): Promise<Reply>;
  sim(path: string, method?: string, body?: unknown): Promise<Reply>;
  /** `key` and `fields` of everything in a stream. */
  truth(stream: string, query?: string): Promise<readonly { key: Json; fields: Json }[]>;
}

const running: Cdf[] = [];

afterEach(async () => {
  await Promise.all(running.splice(0).map((simulator) => simulator.close()));
});

export async function call(url: string, init: RequestInit = {}): Promise<Reply> {
  const response = await fetch(url, init);
  const text = await response.text();
  const json = () => JSON.parse(text) as Json;
  const { status, headers } = response;
  return { status, headers, text, json, items: () => json().items as Json[], error: () => json().error as Json };
}

/** Asks for a token; fields of the form may be changed, or left out with undefined. */
export function askToken({ config }: Cdf, change: Readonly<Record<string, string | undefined>> = {}): Promise<Reply> {
  const { client_id, client_secret, scopes, token_url } = config;
  const form = { grant_type: 'client_credentials', client_id, client_secret, scope: scopes, ...change };
  const given = Object.entries(form).filter(([, value]) => value !== undefined);
  const body = new URLSearchParams(given.map(([name, value]) => [name, String(value)]));
  return call(String(token_url), { method: 'POST', body });
}

export async function tokenOf(server: Cdf): Promise<string> {
  return String((await askToken(server)).json().access_token);
}

/** A project that ends with the test. */
export async function cdf(options: Partial<CdfOptions> = {}): Promise<Running> {
  const clock = new VirtualClock(START);
  const started = await startCdf({ now: () => clock.now(), ...options });
  running.push(started);
  const token = await tokenOf(started);
  const base = `${started.url}/api/v1/projects/${String(started.config.project)}`;
  const authorization = `Bearer ${token}`;
  const sim: Running['sim'] = (path, method = 'GET', body = undefined) =>
    call(`${started.url}/__sim/${path}`, { method, ...(body === undefined ? {} : { body: JSON.stringify(body) }) });
  const client = {
    clock,
    token,
    sim,
    post: (path: string, body: unknown, headers: Readonly<Record<string, string>> = {}) =>
      call(`${base}${path}`, {
        method: 'POST',
        headers: { authorization, 'content-type': 'application/json', ...headers },
        body: JSON.stringify(body, null, 2),
      }),
    get: (path: string) => call(`${base}${path}`, { headers: { authorization } }),
    truth: async (stream: string, query = '') =>
      (await sim(`truth/${stream}${query}`)).text
        .split('\n')
        .filter((line) => line !== '')
        .map((line) => JSON.parse(line)),
  };
  return Object.defineProperties(client as unknown as Running, Object.getOwnPropertyDescriptors(started));
}

/** Creates objects and returns them; the test ends where that fails. */
export async function make(server: Running, path: string, ...items: readonly Json[]): Promise<readonly Json[]> {
  const reply = await server.post(path, { items });
  if (reply.status > 201) throw new Error(`${path}: ${reply.status} ${reply.text}`);
  return reply.items();
}

/** Ids of objects by their external ids. */
export async function idOf(server: Running, resource: string, externalId: string): Promise<number> {
  const [object] = (await server.post(`/${resource}/byids`, { items: [{ externalId }] })).items();
  return Number(object?.id);
}

/** External ids in an answer. */
export function names(reply: Reply): readonly unknown[] {
  return reply.items().map(({ externalId }) => externalId);
}

/** A root with two branches, one of them with a leaf, sent from the leaf up. */
export async function tree(server: Running): Promise<readonly Json[]> {
  return make(
    server,
    '/assets',
    { externalId: 'leaf', name: 'Leaf', parentExternalId: 'branch', metadata: { a: '1', b: '2' } },
    { externalId: 'branch', name: 'Branch', parentExternalId: 'root' },
    { externalId: 'twig', name: 'Twig', parentExternalId: 'root' },
    { externalId: 'root', name: 'Root', source: 'Plex' },
  );
}

/** Sends a request so often that its answers, which never come, are all in work. */
export async function inWork(server: Running, path: string, bodies: readonly unknown[]): Promise<void> {
  await server.sim('faults', 'POST', { match: { path: `${path}$` }, times: bodies.length, action: 'hang' });
  const before = Number((await server.sim('state')).json().requests);
  const faulted = async () =>
    ((await server.sim(`requests?after=${before}`)).json().requests as readonly Json[]).filter(({ fault }) => fault);
  // They end with the server, and nobody waits for them.
  for (const body of bodies) server.post(path, body).catch(() => undefined);
  while ((await faulted()).length < bodies.length);
}
