import { afterEach } from 'vitest';
import { type Plex, type PlexOptions, startPlex } from '../../simulators/plex/server.ts';
import { VirtualClock } from '../http/virtual-clock.ts';

export type Json = Readonly<Record<string, unknown>>;

export const START = Date.UTC(2026, 2, 14, 6);
export const DAY_BEFORE = 'beginDate=2026-03-13T00:00:00Z&endDate=2026-03-13T23:59:59.9999999Z';
export const MINUTE = 60_000;

export const PATHS = {
  parts: '/mdm/v1/parts',
  boms: '/engineering/v1/boms',
  workcenters: '/production/v1/production-definitions/workcenters',
  control: '/production/v1/control/workcenters',
  setups: '/production/v1/control/workcenter-setups',
  jobs: '/scheduling/v1/jobs',
  containers: '/inventory/v1/inventory-tracking/containers',
  moves: '/inventory/v1/inventory-history/container-location-moves',
  entries: '/production/v1/production-history/production-entries',
  statusEntries: '/production/v1/production-history/workcenter-status-entries',
  specifications: '/quality/v1/part-specifications',
} as const;

/** A simulator with a clock that stands still. */
export interface Running extends Plex {
  readonly clock: VirtualClock;
}

const running: Plex[] = [];

afterEach(async () => {
  await Promise.all(running.splice(0).map((simulator) => simulator.close()));
});

/** A tiny plant that ends with the test. */
export async function plex(options: Partial<PlexOptions> = {}): Promise<Running> {
  const clock = new VirtualClock(START);
  const started = await startPlex({ profile: 'tiny', now: () => clock.now(), ...options });
  running.push(started);
  return Object.defineProperties({ clock } as Running, Object.getOwnPropertyDescriptors(started));
}

/** An answer, read to its end. */
export interface Reply {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  /** The body as an object. */
  readonly json: () => Json;
  /** The body as a list. */
  readonly rows: () => readonly Json[];
}

export async function call(url: string, init: RequestInit = {}): Promise<Reply> {
  const response = await fetch(url, init);
  const text = await response.text();
  const { status, headers } = response;
  return { status, headers, text, json: () => JSON.parse(text), rows: () => JSON.parse(text) };
}

export function keyHeader(server: Plex): Record<string, string> {
  return { 'X-Plex-Connect-Api-Key': String(server.config.api_key) };
}

/** Asks the REST API with the right key. */
export function get(server: Plex, path: string, headers: Record<string, string> = {}): Promise<Reply> {
  return call(`${server.url}${path}`, { headers: { ...keyHeader(server), ...headers } });
}

export async function rowsOf(server: Plex, path: string): Promise<readonly Json[]> {
  return (await get(server, path)).rows();
}

export function basic(server: Plex): Record<string, string> {
  const { ds_username, ds_password } = server.config;
  return { authorization: `Basic ${Buffer.from(`${ds_username}:${ds_password}`).toString('base64')}` };
}

/** Executes a data source with the right user. */
export function execute(server: Plex, id: number, inputs: Json = {}, format = ''): Promise<Reply> {
  const body = JSON.stringify(format === '2' ? inputs : { inputs });
  const query = format === '' ? '' : `?format=${format}`;
  return call(`${server.url}/api/datasources/${id}/execute${query}`, { method: 'POST', headers: basic(server), body });
}

export async function sim(server: Plex, path: string, method = 'GET', body?: unknown): Promise<Reply> {
  return call(`${server.url}/__sim/${path}`, { method, ...(body === undefined ? {} : { body: JSON.stringify(body) }) });
}

/** The rows of a stream as a tap would deliver them. */
export async function truth(server: Plex, stream: string, query = ''): Promise<{ key: Json; fields: Json }[]> {
  const { text } = await sim(server, `truth/${stream}${query}`);
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line));
}

/** The one error of a REST refusal. */
export function refusal(reply: Reply): readonly [number, unknown, unknown] {
  const { code, errors } = reply.json();
  const [first] = errors as readonly Json[];
  return [reply.status, code, first?.code];
}
