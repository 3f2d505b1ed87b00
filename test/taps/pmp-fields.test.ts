/** Recorded answers to records, endpoint by endpoint: every declared field is found, and each trap is read as declared. */
import { readFileSync } from 'node:fs';
import { describe, expect, it, test } from 'vitest';
import { compileSchema } from '../../singer/check.ts';
import { type Json, parseLossless, type Row } from '../../singer/lossless.ts';
import type { JsonSchema } from '../../singer/messages.ts';
import { driftOf } from '../../taps/manageengine/drift.ts';
import { publishedSchema, recordReader } from '../../taps/manageengine/records.ts';
import { STREAMS } from '../../taps/pmp/streams.ts';

const SNAPSHOT = { snapshot_id: 1_768_478_400, extracted_at: '2026-01-15T12:00:00Z' };

type VendorRow = { readonly [key: string]: Json };

/** Stream, recorded answer, the key of its rows; what a request's parameter adds to a row. */
const ANSWERS: readonly (readonly [string, string, string, VendorRow?])[] = [
  ['systems', 'scandetails', 'scandetails'],
  ['all_systems', 'allsystems', 'allsystems'],
  ['patches', 'allpatches', 'allpatches'],
  ['installed_patches', 'installedpatches', 'installedpatches'],
  ['missing_patches', 'missingpatches', 'missingpatches'],
  ['supported_patches', 'supportedpatches', 'supportedpatches'],
  ['patch_summary', 'summary', 'summary'],
  ['health_policy', 'healthpolicy', 'healthpolicy'],
  ['approval_settings', 'approvalsettings', 'approvalsettings'],
  ['db_update_status', 'dbupdatestatus', 'dbupdatestatus'],
  ['som_summary', 'som-summary', 'summary'],
  ['deployment_policies', 'deploymentpolicies', 'deploymentpolicies'],
  ['view_configurations', 'viewconfig', 'viewconfig'],
  ['som_computers', 'som-computers', 'computers'],
  ['remote_offices', 'som-remoteoffice', 'remoteoffice'],
  ['system_reports', 'systemreport', 'systemreport', { resource_id: '40000000012345' }],
  ['patch_details', 'allpatchdetails', 'allpatchdetails'],
  ['vulnerabilities', 'vulnerabilities', 'vulnerabilities'],
  ['deployment_tasks', 'deploymenttasks', 'deployment_tasks'],
  ['patch_groups', 'patchgroups', 'patch_groups'],
];

function file(path: string): string {
  return readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8');
}

interface Converted {
  readonly schema: JsonSchema;
  readonly rows: readonly VendorRow[];
  readonly records: readonly (Row | undefined)[];
  readonly unreadable: readonly string[];
}

function convert(stream: string): Converted {
  const [name, answer, data, added] = ANSWERS.find(([each]) => each === stream) ?? ['', '', ''];
  const schema = JSON.parse(file(`schemas/pmp/${name}.json`)) as JsonSchema;
  const body = parseLossless(file(`test/fixtures/manageengine/${answer}.json`)) as { message_response: VendorRow };
  const rows = [body.message_response[data] as VendorRow | readonly VendorRow[]]
    .flat()
    .map((row) => ({ ...row, ...added }));
  const key = STREAMS.find((each) => each.name === name)?.key ?? [];
  const unreadable: string[] = [];
  const read = recordReader(schema, key, SNAPSHOT, (property) => unreadable.push(property));
  return { schema, rows, records: rows.map(read), unreadable };
}

test('every stream has a recorded answer', () => {
  expect(ANSWERS.map(([name]) => name)).toEqual(STREAMS.map(({ name }) => name));
});

describe.each(ANSWERS.map(([name]) => ({ name })))('$name', ({ name }) => {
  const { schema, rows, records, unreadable } = convert(name);

  it('finds every declared field in the first row', () => {
    const empty = Object.entries(records[0] ?? {}).filter(([, value]) => value === null);
    expect(empty).toEqual([]);
    expect(Object.keys(records[0] ?? {}).sort()).toEqual(Object.keys(schema.properties ?? {}).sort());
  });

  it('knows every field that is sent', () => {
    expect(driftOf(schema, rows)).toEqual({ unknown: [], missing: [] });
  });

  it('reads every row into a record that fits the published schema', () => {
    const check = compileSchema(publishedSchema(schema));
    expect(records.map((record) => check(record))).toEqual(rows.map(() => []));
    expect(unreadable).toEqual([]);
  });
});

