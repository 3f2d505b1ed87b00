import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { ALL_PATCHES, ALL_SYSTEMS, get, getPage, type Json, login, SCAN, simulator } from './manageengine-client.ts';

function fixture(name: string): Json {
  return JSON.parse(readFileSync(new URL(`../fixtures/manageengine/${name}.json`, import.meta.url), 'utf8')) as Json;
}

/** Keys and JSON types, in depth; array items and text are left out. */
function shape(value: unknown): unknown {
  if (Array.isArray(value)) return 'array';
  if (typeof value !== 'object' || value === null) return value === null ? 'null' : typeof value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, shape(item)]));
}

function rowsOf(envelope: Json): Json[] {
  return (envelope.message_response as Json)[String(envelope.message_type)] as Json[];
}

test.each([
  ['scandetails', SCAN],
  ['allsystems', ALL_SYSTEMS],
  ['allpatches', ALL_PATCHES],
])('%s has the documented shape', async (name, path) => {
  const server = await simulator();
  const sample = fixture(name);
  const reply = await get(server, await login(server), `${path}?pagelimit=1000`);
  expect(reply.type).toBe('text/plain;charset=UTF-8');
  expect(shape(reply.json())).toEqual(shape(sample));
  const [row] = rowsOf(sample);
  const types = new Map(Object.entries(row ?? {}).map(([key, value]) => [key, typeof value]));
  const rows = rowsOf(reply.json());
  expect(new Set(rows.flatMap((each) => Object.keys(each)))).toEqual(new Set(types.keys()));
  for (const each of rows) {
    const odd = Object.entries(each).filter(
      ([key, value]) => value !== null && value !== '--' && typeof value !== types.get(key),
    );
    expect(odd).toEqual([]);
  }
});

test.each([
  ['summary', '/api/1.4/patch/summary'],
  ['healthpolicy', '/api/1.4/patch/healthpolicy'],
  ['approvalsettings', '/api/1.4/patch/approvalsettings'],
  ['dbupdatestatus', '/api/1.4/patch/dbupdatestatus'],
  ['som-summary', '/api/1.4/som/summary'],
])('%s has the documented shape', async (name, path) => {
  const server = await simulator();
  const reply = await get(server, await login(server), path);
  expect([reply.status, reply.type]).toEqual([200, 'text/plain;charset=UTF-8']);
  expect(shape(reply.json())).toEqual(shape(fixture(name)));
});

test('placeholders of every kind occur', async () => {
  const server = await simulator({ profile: 'full' });
  const { rows } = await getPage(server, await login(server), SCAN, 1, 1_000);
  const values = rows.map((row) => row.service_pack);
  expect(values).toContain('--');
  expect(values).toContain(null);
  expect(values).toContain(undefined);
  expect(rows.map((row) => row.agent_installed_on)).toContain(-1);
  expect(rows.map((row) => row.branch_office_name)).toContain('--');
  expect(rows.map((row) => row.resource_health_status)).toContain('--');
});

test.each([
  ['wrong case', `${SCAN}?pageLimit=25`, 'pageLimit'],
  ['unknown name', `${SCAN}?page=1&per_page=25`, 'per_page'],
  ['paging of a singleton', '/api/1.4/patch/summary?page=1', 'page'],
])('refuses a query parameter: %s', async (_name, path, parameter) => {
  const server = await simulator();
  const reply = await get(server, await login(server), path);
  expect(reply.status).toBe(400);
  expect(reply.json()).toEqual({
    errorCode: 'IAM0028',
    errorMsg: `Unsupported parameter ${parameter} detected in the request.`,
  });
});

test('page sizes: default, asked for, clamped, nonsense', async () => {
  const server = await simulator();
  server.tenant().configure({ page_size_max: 100 });
  const token = await login(server);
  const limit = async (query: string) => {
    const message = (await get(server, token, `${SCAN}${query}`)).json().message_response as Json;
    return [message.limit, (message.scandetails as unknown[]).length];
  };
  expect(await limit('')).toEqual([25, 25]);
  expect(await limit('?pagelimit=40')).toEqual([40, 40]);
  expect(await limit('?pagelimit=1000')).toEqual([100, 100]);
  expect(await limit('?pagelimit=0')).toEqual([25, 25]);
  expect(await limit('?pagelimit=x&orderby=resource_id&sortorder=asc')).toEqual([25, 25]);
});

test('past the end: no rows, or the first page again', async () => {
  const server = await simulator();
  const token = await login(server);
  const [first, last, beyond] = await Promise.all([1, 7, 8].map((page) => getPage(server, token, SCAN, page)));
  expect(last?.ids).toHaveLength(168 - 6 * 25);
  expect(beyond).toMatchObject({ total: 168, page: 8, rows: [] });
  server.tenant().configure({ past_end: 'wrap' });
  expect((await getPage(server, token, SCAN, 8)).ids).toEqual(first?.ids);
});

test('paths that are not served', async () => {
  const server = await simulator();
  const token = await login(server);
  const absent = await get(server, token, '/api/1.4/patch/patchgroups');
  expect([absent.status, absent.json()]).toEqual([200, (fixture('refusals').unsupported_endpoint as Json).body]);
  const wrong = await get(server, token, '/patches');
  expect([wrong.status, wrong.type]).toEqual([200, 'text/html;charset=UTF-8']);
  expect(wrong.text).toContain('<form');
});

test('type modes of allpatches', async () => {
  const server = await simulator();
  const token = await login(server);
  const types = async (mode: string) => {
    server.tenant().configure({ type_mode: mode });
    const { rows } = await getPage(server, token, ALL_PATCHES, 1, 1_000);
    return new Set(rows.map((row) => typeof row.severity));
  };
  expect(await types('strings')).toEqual(new Set(['string']));
  expect(await types('numbers')).toEqual(new Set(['number']));
  expect(await types('mixed')).toEqual(new Set(['string', 'number']));
});

test('bodies in small pieces are the same bodies', async () => {
  const server = await simulator();
  const token = await login(server);
  const whole = await get(server, token, `${SCAN}?pagelimit=3`);
  server.tenant().configure({ chunk_bytes: 7 });
  expect((await get(server, token, `${SCAN}?pagelimit=3`)).text).toBe(whole.text);
});
