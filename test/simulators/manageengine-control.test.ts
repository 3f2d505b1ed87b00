import { connect } from 'node:net';
import { networkInterfaces } from 'node:os';
import { expect, test } from 'vitest';
import {
  get,
  getPage,
  type Json,
  login,
  SCAN,
  START,
  sim,
  simulator,
  sweep,
  tokenRequest,
} from './manageengine-client.ts';

test('config is what a tap needs', async () => {
  const server = await simulator();
  const { credentials } = server.tenant();
  expect(server.config).toEqual({ base_url: server.url, accounts_url: server.url, ...credentials });
  expect(server.url).toMatch(/^http:\/\/127\.0\.0\.1:\d+$/);
});

test('manifest with and without ids', async () => {
  const server = await simulator();
  expect((await sim(server, 'manifest')).json()).toEqual({
    streams: {
      systems: { rows: 168 },
      all_systems: { rows: 167 },
      patches: { rows: 262 },
      patch_summary: { rows: 1 },
      health_policy: { rows: 1 },
      approval_settings: { rows: 1 },
      db_update_status: { rows: 1 },
      som_summary: { rows: 1 },
      installed_patches: { rows: 175 },
      missing_patches: { rows: 87 },
      supported_patches: { rows: 18_274 },
      deployment_policies: { rows: 5 },
      view_configurations: { rows: 11 },
      som_computers: { rows: 170 },
      remote_offices: { rows: 2 },
      system_reports: { rows: expect.any(Number) },
      patch_details: { rows: 8_293 },
      dcapi_systems: { rows: 166 },
      patch_system_mapping: { rows: 8_293 },
      dcapi_patches: { rows: 262 },
    },
  });
  const withIds = (await sim(server, 'manifest?ids=1')).json();
  expect(withIds).toEqual(server.tenant().manifest({ ids: true }));
});

test('ids of the whole catalogue come only to who asks for it alone', async () => {
  const server = await simulator();
  const { streams } = server.tenant().manifest({ ids: true });
  expect(streams.supported_patches).toEqual({ rows: 18_274 });
  const alone = (await sim(server, 'manifest?ids=1&stream=supported_patches')).json().streams as Json;
  expect(Object.keys(alone)).toEqual(['supported_patches']);
  expect(new Set((alone.supported_patches as { ids: string[] }).ids).size).toBe(18_274);
});

test('faults can be added, listed, fired and removed', async () => {
  const server = await simulator();
  const token = await login(server);
  expect(
    (await sim(server, 'faults', 'POST', { id: 'one', match: { pages: [2, 2] }, action: 'burst503' })).json(),
  ).toEqual({ ids: ['one'] });
  expect(
    (await sim(server, 'faults', 'POST', [{ action: 'htmlLogin', times: 1, match: { path: 'allpatches' } }])).json(),
  ).toEqual({ ids: ['rule-2'] });
  expect((await get(server, token, `${SCAN}?page=2`)).status).toBe(503);
  expect((await sim(server, 'faults')).json()).toMatchObject({
    faults: [
      { id: 'one', seen: 1, fired: 1 },
      { id: 'rule-2', fired: 0 },
    ],
  });
  expect((await sim(server, 'faults?id=one', 'DELETE')).json()).toEqual({ removed: 1 });
  expect((await get(server, token, `${SCAN}?page=2`)).status).toBe(200);
  expect((await sim(server, 'faults', 'DELETE')).json()).toEqual({ removed: 1 });
});

test('the clock moves on and reset turns everything back', async () => {
  const server = await simulator({ scenario: 'two-runs-shrink' });
  const token = await login(server);
  await sweep(server, token, SCAN);
  await sim(server, 'config', 'POST', { expires_in: 45 });
  expect((await sim(server, 'clock', 'POST', { advance_ms: 3_600_000 })).json()).toEqual({ now: START + 3_600_000 });
  expect((await get(server, token, SCAN)).status).toBe(401);
  expect((await sim(server, 'state')).json()).toMatchObject({
    advanced_ms: 3_600_000,
    totals: { systems: 165 },
    tokens: { issued: 1, live: 0 },
  });
  const state = (await sim(server, 'reset', 'POST')).json();
  expect(state).toMatchObject({ now: START, requests: 0, totals: { systems: 168 }, tokens: { issued: 0 } });
  expect(state.faults).toMatchObject([
    { id: 'shrink-after-3', fired: 0 },
    { id: 'shrink-after-6', fired: 0 },
  ]);
  expect(server.tenant().settings.expires_in).toBe(3_600);
  expect((await getPage(server, await login(server), SCAN, 1)).total).toBe(168);
});

