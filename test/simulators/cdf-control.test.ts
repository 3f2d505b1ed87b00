import { describe, expect, test } from 'vitest';
import { askToken, call, cdf, type Json, make, type Running, SECOND, START, tokenOf } from './cdf-client.ts';

const hour = 3_600 * SECOND;

function get(server: Running, path: string, token: string | undefined) {
  return call(`${server.url}${path}`, token === undefined ? {} : { headers: { authorization: `Bearer ${token}` } });
}

const INSPECT = '/api/v1/token/inspect';

describe('config', () => {
  test('is what target-cdf needs', async () => {
    const server = await cdf();
    const { client_id, client_secret, ...others } = server.config;
    expect([typeof client_id, typeof client_secret]).toEqual(['string', 'string']);
    expect(others).toEqual({
      base_url: server.url,
      project: 'example-plant',
      token_url: `${server.url}/oauth/token`,
      scopes: 'user_impersonation',
      pcn: '340884',
      facility_name: 'Demo Plant',
      facility_code: 'DEMO',
      facility_timezone: 'UTC',
      facility_country: 'US',
      extraction_pipeline: 'plex-340884',
    });
    expect((await cdf({ profile: 'empty' })).config).not.toHaveProperty('extraction_pipeline');
  });

  test.each([{ profile: 'huge' }, { scenario: 'sunny' }])('%j is unknown', async (options) => {
    await expect(cdf(options)).rejects.toThrow(/unknown (profile|scenario).*known/);
  });
});

describe('tokens', () => {
  test.each<readonly [string, Readonly<Record<string, string | undefined>>, number, string]>([
    ['a wrong secret', { client_secret: 'x' }, 401, 'invalid_client'],
    ['an unknown client', { client_id: 'x' }, 401, 'invalid_client'],
    ['another grant', { grant_type: 'password' }, 400, 'unsupported_grant_type'],
    ['.default', { scope: 'https://example.invalid/.default' }, 403, 'access_denied'],
    ['no scope', { scope: undefined }, 403, 'access_denied'],
  ])('refuses %s', async (_what, change, status, error) => {
    const reply = await askToken(await cdf(), change);
    expect([reply.status, reply.json().error]).toEqual([status, error]);
  });

  test('the known client gets one, by form or by Basic authentication', async () => {
    const server = await cdf();
    expect((await askToken(server)).json()).toMatchObject({ token_type: 'Bearer', expires_in: 3_600 });
    expect((await askToken(server, { scope: 'IDENTITY user_impersonation' })).status).toBe(200);
    const { client_id, client_secret, token_url, scopes } = server.config;
    const basic = Buffer.from(`${String(client_id)}:${String(client_secret)}`).toString('base64');
    const headers = { authorization: `Basic ${basic}` };
    const form = new URLSearchParams({ grant_type: 'client_credentials', scope: String(scopes) });
    expect((await call(String(token_url), { method: 'POST', headers, body: form })).status).toBe(200);
    const json = { method: 'POST', headers: { 'content-type': 'application/json' }, body: '{}' };
    expect((await call(String(token_url), json)).json().error).toBe('invalid_request');
  });

  test('an audience, where one is wanted', async () => {
    const server = await cdf();
    await server.sim('config', 'POST', { audience: 'https://example.invalid' });
    expect(server.config.audience).toBe('https://example.invalid');
    expect((await askToken(server)).status).toBe(403);
    expect((await askToken(server, { audience: 'https://example.invalid' })).status).toBe(200);
  });

  test('no token, a wrong one, one that has ended, one that is used up', async () => {
    const server = await cdf();
    const status = async (token: string | undefined) => (await get(server, INSPECT, token)).status;
    expect([await status(undefined), await status('x'), await status(server.token)]).toEqual([401, 401, 200]);
    expect((await get(server, INSPECT, 'x')).json()).toEqual({ error: { code: 401, message: 'Unauthorized' } });
    server.clock.advance(hour - 1);
    expect(await status(server.token)).toBe(200);
    server.clock.advance(1);
    expect(await status(server.token)).toBe(401);
    await server.sim('config', 'POST', { token_requests: 2, token_seconds: 1 });
    const next = await tokenOf(server);
    expect([await status(next), await status(next), await status(next)]).toEqual([200, 200, 401]);
    const last = await tokenOf(server);
    server.clock.advance(SECOND);
    expect(await status(last)).toBe(401);
  });

  test('inspection tells project and rights, and a right that is off is off', async () => {
    const server = await cdf();
    await server.sim('config', 'POST', { capabilities_off: ['assetsAcl:WRITE', 'eventsAcl:READ', 'eventsAcl:WRITE'] });
    const { subject, projects, capabilities } = (await get(server, INSPECT, server.token)).json();
    expect([subject, projects]).toEqual(['target-cdf', [{ projectUrlName: 'example-plant', groups: [1] }]]);
    const rights = Object.assign({}, ...(capabilities as readonly Json[]));
    expect(rights.assetsAcl).toEqual({ actions: ['READ'], scope: { all: {} } });
    expect(rights).not.toHaveProperty('eventsAcl');
    const body = { items: [{ externalId: 'a', name: 'A' }] };
    const reply = await server.post('/assets', body);
    expect([reply.status, reply.error().code]).toEqual([403, 403]);
    expect((await server.post('/assets/list', {})).status).toBe(200);
  });

  test('another project is refused as the simulator is set', async () => {
    const server = await cdf();
    const other = () => get(server, '/api/v1/projects/other/assets', server.token);
    expect((await other()).status).toBe(401);
    await server.sim('config', 'POST', { unknown_project: 403 });
    expect((await other()).json()).toEqual({ error: { code: 403, message: 'Forbidden' } });
  });
});

