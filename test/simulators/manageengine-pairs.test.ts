import { describe, expect, test } from 'vitest';
import type { ManageEngine } from '../../simulators/manageengine/server.ts';
import {
  ALL_PATCHES,
  ALL_SYSTEMS,
  get,
  type Json,
  login,
  readPage,
  SCAN,
  simulator,
  sweep,
} from './manageengine-client.ts';

const REPORT = '/api/1.4/patch/systemreport';
const DETAILS = '/api/1.4/patch/allpatchdetails';

async function rowsOf(server: ManageEngine, token: string, path: string, limit = 1_000): Promise<Json[]> {
  const rows: Json[] = [];
  for (let page = 1; ; page += 1) {
    const read = readPage(await get(server, token, `${path}&page=${page}&pagelimit=${limit}`));
    rows.push(...read.rows);
    if (page >= Math.ceil(read.total / read.limit)) return rows;
  }
}

const report = (server: ManageEngine, token: string, id: unknown) => rowsOf(server, token, `${REPORT}?resid=${id}`);
const details = (server: ManageEngine, token: string, id: unknown) => rowsOf(server, token, `${DETAILS}?patchid=${id}`);

function idsOf(server: ManageEngine, stream: string): readonly string[] {
  return server.tenant().manifest({ ids: true, stream }).streams[stream]?.ids ?? [];
}

/** Every pair that a client finds system by system, and patch by patch. */
async function allPairs(server: ManageEngine, token: string): Promise<{ bySystem: string[]; byPatch: string[] }> {
  const [bySystem, byPatch]: [string[], string[]] = [[], []];
  for (const system of idsOf(server, 'systems')) {
    for (const row of await report(server, token, system)) bySystem.push(`${system}/${row.patch_id}`);
  }
  for (const patch of idsOf(server, 'patches')) {
    for (const row of await details(server, token, patch)) byPatch.push(`${row.resource_id}/${patch}`);
  }
  return { bySystem, byPatch };
}

const SHARED = [
  ...['affected_patch_status', 'deployment_status', 'install_error_code', 'deploy_remarks', 'installed_time'],
  ...['patch_status', 'severity', 'pmseverity.name', 'update_name', 'patch_type', 'bulletin_id'],
];

describe('both views show one matrix', () => {
  test('the manifest counts and names what a client finds', async () => {
    const server = await simulator();
    const token = await login(server);
    const { bySystem, byPatch } = await allPairs(server, token);
    const { streams } = server.tenant().manifest();
    expect([streams.system_reports?.rows, streams.patch_details?.rows]).toEqual([bySystem.length, byPatch.length]);
    expect(bySystem.sort()).toEqual([...idsOf(server, 'system_reports')].sort());
    expect(byPatch.sort()).toEqual([...idsOf(server, 'patch_details')].sort());
    const systems = new Set(idsOf(server, 'systems'));
    expect(byPatch.filter((pair) => systems.has(pair.split('/')[0] ?? ''))).toEqual(bySystem);
    expect(byPatch.length).toBeGreaterThan(bySystem.length - 1);
  });

  test('they agree on each pair, and with the counts of the patch', async () => {
    const server = await simulator();
    const token = await login(server);
    const patches = (await sweep(server, token, ALL_PATCHES, 1_000)).flatMap((page) => page.rows);
    const reports = new Map<string, Json>();
    for (const system of idsOf(server, 'systems')) {
      for (const row of await report(server, token, system)) reports.set(`${system}/${row.patch_id}`, row);
    }
    for (const patch of patches) {
      const rows = await details(server, token, patch.patch_id);
      const having = (code: number) => rows.filter((row) => row.affected_patch_status === code).length;
      expect([having(201), having(202) + having(206), having(206)].map(String)).toEqual([
        patch.installed,
        patch.missing,
        patch.failed,
      ]);
      for (const row of rows) {
        const other = reports.get(`${row.resource_id}/${patch.patch_id}`);
        if (other) expect(SHARED.map((name) => row[name])).toEqual(SHARED.map((name) => other[name]));
        expect([String(row.patch_status), String(row.severity)]).toEqual([patch.status_id, patch.severity]);
      }
    }
  });

  test('a report has as many patches of each severity as allsystems says', async () => {
    const server = await simulator();
    const token = await login(server);
    const matrix = new Set(idsOf(server, 'patch_details').map((pair) => pair.split('/')[0]));
    const systems = (await sweep(server, token, ALL_SYSTEMS, 1_000)).flatMap((page) => page.rows);
    const known = systems.filter((row) => matrix.has(String(row.resource_id)));
    expect(known.length).toBeGreaterThan(150);
    for (const system of known) {
      const missing = (await report(server, token, system.resource_id)).filter(
        (row) => row.affected_patch_status !== 201,
      );
      const severe = (code: number) => missing.filter((row) => row.severity === code).length;
      expect([severe(4), severe(3)]).toEqual([system.critical_patch_count, system.important_patch_count]);
    }
  });

  test('what is known of a deployment hangs together', async () => {
    const server = await simulator({ profile: 'full' });
    const token = await login(server);
    const rows: Json[] = [];
    for (const system of idsOf(server, 'systems').slice(1_000, 1_060))
      rows.push(...(await report(server, token, system)));
    const states = new Set(rows.map((row) => row.affected_patch_status));
    expect(states).toEqual(new Set([201, 202, 206]));
    for (const row of rows) {
      const deployed = row['collection.collection_name'] !== '--';
      if (row.affected_patch_status === 201) expect(row.deployment_status).toBe(deployed ? 209 : '--');
      if (row.affected_patch_status === 206) expect([row.deployment_status, deployed]).toEqual([206, true]);
      expect(row.installed_time === '--').toBe(row.deployment_status !== 209);
    }
  });
});

