import { describe, expect, test } from 'vitest';
import { askToken, cdf, inWork, type Json, make, type Running } from './cdf-client.ts';

/** A server with these rules. */
async function faulty(...rules: readonly Json[]): Promise<Running> {
  const server = await cdf();
  const reply = await server.sim('faults', 'POST', rules);
  expect(reply.status, reply.text).toBe(200);
  return server;
}

const assets = { match: { path: '/assets$', method: 'POST' } };
const create = (server: Running, externalId: string, path = '/assets') =>
  server.post(path, { items: [{ externalId, name: externalId }] });
const rows = async (server: Running, stream = 'assets') => (await server.truth(stream)).length;

describe('actions', () => {
  test('status: wrapped, unwrapped, a page, nothing, with a wait', async () => {
    const status = (action: Json, path = '/assets$') => ({
      match: { path },
      times: 1,
      action: { type: 'status', ...action },
    });
    const server = await faulty(
      status({ status: 500 }),
      status({ status: 502, body: 'html' }),
      status({ status: 504, body: 'empty' }),
      status({ status: 429, retry_after: 'seconds', seconds: 5 }),
      status({ status: 429, retry_after: 'date', seconds: 5, message: 'concurrency' }),
      status({ status: 503 }, '/extpipes$'),
      status({ status: 500 }, '/oauth/token$'),
    );
    expect((await create(server, 'a')).error()).toMatchObject({ code: 500 });
    const html = await create(server, 'a');
    expect([html.status, html.headers.get('content-type'), html.text.slice(0, 6)]).toEqual([
      502,
      'text/html',
      '<html>',
    ]);
    const empty = await create(server, 'a');
    expect([empty.status, empty.text]).toEqual([504, '']);
    const wait = await create(server, 'a');
    expect([wait.status, wait.headers.get('retry-after'), wait.error().message]).toEqual([
      429,
      '5',
      expect.stringMatching(/rate/),
    ]);
    const date = await create(server, 'a');
    expect([date.headers.get('retry-after'), date.error().message]).toEqual([
      'Sat, 14 Mar 2026 06:00:05 GMT',
      'concurrency',
    ]);
    expect((await create(server, 'a')).status).toBe(201);
    expect((await server.post('/extpipes', {})).json()).toMatchObject({ code: 503 });
    expect((await askToken(server)).json()).toMatchObject({ error: 'server_error' });
    expect(await rows(server)).toBe(1);
  });

  test.each([
    ['status', { type: 'status', status: 503, stored: true }],
    ['close', { type: 'close', stored: true }],
    ['truncate', { type: 'truncate', after_bytes: 10, reset: true }],
    ['truncate without a reset', { type: 'truncate', after_bytes: 10 }],
  ])('%s after storing: the repetition meets its own object', async (_name, action) => {
    const server = await faulty({ ...assets, times: 1, action });
    const lost = await create(server, 'a')
      .then(
        ({ status, text }) => (status === 503 ? 'refused' : JSON.parse(text)),
        () => 'broken',
      )
      .catch(() => 'broken');
    expect(['refused', 'broken']).toContain(lost);
    const again = await create(server, 'a');
    expect([again.status, again.error().duplicated]).toEqual([409, [{ externalId: 'a' }]]);
  });

  test('close before storing', async () => {
    const server = await faulty({ ...assets, times: 1, action: 'close' });
    await expect(create(server, 'a')).rejects.toThrow('fetch failed');
    expect((await create(server, 'a')).status).toBe(201);
  });

  test('hang', async () => {
    const server = await faulty({ ...assets, times: 1, action: { type: 'hang', stored: true } });
    const asked = create(server, 'a').then(
      () => 'answered',
      () => 'ended',
    );
    // Another answer comes meanwhile.
    expect((await server.post('/assets/list', {})).status).toBe(200);
    const { requests } = (await server.sim('requests?after=1')).json();
    expect(requests).toMatchObject([{ status: null, fault: 'rule-1', finished: false }, { status: 200 }]);
    expect(await rows(server)).toBe(1);
    await server.close();
    expect(await asked).toBe('ended');
  });

  test('delay multiplied by a factor', async () => {
    const server = await faulty({ ...assets, action: { type: 'delay', ms: 600_000 } });
    await server.sim('config', 'POST', { delay_factor: 0 });
    expect((await create(server, 'a')).status).toBe(201);
    expect((await server.sim('requests?after=1')).json().requests).toMatchObject([{ fault: 'rule-1', finished: true }]);
  });

  test('names: fewer of the duplicated and missing ones', async () => {
    const server = await cdf();
    await make(server, '/assets', { externalId: 'a', name: 'A' }, { externalId: 'b', name: 'B' });
    const rule = (keep: number) => ({ match: { path: '/assets' }, times: 1, action: { type: 'names', keep } });
    await server.sim('faults', 'POST', [rule(1)]);
    const both = { items: ['a', 'b'].map((externalId) => ({ externalId, name: externalId })) };
    expect((await server.post('/assets', both)).error().duplicated).toEqual([{ externalId: 'a' }]);
    await server.sim('faults', 'POST', [rule(0)]);
    expect((await server.post('/assets', both)).error()).not.toHaveProperty('duplicated');
    await server.sim('faults', 'POST', [rule(1)]);
    const unknown = { items: [{ externalId: 'x' }, { externalId: 'y' }] };
    expect((await server.post('/assets/byids', unknown)).error().missing).toEqual([{ externalId: 'x' }]);
    expect((await server.post('/assets/byids', unknown)).error().missing).toHaveLength(2);
  });

  test('vanish: somebody deletes between a look and a write', async () => {
    const server = await cdf();
    const [root] = await make(server, '/assets', { externalId: 'PCN1_a', name: 'A' });
    await make(server, '/assets', { externalId: 'below', name: 'B', parentExternalId: 'PCN1_a' });
    await server.sim('faults', 'POST', {
      match: { path: '/events$' },
      times: 1,
      action: { type: 'vanish', prefix: 'PCN1_' },
    });
    const reply = await server.post('/events', { items: [{ assetIds: [root?.id] }] });
    expect([reply.status, reply.error().missing]).toEqual([400, [{ id: root?.id }]]);
    expect(await rows(server)).toBe(0);
  });
});

