import { describe, expect, test } from 'vitest';
import { DAY_BEFORE, execute, get, type Json, PATHS, plex, refusal, rowsOf, sim } from './plex-client.ts';

const BUILDINGS = '/mdm/v1/buildings';

/** A server with these rules. */
async function faulty(...rules: readonly Json[]) {
  const server = await plex();
  const reply = await sim(server, 'faults', 'POST', rules);
  expect(reply.status, reply.text).toBe(200);
  return server;
}

const parts = { match: { path: '/mdm/v1/parts' } };

describe('actions', () => {
  test('status, with its code, a page or nothing', async () => {
    const action = { type: 'status', status: 503 };
    const server = await faulty(
      { ...parts, times: 1, action: { ...action, status: 500 } },
      { ...parts, times: 1, action: { ...action, body: 'html' } },
      { ...parts, times: 1, action: { ...action, body: 'empty' } },
      { ...parts, times: 1, action: { type: 'status', status: 400, code: 'REQUEST_MALFORMED', message: 'no' } },
    );
    expect(refusal(await get(server, PATHS.parts))).toEqual([500, 'UNEXPECTED', undefined]);
    const html = await get(server, PATHS.parts);
    expect([html.status, html.headers.get('content-type')]).toEqual([503, 'text/html']);
    expect(html.text).toMatch(/^<html>/);
    const empty = await get(server, PATHS.parts);
    expect([empty.status, empty.text]).toEqual([503, '']);
    expect((await get(server, PATHS.parts)).json()).toEqual({ code: 'REQUEST_MALFORMED', message: 'no', errors: [] });
    expect((await get(server, PATHS.parts)).status).toBe(200);
  });

  test('a status of a data source has the form of its API', async () => {
    const server = await faulty({ match: { path: '/api/' }, action: { type: 'status', status: 500 } });
    const reply = await execute(server, 4142);
    expect(reply.json().errors).toMatchObject([{ code: 'REQUEST_PROCESSING_ERROR' }]);
    expect(reply.json().transactionNo).toBe('900000001');
  });

  test.each([
    ['seconds', '5'],
    ['date', 'Sat, 14 Mar 2026 06:00:05 GMT'],
    [undefined, null],
  ])('429 names the wait as %s', async (form, header) => {
    const waits = { seconds: 5, ...(form === undefined ? {} : { retry_after: form }) };
    const server = await faulty({ ...parts, action: { type: 'status', status: 429, ...waits } });
    const reply = await get(server, PATHS.parts);
    expect([reply.status, reply.headers.get('retry-after')]).toEqual([429, header]);
  });

  test('delay and drip give the whole answer, in time multiplied by a factor', async () => {
    const server = await faulty(
      { ...parts, action: { type: 'delay', ms: 60_000 } },
      { ...parts, action: { type: 'drip', bytes: 700, ms: 60_000 } },
    );
    await sim(server, 'config', 'POST', { delay_factor: 0.000_01 });
    expect((await get(server, PATHS.parts)).rows()).toHaveLength(12);
    const { requests } = (await sim(server, 'requests')).json();
    expect(requests).toMatchObject([{ fault: 'rule-1+rule-2', status: 200, finished: true }]);
  });

  test('delay keeps the answer back', async () => {
    const server = await faulty({ ...parts, action: { type: 'delay', ms: 600_000 } });
    const asked = get(server, PATHS.parts).then(
      () => 'answered',
      () => 'ended',
    );
    // Another answer comes meanwhile.
    expect((await get(server, BUILDINGS)).status).toBe(200);
    expect((await sim(server, 'requests')).json().requests).toMatchObject([{ status: null }, { status: 200 }]);
    await server.close();
    expect(await asked).toBe('ended');
  });

  test('hang', async () => {
    const server = await faulty({ ...parts, times: 1, action: { type: 'hang' } });
    const asked = fetch(`${server.url}${PATHS.parts}`, {
      headers: { 'X-Plex-Connect-Api-Key': String(server.config.api_key) },
      signal: AbortSignal.timeout(50),
    });
    await expect(asked).rejects.toThrow(/timeout/i);
    expect((await get(server, PATHS.parts)).status).toBe(200);
  });

  test('close', async () => {
    const server = await faulty({ ...parts, times: 1, action: { type: 'close' } });
    await expect(get(server, PATHS.parts)).rejects.toThrow('fetch failed');
    expect((await get(server, PATHS.parts)).status).toBe(200);
  });

  test('truncate in the middle, at a byte, before a reset', async () => {
    const server = await faulty(
      { ...parts, times: 1, action: { type: 'truncate' } },
      { ...parts, times: 1, action: { type: 'truncate', after_bytes: 100 } },
      { ...parts, times: 1, action: { type: 'truncate', after_bytes: 100, reset: true } },
      { match: { path: '/buildings$' }, action: { type: 'truncate', after_bytes: 1_000_000 } },
    );
    const drawn = await get(server, PATHS.parts);
    expect(drawn.status).toBe(200);
    expect(() => drawn.json()).toThrow();
    expect((await get(server, PATHS.parts)).text).toHaveLength(100);
    await expect(get(server, PATHS.parts)).rejects.toThrow('terminated');
    const whole = await get(server, PATHS.parts);
    expect(whole.rows()).toHaveLength(12);
    const short = await get(server, BUILDINGS);
    expect(short.text.length).toBeGreaterThan(100);
    expect(() => short.json()).toThrow();
  });

  test('the key expires after so many calls', async () => {
    const server = await faulty({ action: { type: 'keyExpires', calls: 2 } });
    const statuses: number[] = [];
    for (let each = 0; each < 4; each += 1) statuses.push((await get(server, PATHS.parts)).status);
    expect(statuses).toEqual([200, 200, 401, 401]);
    expect((await execute(server, 5112)).status).toBe(200);
  });

  test('wrong shapes', async () => {
    const shape = (kind: string, field?: string) => ({ type: 'wrongShape', kind, ...(field && { field }) });
    const server = await faulty(
      { ...parts, times: 1, action: 'wrongShape' },
      { match: { path: '/buildings$' }, action: shape('data') },
      { match: { path: '/operations$' }, action: shape('missing', 'code') },
      { match: { path: '/jobs$' }, action: shape('extra', 'shelfLife') },
    );
    expect(Array.isArray((await get(server, PATHS.parts)).json())).toBe(false);
    expect((await get(server, BUILDINGS)).json().data).toHaveLength(2);
    const [operation] = await rowsOf(server, '/mdm/v1/operations');
    expect(Object.keys(operation ?? {})).toEqual(['id', 'type', 'inventoryType']);
    const [job] = await rowsOf(server, PATHS.jobs);
    expect(job?.shelfLife).toBe('new shelfLife');
  });
});

