/** Systems with their patches as they come, and what becomes of odd ones. */
import { describe, expect, it } from 'vitest';
import { fixture, readReport } from './dcapi-extraction.ts';

const COMMON = { snapshot_id: 7, extracted_at: '2026-01-15T12:00:00Z' };

describe('a page as ManageEngine documents it', () => {
  it('becomes a system per row and a mapping per patch', async () => {
    const body = await fixture('dcapi-systemreport-patches');
    const { output, pages } = await readReport(() => body);
    expect(output.code, output.summary).toBe(0);
    expect(pages).toEqual([1]);
    expect(output.records('dcapi_systems')).toEqual([
      {
        resource_id: '40000000012345',
        resource_name: 'WS-0001',
        fqdn_name: 'ws-0001.example.invalid',
        ip_address: '192.0.2.17',
        os_name: 'Windows 11 Professional Edition (x64)',
        branch_office_name: 'Branch Alpha',
        patch_count: 2,
        ...COMMON,
      },
      {
        resource_id: '40000000012346',
        resource_name: 'WS-0002',
        fqdn_name: null,
        ip_address: null,
        os_name: null,
        branch_office_name: null,
        patch_count: 0,
        ...COMMON,
      },
    ]);
    expect(output.records('patch_system_mapping')).toEqual([
      {
        resource_id: '40000000012345',
        patch_id: '600123',
        patchname: 'example-tool-4.2-x64.exe',
        severity: 'Important',
        patch_status: 'Installed',
        bulletinid: 'TU-9001',
        vendor_name: 'ExampleVendor',
        installed_time: '2023-11-14T22:13:20Z',
        ...COMMON,
      },
      {
        resource_id: '40000000012345',
        patch_id: '600456',
        patchname: 'windows-x64-kb9900001.msu',
        severity: 'Critical',
        patch_status: 'Missing',
        bulletinid: 'EX24-0101',
        vendor_name: 'ExampleVendor',
        installed_time: null,
        ...COMMON,
      },
    ]);
    expect(output.events('schema_drift')).toEqual([]);
  });

  it('tells the books of both streams', async () => {
    const body = await fixture('dcapi-systemreport-patches');
    const { output } = await readReport(() => body);
    const runs = Object.fromEntries(output.table('endpoint_runs').map(({ stream, ...rest }) => [stream, rest]));
    expect(runs).toMatchObject({
      dcapi_systems: { status: 'ok', rows: 2, total: 2, pages: 1, gaps: 0 },
      patch_system_mapping: { status: 'ok', rows: 2, total: null, pages: 1, gaps: 0 },
      dcapi_patches: { status: 'skipped', rows: null },
      dcapi_vulnerabilities: { status: 'skipped' },
      system_vulnerabilities: { status: 'skipped' },
    });
    expect(output.table('dcapi_extraction_checkpoints')).toMatchObject([
      { stream: 'dcapi_systems', last_page: 1, systems_extracted: 2, patches_extracted: 2, coverage_pct: 100 },
    ]);
    expect(output.messages.filter(({ type }) => type === 'ACTIVATE_VERSION')).toEqual([
      { type: 'ACTIVATE_VERSION', stream: 'dcapi_systems', version: 7 },
      { type: 'ACTIVATE_VERSION', stream: 'patch_system_mapping', version: 7 },
    ]);
  });
});

describe('rows alone, without anything around them', () => {
  const systems = (from: number, count: number) =>
    JSON.stringify({
      systemreport: Array.from({ length: count }, (_, at) => ({
        resource_id: String(from + at),
        patches: [{ patch_id: '1' }],
      })),
    });

  it('are read like any other page', async () => {
    const body = await fixture('dcapi-bare');
    const { output } = await readReport((page) => (page === 1 ? body : '{"systemreport":[]}'));
    expect(output.code, output.summary).toBe(0);
    expect(
      output.table('patch_system_mapping').map(({ patch_id, installed_time }) => [patch_id, installed_time]),
    ).toEqual([
      ['10044', '2021-10-18T14:38:10Z'],
      ['10045', null],
    ]);
  });

  it.each([
    ['a short page', (page: number) => systems(page * 5, page < 4 ? 5 : 2), 17],
    ['an empty page', (page: number) => systems(page * 5, page < 4 ? 5 : 0), 15],
    ['the first page again', (page: number) => systems(page < 4 ? page * 5 : 5, 5), 15],
  ])('end with %s', async (_what, answer, count) => {
    const { output, pages } = await readReport((page) => answer(page), { pages_per_run: 0 });
    expect(output.code, output.summary).toBe(0);
    expect(Math.max(...pages)).toBe(4);
    expect(output.table('dcapi_systems')).toHaveLength(count);
    expect(output.table('snapshots')).toMatchObject([{ status: 'complete', coverage_pct: 100 }]);
    expect(output.table('dcapi_extraction_checkpoints')).toMatchObject([{ total_systems: count }]);
  });

  it('lose none when a page in the middle fails for a while', async () => {
    const failing = new Set([3]);
    const { output } = await readReport((page) => (failing.delete(page) ? '' : systems(page * 5, page < 6 ? 5 : 2)), {
      pages_per_run: 0,
      max_attempts: 1,
    });
    expect(output.table('dcapi_systems')).toHaveLength(27);
    expect(output.table('snapshots')).toMatchObject([{ status: 'complete' }]);
  });
});

