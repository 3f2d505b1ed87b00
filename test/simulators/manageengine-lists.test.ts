import { expect, test } from 'vitest';
import {
  ALL_PATCHES,
  get,
  getPage,
  type Json,
  login,
  type Page,
  SCAN,
  simulator,
  sweep,
} from './manageengine-client.ts';

const PATCH = '/api/1.4/patch';
const COMPUTERS = '/api/1.4/som/computers';
const OFFICES = '/api/1.4/som/remoteoffice';

function rowsOf(pages: readonly Page[]): Json[] {
  return pages.flatMap((page) => page.rows);
}

test('pages of a list make up the list, and past its end there is nothing or a repetition', async () => {
  const server = await simulator();
  const token = await login(server);
  const pages = await sweep(server, token, COMPUTERS, 40);
  expect(pages.map(({ rows }) => rows.length)).toEqual([40, 40, 40, 40, 10]);
  expect(rowsOf(pages)).toEqual((await getPage(server, token, COMPUTERS, 1, 1_000)).rows);
  expect((await getPage(server, token, COMPUTERS, 6, 40)).rows).toEqual([]);
  server.tenant().configure({ past_end: 'wrap' });
  expect((await getPage(server, token, COMPUTERS, 6, 40)).rows).toEqual(pages[0]?.rows);
});

test('the last page of the catalogue, of 365,487 rows', async () => {
  const server = await simulator({ profile: 'full' });
  const last = await getPage(server, await login(server), `${PATCH}/supportedpatches`, 14_620);
  expect([last.total, last.rows.length, last.ids.at(-1)]).toEqual([365_487, 12, '965486']);
});

test('installed and missing patches are all patches, with their counts', async () => {
  const server = await simulator();
  const token = await login(server);
  const read = async (path: string) => rowsOf(await sweep(server, token, path, 1_000));
  const installed = await read(`${PATCH}/installedpatches`);
  const missing = await read(`${PATCH}/missingpatches`);
  const all = new Map((await read(ALL_PATCHES)).map((row) => [Number(row.patch_id), row]));
  expect(installed.length + missing.length).toBe(all.size);
  for (const row of [...installed, ...missing]) {
    const other = all.get(Number(row.patch_id));
    for (const name of ['installed', 'missing', 'failed', 'severity', 'status_id']) {
      if (name in row) expect([name, row[name]]).toEqual([name, Number(other?.[name])]);
    }
    expect(row.patch_name).toBe(other?.patch_name);
  }
  const summary = (await get(server, token, `${PATCH}/summary`)).json().message_response as { summary: Json };
  expect(summary.summary.patch_summary).toMatchObject({
    installed_patches: installed.length,
    missing_patches: missing.length,
  });
});

test('a patch is the same in the catalogue as among the patches of the systems', async () => {
  const server = await simulator();
  const token = await login(server);
  const { rows } = await getPage(server, token, `${PATCH}/supportedpatches`, 1, 262);
  const all = rowsOf(await sweep(server, token, ALL_PATCHES, 1_000));
  rows.forEach((row, at) => {
    const other = all[at] ?? {};
    expect([String(row.patch_id), row.bulletin_id, String(row.severity), row.update_name]).toEqual([
      other.patch_id,
      other.bulletin_id,
      other.severity,
      other.update_name,
    ]);
  });
});

test('the update type is a category and no key', async () => {
  const server = await simulator();
  const { rows } = await getPage(server, await login(server), `${PATCH}/supportedpatches`, 2, 1_000);
  expect(new Set(rows.map((row) => row.update_id))).toEqual(new Set([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]));
});

test('offices count the systems of scandetails, also after some left', async () => {
  const server = await simulator({ profile: 'full' });
  const token = await login(server);
  const agree = async () => {
    const counts = new Map<unknown, number>();
    for (const row of rowsOf(await sweep(server, token, SCAN, 1_000))) {
      counts.set(row.branch_office_id, (counts.get(row.branch_office_id) ?? 0) + 1);
    }
    const { rows } = await getPage(server, token, OFFICES, 1, 1_000);
    expect(rows).toHaveLength(40);
    for (const row of rows) expect(row.managed_computers).toBe(counts.get(row.branch_office_id) ?? 0);
    return rows.reduce((sum, row) => sum + Number(row.managed_computers), 0);
  };
  const before = await agree();
  server.tenant().shrink('scandetails', 100);
  expect(await agree()).toBeLessThan(before - 50);
});

test('a computer is the same in both of its lists', async () => {
  const server = await simulator();
  const token = await login(server);
  const systems = new Map(rowsOf(await sweep(server, token, SCAN, 1_000)).map((row) => [row.resource_id, row]));
  const computers = rowsOf(await sweep(server, token, COMPUTERS, 1_000));
  const same = ['resource_name', 'os_name', 'branch_office_id', 'computer_live_status', 'agent_installed_on'];
  const known = computers.filter((row) => systems.has(row.resource_id));
  expect(known).toHaveLength(168);
  for (const row of known) {
    const other = systems.get(row.resource_id) ?? {};
    expect(same.map((name) => row[name])).toEqual(same.map((name) => other[name]));
    if (other.ip_address && other.ip_address !== '--')
      expect([other.ip_address, '--', null, undefined]).toContain(row.ip_address);
  }
  const without = computers.filter((row) => row.installation_status === 21);
  expect(without.length).toBeGreaterThan(0);
  expect(without.every((row) => row.agent_installed_on === -1 && row.agent_version === '--')).toBe(true);
});

