import { describe, expect, test } from 'vitest';
import type { ManageEngine } from '../../simulators/manageengine/server.ts';
import {
  ALL_PATCHES,
  get,
  getThreats,
  type Json,
  login,
  nested,
  SYSTEM_PATCHES,
  simulator,
  sweep,
  sweepThreats,
  type ThreatsPage,
} from './manageengine-client.ts';

function rowsOf(pages: readonly ThreatsPage[]): Json[] {
  return pages.flatMap((page) => page.rows);
}

async function systemsOf(server: ManageEngine, token: string, limit = 100): Promise<Json[]> {
  return rowsOf(await sweepThreats(server, token, SYSTEM_PATCHES, limit));
}

function idsOf(server: ManageEngine, stream: string): readonly string[] {
  return server.tenant().manifest({ ids: true, stream }).streams[stream]?.ids ?? [];
}

function keyOf(pair: Json): string {
  return `${pair.resource_id}/${pair.patch_id}`;
}

test('a sweep brings the systems and the pairs of the manifest, in order', async () => {
  const server = await simulator();
  const token = await login(server);
  const pages = await sweepThreats(server, token, SYSTEM_PATCHES, 30);
  expect(pages.map(({ rows }) => rows.length)).toEqual([30, 30, 30, 30, 30, 16]);
  expect(pages.map(({ metadata }) => metadata)).toEqual(
    pages.map((_, at) => ({ page: at + 1, pageLimit: 30, totalRecords: '166', totalPages: 6 })),
  );
  const systems = rowsOf(pages);
  expect(systems.map((row) => row.resource_id)).toEqual(idsOf(server, 'dcapi_systems'));
  expect(nested(systems, 'patches').map(keyOf)).toEqual(idsOf(server, 'patch_system_mapping'));
  expect(await systemsOf(server, token, 7)).toEqual(systems);
});

describe('profile full', () => {
  async function counted(dcapi_rows: string): Promise<{ pairs: Json[]; counts: number[] }> {
    const server = await simulator({ profile: 'full' });
    server.tenant().configure({ dcapi_rows });
    const systems = await systemsOf(server, await login(server));
    expect(systems).toHaveLength(3_317);
    const counts = systems.map((row) => ((row.patches ?? []) as Json[]).length).sort((a, b) => a - b);
    return { pairs: nested(systems, 'patches'), counts };
  }

  function share(pairs: readonly Json[], test: (pair: Json) => boolean): number {
    return Math.round((100 * pairs.filter(test).length) / pairs.length);
  }

  test('seed: 165,850 pairs, 80/20, 30/40/30, a long tail', async () => {
    const { pairs, counts } = await counted('seed');
    expect(pairs).toHaveLength(165_850);
    expect(new Set(pairs.map(({ patch_id }) => patch_id)).size).toBe(5_240);
    expect(share(pairs, ({ patch_status }) => patch_status === 'Installed')).toBe(80);
    expect(new Set(pairs.map(({ patch_status }) => patch_status))).toEqual(new Set(['Installed', 'Missing', 'Failed']));
    expect(share(pairs, ({ severity }) => severity === 'Critical')).toBe(30);
    expect([39, 40]).toContain(share(pairs, ({ severity }) => severity === 'Important'));
    expect(counts.filter((count) => count === 0)).toHaveLength(24);
    expect(counts.filter((count) => count > 500)).toEqual([530, 560, 590, 620, 650, 680, 1_200]);
    expect(counts[Math.floor(counts.length / 2)]).toBe(35);
  });

  test('field: 89,571 pairs on 2,417 systems, 900 without', async () => {
    const { pairs, counts } = await counted('field');
    expect(pairs).toHaveLength(89_571);
    expect(new Set(pairs.map(({ patch_id }) => patch_id)).size).toBe(5_240);
    expect(counts.filter((count) => count === 0)).toHaveLength(900);
  });
});