describe('odd rows', () => {
  it('are read as far as they make sense, and the rest is counted', async () => {
    const body = await fixture('dcapi-odd-rows');
    const { output } = await readReport(() => body);
    expect(output.table('dcapi_systems').map(({ resource_id, patch_count }) => [resource_id, patch_count])).toEqual([
      ['52500000000000001', 0],
      ['52500000000000003', 0],
      ['3', 0],
      ['4', 3],
      ['5', 0],
    ]);
    expect(
      output
        .table('patch_system_mapping')
        .map(({ resource_id, patch_id, patch_status, installed_time }) =>
          [resource_id, patch_id, patch_status, installed_time].join(' '),
        ),
    ).toEqual(['4 600001 Failed 2023-11-14T22:13:21Z', '4 600002 Installed ', '4 600003 Missing ']);
    // Two and five: what is short of the total is looked at twice.
    expect(output.events('bad_rows').map(({ stream, rows }) => [stream, rows])).toEqual([
      ['dcapi_systems', 4],
      ['patch_system_mapping', 10],
    ]);
    expect(output.events('unreadable_value')).toEqual([]);
    expect(output.events('systems_without_patches')).toMatchObject([{ level: 'WARNING', systems: 4 }]);
    // Two rows of seven are no systems: what the server reports was not read whole.
    expect(output.messages.filter(({ type }) => type === 'ACTIVATE_VERSION')).toEqual([]);
  });

  it.each(['"3"', '3'])('a total of %s is a number', async (total) => {
    const rows = '[{"resource_id":"1"},{"resource_id":"2"},{"resource_id":"3"}]';
    const body = `{"metadata":{"pageLimit":"30","totalRecords":${total}},"message_response":{"systemreport":${rows}}}`;
    const { output } = await readReport(() => body);
    expect(output.code).toBe(0);
    expect(output.table('dcapi_extraction_checkpoints')).toMatchObject([{ total_systems: 3, total_pages: 1 }]);
  });

  it('a system that is all nonsense stops nobody', async () => {
    const { output } = await readReport(
      () => '{"metadata":{"totalRecords":1},"message_response":{"systemreport":[7]}}',
    );
    expect(output.events('bad_rows')).toMatchObject([{ stream: 'dcapi_systems' }]);
    expect(output.table('dcapi_extraction_gaps')).toMatchObject([{ page_num: 1, error_type: 'empty_response' }]);
  });
});

describe('a page that breaks off', () => {
  const rows = Array.from({ length: 30 }, (_, at) => ({
    resource_id: String(at + 1),
    patches: Array.from({ length: 50 }, (_each, patch) => ({ patch_id: String(patch), patchname: 'x'.repeat(400) })),
  }));
  const whole = JSON.stringify({
    metadata: { totalRecords: 30, pageLimit: 30 },
    message_response: { systemreport: rows },
  });
  const large = JSON.stringify({
    metadata: { totalRecords: 30, pageLimit: 30 },
    message_response: { systemreport: rows.map((row) => ({ ...row, padding: 'x'.repeat(100_000) })) },
  });

  it.each([
    ['small', whole],
    ['large', large],
  ])('leaves nothing behind, and comes once when it is whole (%s)', async (_size, text) => {
    let asked = 0;
    const { output } = await readReport(() => {
      asked += 1;
      return asked < 3 ? text.slice(0, -200) : text;
    });
    expect(output.code, output.summary).toBe(0);
    expect(output.records('dcapi_systems')).toHaveLength(30);
    expect(output.records('patch_system_mapping')).toHaveLength(1_500);
  });

  it('for good is a gap without a row', async () => {
    const { output } = await readReport(() => large.slice(0, -200));
    expect(output.records('dcapi_systems')).toEqual([]);
    expect(output.records('patch_system_mapping')).toEqual([]);
    expect(output.code).toBe(1);
  });
});
