import { describe, expect, test } from 'vitest';
import { patchesOf } from '../../simulators/manageengine/matrix.ts';
import {
  ALL_PATCHES,
  ALL_SYSTEMS,
  get,
  idsOf,
  type Json,
  login,
  type Page,
  SCAN,
  simulator,
  sweep,
} from './manageengine-client.ts';

const PATHS = { systems: SCAN, all_systems: ALL_SYSTEMS, patches: ALL_PATCHES };

function tally(values: readonly unknown[]): Map<unknown, number> {
  const counts = new Map<unknown, number>();
  for (const value of values) counts.set(value, (counts.get(value) ?? 0) + 1);
  return counts;
}

function rowsOf(pages: readonly Page[]): Json[] {
  return pages.flatMap((page) => page.rows);
}

async function summaryOf(server: Parameters<typeof get>[0], token: string): Promise<Record<string, Json>> {
  const message = (await get(server, token, '/api/1.4/patch/summary')).json().message_response as Json;
  return message.summary as Record<string, Json>;
}

describe.each(['small', 'full'])('profile %s', (profile) => {
  test('a full sweep brings exactly the manifest', async () => {
    const server = await simulator({ profile });
    const token = await login(server);
    const { streams } = server.tenant().manifest({ ids: true });
    for (const [stream, path] of Object.entries(PATHS)) {
      const ids = idsOf(await sweep(server, token, path));
      expect(ids).toEqual(streams[stream]?.ids);
      expect(new Set(ids).size).toBe(streams[stream]?.rows);
    }
  });

  test('summary equals the aggregates of the lists', async () => {
    const server = await simulator({ profile });
    const token = await login(server);
    const summary = await summaryOf(server, token);
    const patches = rowsOf(await sweep(server, token, ALL_PATCHES, 1_000));
    const missing = patches.filter((row) => row.missing !== '0');
    expect(summary.patch_summary).toMatchObject({
      applicable_patches: patches.length,
      missing_patches: missing.length,
      installed_patches: patches.filter((row) => row.installed !== '0').length,
    });
    const severities = tally(missing.map((row) => row.severity));
    expect(summary.missing_patch_severity_summary).toEqual({
      critical_count: severities.get('4'),
      important_count: severities.get('3'),
      moderate_count: severities.get('2'),
      low_count: severities.get('1'),
      unrated_count: severities.get('0'),
      total_count: missing.length,
    });
    const systems = rowsOf(await sweep(server, token, SCAN, 1_000));
    const health = tally(systems.map((row) => row.resource_health_status));
    const known = [1, 2, 3].map((code) => health.get(code) ?? 0);
    expect(summary.system_summary).toEqual({
      total_systems: systems.length,
      healthy_systems: known[0],
      moderately_vulnerable_systems: known[1],
      highly_vulnerable_systems: known[2],
      health_unknown_systems: systems.length - known.reduce((sum, count) => sum + count, 0),
    });
    const scans = tally(systems.map((row) => row.scan_status));
    const [success, failure] = [scans.get(228) ?? 0, scans.get(226) ?? 0];
    expect(summary.patch_scan_summary).toEqual({
      scanned_systems: success + failure,
      unscanned_system_count: systems.length - success - failure,
      scan_success_count: success,
      scan_failure_count: failure,
    });
  });
});

test('profile full has the observed sizes and mixes', async () => {
  const server = await simulator({ profile: 'full' });
  const token = await login(server);
  const { streams } = server.tenant().manifest({ ids: true });
  expect(Object.values(streams).map(({ rows }) => rows)).toEqual([
    ...[3_362, 3_347, 5_240, 1, 1, 1, 1, 1],
    ...[3_505, 1_735, 365_487, 92, 227, 3_400, 40, 165_684, 165_850, 3_317, 165_850, 5_240],
  ]);
  const all = new Set(streams.all_systems?.ids);
  const both = streams.systems?.ids?.filter((id) => all.has(id)).length ?? 0;
  expect(both).toBeGreaterThan(3_300);
  expect(both).toBeLessThan(3_347);
  expect(await summaryOf(server, token)).toMatchObject({
    patch_summary: { installed_patches: 3_505, missing_patches: 1_735, applicable_patches: 5_240 },
    missing_patch_severity_summary: { critical_count: 139, important_count: 452 },
  });
  const rows = rowsOf(await sweep(server, token, SCAN, 1_000));
  const share = (count: number) => Math.round((100 * count) / rows.length);
  const platforms = tally(rows.map((row) => row.os_platform_name));
  expect(['Windows', 'Mac', 'Linux'].map((name) => share(platforms.get(name) ?? 0))).toEqual([95, 3, 2]);
  expect([1, 3, 2].map((code) => share(tally(rows.map((row) => row.resource_health_status)).get(code) ?? 0))).toEqual([
    51, 39, 7,
  ]);
  const branches = tally(rows.map((row) => row.branch_office_name));
  expect(branches.get('Branch 01')).toBeGreaterThan(5 * (branches.get('Branch 20') ?? 0));
});