describe('which requests a rule means', () => {
  const action = { type: 'status', status: 503 };
  const statuses = async (server: Awaited<ReturnType<typeof plex>>, ...paths: readonly string[]) => {
    const found: number[] = [];
    for (const path of paths) found.push((await get(server, path)).status);
    return found;
  };

  test('a glob over a folder, and one segment', async () => {
    const server = await faulty(
      { match: { path: '/inventory/v1/inventory-history/**' }, action },
      { match: { path: '/mdm/*/buildings' }, action },
    );
    const moves = `${PATHS.moves}?${DAY_BEFORE}`;
    expect(await statuses(server, moves, BUILDINGS, PATHS.containers, PATHS.parts)).toEqual([503, 503, 200, 200]);
  });

  test('the first and the third, a list of occasions', async () => {
    const server = await faulty({ id: 'some', match: { ...parts.match, nth: [1, 3] }, times: 3, action });
    const { parts: path } = PATHS;
    expect(await statuses(server, path, path, path, path)).toEqual([503, 200, 503, 200]);
    expect((await sim(server, 'faults')).json().faults).toMatchObject([{ id: 'some' }, { id: 'some-3' }]);
  });

  test('no more of the occasions than times', async () => {
    const server = await faulty({ match: { ...parts.match, nth: [1, 2, 4] }, times: 2, action });
    const { parts: path } = PATHS;
    expect(await statuses(server, path, path, path, path)).toEqual([503, 503, 200, 200]);
  });

  test('the first matching rule wins, and a query must match', async () => {
    const server = await faulty(
      { match: { path: '/parts$', query: { status: 'Active' } }, action: { ...action, status: 502 } },
      { match: { path: '/parts$' }, times: 1, action },
    );
    const paths = [`${PATHS.parts}?status=Active`, PATHS.parts, PATHS.parts];
    expect(await statuses(server, ...paths)).toEqual([502, 503, 200]);
  });

  const wrong: readonly (readonly [Json, RegExp])[] = [
    [{ action: 'explode' }, /unknown fault action "explode"/],
    [{ action: { type: 'status' } }, /needs status/],
    [{ action: { type: 'delay', seconds: 1 } }, /unknown key "seconds"/],
    [{ action: { type: 'status', status: 429, retry_after: 'later' } }, /retry_after is one of/],
    [{ action: { type: 'wrongShape', kind: 'extra' } }, /needs a field/],
    [{ match: { nth: [0] }, action: 'hang' }, /match\.nth/],
    [{ match: { path: '(' }, action: 'hang' }, /Invalid regular expression/],
    [{ match: { verb: 'GET' }, action: 'hang' }, /unknown key "verb"/],
  ];
  test.each(wrong)('%j is refused', async (rule, message) => {
    const server = await plex();
    const reply = await sim(server, 'faults', 'POST', rule);
    expect(reply.status).toBe(400);
    expect(reply.json().error).toMatch(message);
    expect(server.site.faults).toEqual([]);
  });
});

