/** Settings that a first run can do without: what is read of a stream, and how requests wait. */
import type { SettingsSchema } from '../../singer/config.ts';

const texts = (description: string, example: readonly string[], fallback: readonly string[] = []) => ({
  type: 'array',
  items: { type: 'string' },
  default: fallback,
  description,
  examples: [example],
});

const source = (description: string) => ({
  type: 'object',
  properties: {
    id: { type: 'integer', minimum: 1, description: 'Number of the data source in this tenant.' },
    inputs: {
      type: 'object',
      additionalProperties: true,
      description: 'Inputs by their names; {begin} and {end} stand for the window.',
    },
  },
  required: ['id'],
  additionalProperties: false,
  description,
});

export const ADVANCED: SettingsSchema['properties'] = {
  include_employee_names: {
    type: 'boolean',
    default: false,
    description: 'Keep names of employees, which are personal data.',
  },
  bom_part_sources: texts('Read bills of materials only of parts with one of these sources; empty: of all.', [
    'Manufactured',
  ]),
  bom_part_statuses: texts('Read bills of materials only of parts with one of these statuses; empty: of all.', [
    'Production',
  ]),
  job_open_statuses: texts(
    'Statuses of open jobs: they are asked for by status, and closed ones by their date. Empty: one unfiltered list.',
    ['Scheduled', 'Running'],
  ),
  wip_inventory_types: texts('Inventory types that are work in progress.', ['WIP'], ['WIP']),
  wip_statuses: texts('Container statuses that are work in progress; not empty, they decide alone.', ['In Process']),
  wip_excluded_statuses: texts(
    'Container statuses that are not work in progress where the inventory type is unknown.',
    ['Shipped'],
    ['Shipped', 'Scrap', 'Inactive', 'Empty'],
  ),
  full_pass_days: {
    type: 'integer',
    minimum: 1,
    default: 7,
    description: 'Days after which all parts and all bills of materials are read again.',
  },
  max_catchup_days: {
    type: 'integer',
    minimum: 2,
    default: 30,
    description: 'Days of history that one run reads at most; the next run goes on.',
  },
  activate_version: {
    type: 'boolean',
    default: false,
    description:
      'Send whole lists with a version in every run, so that the target marks rows that have vanished from Plex.',
  },
  quality_source: {
    type: 'string',
    enum: ['auto', 'rest'],
    default: 'auto',
    description:
      'Where checksheets come from: the Data Source API (auto), or REST by their numbers. Specifications are REST.',
  },
  datasources: {
    type: 'object',
    properties: {
      checksheets: source('Checksheets by date.'),
      specifications: source('Reserved: specifications come from REST.'),
      daily: source('Daily performance by workcenter, for OEE.'),
      simple: source('Reserved: the present performance of one workcenter.'),
    },
    additionalProperties: false,
    default: {},
    description: 'Numbers and inputs of data sources where they differ from 4142, 6429, 18765 and 22870.',
    examples: [
      { checksheets: { id: 4142, inputs: { Inspection_Date_Begin: '{begin}', Inspection_Date_End: '{end}' } } },
    ],
  },
  datasource_format: {
    type: 'integer',
    enum: [1, 2],
    default: 2,
    description: 'Form of Data Source answers: 1 has columns and rows apart, 2 has rows as objects.',
  },
  oee_time_unit: {
    type: 'string',
    enum: ['minutes', 'hours'],
    default: 'minutes',
    description: 'Unit of planned time and downtime in the daily performance report.',
  },
  plan_assumptions: {
    type: 'object',
    properties: Object.fromEntries(
      ['parts', 'bom_parts', 'changed_parts', 'jobs', 'open_jobs', 'workcenters', 'checksheets'].map((name) => [
        name,
        { type: 'integer', minimum: 0 },
      ]),
    ),
    additionalProperties: false,
    default: {},
    description: 'Counts for --plan that no run has told yet.',
    examples: [{ parts: 17000, workcenters: 143 }],
  },
  dry_run: {
    type: 'boolean',
    default: false,
    'x-env': ['DRY_RUN'],
    description: 'Accepted and ignored: belongs to whoever runs the pipe.',
  },
  run_once: {
    type: 'boolean',
    default: false,
    'x-env': ['RUN_ONCE'],
    description: 'Accepted and ignored: belongs to whoever runs the pipe.',
  },
  max_attempts: {
    type: 'integer',
    minimum: 1,
    default: 5,
    description: 'Attempts per request, throttled ones included.',
  },
  backoff_ms: {
    type: 'integer',
    minimum: 0,
    default: 1000,
    description: 'Milliseconds before a second attempt; doubles per attempt.',
  },
  throttle_wait_ms: {
    type: 'integer',
    minimum: 0,
    default: 60_000,
    description: 'Milliseconds to wait when a throttled answer names no time; doubles per attempt.',
  },
  max_wait_ms: {
    type: 'integer',
    minimum: 0,
    default: 300_000,
    description: 'Cap of any single wait in milliseconds, whatever the server asks for.',
  },
  request_timeout_seconds: {
    type: 'number',
    exclusiveMinimum: 0,
    default: 120,
    description: 'Seconds an attempt may take from sending to the last byte; long lists take a while to begin.',
  },
  ca_file: {
    type: 'string',
    minLength: 1,
    description: 'Certificate authority (PEM) of a proxy with its own certificate.',
    examples: ['/etc/ssl/certs/internal-ca.pem'],
  },
  verify_tls: {
    type: 'boolean',
    default: true,
    description: 'Check the server certificate. Prefer ca_file to switching this off.',
  },
  exit_incomplete: {
    type: 'integer',
    enum: [0, 2],
    default: 2,
    description: 'Exit code of a run that ends incomplete but safe; 0 for runners that take 2 for a failure.',
  },
};