test('counters of a system agree with its patches and its health', async () => {
  const server = await simulator();
  const { data } = server.tenant().population;
  const rows = rowsOf(await sweep(server, await login(server), ALL_SYSTEMS, 1_000));
  const first = data.sizes.allSystemsWindow[0];
  rows.forEach((row, at) => {
    const count = (severity: string) => Number(row[`${severity}_patch_count`]);
    const total = ['critical', 'important', 'moderate', 'low', 'unrated']
      .map(count)
      .reduce((sum, each) => sum + each, 0);
    expect(total).toBe(patchesOf(data, first + at).missing.length);
    if (row.resource_health_status === 3) expect(count('critical')).toBeGreaterThan(0);
    if (row.resource_health_status === 1) expect(count('critical') + count('important')).toBe(0);
  });
});

test('the matrix has the expected size and tail', async () => {
  const { data } = (await simulator({ profile: 'full' })).tenant().population;
  const [start, end] = data.sizes.matrixWindow;
  const systems = Array.from({ length: end - start }, (_, at) => patchesOf(data, start + at));
  const counts = systems.map((own) => own.installed.length + own.missing.length).sort((a, b) => a - b);
  expect(counts.filter((count) => count === 0).length).toBeGreaterThanOrEqual(20);
  expect(counts.filter((count) => count > 500).length).toBeGreaterThanOrEqual(5);
  expect(counts.at(-1)).toBe(1_200);
  expect(counts[Math.floor(counts.length / 2)]).toBeGreaterThan(30);
  for (const own of systems)
    expect(new Set([...own.installed, ...own.missing]).size).toBe(own.installed.length + own.missing.length);
});

test('the same seed gives the same bytes, another seed others', async () => {
  const texts = async (seed: number) => {
    const server = await simulator({ seed });
    const token = await login(server);
    const paths = [`${SCAN}?page=3`, `${ALL_SYSTEMS}?page=2`, `${ALL_PATCHES}?page=5`, '/api/1.4/patch/summary'];
    const replies = await Promise.all(paths.map((path) => get(server, token, path)));
    return [token, ...replies.map((reply) => reply.text)];
  };
  const one = await texts(1);
  expect(await texts(1)).toEqual(one);
  expect(await texts(2)).not.toEqual(one);
});

test('a page is the same whichever pages were asked before', async () => {
  const [straight, direct] = await Promise.all([simulator(), simulator()]);
  const read = async (server: typeof straight, pages: number[]) => {
    const token = await login(server);
    let text = '';
    for (const page of pages) text = (await get(server, token, `${ALL_SYSTEMS}?page=${page}`)).text;
    return text;
  };
  expect(await read(straight, [1, 2, 3, 4])).toBe(await read(direct, [4]));
});

test('17-digit ids arrive digit by digit and collide as doubles', async () => {
  const server = await simulator();
  server.tenant().configure({ id_mode: 'us' });
  const token = await login(server);
  const reply = await get(server, token, `${SCAN}?pagelimit=1000`);
  const ids = server.tenant().manifest({ ids: true }).streams.systems?.ids ?? [];
  for (const id of ids) {
    expect(id).toMatch(/^\d{17}$/);
    expect(reply.text).toContain(`{"resource_id":${id},"resource_id_string":"${id}"`);
    expect(reply.text).toContain(`"pmreshealthstatus.resource_id":${id},`);
  }
  expect(new Set(ids).size).toBe(168);
  expect(new Set(ids.map(Number)).size).toBe(168 / 4);
  expect(ids.slice(0, 4).map((id) => id.slice(0, -1))).toEqual(Array(4).fill(ids[0]?.slice(0, -1)));
  expect(reply.text).toMatch(/"customer_id":\d{17},/);
  expect(reply.text).toMatch(/"branch_office_id":\d{17},/);
});

test.each([
  ['au', /^\d{14}$/],
  ['onprem', /^\d{3,5}$/],
])('id mode %s', async (id_mode, digits) => {
  const server = await simulator({ profile: 'full' });
  server.tenant().configure({ id_mode });
  const ids = server.tenant().manifest({ ids: true }).streams.systems?.ids ?? [];
  expect(ids.filter((id) => !digits.test(id))).toEqual([]);
  expect(new Set(ids).size).toBe(ids.length);
});