describe('scenarios', () => {
  const moves = `${PATHS.moves}?${DAY_BEFORE}`;

  test('demo_tenant: no moves and no data sources, everything else', async () => {
    const server = await plex({ scenario: 'demo_tenant' });
    for (let each = 0; each < 3; each += 1) {
      expect(refusal(await get(server, moves)).slice(0, 2)).toEqual([400, 'REQUEST_VALIDATION_FAILED']);
      const reply = await execute(server, 18765, { Start_Date: '2026-03-12T00:00Z', End_Date: '2026-03-13T00:00Z' });
      expect([reply.status, (reply.json().errors as Json[])[0]?.code]).toEqual([403, 'DATA_SOURCE_API_ACCESS_DENIED']);
    }
    expect((await get(server, PATHS.entries.concat('?', DAY_BEFORE))).status).toBe(200);
    expect((await get(server, PATHS.specifications)).status).toBe(200);
  });

  test('flaky: everything happens, and five attempts always suffice', async () => {
    const server = await plex({ scenario: 'flaky' });
    const failures = new Set<string>();
    const paths = [PATHS.parts, PATHS.jobs, PATHS.containers, PATHS.workcenters, BUILDINGS, moves];
    const asked = [0, 1, 2, 3].flatMap((again) =>
      paths.map((each) => `${each}${each.includes('?') ? '&' : '?'}x=${again}`),
    );
    for (const path of [PATHS.parts, ...asked]) {
      let rows: unknown;
      for (let attempt = 1; attempt <= 5 && rows === undefined; attempt += 1) {
        rows = await get(server, path)
          .then((reply) => (reply.status === 200 ? reply.rows() : undefined))
          .catch(() => undefined);
      }
      expect([path, Array.isArray(rows)]).toEqual([path, true]);
    }
    for (const { fault } of server.site.log.entries) if (fault) failures.add(fault);
    expect([...failures].sort()).toEqual(['burst', 'close', 'gateway', 'reset', 'server', 'timeout', 'truncate']);
  });

  test.each([
    ['throttled', '60'],
    ['throttled_silent', null],
  ])('%s: 60 calls a minute', async (scenario, header) => {
    const server = await plex({ scenario });
    for (let each = 0; each < 60; each += 1) expect((await get(server, BUILDINGS)).status).toBe(200);
    const reply = await get(server, BUILDINGS);
    expect([reply.status, reply.headers.get('retry-after')]).toEqual([429, header]);
    expect(reply.json().code).toBe('TOO_MANY_REQUESTS');
  });

  test('rotation: the key dies after 25 calls', async () => {
    const server = await plex({ scenario: 'rotation' });
    for (let each = 0; each < 25; each += 1) expect((await get(server, BUILDINGS)).status).toBe(200);
    expect((await get(server, BUILDINGS)).status).toBe(401);
  });

  test('drift: shapes that were not documented', async () => {
    const server = await plex({ scenario: 'drift' });
    expect((await get(server, '/inventory/v1/inventory-definitions/locations')).json().data).toHaveLength(8);
    expect((await rowsOf(server, PATHS.parts))[0]).toHaveProperty('shelfLife');
    expect((await rowsOf(server, PATHS.workcenters))[0]).not.toHaveProperty('plcName');
    expect(Array.isArray((await get(server, '/mdm/v1/operations')).json())).toBe(false);
    expect(await rowsOf(server, '/mdm/v1/operations')).toHaveLength(6);
  });

  test('slow: jobs late, containers in drops, one answer never', async () => {
    const { site } = await plex({ scenario: 'slow' });
    expect(site.settings.delay_factor).toBe(0.1);
    expect(site.faults.map(({ id }) => id)).toEqual(['jobs', 'containers', 'hang']);
  });
});
