import { describe, expect, test } from 'vitest';
import {
  basic,
  call,
  DAY_BEFORE,
  execute,
  get,
  type Json,
  MINUTE,
  PATHS,
  plex,
  rowsOf,
  START,
  sim,
} from './plex-client.ts';

const BUILDINGS = '/mdm/v1/buildings';

describe('config', () => {
  test('is what tap-plex needs', async () => {
    const server = await plex();
    const { api_key, ds_password, ...others } = server.config;
    expect([typeof api_key, typeof ds_password]).toEqual(['string', 'string']);
    expect(others).toEqual({
      base_url: server.url,
      datasource_base_url: server.url,
      customer_id: '340884',
      pcn_code: 'exampleplant',
      ds_username: 'tap.user@example.invalid',
      start_date: '2026-03-07T00:00:00Z',
      datasources: {
        checksheets: { id: 4142, inputs: { Inspection_Date_Begin: '{begin}', Inspection_Date_End: '{end}' } },
        specifications: { id: 6429 },
        daily: { id: 18765 },
        simple: { id: 22870 },
      },
    });
  });

  test.each([{ profile: 'huge' }, { scenario: 'sunny' }])('%j is unknown', async (options) => {
    await expect(plex(options)).rejects.toThrow(/unknown (profile|scenario).*known/);
  });
});

describe('the limit of calls', () => {
  test('200 in any 60 seconds, and the window slides', async () => {
    const server = await plex();
    for (let each = 0; each < 100; each += 1) await get(server, BUILDINGS);
    server.clock.advance(30_000);
    for (let each = 0; each < 100; each += 1) expect((await get(server, BUILDINGS)).status).toBe(200);
    expect((await get(server, BUILDINGS)).status).toBe(429);
    server.clock.advance(29_999);
    expect((await get(server, BUILDINGS)).status).toBe(429);
    server.clock.advance(1);
    for (let each = 0; each < 100; each += 1) expect((await get(server, BUILDINGS)).status).toBe(200);
    expect((await get(server, BUILDINGS)).status).toBe(429);
  });

  test('a wrong key and data sources do not count, and the limit can be switched off', async () => {
    const server = await plex();
    await sim(server, 'config', 'POST', { calls_per_minute: 2 });
    for (let each = 0; each < 5; each += 1) {
      expect((await call(`${server.url}${BUILDINGS}`)).status).toBe(401);
      expect((await execute(server, 5112)).status).toBe(200);
    }
    const statuses = async () => [(await get(server, BUILDINGS)).status, (await get(server, BUILDINGS)).status];
    expect(await statuses()).toEqual([200, 200]);
    expect(await statuses()).toEqual([429, 429]);
    await sim(server, 'config', 'POST', { calls_per_minute: 0 });
    expect(await statuses()).toEqual([200, 200]);
  });

  test('how the wait is named', async () => {
    const server = await plex();
    await sim(server, 'config', 'POST', { calls_per_minute: 1, retry_after: 'date' });
    await get(server, BUILDINGS);
    server.clock.advance(500);
    expect((await get(server, BUILDINGS)).headers.get('retry-after')).toBe('Sat, 14 Mar 2026 06:01:01 GMT');
    await sim(server, 'config', 'POST', { retry_after: 'seconds' });
    expect((await get(server, BUILDINGS)).headers.get('retry-after')).toBe('60');
    expect((await sim(server, 'state')).json().conduct).toMatchObject({ too_early: 1, refused: 2, busiest_minute: 3 });
    server.clock.advance(MINUTE);
    expect((await get(server, BUILDINGS)).status).toBe(200);
    expect((await sim(server, 'state')).json().conduct).toMatchObject({ too_early: 1, refused: 2, busiest_minute: 3 });
  });
});

describe('what was asked', () => {
  test('names of headers without values, repeated parameters, no secrets', async () => {
    const server = await plex();
    await get(server, `${PATHS.jobs}?jobStatuses=a&jobStatuses=b&workcenterCode=X&api_key=leak`);
    await execute(server, 18765, { Start_Date: '2026-03-12T00:00Z', End_Date: '2026-03-13T00:00Z' });
    const reply = await sim(server, 'requests');
    const [first, second] = reply.json().requests as readonly Json[];
    expect(first).toMatchObject({
      seq: 1,
      at: START,
      method: 'GET',
      path: PATHS.jobs,
      query: { jobStatuses: ['a', 'b'], workcenterCode: ['X'], api_key: ['[hidden]'] },
      inputs: null,
      status: 200,
      fault: null,
      finished: true,
    });
    expect(first?.headers).toContain('x-plex-connect-api-key');
    expect(second).toMatchObject({ method: 'POST', inputs: ['Start_Date', 'End_Date'] });
    expect(reply.text).not.toContain(String(server.config.api_key));
    expect(reply.text).not.toContain(String(basic(server).authorization).slice(6));
    expect(((await sim(server, 'requests?after=1')).json().requests as readonly Json[]).map(({ seq }) => seq)).toEqual([
      2,
    ]);
  });

  test('paging parameters and dates without Z are counted', async () => {
    const server = await plex();
    await get(server, `${PATHS.jobs}?limit=10&offset=0`);
    await get(server, `${PATHS.jobs}?dueDateBegin=2026-03-14`);
    await get(server, `${PATHS.entries}?${DAY_BEFORE}`);
    const { conduct } = (await sim(server, 'state')).json();
    expect(conduct).toMatchObject({ paging_parameters: 1, dates_without_z: 1 });
  });
});