/** Stream, row of its recorded answer, columns of the record. */
const TRAPS: readonly (readonly [string, number, Row])[] = [
  [
    'installed_patches',
    1,
    {
      patch_id: '600124',
      patch_description: null,
      severity: 4,
      update_id: 0,
      status_id: 212,
      installed: 12,
      patch_released_time: '2023-07-22T04:26:40Z',
      superceded_by: null,
      download_status: null,
    },
  ],
  [
    'missing_patches',
    1,
    { severity: 4, status_id: 0, missing: 7, failed: null, patch_released_time: null, superceded_by: '600126' },
  ],
  [
    'supported_patches',
    1,
    { patch_id: '600127', update_id: 9, patch_lang: null, platform: 3, is_superceded: true, patch_size: 0 },
  ],
  ['supported_patches', 0, { is_superceded: false, patch_updated_time: '2023-07-23T08:13:20Z' }],
  [
    'deployment_policies',
    1,
    {
      template_id: '52500000000000001',
      user_id: '52500000000000003',
      customer_id: '52500000000000007',
      creation_time: '2025-01-01T00:00:00Z',
      modified_time: null,
      set_as_default: false,
      is_template_alive: true,
      scriptaction__platform_id: null,
    },
  ],
  ['view_configurations', 0, { config_id: '50000000000021', collection_id: '51000000000031' }],
  [
    'view_configurations',
    1,
    {
      config_id: '52500000000000011',
      collection_id: '52500000000000011',
      customer_id: '52500000000000007',
      collectionstatus__status: '15',
      collection_platform_id: 2,
      collectionstatussummary__total_target_count: null,
      collectionstatussummary__success_count: 0,
      collectionstatussummary__yet_to_apply_count: 3,
      collection__modified_time: '2026-01-14T02:00:00Z',
    },
  ],
  [
    'som_computers',
    1,
    {
      resource_id: '52500000000000001',
      full_name: null,
      managedcomputer__friendly_name: null,
      branch_office_id: '52500000000000005',
      ip_address: null,
      agent_installed_on: null,
      computer_live_status: 3,
      installation_status: 21,
      managed_status: 62,
    },
  ],
  [
    'remote_offices',
    1,
    {
      branch_office_id: 'Local Office',
      managed_computers: 5,
      resource_id: null,
      is_https: null,
      has_masteragent: false,
      customer_id: '52500000000000007',
    },
  ],
  [
    'remote_offices',
    2,
    {
      branch_office_id: '52500000000000005',
      managed_computers: 0,
      resource_id: '52500000000000009',
      is_https: true,
      is_proxy: false,
      has_masteragent: true,
    },
  ],
  ['system_reports', 0, { resource_id: '40000000012345', install_error_code: -1, affected_patch_status: 201 }],
  [
    'system_reports',
    1,
    {
      patch_id: '600124',
      severity: 4,
      pmseverity__name: 'Critical',
      patch_status: 0,
      affected_patch_status: 202,
      deployment_status: null,
      install_error_code: null,
      installed_time: null,
      patch_supported_time: '2023-07-22T18:20:00Z',
      collection__collection_name: null,
    },
  ],
  [
    'patch_details',
    1,
    {
      patch_id: '600123',
      resource_id: '52500000000000001',
      resource_name: 'WS-0002',
      domain_netbios_name: 'WORKGROUP',
      collection_name: 'Example deployment 2',
      ip_address: null,
      affected_patch_status: 206,
      install_error_code: 18,
      config_id: '52500000000000021',
    },
  ],
  ['vulnerabilities', 0, { cve_id: 'CVE-2024-99999', cvss_score: 9.8, patch_ids: ['600123', '600124'] }],
  ['vulnerabilities', 1, { patch_ids: ['600125', '52500000000000013'], description: null, published_date: null }],
  ['vulnerabilities', 2, { cvss_score: null, patch_ids: [] }],
  ['deployment_tasks', 0, { task_id: 'DT-001', executed_time: '2026-01-14T02:05:00Z' }],
  [
    'deployment_tasks',
    1,
    {
      task_id: '52500000000000017',
      target_systems_count: 5,
      scheduled_time: '2026-01-16T02:00:00Z',
      executed_time: null,
      failure_count: null,
      policy_id: null,
    },
  ],
  ['patch_groups', 0, { group_id: '53000000000041', patch_ids: ['600123', '600124'] }],
  ['patch_groups', 1, { group_id: '52500000000000019', group_name: null, patch_ids: null }],
];

test.each(TRAPS)('%s, row %i', (stream, index, expected) => {
  expect(convert(stream).records[index]).toMatchObject(expected);
});
