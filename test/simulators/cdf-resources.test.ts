/** Time series, relationships, data sets, pipelines and RAW: what CDF does with what it takes. */
import { describe, expect, test } from 'vitest';
import { cdf, type Json, make, names, type Running, SECOND, START, tree } from './cdf-client.ts';

describe('time series and datapoints', () => {
  const read = async (server: Running, query: Json) =>
    (await server.post('/timeseries/data/list', { items: [{ externalId: 's', ...query }], start: 0 })).items()[0];

  test('a point of the same time takes the place of the last', async () => {
    const server = await cdf();
    await make(server, '/timeseries', { externalId: 's', unit: '%' });
    const insert = (...datapoints: readonly Json[]) =>
      server.post('/timeseries/data', { items: [{ externalId: 's', datapoints }] });
    expect((await insert({ timestamp: 30, value: 3 }, { timestamp: 10, value: 1 })).json()).toEqual({});
    await insert({ timestamp: 10, value: 1.5 }, { timestamp: 20, value: 2 });
    const points = [
      { timestamp: 10, value: 1.5 },
      { timestamp: 20, value: 2 },
      { timestamp: 30, value: 3 },
    ];
    expect(await read(server, {})).toMatchObject({ isString: false, unit: '%', datapoints: points });
    expect((await read(server, { start: 20, end: 30 }))?.datapoints).toEqual([points[1]]);
    const page = await read(server, { limit: 2 });
    expect(page?.datapoints).toEqual(points.slice(0, 2));
    expect((await read(server, { limit: 2, cursor: page?.nextCursor }))?.datapoints).toEqual([points[2]]);
    const counted = await read(server, { aggregates: ['count'], granularity: '1d' });
    expect(counted?.datapoints).toEqual([{ timestamp: 0, count: 3 }]);
    const latest = await server.post('/timeseries/data/latest', { items: [{ externalId: 's', before: 30 }] });
    expect(latest.items()[0]?.datapoints).toEqual([points[1]]);
    const range = { externalId: 's', inclusiveBegin: 10, exclusiveEnd: 30 };
    await server.post('/timeseries/data/delete', { items: [range] });
    expect(await server.truth('datapoints')).toEqual([
      { key: { externalId: 's', timestamp: 30 }, fields: { value: 3 } },
    ]);
    await server.post('/timeseries/delete', { items: [{ externalId: 's' }] });
    expect(await server.truth('datapoints')).toEqual([]);
  });

  test('an instant may be a span ago', async () => {
    const server = await cdf();
    await make(server, '/timeseries', { externalId: 's', isString: true });
    const datapoints = [
      { timestamp: START - 7_200_000, value: 'old' },
      { timestamp: START - 60_000, value: 'new' },
    ];
    await server.post('/timeseries/data', { items: [{ externalId: 's', datapoints }] });
    expect((await read(server, { start: '1h-ago', end: 'now' }))?.datapoints).toEqual([datapoints[1]]);
    expect((await server.post('/timeseries/data/list', { items: [{ externalId: 's' }], start: 'soon' })).status).toBe(
      400,
    );
  });

  test('changes and filters', async () => {
    const server = await cdf();
    const [, , , root] = await tree(server);
    await make(server, '/timeseries', { externalId: 's', unit: '%', assetId: root?.id, isStep: true });
    const change = { name: { set: 'OEE' }, metadata: { add: { metric: 'oee' } }, unit: { setNull: true } };
    const [series] = (
      await server.post('/timeseries/update', { items: [{ externalId: 's', update: change }] })
    ).items();
    expect(series).toMatchObject({ name: 'OEE', metadata: { metric: 'oee' }, isStep: true, isString: false });
    expect(series).not.toHaveProperty('unit');
    const filter = { assetSubtreeIds: [{ externalId: 'root' }], isStep: true, metadata: { metric: 'oee' } };
    expect(names(await server.post('/timeseries/list', { filter }))).toEqual(['s']);
  });
});

