import { afterEach } from 'vitest';
import {
  type ManageEngine,
  type ManageEngineOptions,
  startManageEngine,
} from '../../simulators/manageengine/server.ts';
import type { Tenant } from '../../simulators/manageengine/tenant.ts';

export type Json = Readonly<Record<string, unknown>>;

export const SCAN = '/api/1.4/patch/scandetails';
export const ALL_SYSTEMS = '/api/1.4/patch/allsystems';
export const ALL_PATCHES = '/api/1.4/patch/allpatches';

const running: ManageEngine[] = [];

afterEach(async () => {
  await Promise.all(running.splice(0).map((simulator) => simulator.close()));
});

/** Noon, so that a few virtual minutes stay in one day. */
export const START = Date.UTC(2026, 0, 15, 12, 0, 0);

/** A simulator with a frozen clock that ends with the test. */
export async function simulator(options: ManageEngineOptions = {}): Promise<ManageEngine> {
  const started = await startManageEngine({ now: () => START, ...options });
  running.push(started);
  return started;
}

/** An answer, read to its end. */
export interface Reply {
  readonly status: number;
  readonly type: string | null;
  readonly headers: Headers;
  readonly text: string;
  /** The body as an object; fails the test when it is none. */
  readonly json: () => Json;
}

export async function call(url: string, init: RequestInit = {}): Promise<Reply> {
  const response = await fetch(url, init);
  const text = await response.text();
  const { status, headers } = response;
  return { status, headers, text, type: headers.get('content-type'), json: () => JSON.parse(text) as Json };
}

export function tokenRequest(
  server: ManageEngine,
  change: Readonly<Record<string, string>> = {},
  tenant?: Tenant,
): Promise<Reply> {
  const { credentials } = tenant ?? server.tenant();
  const form = new URLSearchParams({ grant_type: 'refresh_token', ...credentials, ...change });
  return call(`${server.url}/oauth/v2/token?${form}`, { method: 'POST' });
}

export async function login(server: ManageEngine, tenant?: Tenant): Promise<string> {
  const reply = await tokenRequest(server, {}, tenant);
  return String(reply.json().access_token);
}

export function get(server: ManageEngine, token: string, path: string): Promise<Reply> {
  return call(`${server.url}${path}`, { headers: { authorization: `Zoho-oauthtoken ${token}` } });
}

/** With an `Authorization` header as given, or without one. */
export function getAs(server: ManageEngine, authorization: string | undefined, path: string): Promise<Reply> {
  return call(`${server.url}${path}`, authorization === undefined ? {} : { headers: { authorization } });
}

export interface Page {
  readonly total: number;
  readonly limit: number;
  readonly page: number;
  readonly rows: readonly Json[];
  /** Row ids by their digits in the raw text. */
  readonly ids: readonly string[];
}

const ID = /"(?:resource_id|patch_id)":"?(\d+)/g;

export function readPage(reply: Reply): Page {
  const message = reply.json().message_response as Json;
  const key = String(reply.json().message_type);
  const ids = [...reply.text.matchAll(ID)].map((match) => match[1] ?? '');
  return { ...(message as unknown as Page), rows: message[key] as readonly Json[], ids };
}

export async function getPage(
  server: ManageEngine,
  token: string,
  path: string,
  page: number,
  limit = 25,
): Promise<Page> {
  return readPage(await get(server, token, `${path}?page=${page}&pagelimit=${limit}`));
}

/** All pages, in order, until the last one that the latest total names. */
export async function sweep(server: ManageEngine, token: string, path: string, limit = 25): Promise<Page[]> {
  const pages: Page[] = [];
  for (let page = 1; ; page += 1) {
    const read = await getPage(server, token, path, page, limit);
    pages.push(read);
    if (page >= Math.ceil(read.total / read.limit)) return pages;
  }
}

export function idsOf(pages: readonly Page[]): string[] {
  return pages.flatMap((page) => page.ids);
}

/** What DCAPI puts beside the rows. */
export interface Metadata {
  readonly page: number;
  readonly pageLimit: number;
  readonly totalRecords: string | number;
  readonly totalPages: number;
  readonly links?: Json;
  readonly cursor?: string | null;
}

/** A page of DCAPI. */
export interface ThreatsPage {
  readonly metadata: Metadata;
  readonly rows: readonly Json[];
  readonly text: string;
}

export function readThreats(reply: Reply): ThreatsPage {
  const { metadata, message_response: message } = reply.json();
  const [rows] = Object.values(message as Record<string, readonly Json[]>);
  return { metadata: metadata as Metadata, rows: rows ?? [], text: reply.text };
}

export const SYSTEM_PATCHES = '/dcapi/threats/systemreport/patches';

export async function getThreats(server: ManageEngine, token: string, path: string, query = ''): Promise<ThreatsPage> {
  return readThreats(await get(server, token, `${path}?${query}`));
}

/** All pages, in order, of the size asked for. */
export async function sweepThreats(
  server: ManageEngine,
  token: string,
  path: string,
  limit = 100,
): Promise<ThreatsPage[]> {
  const pages: ThreatsPage[] = [];
  for (let page = 1; ; page += 1) {
    const read = await getThreats(server, token, path, `page=${page}&pageLimit=${limit}`);
    pages.push(read);
    if (page >= read.metadata.totalPages) return pages;
  }
}

/** The rows inside the rows of DCAPI's reports, each with the system's id. */
export function nested(rows: readonly Json[], key: string): Json[] {
  return rows.flatMap((row) =>
    ((row[key] ?? []) as readonly Json[]).map((inner) => ({ resource_id: row.resource_id, ...inner })),
  );
}

export async function sim(server: ManageEngine, path: string, method = 'GET', body?: unknown): Promise<Reply> {
  return call(`${server.url}/__sim/${path}`, { method, ...(body === undefined ? {} : { body: JSON.stringify(body) }) });
}
