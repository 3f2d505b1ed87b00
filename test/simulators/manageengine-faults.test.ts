import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { ACTION_TYPES, type Action, type Rule } from '../../simulators/manageengine/actions.ts';
import type { ManageEngine } from '../../simulators/manageengine/server.ts';
import {
  ALL_SYSTEMS,
  get,
  getPage,
  idsOf,
  login,
  readPage,
  SCAN,
  START,
  simulator,
  sweep,
  tokenRequest,
} from './manageengine-client.ts';

async function faulty(
  action: Action,
  more: Omit<Rule, 'action'> = {},
): Promise<{ server: ManageEngine; token: string }> {
  const server = await simulator();
  const token = await login(server);
  server.tenant().addFault({ id: 'fault', ...more, action });
  return { server, token };
}

describe('an answer takes the place of the page, and the next attempt gets the page', () => {
  test.each([
    ['unauthorizedLoop', { type: 'unauthorizedLoop' }, 401, 'INVALID_TOKEN'],
    ['htmlThrottle', { type: 'htmlThrottle' }, 200, '<!DOCTYPE html>'],
    ['htmlLogin', { type: 'htmlLogin' }, 200, '<form'],
    ['burst503', { type: 'burst503' }, 503, 'Service Unavailable'],
    ['error500', { type: 'error500' }, 500, 'INTERNAL_ERROR'],
    ['errorEnvelope', { type: 'errorEnvelope' }, 200, '"status":"error"'],
    [
      'errorEnvelope with a code',
      { type: 'errorEnvelope', code: '412', description: 'No licence' },
      200,
      '"error_code":"412","error_description":"No licence"',
    ],
    ['rate429', { type: 'rate429' }, 429, 'Too many requests'],
  ] satisfies [string, Action, number, string][])('%s', async (_name, action, status, text) => {
    const { server, token } = await faulty(action, { times: 1 });
    const failed = await get(server, token, SCAN);
    expect(failed.status).toBe(status);
    expect(failed.text).toContain(text);
    expect(failed.text).not.toContain('message_response');
    expect(readPage(await get(server, token, SCAN)).ids).toHaveLength(25);
    expect(server.tenant().requests.map(({ fault }) => fault)).toEqual([null, 'fault', null]);
  });

  test.each([
    ['seconds', { type: 'rate429', seconds: 7 }, '7'],
    ['date', { type: 'rate429', retry_after: 'date', seconds: 60 }, 'Thu, 15 Jan 2026 12:01:00 GMT'],
    ['none', { type: 'rate429', retry_after: 'none' }, null],
  ] satisfies [string, Action, string | null][])('Retry-After: %s', async (_name, action, expected) => {
    const { server, token } = await faulty(action);
    expect((await get(server, token, SCAN)).headers.get('retry-after')).toBe(expected);
  });

  test('emptyBody', async () => {
    const { server, token } = await faulty({ type: 'emptyBody' });
    const reply = await get(server, token, SCAN);
    expect([reply.status, reply.text]).toEqual([200, '']);
  });

  test('truncatedJson is the true page up to some byte', async () => {
    const { server, token } = await faulty({ type: 'truncatedJson' }, { times: 1 });
    const cut = await get(server, token, SCAN);
    const whole = await get(server, token, SCAN);
    expect(cut.status).toBe(200);
    expect(cut.text.length).toBeLessThan(whole.text.length);
    expect(whole.text.startsWith(cut.text)).toBe(true);
    expect(() => cut.json()).toThrow(SyntaxError);
  });
});

test('expireToken kills the token for good', async () => {
  const { server, token } = await faulty({ type: 'expireToken' }, { match: { nth: 2 } });
  const statuses = [];
  for (let asked = 0; asked < 3; asked += 1) statuses.push((await get(server, token, SCAN)).status);
  expect(statuses).toEqual([200, 401, 401]);
  expect((await get(server, await login(server), SCAN)).status).toBe(200);
});

describe('the token endpoint', () => {
  test.each([
    ['refreshLimit', { type: 'refreshLimit' }, 400, 'Access Denied'],
    ['refreshLimit with 200', { type: 'refreshLimit', status: 200 }, 200, 'Access Denied'],
    ['refreshDenied', { type: 'refreshDenied' }, 200, '{"error":"invalid_code"}'],
    ['error500', { type: 'error500' }, 500, 'INTERNAL_ERROR'],
    ['htmlThrottle', { type: 'htmlThrottle' }, 200, '<!DOCTYPE html>'],
  ] satisfies [string, Action, number, string][])('%s', async (_name, action, status, text) => {
    const { server } = await faulty(action, { match: { path: '^/oauth/' }, times: 1 });
    const failed = await tokenRequest(server);
    expect([failed.status, failed.text]).toEqual([status, expect.stringContaining(text)]);
    expect((await tokenRequest(server)).json().access_token).toBeDefined();
  });

  test('reset', async () => {
    const { server } = await faulty({ type: 'reset' }, { match: { path: '^/oauth/' } });
    await expect(tokenRequest(server)).rejects.toThrow('fetch failed');
  });
});