describe('advance and reset', () => {
  test('a clock that stands moves by advance alone, and goes on from there', async () => {
    const server = await plex();
    const now = async () => (await sim(server, 'state')).json().now;
    await sim(server, 'config', 'POST', { clock: 'stands' });
    server.clock.advance(MINUTE);
    expect(await now()).toBe('2026-03-14T06:00:00.000Z');
    await sim(server, 'advance', 'POST', { ms: 1_000 });
    await sim(server, 'config', 'POST', { calls_per_minute: 0 });
    server.clock.advance(MINUTE);
    expect(await now()).toBe('2026-03-14T06:00:01.000Z');
    await sim(server, 'config', 'POST', { clock: 'runs' });
    expect(await now()).toBe('2026-03-14T06:00:01.000Z');
    server.clock.advance(MINUTE);
    expect(await now()).toBe('2026-03-14T06:01:01.000Z');
    await sim(server, 'reset', 'POST');
    expect(await now()).toBe('2026-03-14T06:03:00.000Z');
  });

  test('the clock moves on and reset turns everything back', async () => {
    const server = await plex({ scenario: 'throttled' });
    const before = (await sim(server, 'manifest')).json();
    const [part] = await rowsOf(server, PATHS.parts);
    expect((await sim(server, 'advance', 'POST', { ms: 86_400_000 })).json()).toEqual({
      now: '2026-03-15T06:00:00.000Z',
    });
    await sim(server, 'mutate', 'POST', { stream: 'parts', key: part?.id, patch: null });
    await sim(server, 'config', 'POST', { calls_per_minute: 0 });
    await sim(server, 'faults', 'DELETE');
    expect((await sim(server, 'manifest')).json()).not.toEqual(before);
    const state = (await sim(server, 'reset', 'POST')).json();
    expect(state).toMatchObject({ now: '2026-03-14T06:00:00.000Z', requests: 0, scenario: 'throttled' });
    expect(state.faults).toMatchObject([{ id: 'seconds', fired: 0 }, { id: 'date' }]);
    expect((await sim(server, 'manifest')).json()).toEqual(before);
    expect((await sim(server, 'config')).json()).toMatchObject({ calls_per_minute: 60 });
  });

  test('reset may choose another seed, day, profile and scenario', async () => {
    const server = await plex();
    const wanted = { seed: 7, now: '2026-06-01T12:00:00Z', profile: 'demo', scenario: 'rowlimit' };
    expect((await sim(server, 'reset', 'POST', wanted)).json()).toMatchObject({
      ...wanted,
      now: '2026-06-01T12:00:00.000Z',
      config: { start_date: '2026-05-25T00:00:00Z' },
    });
    const other = await plex({ seed: 7, profile: 'demo', now: () => Date.UTC(2026, 5, 1, 12) });
    expect((await get(server, PATHS.jobs)).text).toBe((await get(other, PATHS.jobs)).text);
    await sim(server, 'advance', 'POST', { ms: 1_000 });
    expect((await sim(server, 'reset', 'POST')).json().now).toBe('2026-06-01T12:00:00.000Z');
  });

  test.each([{ seed: '7' }, { now: 'today' }, { profile: 'huge' }, { scenario: 'x' }, { day: 1 }])(
    'reset %j is refused and changes nothing',
    async (body) => {
      const server = await plex();
      expect((await sim(server, 'reset', 'POST', body)).status).toBe(400);
      expect((await sim(server, 'state')).json()).toMatchObject({ profile: 'tiny', seed: 1, scenario: 'happy' });
    },
  );

  test('what is sent wrong is told', async () => {
    const server = await plex();
    expect((await sim(server, 'advance', 'POST', { ms: -1 })).status).toBe(400);
    expect((await sim(server, 'config', 'POST', { retry_after: 'soon' })).json().error).toMatch(
      /none, seconds or date/,
    );
    expect((await sim(server, 'config', 'POST', { limit: 1 })).json().error).toMatch(
      /known settings: calls_per_minute/,
    );
    const lost = await sim(server, 'nowhere');
    expect([lost.status, lost.json().known]).toEqual([404, expect.arrayContaining(['GET /__sim/truth/{stream}'])]);
  });
});
