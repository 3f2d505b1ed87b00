import { describe, expect, test } from 'vitest';
import type { ManageEngine } from '../../simulators/manageengine/server.ts';
import {
  ALL_PATCHES,
  get,
  getAs,
  getThreats,
  type Json,
  login,
  nested,
  SYSTEM_PATCHES,
  simulator,
  sweep,
  sweepThreats,
} from './manageengine-client.ts';

const PATCHES = '/dcapi/threats/patches';
const VULNERABILITIES = '/dcapi/threats/vulnerabilities';
const SYSTEMS = '/dcapi/threats/systemreport/vulnerabilities';
const DETAILS = '/dcapi/threats/detailedinfo/vulnerabilities';

async function rowsOf(server: ManageEngine, token: string, path: string): Promise<Json[]> {
  return (await sweepThreats(server, token, path)).flatMap(({ rows }) => rows);
}

function idsOf(server: ManageEngine, stream: string): readonly string[] {
  return server.tenant().manifest({ ids: true, stream }).streams[stream]?.ids ?? [];
}

function types(rows: readonly Json[], name: string): Set<string> {
  return new Set(rows.map((row) => typeof row[name]));
}

describe('patches', () => {
  test('are those of allpatches, with the same counts', async () => {
    const server = await simulator();
    const token = await login(server);
    const rows = await rowsOf(server, token, PATCHES);
    expect(rows.map(({ patch_id }) => patch_id)).toEqual(idsOf(server, 'dcapi_patches'));
    const others = (await sweep(server, token, ALL_PATCHES, 1_000)).flatMap((page) => page.rows);
    const counts = ({
      patch_id,
      patchname,
      installed_system_count,
      missing_system_count,
      failed_system_count,
    }: Json) => ({
      patch_id,
      patch_name: patchname,
      installed: installed_system_count,
      missing: missing_system_count,
      failed: failed_system_count,
    });
    expect(rows.map(counts)).toMatchObject(
      others.map(({ patch_id, patch_name, installed, missing, failed }) => ({
        patch_id,
        patch_name,
        installed,
        missing,
        failed,
      })),
    );
  });

  test('say of bulletin, vendor and severity what their pairs say', async () => {
    const server = await simulator();
    const token = await login(server);
    const byId = new Map((await rowsOf(server, token, PATCHES)).map((row) => [row.patch_id, row]));
    for (const pair of nested(await rowsOf(server, token, SYSTEM_PATCHES), 'patches')) {
      const { bulletinid, vendor_name, severity, patchname } = byId.get(pair.patch_id) ?? {};
      expect([pair.bulletinid, pair.vendor_name, pair.severity, pair.patchname]).toEqual([
        bulletinid,
        vendor_name,
        severity,
        patchname,
      ]);
    }
  });

  test('fields, and the types of counts and ids', async () => {
    const server = await simulator({ profile: 'full' });
    const token = await login(server);
    const rows = await rowsOf(server, token, PATCHES);
    expect(new Set(rows.flatMap((row) => Object.keys(row)))).toEqual(
      new Set([
        ...['patch_id', 'patchname', 'severity', 'update_type', 'vendor_name', 'kb_number', 'bulletinid', 'cveids'],
        ...['patch_status', 'installed_system_count', 'missing_system_count', 'failed_system_count'],
        ...['patch_released_time', 'approval_status'],
      ]),
    );
    expect(new Set(rows.map((row) => row.patch_status))).toEqual(new Set(['Installed', 'Missing', 'Mixed']));
    expect(rows.some(({ cveids }) => String(cveids).includes(','))).toBe(true);
    const kinds = async () => {
      const page = (await getThreats(server, token, PATCHES, 'pageLimit=100')).rows;
      return [types(page, 'patch_id'), types(page, 'missing_system_count'), types(page, 'patch_released_time')];
    };
    expect(await kinds()).toEqual([new Set(['string']), new Set(['string']), new Set(['string'])]);
    server.tenant().configure({ dcapi_ids: 'numbers', type_mode: 'mixed' });
    const both = new Set(['string', 'number']);
    expect(await kinds()).toEqual([new Set(['number']), both, both]);
  });

  test('filters', async () => {
    const server = await simulator();
    const token = await login(server);
    const all = await rowsOf(server, token, PATCHES);
    const asked = async (query: string) => {
      const { metadata, rows } = await getThreats(server, token, PATCHES, `pageLimit=100&${query}`);
      expect(rows.length).toBeGreaterThan(0);
      expect(rows.length).toBe(Math.min(100, Number(metadata.totalRecords)));
      return [rows, Number(metadata.totalRecords)] as const;
    };
    const having = (test: (row: Json) => boolean) => {
      const rows = all.filter(test);
      return [rows.slice(0, 100), rows.length] as const;
    };
    expect(await asked('patchStatus=Missing')).toEqual(having((row) => row.missing_system_count !== '0'));
    expect(await asked('patch_status=Failed')).toEqual(having((row) => row.failed_system_count !== '0'));
    expect(await asked('patchStatus=Installed&severity=Low')).toEqual(
      having((row) => row.installed_system_count !== '0' && row.severity === 'Low'),
    );
    const cve = String(all.find((row) => String(row.cveids).includes(','))?.cveids).split(',')[1] ?? '';
    expect(await asked(`cveIds=${cve}`)).toEqual(having((row) => String(row.cveids).split(',').includes(cve)));
    const last = all.at(-1);
    expect(await asked(`patchId=${last?.patch_id}&patchName=${last?.patchname}`)).toEqual([[last], 1]);
    const windows = all.find((row) => row.kb_number !== '--');
    expect(await asked(`kbNumber=${windows?.kb_number}`)).toEqual([[windows], 1]);
    expect(await asked('updateType=Third%20Party%20Updates')).toEqual(
      having((row) => row.update_type === 'Third Party Updates'),
    );
    expect((await getThreats(server, token, PATCHES, 'severity=Dire')).metadata.totalRecords).toBe('0');
  });
});