describe('which requests a rule means', () => {
  const action = { type: 'status', status: 503 };
  const statuses = async (server: Running, ...names: readonly string[]) => {
    const found: number[] = [];
    for (const name of names) found.push((await create(server, name)).status);
    return found;
  };

  test('methods, globs, occasions and items', async () => {
    const server = await faulty({ match: { path: '/api/**/assets', method: 'post', nth: [2, 3] }, action });
    await server.get('/assets');
    expect(await statuses(server, 'a', 'b', 'c', 'd')).toEqual([201, 503, 503, 201]);
    const other = await faulty({ match: { item: '_2$' }, times: 1, action });
    expect(await statuses(other, 'a_1', 'a_2', 'a_2')).toEqual([201, 503, 201]);
    const second = await faulty({ match: { item: '^b', nth: 2 }, action });
    expect(await statuses(second, 'b1', 'a1', 'b2', 'b3')).toEqual([201, 201, 503, 201]);
  });

  test('attempts: the same body again is another attempt, another body is not', async () => {
    const server = await faulty({ ...assets, match: { ...assets.match, attempts: 1 }, action });
    expect(await statuses(server, 'a', 'a', 'b', 'b')).toEqual([503, 201, 503, 201]);
  });

  test.each<readonly [Json, RegExp]>([
    [{ action: 'explode' }, /unknown fault action "explode"; known actions: status, delay/],
    [{ action: { type: 'status' } }, /status, a number/],
    [{ action: { type: 'vanish' } }, /external_id or prefix/],
    [{ action: { type: 'status', status: 500, code: 1 } }, /unknown key "code"/],
    [{ match: { paths: 'x' }, action: 'close' }, /unknown key "paths"/],
    [{ match: { item: '(' }, action: 'close' }, /regular expression/],
    [{ match: { nth: [0] }, action: 'close' }, /whole number from 1/],
    [{ action: { type: 'hang', stored: 'yes' } }, /stored is one of/],
  ])('%j is refused', async (rule, message) => {
    const server = await cdf();
    const reply = await server.sim('faults', 'POST', rule);
    expect([reply.status, reply.json().error]).toEqual([400, expect.stringMatching(message)]);
    expect((await server.sim('faults')).json()).toEqual({ faults: [] });
  });
});