describe('relationships and labels', () => {
  test('ends need not exist, changes are updates, a delete answers 202', async () => {
    const server = await cdf();
    const ends = { sourceExternalId: 'a', sourceType: 'asset', targetExternalId: 'b', targetType: 'asset' };
    await make(server, '/labels', { externalId: 'bom', name: 'BOM' });
    const [made] = await make(server, '/relationships', { externalId: 'r', ...ends, labels: [{ externalId: 'bom' }] });
    expect(made).toMatchObject({ ...ends, createdTime: START });
    expect(made).not.toHaveProperty('id');
    const update = {
      targetExternalId: { set: 'c' },
      confidence: { set: 0.5 },
      labels: { remove: [{ externalId: 'bom' }] },
    };
    const reply = await server.post('/relationships/update', { items: [{ externalId: 'r', update }] });
    expect(reply.items()[0]).toMatchObject({ targetExternalId: 'c', confidence: 0.5, labels: [] });
    await make(server, '/assets', { externalId: 'c', name: 'C' });
    const body = { items: [{ externalId: 'r' }, { externalId: 'x' }], ignoreUnknownIds: true, fetchResources: true };
    const [full] = (await server.post('/relationships/byids', body)).items();
    expect(full).toMatchObject({ target: { name: 'C' } });
    expect(full).not.toHaveProperty('source');
    expect(names(await server.post('/relationships/list', { filter: { targetExternalIds: ['c'] } }))).toEqual(['r']);
    const gone = await server.post('/relationships/delete', { items: [{ externalId: 'r' }] });
    expect([gone.status, gone.json()]).toEqual([202, {}]);
  });
});

describe('data sets and pipelines', () => {
  test('a data set is archived by another name', async () => {
    const server = await cdf();
    const update = {
      name: { set: 'Plex (archived)' },
      externalId: { set: 'old' },
      metadata: { add: { archived: 'true' } },
    };
    const reply = await server.post('/datasets/update', { items: [{ externalId: 'plex_master', update }] });
    expect([reply.status, reply.items()[0]]).toMatchObject([
      200,
      { externalId: 'old', metadata: { source: 'Plex MES' } },
    ]);
    expect((await server.post('/datasets/aggregate', {})).items()).toEqual([{ count: 6 }]);
  });

  test('runs are listed newest first and shown on their pipeline', async () => {
    const server = await cdf();
    const externalId = 'plex-340884';
    const runs = [{ status: 'seen' }, { status: 'failure', message: 'Error: it broke' }, { status: 'success' }];
    for (const run of runs) {
      server.clock.advance(SECOND);
      expect((await server.post('/extpipes/runs', { items: [{ externalId, ...run }] })).status).toBe(200);
    }
    const list = (filter: Json) => server.post('/extpipes/runs/list', { filter: { externalId, ...filter } });
    expect((await list({})).items().map(({ status }) => status)).toEqual(['success', 'failure', 'seen']);
    expect((await list({ statuses: ['failure'], message: { substring: 'broke' } })).items()).toHaveLength(1);
    const [pipeline] = (await server.get('/extpipes')).items();
    expect(pipeline).toMatchObject({
      lastSuccess: START + 3_000,
      lastFailure: START + 2_000,
      lastMessage: 'Error: it broke',
    });
    expect(pipeline?.lastSeen).toBe(START + 3_000);
    expect((await server.truth('extpipe_runs')).map(({ fields }) => fields.status)).toEqual([
      'seen',
      'failure',
      'success',
    ]);
    const update = { schedule: { set: 'Continuous' }, source: { setNull: true } };
    const reply = await server.post('/extpipes/update', { items: [{ externalId, update }] });
    expect(reply.items()[0]).toMatchObject({ schedule: 'Continuous' });
  });
});

describe('RAW', () => {
  test('an insert makes its table and replaces the columns of a row', async () => {
    const server = await cdf();
    const path = '/raw/dbs/plex/tables/boms%2F1/rows';
    const insert = (key: string, columns: Json) =>
      server.post(`${path}?ensureParent=true`, { items: [{ key, columns }] });
    await insert('k/1', { quantity: 1, unit: 'kg' });
    await insert('k/1', { quantity: 2 });
    await insert('k2', { quantity: 3, deep: { list: [1] } });
    expect((await server.get(`${path}/k%2F1`)).json()).toMatchObject({ key: 'k/1', columns: { quantity: 2 } });
    const page = await server.get(`${path}?limit=1&columns=deep`);
    expect(page.items()).toMatchObject([{ key: 'k/1', columns: {} }]);
    const next = await server.get(`${path}?limit=1&cursor=${String(page.json().nextCursor)}`);
    expect(next.items()).toMatchObject([{ key: 'k2', columns: { deep: { list: [1] } } }]);
    await server.post(`${path}/delete`, { items: [{ key: 'k2' }] });
    expect(await server.truth('raw_rows')).toEqual([
      { key: { database: 'plex', table: 'boms/1', key: 'k/1' }, fields: { quantity: 2 } },
    ]);
    expect((await server.get('/raw/dbs')).items()).toEqual([{ name: 'plex' }]);
    expect((await server.get('/raw/dbs/plex/tables')).items()).toEqual([{ name: 'boms/1' }]);
    expect((await server.post('/raw/dbs/delete', { items: [{ name: 'plex' }] })).status).toBe(400);
    expect((await server.post('/raw/dbs/delete', { items: [{ name: 'plex' }], recursive: true })).status).toBe(200);
    expect((await server.get(`${path}/k2`)).status).toBe(404);
  });
});
