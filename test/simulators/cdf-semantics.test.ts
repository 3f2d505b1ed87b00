/** Assets, events and lists: what CDF does with what it takes. */
import { gzipSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { call, cdf, idOf, type Json, make, names, SECOND, START, tree } from './cdf-client.ts';

describe('assets', () => {
  test('ids, parents and roots, in the order sent', async () => {
    const server = await cdf({ profile: 'empty' });
    const objects = await tree(server);
    expect(objects).toMatchObject([
      { id: 1_000_001, externalId: 'leaf', parentId: 1_000_002, parentExternalId: 'branch', rootId: 1_000_004 },
      { id: 1_000_002, externalId: 'branch', parentId: 1_000_004, parentExternalId: 'root', rootId: 1_000_004 },
      { id: 1_000_003, externalId: 'twig' },
      { id: 1_000_004, externalId: 'root', rootId: 1_000_004, createdTime: START, lastUpdatedTime: START },
    ]);
    expect(objects[3]).not.toHaveProperty('parentId');
  });

  test('the link to a parent is its id: another external id does not matter', async () => {
    const server = await cdf();
    await tree(server);
    await server.post('/assets/update', {
      items: [{ externalId: 'branch', update: { externalId: { set: 'bough' } } }],
    });
    const [leaf] = (await server.post('/assets/byids', { items: [{ externalId: 'leaf' }] })).items();
    expect(leaf?.parentExternalId).toBe('bough');
    expect((await server.post('/assets/byids', { items: [{ externalId: 'branch' }] })).status).toBe(400);
  });

  test('an update changes what it names, and moves inside the tree', async () => {
    const server = await cdf();
    await tree(server);
    server.clock.advance(SECOND);
    const change = {
      name: { set: 'Leaf 2' },
      description: { set: 'green' },
      metadata: { add: { c: '3', a: '9' }, remove: ['b', 'never'] },
      parentExternalId: { set: 'twig' },
    };
    const reply = await server.post('/assets/update', { items: [{ externalId: 'leaf', update: change }] });
    const [leaf] = reply.items();
    expect(leaf).toMatchObject({ name: 'Leaf 2', description: 'green', metadata: { a: '9', c: '3' } });
    expect(leaf).toMatchObject({ parentExternalId: 'twig', createdTime: START, lastUpdatedTime: START + SECOND });
    const id = Number(leaf?.id);
    const back = { description: { setNull: true }, metadata: { set: { only: 'this' } } };
    const [bare] = (await server.post('/assets/update', { items: [{ id, update: back }] })).items();
    expect(bare?.metadata).toEqual({ only: 'this' });
    expect(bare).not.toHaveProperty('description');
  });

  test('a delete takes leaves, parents with their children, or the whole tree', async () => {
    const server = await cdf();
    await tree(server);
    const remove = (body: Json) => server.post('/assets/delete', body);
    const ignored = { items: [{ externalId: 'twig' }, { externalId: 'nobody' }], ignoreUnknownIds: true };
    expect((await remove(ignored)).status).toBe(200);
    // All children of the branch go with it, the root keeps none of them.
    expect((await remove({ items: [{ externalId: 'branch' }, { externalId: 'leaf' }] })).status).toBe(200);
    await make(server, '/assets', { externalId: 'leaf', name: 'Leaf', parentExternalId: 'root' });
    expect((await remove({ items: [{ externalId: 'root' }], recursive: true })).status).toBe(200);
    expect(await server.truth('assets')).toEqual([]);
  });

  test('filters', async () => {
    const server = await cdf({ profile: 'shared' });
    await tree(server);
    const [root, branch] = [await idOf(server, 'assets', 'root'), await idOf(server, 'assets', 'branch')];
    const found = async (filter: Json) => names(await server.post('/assets/list', { filter, limit: 3 }));
    expect(await found({ externalIdPrefix: 'l' })).toEqual(['lab_root', 'lab_pump_1', 'lab_pump_2']);
    expect(await found({ externalIdPrefix: 'L' })).toEqual([]);
    expect(await found({ dataSetIds: [{ externalId: 'plex_master' }] })).toEqual(['hand_made']);
    expect(await found({ parentExternalIds: ['root'] })).toEqual(['branch', 'twig']);
    expect(await found({ parentIds: [branch] })).toEqual(['leaf']);
    expect(await found({ rootIds: [root] })).toEqual(['leaf', 'branch', 'twig']);
    expect(await found({ assetSubtreeIds: [{ externalId: 'branch' }] })).toEqual(['leaf', 'branch']);
    expect(await found({ root: true })).toEqual(['lab_root', 'hand_made', 'root']);
    expect(await found({ metadata: { a: '1' }, name: 'Leaf' })).toEqual(['leaf']);
    expect(await found({ metadata: { a: '1', b: '1' } })).toEqual([]);
    expect(await found({ labels: { containsAny: [{ externalId: 'pump' }] }, name: 'Pump 7' })).toEqual(['lab_pump_7']);
    expect(await found({ source: 'Plex', lastUpdatedTime: { min: START } })).toEqual(['root']);
    expect(await found({ createdTime: { max: START - 1 } })).toEqual([]);
  });
});

describe('events', () => {
  test('links, times and their filters', async () => {
    const server = await cdf();
    const [leaf, branch] = await tree(server);
    const [one] = await make(
      server,
      '/events',
      { externalId: 'one', type: 'job', subtype: 'done', startTime: 100, endTime: 200, assetIds: [leaf?.id] },
      { externalId: 'two', type: 'job', startTime: 300, assetIds: [leaf?.id, branch?.id] },
      { externalId: 'three', type: 'scrap' },
    );
    expect(one).toMatchObject({ startTime: 100, endTime: 200, assetIds: [leaf?.id] });
    const found = async (filter: Json) => names(await server.post('/events/list', { filter }));
    expect(await found({ type: 'job' })).toEqual(['one', 'two']);
    expect(await found({ type: 'job', subtype: 'done' })).toEqual(['one']);
    expect(await found({ startTime: { min: 100, max: 299 } })).toEqual(['one']);
    expect(await found({ endTime: { isNull: true } })).toEqual(['two', 'three']);
    expect(await found({ assetExternalIds: ['branch'] })).toEqual(['two']);
    expect(await found({ assetIds: [leaf?.id] })).toEqual(['one', 'two']);
    expect(await found({ assetSubtreeIds: [{ externalId: 'branch' }] })).toEqual(['one', 'two']);
    expect(await found({ activeAtTime: { min: 150, max: 150 } })).toEqual(['one']);
    const sorted = await server.post('/events/list', { sort: ['startTime:desc'], limit: 2 });
    expect(names(sorted)).toEqual(['two', 'one']);
    const rest = await server.post('/events/list', {
      sort: ['startTime:desc'],
      limit: 2,
      cursor: sorted.json().nextCursor,
    });
    expect([names(rest), rest.json().nextCursor]).toEqual([['three'], undefined]);
  });

  test('links are added and taken away, and outlive their assets', async () => {
    const server = await cdf();
    const [leaf, branch, twig] = await tree(server);
    await make(server, '/events', { externalId: 'e', assetIds: [leaf?.id, branch?.id], metadata: { k: 'v' } });
    await server.post('/assets/delete', { items: [{ externalId: 'leaf' }] });
    const change = { assetIds: { add: [twig?.id, branch?.id], remove: [branch?.id] }, endTime: { set: 5 } };
    const [event] = (await server.post('/events/update', { items: [{ externalId: 'e', update: change }] })).items();
    expect(event).toMatchObject({ assetIds: [leaf?.id, twig?.id], endTime: 5, metadata: { k: 'v' } });
    expect((await server.truth('events'))[0]?.fields.assets).toEqual([null, 'twig']);
  });
});

describe('lists', () => {
  test('pages, parts, one object, a search, a count', async () => {
    const server = await cdf({ profile: 'empty' });
    const items = Array.from({ length: 250 }, (_each, at) => ({ externalId: `a${at}`, name: `Asset ${at}` }));
    await make(server, '/assets', ...items);
    const seen: unknown[] = [];
    let cursor: unknown;
    do {
      const page = await server.post('/assets/list', cursor === undefined ? {} : { cursor });
      seen.push(...names(page));
      cursor = page.json().nextCursor;
    } while (cursor !== undefined);
    expect(seen).toEqual(items.map(({ externalId }) => externalId));
    const parts = await Promise.all(
      [1, 2, 3].map((part) => server.post('/assets/list', { partition: `${part}/3`, limit: 1_000 })),
    );
    expect(new Set(parts.flatMap(names)).size).toBe(250);
    expect(parts.map((part) => part.items().length).sort()).toEqual([83, 83, 84]);
    const first = await server.post('/assets/list', { limit: 1 });
    const foreign = { filter: { root: true }, cursor: first.json().nextCursor };
    expect((await server.post('/assets/list', foreign)).status).toBe(400);
    expect((await server.get('/assets?limit=2&externalIdPrefix=a24')).items()).toHaveLength(2);
    expect((await server.get(`/assets/${String(first.items()[0]?.id)}`)).json().externalId).toBe('a0');
    expect((await server.get('/assets/5')).status).toBe(404);
    expect(names(await server.post('/assets/search', { search: { name: 'asset 24' }, limit: 2 }))).toEqual([
      'a24',
      'a240',
    ]);
    expect((await server.post('/assets/aggregate', { filter: { externalIdPrefix: 'a24' } })).items()).toEqual([
      { count: 11 },
    ]);
  });

  test('byids answers in the order asked', async () => {
    const server = await cdf();
    await tree(server);
    const items = [{ externalId: 'root' }, { externalId: 'nobody' }, { externalId: 'leaf' }];
    expect(names(await server.post('/assets/byids', { items, ignoreUnknownIds: true }))).toEqual(['root', 'leaf']);
  });

  test('a list may lag behind, byids never', async () => {
    const server = await cdf({ profile: 'empty', scenario: 'eventual' });
    await tree(server);
    const listed = async () => (await server.post('/assets/list', {})).items().length;
    expect([await listed(), await idOf(server, 'assets', 'leaf')]).toEqual([0, 1_000_001]);
    server.clock.advance(30 * SECOND);
    expect(await listed()).toBe(4);
  });
});

test('compressed bodies, other versions of the API and an encoded project are taken', async () => {
  const server = await cdf();
  const url = `${server.url}/api/v1/projects/${encodeURIComponent(String(server.config.project)).replace('-', '%2D')}/assets`;
  const headers = {
    authorization: `Bearer ${server.token}`,
    'content-encoding': 'gzip',
    'cdf-version': 'alpha',
    'x-cdp-app': 'test',
  };
  const body = new Uint8Array(gzipSync(JSON.stringify({ items: [{ externalId: 'a', name: 'Ä' }] })));
  const reply = await call(url, { method: 'POST', headers, body });
  expect([reply.status, reply.items()[0]?.name]).toEqual([201, 'Ä']);
  const { requests } = (await server.sim('requests')).json();
  expect((requests as readonly Json[]).at(-1)).toMatchObject({ gzip: true, items: 1, bytes: body.length });
});