test.each([
  ['seed', 8_293, 1],
  ['field', 4_479, 45],
])('rows %s: their number is the same for every seed, and every patch is somewhere', async (mode, pairs, without) => {
  for (const seed of [1, 2, 3, 4, 5]) {
    const server = await simulator({ seed });
    server.tenant().configure({ dcapi_rows: mode });
    const { streams } = server.tenant().manifest();
    expect(streams.patch_system_mapping?.rows).toBe(pairs);
    const keys = idsOf(server, 'patch_system_mapping').map((key) => key.split('/'));
    expect(new Set(keys.map(([system]) => system)).size).toBe(166 - without);
    expect(new Set(keys.map(([, patch]) => patch)).size).toBe(streams.patches?.rows);
  }
});

describe.each(['seed', 'field'])('rows %s: all endpoints show one matrix', (dcapi_rows) => {
  test('counts of a patch are its pairs', async () => {
    const server = await simulator();
    server.tenant().configure({ dcapi_rows });
    const token = await login(server);
    const byPatch = Map.groupBy(nested(await systemsOf(server, token), 'patches'), ({ patch_id }) => patch_id);
    const patches = (await sweep(server, token, ALL_PATCHES, 1_000)).flatMap(({ rows }) => rows);
    expect(patches).toHaveLength(262);
    for (const patch of patches) {
      const states = (byPatch.get(patch.patch_id) ?? []).map(({ patch_status }) => patch_status);
      const having = (state: string) => states.filter((each) => each === state).length;
      const failed = having('Failed');
      expect([patch.installed, patch.missing, patch.failed]).toEqual(
        [having('Installed'), having('Missing') + failed, failed].map(String),
      );
    }
  });

  test('each pair is the one of systemreport', async () => {
    const server = await simulator();
    server.tenant().configure({ dcapi_rows });
    const token = await login(server);
    const reported = new Set(idsOf(server, 'system_reports'));
    const systems = (await systemsOf(server, token)).filter(({ patches }) => ((patches ?? []) as Json[]).length > 0);
    const states: Record<string, number> = { Installed: 201, Missing: 202, Failed: 206 };
    let compared = 0;
    let timed = 0;
    for (const { resource_id, ...system } of systems.slice(0, 40)) {
      const pairs = nested([system], 'patches');
      if (!pairs.every(({ patch_id }) => reported.has(`${resource_id}/${patch_id}`))) continue;
      const reply = await get(server, token, `/api/1.4/patch/systemreport?resid=${resource_id}&pagelimit=1000`);
      const rows = (reply.json().message_response as Record<string, Json[]>).systemreport ?? [];
      expect(rows.map((row) => String(row.patch_id))).toEqual(pairs.map(({ patch_id }) => patch_id));
      rows.forEach((row, at) => {
        const pair = pairs[at] ?? {};
        expect([row.affected_patch_status, row['pmseverity.name'], row.patch_name]).toEqual([
          states[String(pair.patch_status)],
          pair.severity,
          pair.patchname,
        ]);
        if (typeof pair.installed_time === 'string' && pair.installed_time !== '--') {
          timed += 1;
          expect(pair.installed_time).toBe(String(row.installed_time));
        }
        compared += 1;
      });
    }
    expect(compared).toBeGreaterThan(500);
    expect(timed).toBeGreaterThan(200);
  });
});

test('fields and types, with what is not always there', async () => {
  const server = await simulator({ profile: 'full' });
  const systems = await systemsOf(server, await login(server));
  const names = (rows: readonly Json[]) => new Set(rows.flatMap((row) => Object.keys(row)));
  const kinds = (rows: readonly Json[], name: string) =>
    new Set(rows.map((row) => (row[name] === '--' ? '--' : row[name] === null ? 'null' : typeof row[name])));
  expect(names(systems)).toEqual(
    new Set(['resource_id', 'resource_name', 'fqdn_name', 'ip_address', 'os_name', 'branch_office_name', 'patches']),
  );
  expect(kinds(systems, 'os_name')).toEqual(new Set(['string', '--', 'null', 'undefined']));
  const pairs = nested(systems, 'patches').map(({ resource_id, ...pair }) => pair);
  expect(names(pairs)).toEqual(
    new Set(['patch_id', 'patchname', 'severity', 'patch_status', 'bulletinid', 'vendor_name', 'installed_time']),
  );
  for (const name of ['patch_id', 'patchname', 'severity', 'patch_status']) {
    expect(kinds(pairs, name)).toEqual(new Set(['string']));
  }
  for (const name of ['bulletinid', 'vendor_name', 'installed_time']) {
    expect(kinds(pairs, name)).toEqual(new Set(['string', '--', 'null', 'undefined']));
  }
  const missing = pairs.filter(({ patch_status }) => patch_status !== 'Installed');
  expect(kinds(missing, 'installed_time')).toEqual(new Set(['null', 'undefined']));
});

