/** Data modelling: nodes and edges through the views of the core model and through views of one's own. */
import { describe, expect, test } from 'vitest';
import { cdf, inWork, type Json, type Running, SECOND, START } from './cdf-client.ts';

const view = (externalId: string, space = 'cdf_cdm'): Json => ({ type: 'view', space, externalId, version: 'v1' });
const at = (externalId: string): Json => ({ space: 'plant', externalId });

function node(externalId: string, viewName: string, properties: Json, more: Json = {}): Json {
  return { instanceType: 'node', ...at(externalId), sources: [{ source: view(viewName), properties }], ...more };
}

async function plant(): Promise<Running> {
  const server = await cdf({ profile: 'empty' });
  expect((await server.post('/models/spaces', { items: [{ space: 'plant' }] })).status).toBe(200);
  return server;
}

const upsert = (server: Running, items: readonly Json[], more: Json = {}) =>
  server.post('/models/instances', { items, ...more });

async function properties(server: Running, externalId: string, viewName: string): Promise<Json> {
  const items = [{ instanceType: 'node', ...at(externalId) }];
  const [found] = (
    await server.post('/models/instances/byids', { items, sources: [{ source: view(viewName) }] })
  ).items();
  return ((found?.properties as Json)?.cdf_cdm as Json)?.[`${viewName}/v1`] as Json;
}