test('a report does not name its system, nor do its ids lose digits', async () => {
  const server = await simulator({ scenario: 'precision' });
  const token = await login(server);
  const system = idsOf(server, 'system_reports')[0]?.split('/')[0];
  const { text } = await get(server, token, `${REPORT}?resid=${system}`);
  expect(text).not.toContain(system);
  expect(text).not.toContain('resource_');
  const patch = idsOf(server, 'patch_details')[0]?.split('/')[1];
  const other = await get(server, token, `${DETAILS}?patchid=${patch}&pagelimit=1000`);
  expect(other.text).toMatch(/"resource_id":\d{17},"resource_id_string":"\d{17}"/);
});

test('fields and types of both views', async () => {
  const server = await simulator({ profile: 'full' });
  const token = await login(server);
  const pairs = idsOf(server, 'system_reports');
  const [system] = pairs[60_000]?.split('/') ?? [];
  const popular = idsOf(server, 'patches').at(7);
  const names = (rows: readonly Json[]) => [...new Set(rows.flatMap((row) => Object.keys(row)))].sort();
  expect(names(await report(server, token, system))).toEqual(
    [
      ...['patch_id', 'installpatchstatus.patch_id', 'customerpatchstatus.patch_id', 'patch_name', 'patch_description'],
      ...['bulletin_id', 'patch_status', 'affected_patch_status', 'severity', 'pmseverity.name', 'deployment_status'],
      ...['install_error_code', 'deploy_remarks', 'installed_time', 'patch_released_time', 'patch_updated_time'],
      ...['patch_supported_time', 'update_id', 'update_name', 'patch_type', 'patch_noreboot', 'patch_uninstall_status'],
      ...['vendor_name', 'platform', 'platform_name', 'download_status', 'collection.collection_name'],
    ].sort(),
  );
  expect(names(await details(server, token, popular))).toEqual(
    [
      ...['resource_id', 'resource_id_string', 'resource_name', 'domain_netbios_name', 'branch_office_name'],
      ...['customer_name', 'ip_address', 'mac_address', 'os_name', 'service_pack', 'agent_version', 'patch_id'],
      ...['bulletin_id', 'severity', 'pmseverity.name', 'patch_status', 'affected_patch_status', 'deployment_status'],
      ...['install_error_code', 'deploy_remarks', 'installed_time', 'patch_released_time', 'patch_updated_time'],
      ...['patch_supported_time', 'update_name', 'patch_type', 'patch_size', 'collection_name', 'config_id'],
    ].sort(),
  );
});

