/** Settings of tap-plex. The environment names beside TAP_PLEX_… are those that plants already use for their extractors. */
import type { SettingFault, Settings, SettingsSchema } from '../../singer/config.ts';
import { ADVANCED } from './settings-advanced.ts';

/** Streams that are switched together; the names are part of settings. */
export const GROUPS = ['master_data', 'jobs', 'production', 'inventory', 'quality', 'performance'] as const;
export type Group = (typeof GROUPS)[number];

const CONTENTS: Readonly<Record<Group, string>> = {
  master_data: 'buildings, parts, operations, part_operations, boms, workcenters, workcenter_statuses',
  jobs: 'jobs, job_operations',
  production: 'workcenter_status, workcenter_status_entries, production_entries, scrap_entries',
  inventory: 'locations, containers, wip, container_movements',
  quality: 'specifications, checksheets',
  performance: 'oee_metrics',
};

/** Off until the Data Source API is known to work. */
const OFF: readonly Group[] = ['quality', 'performance'];
const INTERVALS: Readonly<Partial<Record<Group, number>>> = { master_data: 86_400, performance: 900 };

function groupSettings(): SettingsSchema['properties'] {
  const enable = GROUPS.map((group) => [
    `enable_${group}`,
    {
      type: 'boolean',
      default: !OFF.includes(group),
      'x-env': [`ENABLE_${group.toUpperCase()}_EXTRACTOR`],
      description: `Read the group ${group}: ${CONTENTS[group]}. A group that is off is never read.`,
    },
  ]);
  const interval = GROUPS.map((group) => [
    `${group}_interval`,
    {
      type: 'integer',
      minimum: 60,
      maximum: 86_400,
      default: INTERVALS[group] ?? 300,
      'x-env': [`${group.toUpperCase()}_EXTRACTION_INTERVAL`],
      description: `Seconds between two readings of the group ${group}, for whoever schedules runs; a run reads what it is asked for.`,
    },
  ]);
  return Object.fromEntries([...enable, ...interval]);
}

const url = (description: string, example: string) => ({
  type: 'string',
  format: 'uri',
  pattern: '^https?://',
  description,
  examples: [example],
});

export const SETTINGS: SettingsSchema = {
  required: ['api_key', 'customer_id'],
  properties: {
    api_key: {
      type: 'string',
      secret: true,
      'x-env': ['PLEX_API_KEY'],
      description: 'Consumer key of the app in the Plex developer portal.',
      examples: ['…'],
    },
    api_secret: {
      type: 'string',
      secret: true,
      'x-env': ['PLEX_API_SECRET'],
      description: 'Consumer secret of the app; sent only when set, because the key is enough for most apps.',
      examples: ['…'],
    },
    customer_id: {
      type: 'string',
      minLength: 1,
      'x-env': ['PLEX_CUSTOMER_ID'],
      description: 'Customer number (PCN) to read, six digits.',
      examples: ['100001'],
    },
    tenant_id: {
      type: 'string',
      minLength: 1,
      description: 'Id of the tenant; sent beside the customer number when set.',
      examples: ['00000000-0000-4000-8000-000000000001'],
    },
    pcn_code: {
      type: 'string',
      pattern: '^[A-Za-z0-9-]+$',
      'x-env': ['PLEX_PCN_CODE'],
      description: "Company code in words: makes the address of the tenant's own Data Source host.",
      examples: ['example-plant'],
    },
    ds_username: {
      type: 'string',
      'x-env': ['PLEX_DS_USERNAME'],
      description: 'Web-service user of the Data Source API; absent switches its streams off.',
      examples: ['reader@example.invalid'],
    },
    ds_password: {
      type: 'string',
      secret: true,
      'x-env': ['PLEX_DS_PASSWORD'],
      description: 'Password of that user.',
      examples: ['…'],
    },
    use_test: {
      type: 'boolean',
      default: false,
      'x-env': ['PLEX_USE_TEST'],
      description: 'Use the test environment of both APIs.',
    },
    base_url: url('Address of the REST API; absent takes that of Plex.', 'https://connect.plex.com'),
    datasource_base_url: url('Address of the Data Source API; absent takes that of Plex.', 'https://cloud.plex.com'),
    start_date: {
      type: 'string',
      format: 'date-time',
      pattern: 'Z$',
      description: 'Where histories begin in a first run, UTC with Z; absent takes seven days before it.',
      examples: ['2026-03-01T00:00:00Z'],
    },
    streams: {
      type: 'array',
      items: { type: 'string' },
      minItems: 1,
      description: 'Streams to read (names or globs) instead of the default selection; a catalog wins.',
      examples: [['parts', 'workcenter*']],
    },
    requests_per_minute: {
      type: 'integer',
      minimum: 1,
      maximum: 60_000,
      default: 150,
      'x-env': ['PLEX_API_RATE_LIMIT'],
      description: 'REST calls in any 60 seconds; Plex documents 200 per key. The Data Source API gets half as many.',
    },
    concurrent_requests: {
      type: 'integer',
      minimum: 1,
      maximum: 8,
      default: 4,
      description: 'Requests at a time where a stream needs one per part, job or workcenter.',
    },
    ...groupSettings(),
    ...ADVANCED,
  },
};

/** Rules that span settings. */
export function settingRules(settings: Settings): readonly SettingFault[] {
  const faults: SettingFault[] = [];
  const given = (name: string) => settings[name] !== undefined && settings[name] !== '';
  if (given('ds_username') !== given('ds_password')) {
    const setting = given('ds_username') ? 'ds_password' : 'ds_username';
    faults.push({ setting, problem: 'is missing: the Data Source API needs a user and a password' });
  }
  return faults;
}