describe('an upsert', () => {
  test('makes nodes, then merges what is sent, and counts only changes', async () => {
    const server = await plant();
    const first = await upsert(server, [node('mixer', 'CogniteAsset', { name: 'Mixer', tags: ['a'] })]);
    const slim = {
      instanceType: 'node',
      ...at('mixer'),
      version: 1,
      wasModified: true,
      createdTime: START,
      lastUpdatedTime: START,
    };
    expect(first.items()).toEqual([slim]);
    server.clock.advance(SECOND);
    const again = await upsert(server, [node('mixer', 'CogniteAsset', { name: 'Mixer' })]);
    expect(again.items()).toEqual([{ ...slim, wasModified: false }]);
    const other = await upsert(server, [node('mixer', 'CogniteAsset', { description: 'big' })]);
    expect(other.items()).toEqual([{ ...slim, version: 2, lastUpdatedTime: START + SECOND }]);
    expect(await properties(server, 'mixer', 'CogniteAsset')).toMatchObject({
      name: 'Mixer',
      description: 'big',
      tags: ['a'],
    });
    await upsert(server, [node('mixer', 'CogniteAsset', { tags: null })]);
    await upsert(server, [node('mixer', 'CogniteDescribable', { name: 'M' })], { replace: true });
    const shown = await properties(server, 'mixer', 'CogniteAsset');
    expect(shown).toMatchObject({ name: 'M' });
    expect(shown).not.toHaveProperty('description');
  });

  test('path and root follow the parents, also of a parent that comes later', async () => {
    const server = await plant();
    await upsert(server, [node('leaf', 'CogniteAsset', { parent: at('branch') })]);
    await upsert(server, [node('branch', 'CogniteAsset', { parent: at('root') }), node('root', 'CogniteAsset', {})]);
    const path = [at('root'), at('branch'), at('leaf')];
    expect(await properties(server, 'leaf', 'CogniteAsset')).toMatchObject({ root: at('root'), path });
  });

  test('a time series is one in the classic API too', async () => {
    const server = await plant();
    const series = { name: 'OEE', type: 'numeric', isStep: true, sourceUnit: '%' };
    await upsert(server, [node('oee', 'CogniteTimeSeries', series)]);
    const item = { instanceId: at('oee') };
    const [classic] = (await server.post('/timeseries/byids', { items: [item] })).items();
    expect(classic).toMatchObject({ ...item, name: 'OEE', isString: false, isStep: true, unit: '%' });
    const datapoints = [{ timestamp: 1, value: 0.5 }];
    expect((await server.post('/timeseries/data', { items: [{ ...item, datapoints }] })).status).toBe(200);
    expect((await server.truth('datapoints'))[0]).toEqual({ key: { ...item, timestamp: 1 }, fields: { value: 0.5 } });
    await server.post('/models/instances/delete', { items: [{ instanceType: 'node', ...at('oee') }] });
    expect((await server.post('/timeseries/byids', { items: [item] })).status).toBe(400);
  });

  const activity = (more: Json) => node('job', 'CogniteActivity', { name: 'Job', ...more });
  const refused: readonly (readonly [string, readonly Json[], RegExp, Json?])[] = [
    [
      'a space that does not exist',
      [{ instanceType: 'node', space: 'nowhere', externalId: 'x' }],
      /nowhere does not exist/,
    ],
    ['a view that does not exist', [node('x', 'CognitePart', {})], /view cdf_cdm:CognitePart does not exist/],
    ['an unknown property', [activity({ quantity: 5 })], /quantity: unknown property/],
    ['an unknown field', [{ instanceType: 'node', ...at('x'), metadata: {} }], /metadata: unknown field/],
    ['a value of another type', [activity({ name: 5 })], /name: must be a string/],
    ['a time that is none', [activity({ startTime: 'today' })], /startTime: must be a text like/],
    ['a relation that is none', [activity({ assets: ['mixer'] })], /assets: \[0\] must be an object/],
    ['1,001 links', [activity({ assets: Array.from({ length: 1_001 }, () => at('a')) })], /1000 elements/],
    ['what CDF fills itself', [node('x', 'CogniteAsset', { root: at('y') })], /cannot be written/],
    ['a series without a type', [node('x', 'CogniteTimeSeries', { isStep: true })], /type of .* is required/],
    ['the same twice', [activity({}), activity({})], /given twice/],
    [
      'links to nothing, when they shall not be made',
      [activity({ assets: [at('nobody')] })],
      /nobody does not exist/,
      { autoCreateDirectRelations: false },
    ],
    [
      '1,001 instances',
      Array.from({ length: 1_001 }, (_each, index) => ({ instanceType: 'node', ...at(`n${index}`) })),
      /1 to 1000/,
    ],
    ['an external id of 257', [{ instanceType: 'node', ...at('x'.repeat(257)) }], /256/],
  ];
  for (const [what, items, text, more = {}] of refused)
    test(`refuses ${what}`, async () => {
      const server = await plant();
      const reply = await upsert(server, items, more);
      expect([reply.status, reply.error().message]).toEqual([400, expect.stringMatching(text)]);
      expect(await server.truth('nodes')).toEqual([]);
    });

  test('a version that is too old is refused or skipped', async () => {
    const server = await plant();
    await upsert(server, [node('a', 'CogniteAsset', { name: 'A' })]);
    await upsert(server, [node('a', 'CogniteAsset', { name: 'B' })]);
    const old = [node('a', 'CogniteAsset', { name: 'C' }, { existingVersion: 1 })];
    expect((await upsert(server, old)).status).toBe(409);
    expect((await upsert(server, old, { skipOnVersionConflict: true })).items()).toEqual([]);
    expect(await properties(server, 'a', 'CogniteAsset')).toMatchObject({ name: 'B' });
  });
});

test('edges need their nodes, and go with them', async () => {
  const server = await plant();
  const edge = { instanceType: 'edge', ...at('e'), type: at('flows'), startNode: at('a'), endNode: at('b') };
  expect((await upsert(server, [edge])).error().message).toMatch(/start node plant:a does not exist/);
  const made = await upsert(server, [edge], { autoCreateStartNodes: true, autoCreateEndNodes: true });
  expect(made.status, made.text).toBe(200);
  expect(await server.truth('nodes')).toHaveLength(3);
  const gone = await server.post('/models/instances/delete', {
    items: [
      { instanceType: 'node', ...at('a') },
      { instanceType: 'node', ...at('nobody') },
    ],
  });
  expect(gone.items()).toEqual([{ instanceType: 'node', ...at('a') }]);
  expect(await server.truth('edges')).toEqual([]);
});