describe('settings', () => {
  test('unknown fields of assets and events pass where they are ignored, and are not kept', async () => {
    const server = await cdf();
    await server.sim('config', 'POST', { unknown_fields: 'ignore' });
    const [asset] = await make(server, '/assets', { name: 'A', color: 'red' });
    expect(asset).not.toHaveProperty('color');
    expect((await server.post('/timeseries', { items: [{ color: 'red' }] })).status).toBe(400);
  });

  test('an answer names all unknown parents, or the first', async () => {
    const server = await cdf();
    const items = ['x', 'y'].map((name) => ({ externalId: `c_${name}`, name, parentExternalId: name }));
    expect((await server.post('/assets', { items })).error()).not.toHaveProperty('missing');
    await server.sim('config', 'POST', { unknown_parents: 'all' });
    const missing = [{ externalId: 'x' }, { externalId: 'y' }];
    expect((await server.post('/assets', { items })).error().missing).toEqual(missing);
  });

  test('what is wrong is told', async () => {
    const server = await cdf();
    const told = async (change: unknown) => (await server.sim('config', 'POST', change)).json().error;
    expect(await told({ limit: 1 })).toMatch(/unknown setting "limit"; known settings: token_seconds/);
    expect(await told({ capabilities_off: ['assets'] })).toMatch(/list like \["assetsAcl:WRITE"\]/);
    expect(await told({ scope: 'x' })).toMatch(/user_impersonation or default/);
    expect(await told([])).toMatch(/send an object/);
  });
});

describe('what was asked', () => {
  test('sizes and figures, no secrets', async () => {
    const server = await cdf();
    await make(server, '/assets', { externalId: 'a', name: 'A' }, { externalId: 'b', name: 'B' });
    await make(server, '/timeseries', { externalId: 's' });
    const datapoints = [1, 2, 3].map((timestamp) => ({ timestamp, value: 1 }));
    await server.post('/timeseries/data', { items: [{ externalId: 's', datapoints }] });
    await server.post('/assets', { items: [{ externalId: 'a', name: 'A' }] });
    await server.post('/assets/update', { items: [{ externalId: 'a', update: { name: { set: 'B' } } }] });
    const reply = await server.sim('requests?after=1');
    const [first, , points] = reply.json().requests as readonly Json[];
    const path = '/api/v1/projects/example-plant/assets';
    const sizes = { endpoint: 'POST /assets', items: 2, points: null, gzip: false };
    expect(first).toMatchObject({
      seq: 2,
      at: START,
      method: 'POST',
      path,
      ...sizes,
      status: 201,
      fault: null,
      finished: true,
    });
    expect(points).toMatchObject({ endpoint: 'POST /timeseries/data', items: 1, points: 3 });
    const stats = (await server.sim('stats')).json();
    expect(stats).toMatchObject({ peak_parallel: 1, tokens: 1 });
    expect((stats.endpoints as Json)['POST /assets']).toMatchObject({
      requests: 2,
      items: 3,
      most_items: 2,
      statuses: { 201: 1, 409: 1 },
    });
    expect((stats.endpoints as Json)['POST /timeseries/data']).toMatchObject({ most_points: 3 });
    expect((stats.changes as Json).assets).toEqual({ created: 2, updated: 1, deleted: 0 });
    const everything = `${reply.text}${JSON.stringify(stats)}`;
    for (const secret of [server.token, server.config.client_secret, server.config.client_id]) {
      expect(everything).not.toContain(String(secret));
    }
  });
});