test('the request log', async () => {
  const server = await simulator();
  const token = await login(server);
  server.tenant().advance(1_000);
  await get(server, token, `${SCAN}?page=3&pagelimit=10`);
  const tenant = server.tenant().credentials.client_id;
  expect((await sim(server, 'requests')).json()).toEqual({
    requests: [
      {
        seq: 1,
        at: START,
        tenant,
        method: 'POST',
        path: '/oauth/v2/token',
        query: { grant_type: 'refresh_token', client_id: tenant },
        page: null,
        status: 200,
        fault: null,
        finished: true,
      },
      {
        seq: 2,
        at: START + 1_000,
        tenant,
        method: 'GET',
        path: SCAN,
        query: { page: '3', pagelimit: '10' },
        page: 3,
        status: 200,
        fault: null,
        finished: true,
      },
    ],
  });
});

test('a choice may come as a number', async () => {
  const server = await simulator();
  await sim(server, 'config', 'POST', { seed_paths: 404, token_refusal_status: '200' });
  expect(server.tenant().settings).toMatchObject({ seed_paths: '404', token_refusal_status: 200 });
});

test('settings are shown and checked', async () => {
  const server = await simulator();
  expect((await sim(server, 'config')).json()).toMatchObject({
    expires_in: 3_600,
    token_limit: true,
    page_size_max: 1_000,
  });
  expect((await sim(server, 'config', 'POST', { past_end: 'wrap', latency_ms: 1 })).json()).toMatchObject({
    past_end: 'wrap',
    latency_ms: 1,
  });
});

test('members leave and join on request', async () => {
  const server = await simulator();
  const left = (await sim(server, 'shrink', 'POST', { count: 8 })).json();
  expect(left).toMatchObject({ streams: { systems: { rows: 160 }, patches: { rows: 262 } } });
  const joined = (await sim(server, 'grow', 'POST', { list: 'allpatches', count: 3, at: 'start' })).json();
  expect(joined).toMatchObject({ streams: { systems: { rows: 160 }, patches: { rows: 265 } } });
});

test.each([
  ['shrink', { count: 0 }, 'count must be a whole number from 1'],
  ['grow', { count: 1, list: 'somcomputers' }, 'list must be one of scandetails, allsystems, allpatches'],
  ['grow', { count: 1, at: 'middle' }, 'at must be start or end'],
  ['config', { pastEnd: 'wrap' }, 'unknown setting "pastEnd"; known settings: latency_ms'],
  ['config', { past_end: 'stop' }, 'past_end must be one of empty, wrap'],
  ['config', { expires_in: 0 }, 'expires_in must be a whole number from 1'],
  ['config', { token_limit: 1 }, 'token_limit must be a boolean'],
  ['config', [], 'settings must be an object'],
  ['clock', { advance_ms: -1 }, 'send {"advance_ms": N}'],
  ['faults', { action: 'flood' }, 'unknown fault action "flood"; known actions: expireToken'],
  ['tenants', {}, 'send {"client_id": "…"} at least'],
  ['tenants', { client_id: 'a', colour: 'red' }, 'unknown key "colour"'],
  ['tenants', { client_id: 'a', seed: 'x' }, 'seed must be a number'],
  ['tenants', { client_id: 'a', profile: 'huge' }, 'unknown profile "huge"'],
  ['tenants', { client_id: 'a', flavour: 'vanilla' }, 'flavour must be one of cloud, onprem, msp'],
  ['config', { seed_paths: 'yes' }, 'seed_paths must be one of 10022, shape, 404, html'],
  ['config', { vuln: 'off' }, 'vuln must be one of 10022, on, 404, html'],
  ['config', { dcapi_rows: 'many' }, 'dcapi_rows must be one of seed, field'],
  ['config', { dcapi_page_size_default: 0 }, 'dcapi_page_size_default must be a whole number from 1'],
  ['config', { drift: { patches: {} } }, 'patch_system_mapping'],
  ['grow', { count: 1, list: 'pairs' }, 'list must be one of scandetails'],
  ['config', { customers: [] }, 'customers must be a list of 1 to 5 different names'],
  ['config', { customers: ['Same', 'Same'] }, 'customers must be a list of 1 to 5 different names'],
  ['config', { msp_unsupported: 'som' }, 'msp_unsupported must be true, false or a list like ["som", "allpatches"]'],
  ['config', { drift: { systems: {} } }, 'unknown list "systems" in drift; known lists: scandetails'],
  ['config', { drift: { scandetails: { add: 'x' } } }, 'drift.scandetails takes "add" and "drop"'],
  ['config', { drift: { scandetails: { rename: ['x'] } } }, 'drift.scandetails takes "add" and "drop"'],
  ['faults', { match: { query: { resid: 1 } }, action: 'error500' }, 'match.query must be an object of strings'],
  ['shrink?customer=nobody', { count: 1 }, 'unknown customer "nobody"; known customers: Example Customer'],
  ['reset?tenant=nobody', {}, 'unknown tenant "nobody"; known tenants: 1000.SIMULATOR'],
])('refuses POST %s %j', async (path, body, message) => {
  const reply = await sim(await simulator(), path, 'POST', body);
  expect(reply.status).toBe(400);
  expect(reply.json().error).toContain(message);
});