test('lists filter by views, values and names', async () => {
  const server = await plant();
  const assets = ['a1', 'a2', 'b1'].map((name, index) => node(name, 'CogniteAsset', { name, sourceId: String(index) }));
  await upsert(server, [...assets, node('job', 'CogniteActivity', { name: 'job', assets: [at('a1')] })]);
  const name = ['cdf_cdm', 'CogniteAsset/v1', 'name'];
  const found = async (filter: Json) => {
    const reply = await server.post('/models/instances/list', { instanceType: 'node', filter });
    expect(reply.status, reply.text).toBe(200);
    return reply.items().map(({ externalId }) => externalId);
  };
  const assetsOnly = { hasData: [view('CogniteAsset')] };
  expect(await found(assetsOnly)).toEqual(['a1', 'a2', 'b1']);
  expect(await found({ and: [assetsOnly, { not: { prefix: { property: name, value: 'a' } } }] })).toEqual(['b1']);
  expect(
    await found({ or: [{ equals: { property: name, value: 'a2' } }, { in: { property: name, values: ['b1'] } }] }),
  ).toEqual(['a2', 'b1']);
  expect(await found({ prefix: { property: ['node', 'externalId'], value: 'jo' } })).toEqual(['job']);
  expect(await found({ range: { property: ['cdf_cdm', 'CogniteAsset/v1', 'sourceId'], gte: '1' } })).toEqual([
    'a2',
    'b1',
  ]);
  const page = await server.post('/models/instances/list', { filter: assetsOnly, limit: 2 });
  const rest = await server.post('/models/instances/list', {
    filter: assetsOnly,
    limit: 2,
    cursor: page.json().nextCursor,
  });
  expect([page.items().length, rest.items().length, rest.json().nextCursor]).toEqual([2, 1, undefined]);
  expect((await server.post('/models/instances/list', { filter: { overlaps: {} } })).status).toBe(400);
});

test('a view of one’s own extends one of the core model', async () => {
  const server = await plant();
  const container = {
    ...at('Workcenter'),
    usedFor: 'node',
    properties: { code: { type: { type: 'text' }, nullable: false }, rate: { type: { type: 'float64' } } },
  };
  const mapping = (containerPropertyIdentifier: string) => ({
    container: { type: 'container', ...at('Workcenter') },
    containerPropertyIdentifier,
  });
  const own = {
    ...at('Workcenter'),
    version: 'v1',
    implements: [view('CogniteAsset')],
    properties: { code: mapping('code') },
  };
  expect((await server.post('/models/views', { items: [own] })).status).toBe(400);
  expect((await server.post('/models/containers', { items: [container] })).status).toBe(200);
  expect((await server.post('/models/views', { items: [own] })).status).toBe(200);
  const write = (values: Json) =>
    upsert(server, [
      { instanceType: 'node', ...at('wc'), sources: [{ source: view('Workcenter', 'plant'), properties: values }] },
    ]);
  expect((await write({ name: 'Mixer' })).error().message).toMatch(/code of plant\/Workcenter is required/);
  expect((await write({ name: 'Mixer', code: 'MIX-01' })).status).toBe(200);
  expect(await properties(server, 'wc', 'CogniteAsset')).toMatchObject({ name: 'Mixer' });
  expect((await server.get('/models/views')).items()).toHaveLength(1);
  expect((await server.get('/models/views?includeGlobal=true&limit=100')).items()).toHaveLength(8);
  expect((await server.post('/models/spaces/delete', { items: [{ space: 'plant' }] })).error().message).toMatch(
    /not empty/,
  );
});

test('four upserts at once, and not one more', async () => {
  const server = await plant();
  const bodies = [1, 2, 3, 4].map((index) => ({ items: [node(`n${index}`, 'CogniteAsset', {})] }));
  await inWork(server, '/models/instances', bodies);
  expect((await upsert(server, [node('n5', 'CogniteAsset', {})])).status).toBe(429);
  expect((await server.post('/models/instances/list', {})).status).toBe(200);
});