describe('manifest and truth', () => {
  test('name relations by external ids, in the order of keys', async () => {
    const server = await cdf({ profile: 'shared' });
    const { streams } = (await server.sim('manifest')).json() as { streams: Json };
    expect(streams).toMatchObject({
      assets: { rows: 43 },
      datasets: { rows: 7 },
      sequences: { rows: 2 },
      events: { rows: 1 },
    });
    for (const [stream, count] of Object.entries(streams)) {
      expect(await server.truth(stream)).toHaveLength((count as { rows: number }).rows);
    }
    const keys = (await server.truth('assets', '?prefix=lab_pump_1')).map(({ key }) => key.externalId);
    expect(keys.slice(0, 3)).toEqual(['lab_pump_1', 'lab_pump_10', 'lab_pump_11']);
    const [event] = await server.truth('events');
    const fields = { type: 'test', startTime: 0, assets: ['lab_pump_1'], dataSet: 'laboratory' };
    expect(event).toEqual({ key: { externalId: 'lab_test' }, fields });
    expect((await server.sim('truth/parts')).json().error).toMatch(/unknown stream "parts"; known streams: assets/);
  });

  test('are the same whatever the order in which things came', async () => {
    const servers = await Promise.all([cdf(), cdf()]);
    const items = ['a', 'b', 'c'].map((name) => ({ externalId: name, name, metadata: { x: name, y: '1' } }));
    await make(servers[0], '/assets', ...items);
    for (const item of items.toReversed())
      await make(servers[1], '/assets', { ...item, metadata: { y: '1', x: item.name } });
    const [one, two] = await Promise.all(servers.map(async (server) => (await server.sim('truth/assets')).text));
    expect(one).toBe(two);
  });

  test('equal seeds and requests give equal bytes, another seed other secrets', async () => {
    const run = async (seed: number) => {
      const server = await cdf({ seed, profile: 'shared', scenario: 'flaky' });
      const texts: unknown[] = [server.config.client_secret, server.token];
      for (let at = 0; at < 10; at += 1) {
        const reply = server.post('/assets', { items: [{ externalId: `n${at}`, name: 'N' }] });
        texts.push(
          await reply.then(
            ({ text, headers }) => [text, headers.get('x-request-id')],
            () => 'closed',
          ),
        );
      }
      return [...texts, (await server.sim('truth/assets')).text];
    };
    const [one, again, other] = [await run(7), await run(7), await run(8)];
    expect(again).toEqual(one);
    expect(other).not.toEqual(one);
    expect(other[0]).not.toBe(one[0]);
  });
});

describe('advance, vanish and reset', () => {
  test('a clock that stands moves by advance alone', async () => {
    const server = await cdf();
    const now = async () => (await server.sim('state')).json().now;
    await server.sim('config', 'POST', { clock: 'stands' });
    server.clock.advance(SECOND);
    expect(await now()).toBe('2026-03-14T06:00:00.000Z');
    expect((await server.sim('advance', 'POST', { ms: 500 })).json().now).toBe('2026-03-14T06:00:00.500Z');
    await server.sim('config', 'POST', { clock: 'runs' });
    server.clock.advance(SECOND);
    expect(await now()).toBe('2026-03-14T06:00:01.500Z');
  });

  test('vanish takes assets with all below them', async () => {
    const server = await cdf();
    await make(
      server,
      '/assets',
      { externalId: 'P_root', name: 'R' },
      { externalId: 'x', name: 'X', parentExternalId: 'P_root' },
    );
    await make(server, '/events', { externalId: 'P_e' }, { externalId: 'e' });
    expect((await server.sim('vanish', 'POST', { prefix: 'P_' })).json()).toEqual({ removed: 3 });
    expect((await server.sim('vanish', 'POST', { external_id: 'e' })).json()).toEqual({ removed: 1 });
    expect((await server.sim('vanish', 'POST', {})).status).toBe(400);
    expect((await server.sim('manifest')).json().streams).toMatchObject({ assets: { rows: 0 }, datasets: { rows: 6 } });
  });

  test('reset turns everything back, and may choose anew', async () => {
    const server = await cdf({ scenario: 'vague' });
    const before = (await server.sim('manifest')).json();
    await make(server, '/assets', { externalId: 'a', name: 'A' });
    await server.sim('faults', 'DELETE');
    await server.sim('config', 'POST', { token_seconds: 5 });
    const state = (await server.sim('reset', 'POST')).json();
    expect(state).toMatchObject({ now: '2026-03-14T06:00:00.000Z', requests: 0, scenario: 'vague' });
    expect(state.faults).toMatchObject([{ id: 'events', fired: 0 }, { id: 'others' }]);
    expect((await server.sim('manifest')).json()).toEqual(before);
    expect((await server.sim('config')).json()).toMatchObject({ token_seconds: 3_600 });
    expect((await server.post('/assets/list', {})).status).toBe(401);
    const wanted = { seed: 7, now: '2026-06-01T12:00:00Z', profile: 'empty', scenario: 'entra' };
    expect((await server.sim('reset', 'POST', wanted)).json()).toMatchObject({
      ...wanted,
      now: '2026-06-01T12:00:00.000Z',
    });
  });

  test.each([{ seed: '7' }, { now: 'today' }, { profile: 'huge' }, { scenario: 'x' }, { day: 1 }])(
    'reset %j is refused and changes nothing',
    async (body) => {
      const server = await cdf();
      expect((await server.sim('reset', 'POST', body)).status).toBe(400);
      expect((await server.sim('state')).json()).toMatchObject({ profile: 'ready', seed: 1, scenario: 'happy' });
    },
  );

  test('what is nowhere is told', async () => {
    const server = await cdf();
    const lost = await server.sim('nowhere');
    expect([lost.status, lost.json().known]).toEqual([404, expect.arrayContaining(['GET /__sim/truth/{stream}'])]);
    expect((await server.sim('advance', 'POST', { ms: -1 })).status).toBe(400);
  });
});
