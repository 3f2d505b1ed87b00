import { describe, expect, test } from 'vitest';
import type { Action } from '../../simulators/manageengine/actions.ts';
import type { ManageEngine } from '../../simulators/manageengine/server.ts';
import {
  get,
  getThreats,
  type Json,
  login,
  nested,
  SYSTEM_PATCHES,
  sim,
  simulator,
  sweepThreats,
} from './manageengine-client.ts';

const FIRST = { match: { path: '/systemreport/patches$', pages: [1, 1] }, times: 1 } as const;

async function faulty(action: Action): Promise<{ server: ManageEngine; token: string }> {
  const server = await simulator();
  server.tenant().addFault({ ...FIRST, id: 'fault', action });
  return { server, token: await login(server) };
}

async function systemsOf(server: ManageEngine, token: string): Promise<Json[]> {
  return (await sweepThreats(server, token, SYSTEM_PATCHES, 30)).flatMap(({ rows }) => rows);
}

function names(rows: readonly Json[]): unknown[] {
  return rows.map((row) => row.resource_id);
}

function manifestIds(server: ManageEngine, stream: string): readonly string[] {
  return server.tenant().manifest({ ids: true, stream }).streams[stream]?.ids ?? [];
}

describe('badRow', () => {
  test('something that is no object among the systems and among the patches of one, all else untouched', async () => {
    const { server, token } = await faulty({ type: 'badRow' });
    const spoiled = await getThreats(server, token, SYSTEM_PATCHES);
    const clean = await getThreats(server, token, SYSTEM_PATCHES);
    expect(spoiled.rows).toHaveLength(31);
    expect(spoiled.rows.filter((row) => typeof row === 'string')).toHaveLength(1);
    const systems = spoiled.rows.filter((row) => typeof row === 'object');
    const bad = systems.filter(({ patches }) =>
      (patches as unknown[] | undefined)?.some((each) => typeof each === 'string'),
    );
    expect(bad).toHaveLength(1);
    expect(
      systems.map((row) =>
        Array.isArray(row.patches)
          ? { ...row, patches: row.patches.filter((patch: unknown) => typeof patch === 'object') }
          : row,
      ),
    ).toEqual(clean.rows);
  });

  test.each([
    ['unknownEnum', '"severity":"99"'],
    ['secondsTime', /"installed_time":"\d{10}"/],
  ] as const)('%s', async (kind, expected) => {
    const { server, token } = await faulty({ type: 'badRow', kind });
    expect((await getThreats(server, token, SYSTEM_PATCHES)).text).toMatch(expected);
    expect((await getThreats(server, token, SYSTEM_PATCHES)).text).not.toMatch(expected);
  });
});

test('truncatedJson is the true page up to some byte', async () => {
  const { server, token } = await faulty({ type: 'truncatedJson' });
  const cut = await get(server, token, SYSTEM_PATCHES);
  const whole = await get(server, token, SYSTEM_PATCHES);
  expect(whole.text.startsWith(cut.text)).toBe(true);
  expect(() => cut.json()).toThrow(SyntaxError);
});

test('shrinkTotal takes systems with their pairs, from all endpoints', async () => {
  const { server, token } = await faulty({ type: 'shrinkTotal', count: 20 });
  const before = (await getThreats(server, token, SYSTEM_PATCHES)).metadata.totalRecords;
  const systems = await systemsOf(server, token);
  expect([before, systems.length]).toEqual(['166', 146]);
  expect(names(systems)).toEqual(manifestIds(server, 'dcapi_systems'));
  const gone = server.tenant().manifest({ ids: true }).streams.dcapi_systems?.removed ?? [];
  expect(gone).toHaveLength(20);
  const keys = nested(systems, 'patches').map((pair) => `${pair.resource_id}/${pair.patch_id}`);
  expect(keys).toEqual(manifestIds(server, 'patch_system_mapping'));
  expect(keys.length).toBeLessThan(8_293);
  expect(manifestIds(server, 'systems').filter((id) => gone.includes(id))).toEqual([]);
});

test('growTotal brings systems with pairs', async () => {
  const { server, token } = await faulty({ type: 'growTotal', count: 3, at: 'start' });
  const first = await getThreats(server, token, SYSTEM_PATCHES);
  const systems = await systemsOf(server, token);
  expect(names(systems.slice(3, 33))).toEqual(names(first.rows));
  expect(systems.slice(0, 3).every(({ patches }) => (patches as Json[]).length > 0)).toBe(true);
  expect(names(systems)).toEqual(manifestIds(server, 'dcapi_systems'));
});

test('duplicateAcrossPages and moveSystem', async () => {
  const { server, token } = await faulty({ type: 'duplicateAcrossPages', count: 4 });
  const first = await getThreats(server, token, SYSTEM_PATCHES);
  const second = await getThreats(server, token, SYSTEM_PATCHES, 'page=2');
  expect(second.rows.slice(0, 4)).toEqual(first.rows.slice(-4));
  expect(second.metadata.totalRecords).toBe('166');
  server.tenant().addFault({ ...FIRST, action: { type: 'moveSystem' } });
  await getThreats(server, token, SYSTEM_PATCHES);
  const again = await getThreats(server, token, SYSTEM_PATCHES);
  expect(names(again.rows).filter((id) => !names(first.rows).includes(id))).toHaveLength(1);
});

test('wrongLimit', async () => {
  const { server, token } = await faulty({ type: 'wrongLimit' });
  const { metadata, rows } = await getThreats(server, token, SYSTEM_PATCHES, 'pageLimit=90');
  expect([metadata.pageLimit, rows.length]).toEqual([30, 30]);
});