describe('connections', () => {
  test('reset before any byte', async () => {
    const { server, token } = await faulty({ type: 'reset' }, { times: 1 });
    await expect(get(server, token, SCAN)).rejects.toThrow('fetch failed');
    expect(server.tenant().requests.at(-1)).toMatchObject({ status: null, fault: 'fault', finished: false });
    expect((await get(server, token, SCAN)).status).toBe(200);
  });

  test('reset inside the body', async () => {
    const { server, token } = await faulty({ type: 'reset', after_bytes: 100 });
    const response = await fetch(`${server.url}${SCAN}`, { headers: { authorization: `Zoho-oauthtoken ${token}` } });
    expect(response.status).toBe(200);
    await expect(response.text()).rejects.toThrow('terminated');
  });

  test('hang never answers, shows as unfinished, and ends with the simulator', async () => {
    const { server, token } = await faulty({ type: 'hang' });
    const asked = get(server, token, SCAN);
    const ended = expect(asked).rejects.toThrow('fetch failed');
    while (server.tenant().requests.length < 2) await new Promise((resolve) => setImmediate(resolve));
    expect(server.tenant().requests.at(-1)).toMatchObject({ status: null, fault: 'fault', finished: false });
    await server.close();
    await ended;
  });

  test('slow answers late but fully', async () => {
    const { server, token } = await faulty({ type: 'slow', ms: 20 }, { times: 1 });
    expect(readPage(await get(server, token, SCAN)).ids).toHaveLength(25);
    expect(server.tenant().requests.at(-1)).toMatchObject({ status: 200, fault: 'fault', finished: true });
  });
});

describe('spells', () => {
  async function statuses(server: ManageEngine, token: string, count: number): Promise<number[]> {
    const seen: number[] = [];
    for (let asked = 0; asked < count; asked += 1) seen.push((await get(server, token, ALL_SYSTEMS)).status);
    return seen;
  }

  test('burst503 for a number of calls, whatever the path', async () => {
    const { server, token } = await faulty(
      { type: 'burst503', calls: 3 },
      { match: { path: '/scandetails$' }, times: 1 },
    );
    expect(await statuses(server, token, 1)).toEqual([200]);
    expect((await get(server, token, SCAN)).status).toBe(503);
    expect(await statuses(server, token, 3)).toEqual([503, 503, 200]);
  });

  test('burst503 for a time', async () => {
    const { server, token } = await faulty({ type: 'burst503', seconds: 60 }, { times: 1 });
    expect(await statuses(server, token, 2)).toEqual([503, 503]);
    server.tenant().advance(60_000);
    expect(await statuses(server, token, 2)).toEqual([200, 200]);
  });

  test('lockout when asked too often, over after its time', async () => {
    const { server, token } = await faulty({ type: 'lockout', per_minute: 3 });
    expect(await statuses(server, token, 5)).toEqual([200, 200, 200, 429, 429]);
    server.tenant().advance(299_999);
    expect(await statuses(server, token, 1)).toEqual([429]);
    server.tenant().advance(60_001);
    expect(await statuses(server, token, 1)).toEqual([200]);
  });

  test('lockout that calls inside extend', async () => {
    const { server, token } = await faulty({ type: 'lockout', per_minute: 1, for_ms: 100_000, extend: true });
    expect(await statuses(server, token, 2)).toEqual([200, 429]);
    server.tenant().advance(99_999);
    expect(await statuses(server, token, 1)).toEqual([429]);
    server.tenant().advance(99_999);
    expect(await statuses(server, token, 1)).toEqual([429]);
    server.tenant().advance(100_000);
    expect(await statuses(server, token, 1)).toEqual([200]);
  });

  test('dailyQuota until virtual midnight', async () => {
    const { server } = await faulty({ type: 'dailyQuota', calls: 2 });
    server.tenant().configure({ expires_in: 100_000 });
    const token = await login(server);
    const html = async () => (await get(server, token, SCAN)).text.startsWith('<!DOCTYPE html>');
    expect([await html(), await html(), await html(), await html()]).toEqual([false, false, true, true]);
    server.tenant().advance(Date.UTC(2026, 0, 16) - START - 1);
    expect(await html()).toBe(true);
    server.tenant().advance(1);
    expect(await html()).toBe(false);
  });
});