describe('scenarios', () => {
  const statusesOf = async (server: Running, path: string, count: number) => {
    const found: (number | string)[] = [];
    for (let at = 0; at < count; at += 1)
      found.push(
        await create(server, `n${at}`, path).then(
          (reply) => reply.status,
          () => 'broken',
        ),
      );
    return found;
  };

  test('throttled: 20 requests a second, with their wait', async () => {
    const server = await cdf({ scenario: 'throttled' });
    const first = await create(server, 'a');
    expect([first.status, first.headers.get('retry-after')]).toEqual([429, '1']);
    const more = await Promise.all(Array.from({ length: 25 }, (_each, at) => create(server, `b${at}`)));
    const refused = more.filter(({ status }) => status === 429);
    expect([refused.length, refused[0]?.headers.get('retry-after')]).toEqual([6, '1']);
    server.clock.advance(1_000);
    expect((await create(server, 'c')).status).toBe(201);
  });

  test('busy: 429 above four at once', async () => {
    const server = await cdf({ scenario: 'busy' });
    const bodies = [1, 2, 3, 4].map((at) => ({ items: [{ externalId: `a${at}`, name: 'A' }] }));
    await inWork(server, '/assets', bodies);
    const reply = await server.post('/events/list', {});
    expect([reply.status, reply.error().message]).toEqual([429, expect.stringMatching(/concurrent/)]);
    // A token is no request of the API.
    expect((await askToken(server)).status).toBe(200);
    expect((await server.sim('stats')).json().peak_parallel).toBe(5);
  });

  test.each(['flaky', 'lost_answers'])('%s: three attempts always suffice', async (scenario) => {
    const server = await cdf({ scenario });
    const failures: unknown[] = [];
    for (let at = 0; at < 40; at += 1) {
      const body = { items: [{ externalId: `n${at}` }] };
      for (let attempt = 1; ; attempt += 1) {
        const status = await server
          .post('/events', body)
          .then(
            (reply) => (reply.status === 201 ? JSON.parse(reply.text) && 201 : reply.status),
            () => 'broken',
          )
          .catch(() => 'broken');
        if (status === 201 || status === 409) break;
        failures.push(status);
        expect(attempt).toBeLessThan(3);
      }
    }
    expect(failures.length).toBeGreaterThan(4);
    expect(await rows(server, 'events')).toBe(40);
  });

  test('tokens: ten requests each, and a provider that fails now and then', async () => {
    const server = await cdf();
    await server.sim('reset', 'POST', { scenario: 'tokens' });
    expect((await askToken(server)).status).toBe(500);
    expect((await askToken(server)).status).toBe(200);
    const found = await statusesOf(server, '/assets', 12);
    expect(found).toEqual([...Array(10).fill(201), 401, 401]);
    expect((await askToken(server)).status).toBe(500);
  });

  test('cleanup: assets are gone before the second batch of events', async () => {
    const server = await cdf({ scenario: 'cleanup' });
    const [asset] = await make(server, '/assets', { externalId: 'PCN340884_a', name: 'A' });
    const event = { items: [{ assetIds: [asset?.id] }] };
    expect((await server.post('/events', event)).status).toBe(201);
    expect((await server.post('/events', event)).status).toBe(400);
  });

  test('vague, forbidden, entra and slow say what they change', async () => {
    const vague = await cdf({ scenario: 'vague' });
    await make(vague, '/assets', { externalId: 'a', name: 'A' });
    expect((await create(vague, 'a')).error()).not.toHaveProperty('duplicated');
    const events = { items: [{ externalId: 'e1' }, { externalId: 'e2' }] };
    expect([
      (await vague.post('/events', events)).status,
      (await vague.post('/events', events)).error().duplicated,
    ]).toEqual([201, [{ externalId: 'e1' }]]);
    const forbidden = await cdf({ scenario: 'forbidden' });
    expect((await forbidden.post('/relationships', { items: [{}] })).status).toBe(403);
    expect((await forbidden.post('/relationships/list', {})).status).toBe(200);
    const entra = await cdf({ scenario: 'entra' });
    expect(entra.config.scopes).toBe(`${entra.url}/.default`);
    expect((await askToken(entra, { scope: 'user_impersonation' })).status).toBe(403);
    const slow = await cdf({ scenario: 'slow' });
    expect(slow.site.faults.map(({ id }) => id)).toEqual(['events', 'hang']);
  });
});