describe('vulnerabilities', () => {
  test.each([
    ['10022', 200, '"error_code":"10022"'],
    ['404', 404, '"error_code":"10022"'],
    ['html', 200, '<form'],
  ])('a server without the module: %s', async (vuln, status, text) => {
    const server = await simulator({ scenario: 'seed-paths' });
    server.tenant().configure({ vuln });
    const token = await login(server);
    for (const path of [VULNERABILITIES, SYSTEMS, DETAILS]) {
      const reply = await get(server, token, path);
      expect([reply.status, reply.text]).toEqual([status, expect.stringContaining(text)]);
    }
    const { streams } = server.tenant().manifest();
    expect(Object.keys(streams).filter((name) => name.includes('vuln'))).toEqual(['vulnerabilities']);
    expect((await get(server, token, PATCHES)).status).toBe(200);
  });

  async function withModule(): Promise<{ server: ManageEngine; token: string }> {
    const server = await simulator();
    server.tenant().configure({ vuln: 'on', seed_paths: 'shape' });
    return { server, token: await login(server) };
  }

  test('900 in profile full, 45 in small', async () => {
    const counts = async (profile: string) => {
      const server = await simulator({ profile });
      server.tenant().configure({ vuln: 'on' });
      return server.tenant().manifest().streams.dcapi_vulnerabilities?.rows;
    };
    expect([await counts('full'), await counts('small')]).toEqual([900, 45]);
  });

  test('each has the CVE, the score and the patches of the other list', async () => {
    const { server, token } = await withModule();
    const rows = await rowsOf(server, token, VULNERABILITIES);
    expect(rows.map((row) => row.vulnerabilityid)).toEqual(idsOf(server, 'dcapi_vulnerabilities'));
    const others = (await get(server, token, '/api/1.4/patch/vulnerabilities?pagelimit=1000')).json();
    const seeds = (others.message_response as Record<string, Json[]>).vulnerabilities ?? [];
    expect(rows.map((row) => row.cveids)).toEqual(seeds.map((row) => row.cve_id));
    const closing = new Map<unknown, string[]>();
    for (const { patch_id, cveids } of await rowsOf(server, token, PATCHES)) {
      for (const cve of String(cveids).split(',')) closing.set(cve, [...(closing.get(cve) ?? []), String(patch_id)]);
    }
    for (const { cve_id, patch_ids, cvss_score } of seeds) {
      expect(closing.get(cve_id)).toEqual((patch_ids as number[]).map(String).sort());
      const score = rows.find(({ cveids }) => cveids === cve_id)?.cvss_3_score;
      if (typeof score === 'string' && score !== '--') expect(Number(score)).toBe(cvss_score);
    }
    expect(new Set(rows.flatMap((row) => Object.keys(row)))).toEqual(
      new Set([
        ...['vulnerabilityid', 'vulnerabilityname', 'severity', 'cveids', 'cvss_2_score', 'cvss_3_score'],
        ...['publishedtime', 'updatedtime', 'exploit_status', 'solution', 'reboot_required', 'patch_availability'],
        'os_platform',
      ]),
    );
  });

  test('are open on the systems that lack a patch against them', async () => {
    const { server, token } = await withModule();
    const closed = new Map((await rowsOf(server, token, PATCHES)).map(({ patch_id, cveids }) => [patch_id, cveids]));
    const ids = new Map((await rowsOf(server, token, VULNERABILITIES)).map((row) => [row.cveids, row.vulnerabilityid]));
    const expected = new Set<string>();
    for (const { resource_id, patch_id, patch_status } of nested(
      await rowsOf(server, token, SYSTEM_PATCHES),
      'patches',
    )) {
      if (patch_status === 'Installed') continue;
      for (const cve of String(closed.get(patch_id)).split(',')) {
        if (ids.has(cve)) expected.add(`${resource_id}/${ids.get(cve)}`);
      }
    }
    const open = nested(await rowsOf(server, token, SYSTEMS), 'vulnerabilities');
    const keys = open.map((row) => `${row.resource_id}/${row.vulnerabilityid}`);
    expect(keys).toEqual(idsOf(server, 'system_vulnerabilities'));
    expect(keys.length).toBe(server.tenant().manifest().streams.system_vulnerabilities?.rows);
    expect([...expected].sort()).toEqual([...keys].sort());
    expect(keys.length).toBeGreaterThan(200);
    const missing = new Set(idsOf(server, 'missing_patches'));
    expect(open.filter(({ patch }) => !missing.has(String(patch)))).toEqual([]);
    expect(new Set(open.map((row) => row.vulnerability_status))).toEqual(new Set(['open']));
    const one = String(open[0]?.resource_id);
    const { rows } = await getThreats(server, token, SYSTEMS, `resource_id=${one}`);
    expect(nested(rows, 'vulnerabilities')).toEqual(open.filter(({ resource_id }) => resource_id === one));
  });

  test('go when their systems, their patches or the pairs do', async () => {
    const { server, token } = await withModule();
    const tenant = server.tenant();
    const count = () => idsOf(server, 'system_vulnerabilities').length;
    const counts = [count()];
    for (const leave of [
      () => tenant.shrink('dcapi_systems', 40),
      () => tenant.shrink('allpatches', 60),
      () => tenant.shrinkPairs(2_000),
      () => tenant.shrink('dcapi_vulnerabilities', 20),
    ]) {
      leave();
      counts.push(count());
    }
    expect(counts).toEqual([...counts].sort((a, b) => b - a));
    expect(new Set(counts).size).toBe(5);
    expect(nested(await rowsOf(server, token, SYSTEMS), 'vulnerabilities')).toHaveLength(count());
    expect(await rowsOf(server, token, VULNERABILITIES)).toHaveLength(25);
  });

  async function details(
    server: ManageEngine,
    token: string,
    query: string,
    between = async () => {},
  ): Promise<Json[]> {
    const rows: Json[] = [];
    let cursor: string | null | undefined;
    do {
      const place = cursor === undefined ? '' : `&cursor=${encodeURIComponent(String(cursor))}`;
      const page = await getThreats(server, token, DETAILS, `pageLimit=50&${query}${place}`);
      rows.push(...page.rows);
      cursor = page.metadata.cursor;
      await between();
    } while (cursor !== null);
    return rows;
  }

  test('one by one, by cursor', async () => {
    const { server, token } = await withModule();
    const open = nested(await rowsOf(server, token, SYSTEMS), 'vulnerabilities');
    const rows = await details(server, token, '');
    expect(rows).toMatchObject(open);
    const { metadata } = await getThreats(server, token, DETAILS, 'pageLimit=50');
    expect(metadata).toEqual({
      cursor: expect.any(String),
      pageLimit: 50,
      totalRecords: String(rows.length),
    });
  });

  test('only those that changed since', async () => {
    const { server, token } = await withModule();
    const rows = await details(server, token, '');
    const times = rows.map((row) => Number(row.updatedtime)).sort((a, b) => a - b);
    const since = times[Math.floor(times.length / 2)] ?? 0;
    expect(await details(server, token, `updatedTime=${since}`)).toEqual(
      rows.filter((row) => Number(row.updatedtime) > since),
    );
    expect(await details(server, token, `updatedTime=${times.at(-1)}`)).toEqual([]);
    expect(await details(server, token, 'vulnerabilityStatus=closed')).toEqual([]);
    const published = new Map(
      (await rowsOf(server, token, VULNERABILITIES)).map((row) => [row.vulnerabilityid, Number(row.updatedtime)]),
    );
    for (const row of rows) {
      expect(Number(row.updatedtime)).toBeGreaterThanOrEqual(published.get(row.vulnerabilityid) ?? Infinity);
    }
  });

  test('what comes up later is as new as the moment', async () => {
    const { server, token } = await withModule();
    const before = await details(server, token, '');
    const since = server.tenant().now;
    server.tenant().grow('dcapi_systems', 20);
    const rows = await details(server, token, `updatedTime=${since - 1}`);
    const known = new Set(before.map((row) => `${row.resource_id}/${row.vulnerabilityid}`));
    expect(rows.length).toBeGreaterThan(20);
    expect(rows.filter((row) => known.has(`${row.resource_id}/${row.vulnerabilityid}`))).toEqual([]);
    expect(await details(server, token, '')).toHaveLength(before.length + rows.length);
  });

  test.each([
    ['that was told so', { vuln_changes: false }, 'happy'],
    ['for several customers', {}, 'msp'],
  ])('a server %s does not tell changes', async (_which, settings, scenario) => {
    const server = await simulator({ scenario });
    server.tenant().configure({ vuln: 'on', ...settings });
    const customer = scenario === 'msp' ? `?customername=${encodeURIComponent(server.tenant().customer().name)}` : '';
    const shown = server.tenant().apiToken ?? `Zoho-oauthtoken ${await login(server)}`;
    const ask = async (path: string) => (await getAs(server, shown, `${path}${customer}`)).text;
    expect(await ask(DETAILS)).toContain('"error_code":"10022"');
    expect(await ask(SYSTEMS)).toContain('"systemreport"');
  });

  test('a cursor holds its place when systems leave', async () => {
    const { server, token } = await withModule();
    const rows = await details(server, token, '', async () => server.tenant().shrink('dcapi_systems', 5));
    const keys = rows.map((row) => `${row.resource_id}/${row.vulnerabilityid}`);
    expect(new Set(keys).size).toBe(keys.length);
    const left = idsOf(server, 'system_vulnerabilities');
    expect(left.length).toBeGreaterThan(20);
    expect(left.filter((key) => !keys.includes(key))).toEqual([]);
  });

  test.each([
    ['page=1', 400, 'Unsupported parameter page detected in the request.'],
    ['cursor=nonsense', 200, 'Invalid cursor'],
    ['updatedTime=yesterday', 200, 'Invalid updatedTime'],
  ])('refuses %s', async (query, status, text) => {
    const { server, token } = await withModule();
    const reply = await get(server, token, `${DETAILS}?${query}`);
    expect([reply.status, reply.text]).toEqual([status, expect.stringContaining(text)]);
  });

  test('attempts are counted per cursor', async () => {
    const { server, token } = await withModule();
    server.tenant().addFault({ match: { path: '/detailedinfo/', attempts: 1 }, action: { type: 'burst503' } });
    await get(server, token, DETAILS);
    const cursor = (await getThreats(server, token, DETAILS)).metadata.cursor;
    const status = async () => (await get(server, token, `${DETAILS}?cursor=${cursor}`)).status;
    expect([await status(), await status()]).toEqual([503, 200]);
  });
});