test('pages of a report, by the size asked for', async () => {
  const server = await simulator();
  const token = await login(server);
  const counts = new Map<string, number>();
  for (const pair of idsOf(server, 'system_reports')) {
    const [system = ''] = pair.split('/');
    counts.set(system, (counts.get(system) ?? 0) + 1);
  }
  const [system, count] = [...counts].sort((a, b) => b[1] - a[1])[0] ?? ['', 0];
  expect(count).toBeGreaterThan(50);
  const first = readPage(await get(server, token, `${REPORT}?resid=${system}`));
  expect([first.total, first.limit, first.rows.length]).toEqual([count, 25, 25]);
  expect(await rowsOf(server, token, `${REPORT}?resid=${system}`, 7)).toEqual(await report(server, token, system));
  const beyond = readPage(await get(server, token, `${REPORT}?resid=${system}&page=99`));
  expect([beyond.total, beyond.rows]).toEqual([count, []]);
});

test.each([
  ['systemreport', 'resid', REPORT],
  ['allpatchdetails', 'patchid', DETAILS],
])('%s without %s, or with one that nobody has', async (key, parameter, path) => {
  const server = await simulator();
  const token = await login(server);
  for (const query of ['', `?${parameter}=`]) {
    const refused = await get(server, token, path + query);
    expect(refused.status).toBe(200);
    expect(refused.json()).toMatchObject({
      status: 'error',
      error_description: `The parameter ${parameter} is mandatory`,
    });
    expect(refused.text).not.toContain('message_response');
  }
  for (const id of ['1', 'x', '40000000000000000', '0600000']) {
    const empty = (await get(server, token, `${path}?${parameter}=${id}`)).json();
    expect(empty).toMatchObject({ message_type: key, message_response: { total: 0, [key]: [] } });
  }
  const wrong = await get(server, token, `${path}?${parameter}=1&resource=2`);
  expect([wrong.status, wrong.json().errorCode]).toEqual([400, 'IAM0028']);
});

test('an id beside that of a system is nobody', async () => {
  const server = await simulator();
  const token = await login(server);
  const last = idsOf(server, 'systems').find((id) => id.endsWith('3')) ?? '';
  expect((await report(server, token, last)).length).toBeGreaterThan(0);
  for (const distance of [1n, 2n, 5n, 36n]) expect(await report(server, token, BigInt(last) + distance)).toEqual([]);
});

test('systems without patches have an empty report', async () => {
  const server = await simulator({ profile: 'full' });
  const token = await login(server);
  const having = new Set(idsOf(server, 'system_reports').map((pair) => pair.split('/')[0]));
  const without = idsOf(server, 'systems').filter((id) => !having.has(id));
  expect(without.length).toBeGreaterThanOrEqual(20);
  expect(await report(server, token, without[0])).toEqual([]);
});

describe('when members leave and join', () => {
  test('both views follow', async () => {
    const server = await simulator();
    const tenant = server.tenant();
    const token = await login(server);
    const before = idsOf(server, 'patch_details').length;
    tenant.shrink('scandetails', 20);
    tenant.shrink('allpatches', 20);
    tenant.grow('allsystems', 5, 'start');
    tenant.grow('allpatches', 5);
    expect(idsOf(server, 'patch_details').length).not.toBe(before);
    const { bySystem, byPatch } = await allPairs(server, token);
    expect(bySystem.sort()).toEqual([...idsOf(server, 'system_reports')].sort());
    expect(byPatch.sort()).toEqual([...idsOf(server, 'patch_details')].sort());
    const gone = tenant.manifest({ ids: true }).streams.systems?.removed ?? [];
    expect(gone).toHaveLength(20);
    expect(byPatch.filter((pair) => gone.includes(pair.split('/')[0] ?? ''))).toEqual([]);
    const joined = idsOf(server, 'all_systems').slice(0, 5);
    expect(byPatch.filter((pair) => joined.includes(pair.split('/')[0] ?? '')).length).toBeGreaterThan(0);
  });

  test('a system that left has an empty report', async () => {
    const server = await simulator();
    const token = await login(server);
    server.tenant().shrink('scandetails', 100);
    const [gone] = server.tenant().manifest({ ids: true }).streams.systems?.removed ?? [];
    expect(await report(server, token, gone)).toEqual([]);
  });
});