test('a system without patches has an empty list, or null, or no list', async () => {
  const server = await simulator({ profile: 'full', scenario: 'zero-patches' });
  const lists = (await systemsOf(server, await login(server))).map(({ patches }) => JSON.stringify(patches));
  const count = (text: string | undefined) => lists.filter((list) => list === text).length;
  expect([count('[]') + count('null') + count(undefined), count('null') > 10, count(undefined) > 10]).toEqual([
    900,
    true,
    true,
  ]);
});

test('ids as numbers keep their digits', async () => {
  const server = await simulator({ scenario: 'precision' });
  server.tenant().configure({ dcapi_ids: 'numbers' });
  const { text } = await getThreats(server, await login(server), SYSTEM_PATCHES, 'pageLimit=100');
  const ids = [...text.matchAll(/"resource_id":(\d{17}),/g)].map(([, digits]) => digits);
  expect(ids).toEqual(idsOf(server, 'dcapi_systems').slice(0, 100));
  expect(text).toMatch(/"patch_id":6\d{5},"patchname"/);
  expect(text).not.toContain('_id":"');
});

test('a heavy page: 30 systems of 1,200 patches, on every endpoint', async () => {
  const server = await simulator({ profile: 'full' });
  server.tenant().configure({ dcapi_heavy_page: 4 });
  const token = await login(server);
  const counts = async (page: number) =>
    (await getThreats(server, token, SYSTEM_PATCHES, `page=${page}`)).rows.map(
      ({ patches }) => (patches as Json[]).length,
    );
  expect(await counts(4)).toEqual(Array(30).fill(1_200));
  expect((await counts(3)).filter((count) => count === 1_200).length).toBeLessThan(2);
  const rows = server.tenant().manifest().streams.patch_system_mapping?.rows ?? 0;
  expect(rows).toBeGreaterThan(165_850 + 30_000);
  const [system] = (await getThreats(server, token, SYSTEM_PATCHES, 'page=4&pageLimit=30')).rows;
  const report = await get(server, token, `/api/1.4/patch/systemreport?resid=${system?.resource_id}`);
  expect((report.json().message_response as Json).total).toBe(1_200);
});

test('the same seed gives the same bytes, whatever was asked before', async () => {
  const read = async (seed: number, pages: readonly number[]) => {
    const server = await simulator({ seed });
    const token = await login(server);
    let text = '';
    for (const page of pages) text = (await get(server, token, `${SYSTEM_PATCHES}?page=${page}`)).text;
    return text;
  };
  const straight = await read(1, [1, 2, 3]);
  expect(await read(1, [3])).toBe(straight);
  expect(await read(1, [3, 3])).toBe(straight);
  expect(await read(2, [3])).not.toBe(straight);
});

test('rows gain and lose fields, those of a list inside them too', async () => {
  const server = await simulator();
  const token = await login(server);
  const before = await getThreats(server, token, SYSTEM_PATCHES);
  server.tenant().configure({
    drift: { dcapi_systems: { add: ['risk'] }, patch_system_mapping: { add: ['kb'], drop: ['bulletinid'] } },
  });
  const after = await getThreats(server, token, SYSTEM_PATCHES);
  const expected = before.rows.map((row) => ({
    ...row,
    ...(Array.isArray(row.patches) && {
      patches: row.patches.map(({ bulletinid, ...patch }: Json) => ({ ...patch, kb: 'new kb' })),
    }),
    risk: 'new risk',
  }));
  expect(after.rows).toEqual(expected);
});