test('an unknown path names the known ones', async () => {
  const reply = await sim(await simulator(), 'everything');
  expect(reply.status).toBe(404);
  expect(reply.json()).toMatchObject({
    error: 'nothing at GET /__sim/everything',
    known: expect.arrayContaining(['GET /__sim/manifest', 'DELETE /__sim/faults']),
  });
});

test('tenants share nothing', async () => {
  const server = await simulator();
  const added = await sim(server, 'tenants', 'POST', { client_id: 'second', seed: 2, scenario: 'token-60s' });
  expect(added.json()).toMatchObject({ client_id: 'second', profile: 'small', config: server.tenant('second').config });
  const [first, second] = [server.tenant(), server.tenant('second')];
  const token = await login(server);
  const other = await login(server, second);
  expect(other).not.toBe(token);

  const before = (await get(server, token, SCAN)).text;
  const theirs = await getPage(server, other, SCAN, 1);
  expect(theirs.ids).toEqual(second.manifest({ ids: true }).streams.systems?.ids?.slice(0, 25));
  expect(first.manifest({ ids: true }).streams.systems?.ids).not.toContain(theirs.ids[0]);

  await sim(server, 'faults?tenant=second', 'POST', { action: 'burst503' });
  await sim(server, 'clock?tenant=second', 'POST', { advance_ms: 5_000 });
  second.shrink('scandetails', 10);
  second.configure({ page_size_max: 5 });
  expect((await get(server, other, SCAN)).status).toBe(503);
  expect((await get(server, token, SCAN)).text).toBe(before);
  expect(first.now).toBe(START);
  expect(second.manifest().streams.systems?.rows).toBe(158);
  expect(first.manifest().streams.systems?.rows).toBe(168);
  expect(first.requests.every(({ tenant }) => tenant === first.credentials.client_id)).toBe(true);
  expect([first.requests.length, second.requests.length]).toEqual([3, 3]);

  for (let issued = 1; issued < 10; issued += 1) await tokenRequest(server, {}, second);
  second.removeFaults();
  expect((await tokenRequest(server, {}, second)).status).toBe(400);
  expect((await tokenRequest(server)).status).toBe(200);
  const mixed = await tokenRequest(server, { client_id: 'second' });
  expect(mixed.json()).toEqual({ error: 'invalid_client_secret' });
  expect((await sim(server, 'tenants')).json().tenants).toHaveLength(2);
});

test('only 127.0.0.1 is served', async () => {
  const server = await simulator();
  const port = Number(new URL(server.url).port);
  const outside = Object.values(networkInterfaces())
    .flat()
    .find((each) => each?.family === 'IPv4' && !each.internal);
  if (!outside) return;
  const refused = await new Promise<boolean>((resolve) => {
    const socket = connect(port, outside.address);
    socket.once('connect', () => resolve(false)).once('error', () => resolve(true));
  });
  expect(refused).toBe(true);
});
