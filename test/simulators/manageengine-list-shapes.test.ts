import { expect, test } from 'vitest';
import { get, getPage, type Json, login, simulator, sweep } from './manageengine-client.ts';

const PATCH = '/api/1.4/patch';
const COMPUTERS = '/api/1.4/som/computers';
const OFFICES = '/api/1.4/som/remoteoffice';

function fields(type: string, names: string): Record<string, string> {
  return Object.fromEntries(names.split(' ').map((name) => [name, type]));
}

const counted = {
  ...fields('number', 'patch_id severity update_id status_id patch_released_time download_status'),
  ...fields('string', 'patch_name patch_description bulletin_id vendor_name update_name platform_name superceded_by'),
};

/** Stream, path, name of the key, rows in profile small, and the JSON type of every field. */
const LISTS: [string, string, string, number, Record<string, string>][] = [
  ['installed_patches', `${PATCH}/installedpatches`, 'patch_id', 175, { ...counted, ...fields('number', 'installed') }],
  ['missing_patches', `${PATCH}/missingpatches`, 'patch_id', 87, { ...counted, ...fields('number', 'missing failed') }],
  [
    'supported_patches',
    `${PATCH}/supportedpatches`,
    'patch_id',
    18_274,
    {
      ...fields('number', 'patch_id update_id platform patch_released_time patch_updated_time'),
      ...fields('number', 'patch_noreboot patch_size'),
      ...fields('string', 'update_name bulletin_id patch_name patch_description patch_lang vendor_name'),
      severity: 'number string',
      is_superceded: 'boolean number',
    },
  ],
  [
    'deployment_policies',
    `${PATCH}/deploymentpolicies`,
    'template_id',
    5,
    {
      ...fields('number', 'template_id user_id customer_id creation_time modified_time scriptaction.platform_id'),
      ...fields('number', 'usertodeploytemplaterel.modified_by'),
      ...fields('string', 'template_name first_name modifieduser.first_name'),
      ...fields('boolean', 'set_as_default is_template_alive'),
    },
  ],
  [
    'view_configurations',
    `${PATCH}/viewconfig`,
    'configurationparams.config_id',
    11,
    {
      ...fields('number', 'configurationparams.config_id config_id collection_id customer_id collection_platform_id'),
      ...fields('number', 'collectionstatussummary.total_target_count collectionstatussummary.success_count'),
      ...fields('number', 'collectionstatussummary.failed_count collectionstatussummary.yet_to_apply_count'),
      ...fields('number', 'collectionstatussummary.retry_inprogress_count collection.modified_time'),
      ...fields('number', 'collectionstatussummary.not_applicable_count'),
      ...fields('string', 'collection.collection_name collectionstatus.status statuslabel os_platform_name'),
      ...fields('string', 'createduser.first_name modifieduser.first_name'),
    },
  ],
  [
    'som_computers',
    COMPUTERS,
    'resource_id',
    170,
    {
      ...fields('number', 'resource_id branch_office_id agent_installed_on agent_last_contact_time last_sync_time'),
      ...fields('number', 'computer_live_status installation_status managed_status'),
      ...fields('string', 'resource_id_string resource_name full_name fqdn_name managedcomputer.friendly_name'),
      ...fields('string', 'domain_netbios_name customer_name branch_office_name os_name os_version service_pack'),
      ...fields('string', 'ip_address mac_address agent_version'),
    },
  ],
  [
    'remote_offices',
    OFFICES,
    'branch_office_id',
    2,
    {
      ...fields('number', 'branch_office_id managed_computers customer_id'),
      ...fields('string', 'branch_office_name resource_id customer_name'),
      ...fields('boolean', 'is_https is_proxy has_masteragent'),
    },
  ],
  [
    'vulnerabilities',
    `${PATCH}/vulnerabilities`,
    'cve_id',
    45,
    {
      ...fields('string', 'cve_id cvss_severity description published_date'),
      cvss_score: 'number',
      patch_ids: 'object',
    },
  ],
  [
    'deployment_tasks',
    `${PATCH}/deploymenttasks`,
    'task_id',
    1,
    {
      ...fields('number', 'target_systems_count scheduled_time executed_time success_count failure_count'),
      ...fields('number', 'pending_count policy_id'),
      ...fields('string', 'task_name task_status execution_status platform_name'),
      task_id: 'string number',
    },
  ],
  [
    'patch_groups',
    `${PATCH}/patchgroups`,
    'group_id',
    1,
    { group_id: 'number', group_name: 'string', patch_ids: 'object' },
  ],
];

test.each(LISTS)('%s: envelope, fields and types', async (stream, path, key, count, types) => {
  const server = await simulator({ scenario: 'seed-paths' });
  const token = await login(server);
  const reply = await get(server, token, `${path}?pagelimit=1000`);
  expect([reply.status, reply.type]).toEqual([200, 'text/plain;charset=UTF-8']);
  expect(reply.json()).toMatchObject({ message_version: '1.4', status: 'success', response_code: 200 });
  const rows: Json[] = (await sweep(server, token, path, 1_000)).flatMap((page) => page.rows);
  expect(rows).toHaveLength(count);
  for (const row of rows) {
    const odd = Object.entries(row).filter(
      ([name, value]) => value !== null && value !== '--' && !types[name]?.split(' ').includes(typeof value),
    );
    expect(odd).toEqual([]);
  }
  const ids = rows.map((row) => String(row[key] ?? row.config_id));
  const truth = server.tenant().manifest({ ids: true, stream }).streams[stream];
  expect([truth?.rows, truth?.ids]).toEqual([count, ids]);
  expect(new Set(ids).size).toBe(count);
});

test('every field of every list occurs in profile full, with each of its types', async () => {
  const server = await simulator({ profile: 'full', scenario: 'seed-paths' });
  const token = await login(server);
  for (const [, path, , , types] of LISTS) {
    const { rows } = await getPage(server, token, path, 1, 1_000);
    expect(new Set(rows.flatMap((row) => Object.keys(row)))).toEqual(new Set(Object.keys(types)));
    for (const [name, known] of Object.entries(types)) {
      // An office has no resource id of its own: it is always a placeholder.
      if (path === OFFICES && name === 'resource_id') continue;
      const values = rows
        .map((row) => row[name])
        .filter((value) => value !== '--' && (value ?? undefined) !== undefined);
      expect([...new Set(values.map((value) => typeof value))].sort()).toEqual(known.split(' ').sort());
    }
  }
});