describe('pages that move', () => {
  test('duplicateAcrossPages repeats rows, loses none, and keeps the total', async () => {
    const { server, token } = await faulty(
      { type: 'duplicateAcrossPages', count: 4 },
      { match: { path: '/scandetails$', pages: [3, 3] }, times: 1 },
    );
    const pages = await sweep(server, token, SCAN);
    expect(pages[3]?.ids.slice(0, 4)).toEqual(pages[2]?.ids.slice(-4));
    expect(pages.map(({ total }) => total)).toEqual(Array(7).fill(168));
    const ids = idsOf(pages);
    expect(ids).toHaveLength(172);
    expect(new Set(ids)).toEqual(new Set(server.tenant().manifest({ ids: true }).streams.systems?.ids));
  });

  test('moveSystem hides a row from one sweep, not from the next', async () => {
    const { server, token } = await faulty(
      { type: 'moveSystem' },
      { match: { path: '/scandetails$', pages: [3, 3] }, times: 1 },
    );
    const seen = new Set(idsOf(await sweep(server, token, SCAN)));
    const truth = server.tenant().manifest({ ids: true }).streams.systems?.ids ?? [];
    expect([seen.size, truth.length]).toEqual([167, 168]);
    expect(new Set(idsOf(await sweep(server, token, SCAN)))).toEqual(new Set(truth));
  });

  test('shrinkTotal takes systems from every list and remembers them', async () => {
    const { server, token } = await faulty(
      { type: 'shrinkTotal', count: 20 },
      { match: { path: '/scandetails$', pages: [2, 2] }, times: 1 },
    );
    const before = server.tenant().manifest({ ids: true }).streams;
    const pages = await sweep(server, token, SCAN);
    expect(pages.map(({ total }) => total)).toEqual([168, 168, 148, 148, 148, 148]);
    const after = server.tenant().manifest({ ids: true }).streams;
    const removed = after.systems?.removed ?? [];
    expect(removed).toHaveLength(20);
    for (const stream of ['systems', 'all_systems']) {
      const left = before[stream]?.ids?.filter((id) => !removed.includes(id));
      expect(after[stream]?.ids).toEqual(left);
    }
    expect(after.patches?.rows).toBe(before.patches?.rows);
    const summary = (await get(server, token, '/api/1.4/patch/summary')).text;
    expect(summary).toContain('"total_systems":148');
  });

  test.each([
    ['end', 0],
    ['start', 5],
  ] as const)('growTotal at the %s', async (at, repeated) => {
    const { server, token } = await faulty(
      { type: 'growTotal', count: 5, at },
      { match: { path: '/scandetails$', pages: [2, 2] }, times: 1 },
    );
    const pages = await sweep(server, token, SCAN);
    expect(pages.at(-1)?.total).toBe(173);
    expect(server.tenant().manifest().streams).toMatchObject({ systems: { rows: 173 }, all_systems: { rows: 172 } });
    expect(pages[2]?.ids.filter((id) => pages[1]?.ids.includes(id))).toHaveLength(repeated);
    expect(idsOf(await sweep(server, token, SCAN))).toEqual(
      server.tenant().manifest({ ids: true }).streams.systems?.ids,
    );
  });

  test('wrongLimit answers with the size it likes, and says so', async () => {
    const { server, token } = await faulty({ type: 'wrongLimit' });
    const page = await getPage(server, token, SCAN, 2, 100);
    expect([page.limit, page.rows.length]).toEqual([25, 25]);
    expect(page.ids).toEqual(server.tenant().manifest({ ids: true }).streams.systems?.ids?.slice(25, 50));
  });
});

describe('badRow spoils one row and keeps the true ones', () => {
  test.each([
    ['nonObject', 26, (row: unknown) => typeof row === 'string'],
    ['unknownEnum', 25, (row: unknown) => (row as Record<string, unknown>).resource_health_status === 99],
    ['secondsTime', 25, (row: unknown) => Number((row as Record<string, unknown>).agent_last_contact_time) < 1e11],
  ] as const)('%s', async (kind, length, spoiled) => {
    const { server, token } = await faulty({ type: 'badRow', kind });
    const page = await getPage(server, token, SCAN, 1);
    expect(page.rows).toHaveLength(length);
    expect(page.rows.filter(spoiled)).toHaveLength(1);
    expect(page.ids).toEqual(server.tenant().manifest({ ids: true }).streams.systems?.ids?.slice(0, 25));
  });
});

test('every action has a test above', () => {
  // Read from this file, so that it holds in any order and for any selection of tests.
  const source = readFileSync(new URL(import.meta.url), 'utf8');
  expect(ACTION_TYPES.filter((type) => !source.includes(`{ type: '${type}'`))).toEqual([]);
});