test('ids of policies, configurations and users exceed 2^53 where the tenant has such ids', async () => {
  const server = await simulator({ profile: 'full', scenario: 'precision' });
  const token = await login(server);
  for (const [path, stream, names] of [
    [`${PATCH}/deploymentpolicies`, 'deployment_policies', ['template_id', 'user_id', 'customer_id']],
    [`${PATCH}/viewconfig`, 'view_configurations', ['collection_id', 'configurationparams.config_id', 'config_id']],
  ] as const) {
    const { text } = await get(server, token, `${path}?pagelimit=1000`);
    for (const name of names) expect(text).toMatch(new RegExp(`"${name}":\\d{17}[,}]`));
    for (const id of server.tenant().manifest({ ids: true }).streams[stream]?.ids ?? []) {
      expect(text).toMatch(new RegExp(`"(?:template_id|config_id|configurationparams.config_id)":${id},`));
    }
  }
});

test('some configurations carry their id under the plain name, most under that of the table', async () => {
  const server = await simulator({ profile: 'full' });
  const { rows } = await getPage(server, await login(server), `${PATCH}/viewconfig`, 1, 1_000);
  expect(rows).toHaveLength(227);
  expect(rows.filter((row) => 'config_id' in row)).toHaveLength(45);
  expect(rows.filter((row) => 'config_id' in row && 'configurationparams.config_id' in row)).toEqual([]);
  for (const row of rows) {
    const count = (name: string) => Number(row[`collectionstatussummary.${name}_count`]);
    const parts = ['success', 'failed', 'yet_to_apply', 'retry_inprogress', 'not_applicable'].map(count);
    expect(parts.reduce((sum, part) => sum + part, 0)).toBe(count('total_target'));
    expect(count('total_target') === 0).toBe(row['collectionstatus.status'] === 'Draft');
  }
});

test('members leave every list of their kind and join those that they belong on', async () => {
  const server = await simulator();
  const tenant = server.tenant();
  const token = await login(server);
  const ids = (stream: string) => tenant.manifest({ ids: true }).streams[stream]?.ids ?? [];
  const rows = (stream: string) => tenant.manifest().streams[stream]?.rows ?? 0;
  tenant.shrink('scandetails', 10);
  expect([rows('systems'), rows('som_computers')]).toEqual([158, 160]);
  const gone = tenant.manifest({ ids: true }).streams.som_computers?.removed ?? [];
  expect(gone).toHaveLength(10);
  expect(ids('som_computers').filter((id) => gone.includes(id))).toEqual([]);
  tenant.grow('missingpatches', 4);
  expect([rows('missing_patches'), rows('patches'), rows('installed_patches')]).toEqual([91, 266, 175]);
  tenant.shrink('allpatches', 30);
  expect(rows('missing_patches') + rows('installed_patches')).toBe(236);
  tenant.grow('supportedpatches', 2, 'start');
  tenant.shrink('supportedpatches', 5);
  expect([rows('supported_patches'), rows('patches')]).toEqual([18_271, 236]);
  for (const [stream, path] of [
    ['som_computers', COMPUTERS],
    ['installed_patches', `${PATCH}/installedpatches`],
    ['missing_patches', `${PATCH}/missingpatches`],
  ] as const) {
    const read = (await sweep(server, token, path)).flatMap((page) => page.ids);
    expect(stream === 'som_computers' ? [...new Set(read)] : read).toEqual(ids(stream));
  }
});

test('seed paths: rows, or one of three refusals, and the manifest follows', async () => {
  const server = await simulator({ scenario: 'no-vuln-module' });
  const token = await login(server);
  const asked = async (seed_paths?: string) => {
    if (seed_paths !== undefined) server.tenant().configure({ seed_paths });
    return get(server, token, `${PATCH}/deploymenttasks`);
  };
  const absent = await asked();
  expect([absent.status, absent.json().error_code]).toEqual([200, '10022']);
  expect(server.tenant().manifest().streams).not.toHaveProperty('deployment_tasks');
  const missing = await asked('404');
  expect([missing.status, missing.json().error_code]).toEqual([404, '10022']);
  const page = await asked('html');
  expect([page.status, page.type]).toEqual([200, 'text/html;charset=UTF-8']);
  expect((await asked('shape')).json()).toMatchObject({ message_type: 'deployment_tasks' });
  expect(server.tenant().manifest().streams).toMatchObject({
    deployment_tasks: { rows: 1 },
    patch_groups: { rows: 1 },
  });
});

test('tasks have ids of both types, and patches that vulnerabilities name exist', async () => {
  const server = await simulator({ profile: 'full', scenario: 'seed-paths' });
  const token = await login(server);
  const tasks = (await getPage(server, token, `${PATCH}/deploymenttasks`, 1)).rows.map((row) => row.task_id);
  expect(tasks.slice(0, 3)).toEqual(['DT-001', 'DT-002', 7_003]);
  const patches = new Set(server.tenant().manifest({ ids: true, stream: 'patches' }).streams.patches?.ids);
  const { rows, total } = await getPage(server, token, `${PATCH}/vulnerabilities`, 1, 1_000);
  expect(total).toBe(900);
  for (const row of rows) {
    const ids = row.patch_ids as number[];
    expect(ids.length).toBeGreaterThan(0);
    expect(ids.length).toBeLessThan(5);
    expect(ids.every((id) => patches.has(String(id)))).toBe(true);
  }
});