describe('faults at one report', () => {
  async function busiest(): Promise<{ server: ManageEngine; token: string; system: string }> {
    const server = await simulator();
    const systems = idsOf(server, 'system_reports').map((pair) => pair.split('/')[0] ?? '');
    const counts = Map.groupBy(systems, (system) => system);
    const [[system] = ['']] = [...counts].sort((a, b) => b[1].length - a[1].length);
    return { server, token: await login(server), system };
  }

  test('a rule may mean one system only', async () => {
    const { server, token, system } = await busiest();
    server
      .tenant()
      .addFault({ match: { path: '/systemreport$', query: { resid: system } }, action: { type: 'error500' } });
    const status = async (id: string) => (await get(server, token, `${REPORT}?resid=${id}`)).status;
    expect(await status(system)).toBe(500);
    expect(await status(idsOf(server, 'systems').find((id) => id !== system) ?? '')).toBe(200);
  });

  test('attempts are counted per system', async () => {
    const { server, token } = await busiest();
    server.tenant().addFault({ match: { path: '/systemreport$', attempts: 1 }, action: { type: 'burst503' } });
    const [one, other] = idsOf(server, 'systems');
    const statuses = [];
    for (const id of [one, other, one, other])
      statuses.push((await get(server, token, `${REPORT}?resid=${id}`)).status);
    expect(statuses).toEqual([503, 503, 200, 200]);
  });

  test('rows repeat and move, and the total does not', async () => {
    const { server, token, system } = await busiest();
    const before = await report(server, token, system);
    server
      .tenant()
      .addFault({ match: { pages: [1, 1] }, times: 1, action: { type: 'duplicateAcrossPages', count: 3 } });
    const first = readPage(await get(server, token, `${REPORT}?resid=${system}&pagelimit=10`));
    const second = readPage(await get(server, token, `${REPORT}?resid=${system}&pagelimit=10&page=2`));
    const ids = (rows: readonly Json[]) => rows.map((row) => row.patch_id);
    expect(ids(second.rows.slice(0, 3))).toEqual(ids(first.rows.slice(-3)));
    expect(second.total).toBe(before.length);
    server.tenant().addFault({ match: { pages: [1, 1] }, times: 1, action: { type: 'moveSystem' } });
    const third = readPage(await get(server, token, `${REPORT}?resid=${system}&pagelimit=10`));
    const again = readPage(await get(server, token, `${REPORT}?resid=${system}&pagelimit=10`));
    expect(ids(again.rows)).not.toEqual(ids(third.rows));
    expect(ids(await report(server, token, system))).toHaveLength(before.length + 3);
  });

  test('a disturbed report still loses patches that leave and gains those that join', async () => {
    const { server, token, system } = await busiest();
    server.tenant().addFault({ times: 1, action: { type: 'duplicateAcrossPages', count: 3 } });
    await get(server, token, `${REPORT}?resid=${system}&pagelimit=10`);
    server.tenant().shrink('allpatches', 100);
    server.tenant().grow('allpatches', 100);
    const found = new Set((await report(server, token, system)).map((row) => `${system}/${row.patch_id}`));
    const truth = idsOf(server, 'system_reports').filter((pair) => pair.startsWith(`${system}/`));
    expect([...found].sort()).toEqual(truth.sort());
    expect(truth.some((pair) => Number(pair.split('/')[1]) >= 600_262)).toBe(true);
  });

  test('shrinkTotal takes patches from everywhere', async () => {
    const { server, token, system } = await busiest();
    const total = (await report(server, token, system)).length;
    const patches = server.tenant().manifest().streams.patches?.rows ?? 0;
    server.tenant().addFault({ times: 1, action: { type: 'shrinkTotal', count: 4 } });
    await get(server, token, `${REPORT}?resid=${system}&pagelimit=10`);
    expect(await report(server, token, system)).toHaveLength(total - 4);
    expect(server.tenant().manifest().streams.patches?.rows).toBe(patches - 4);
  });

  test('growTotal at a patch brings systems, to every list', async () => {
    const { server, token } = await busiest();
    const [patch] = idsOf(server, 'patches');
    server.tenant().addFault({ times: 1, action: { type: 'growTotal', count: 6 } });
    await get(server, token, `${DETAILS}?patchid=${patch}`);
    expect(server.tenant().manifest().streams).toMatchObject({ systems: { rows: 174 }, som_computers: { rows: 176 } });
    expect((await sweep(server, token, SCAN, 1_000))[0]?.total).toBe(174);
  });
});