describe('pairs vanish while their systems and patches stay', () => {
  test('as many as were asked for, from every view', async () => {
    const server = await simulator();
    const token = await login(server);
    const before = manifestIds(server, 'patch_system_mapping');
    const reports = manifestIds(server, 'system_reports');
    const reply = await sim(server, 'shrink', 'POST', { list: 'pairs', count: 500 });
    expect(reply.json()).toMatchObject({
      streams: { patch_system_mapping: { rows: 7_793 }, patch_details: { rows: 7_793 }, dcapi_systems: { rows: 166 } },
    });
    const pairs = nested(await systemsOf(server, token), 'patches').map(
      (pair) => `${pair.resource_id}/${pair.patch_id}`,
    );
    expect(pairs).toEqual(manifestIds(server, 'patch_system_mapping'));
    const left = new Set(pairs);
    const gone = before.filter((pair) => !left.has(pair));
    expect(gone).toHaveLength(500);
    expect(manifestIds(server, 'system_reports')).toEqual(reports.filter((pair) => !gone.includes(pair)));
    const [system, patch] = gone.find((pair) => reports.includes(pair))?.split('/') ?? [];
    const report = await get(server, token, `/api/1.4/patch/systemreport?resid=${system}&pagelimit=1000`);
    expect(report.text).not.toContain(`{"patch_id":${patch},`);
    const details = await get(server, token, `/api/1.4/patch/allpatchdetails?patchid=${patch}&pagelimit=1000`);
    expect(details.text).not.toContain(`{"resource_id":${system},`);
    expect(details.text).toContain('{"resource_id":');
  });

  test('twice, and more than there are', async () => {
    const server = await simulator();
    const tenant = server.tenant();
    tenant.shrinkPairs(100);
    tenant.shrinkPairs(100);
    tenant.shrink('dcapi_systems', 10);
    tenant.shrink('allpatches', 30);
    const count = () => tenant.manifest().streams.patch_system_mapping?.rows;
    expect(count()).toBe(manifestIds(server, 'patch_system_mapping').length);
    tenant.shrinkPairs(100_000);
    expect(count()).toBe(0);
    const systems = await systemsOf(server, await login(server));
    expect([systems.length, nested(systems, 'patches').length]).toEqual([156, 0]);
    tenant.reset();
    expect(count()).toBe(8_293);
  });

  test('a disturbed report loses them too', async () => {
    const server = await simulator();
    const token = await login(server);
    const [busiest = []] = [
      ...Map.groupBy(manifestIds(server, 'system_reports'), (pair) => pair.split('/')[0]).values(),
    ].sort((a, b) => b.length - a.length);
    const [system] = busiest[0]?.split('/') ?? [];
    server.tenant().addFault({ times: 1, action: { type: 'duplicateAcrossPages' } });
    const total = async () => {
      const path = `/api/1.4/patch/systemreport?resid=${system}&pagelimit=10`;
      return ((await get(server, token, path)).json().message_response as Json).total as number;
    };
    const before = await total();
    server.tenant().shrinkPairs(4_000);
    const left = manifestIds(server, 'system_reports').filter((pair) => pair.startsWith(`${system}/`));
    expect(left.length).toBeLessThan(before);
    expect(await total()).toBe(left.length);
  });
});

describe('scenarios', () => {
  test.each([
    ['s1-dcapi-30', 30, 111, 17],
    ['s1-dcapi-5', 5, 664, 2],
  ])('%s: pages of %i, %i of them, the last of %i', async (scenario, limit, pages, last) => {
    const server = await simulator({ scenario });
    expect([server.tenant().profile, server.tenant().settings.expires_in]).toEqual(['full', 60]);
    const token = await login(server);
    const first = await getThreats(server, token, SYSTEM_PATCHES);
    expect(first.metadata).toMatchObject({ pageLimit: limit, totalPages: pages, totalRecords: '3317' });
    const end = await getThreats(server, token, SYSTEM_PATCHES, `page=${pages}`);
    expect([first.rows.length, end.rows.length]).toEqual([limit, last]);
    expect((await simulator({ scenario, profile: 'small' })).tenant().profile).toBe('small');
  });

  test('zero-patches: more than a quarter of the systems have none', async () => {
    const server = await simulator({ scenario: 'zero-patches' });
    const systems = await systemsOf(server, await login(server));
    expect(systems.filter((row) => nested([row], 'patches').length === 0)).toHaveLength(45);
    expect(server.tenant().manifest().streams).toMatchObject({
      dcapi_systems: { rows: 166 },
      patch_system_mapping: { rows: 4_479 },
    });
  });

  test('two-runs-shrink means the systems of DCAPI too', async () => {
    const server = await simulator({ scenario: 'two-runs-shrink', profile: 'full' });
    const token = await login(server);
    const totals: unknown[] = [];
    for (const page of [49, 50, 51, 100, 101]) {
      totals.push((await getThreats(server, token, SYSTEM_PATCHES, `page=${page}`)).metadata.totalRecords);
    }
    expect(totals).toEqual(['3317', '3317', '3277', '3277', '3257']);
  });

  test('outage begins with the second batch of DCAPI too', async () => {
    const server = await simulator({ scenario: 'outage' });
    const token = await login(server);
    const status = async (page: number) => (await get(server, token, `${SYSTEM_PATCHES}?page=${page}`)).status;
    expect([await status(3), await status(4), await status(1)]).toEqual([200, 503, 503]);
    server.tenant().advance(600_000);
    expect(await status(4)).toBe(200);
  });
});
