import type { SettingFault, Settings, SettingsSchema } from '../../singer/config.ts';

/** Server and accounts host of each Zoho data centre, as ManageEngine documents them. */
export const DATA_CENTERS: Readonly<Record<string, { readonly base: string; readonly accounts: string }>> = {
  us: { base: 'https://patch.manageengine.com', accounts: 'https://accounts.zoho.com' },
  eu: { base: 'https://patch.manageengine.eu', accounts: 'https://accounts.zoho.eu' },
  in: { base: 'https://patch.manageengine.in', accounts: 'https://accounts.zoho.in' },
  au: { base: 'https://patch.manageengine.com.au', accounts: 'https://accounts.zoho.com.au' },
  cn: { base: 'https://patch.manageengine.cn', accounts: 'https://accounts.zoho.cn' },
  jp: { base: 'https://patch.manageengine.jp', accounts: 'https://accounts.zoho.jp' },
  ca: { base: 'https://patch.manageengine.ca', accounts: 'https://accounts.zohoone.ca' },
  uk: { base: 'https://patch.manageengine.uk', accounts: 'https://accounts.zoho.uk' },
};

const url = (description: string, example: string) => ({
  type: 'string',
  format: 'uri',
  pattern: '^https?://',
  description,
  examples: [example],
});

/** Settings of every ManageEngine tap. */
export const SETTINGS: SettingsSchema['properties'] = {
  data_center: {
    type: 'string',
    enum: Object.keys(DATA_CENTERS),
    description: 'Zoho data centre of the tenant; fills base_url and accounts_url.',
    examples: ['au'],
  },
  base_url: url(
    'Address of the Patch Manager Plus server. Not needed with data_center.',
    'https://patch.manageengine.com.au',
  ),
  accounts_url: url(
    'Address of the Zoho accounts server. Not needed with data_center.',
    'https://accounts.zoho.com.au',
  ),
  client_id: {
    type: 'string',
    secret: true,
    description: 'Client id of the Zoho API client (cloud).',
    examples: ['1000.EXAMPLE'],
  },
  client_secret: {
    type: 'string',
    secret: true,
    description: 'Client secret of the Zoho API client (cloud).',
    examples: ['…'],
  },
  refresh_token: {
    type: 'string',
    secret: true,
    description:
      'Refresh token with the scopes PatchManagerPlusCloud.PatchMgmt.READ, .Common.READ and .SOM.READ (cloud).',
    examples: ['1000.…'],
  },
  api_token: {
    type: 'string',
    secret: true,
    description: 'API token or key, sent without any prefix (on premises, MSP).',
    examples: ['…'],
  },
  username: {
    type: 'string',
    minLength: 1,
    description: 'User to sign in as, where no API token can be made (on premises).',
    examples: ['patch-reader'],
  },
  password: {
    type: 'string',
    secret: true,
    description: 'Password of that user.',
    examples: ['…'],
  },
  domain: {
    type: 'string',
    minLength: 1,
    description: 'Windows domain of that user; absent for a user that the product itself keeps.',
    examples: ['EXAMPLE'],
  },
  customer_name: {
    type: 'string',
    minLength: 1,
    description: 'Customer to read, by its exact name (MSP servers, which refuse requests without one).',
    examples: ['Example Customer'],
  },
  ca_file: {
    type: 'string',
    minLength: 1,
    description: 'Certificate authority (PEM) of a server with its own certificate.',
    examples: ['/etc/ssl/certs/internal-ca.pem'],
  },
  verify_tls: {
    type: 'boolean',
    default: true,
    description: 'Check the server certificate. Prefer ca_file to switching this off.',
  },
  streams: {
    type: 'array',
    items: { type: 'string' },
    minItems: 1,
    description: 'Streams to read (names or globs) instead of the default selection; a catalog wins.',
    examples: [['systems', 'patch*']],
  },
  page_size: {
    type: 'integer',
    minimum: 1,
    maximum: 1000,
    description: 'Rows per page to ask for; absent leaves it to the server (25).',
    examples: [100],
  },
  pages_per_run: {
    type: 'integer',
    minimum: 0,
    default: 50,
    description: 'New pages per stream and run; the next run goes on. 0 reads to the end.',
  },
  checkpoint_pages: { type: 'integer', minimum: 1, default: 10, description: 'Pages between two checkpoints.' },
  page_delay_ms: {
    type: 'integer',
    minimum: 0,
    default: 250,
    description:
      'Milliseconds between the end of a request and the next; doubles up to 8000 while the server throttles.',
  },
  coverage_target: {
    type: 'number',
    minimum: 0,
    maximum: 1,
    default: 0.95,
    description: 'Share of the reported systems that a finished sweep must have brought.',
  },
  token_refresh_at: {
    type: 'number',
    exclusiveMinimum: 0,
    maximum: 1,
    default: 0.8,
    description: "Share of an access token's life after which it is replaced before use.",
  },
  max_attempts: { type: 'integer', minimum: 1, default: 3, description: 'Attempts per page, throttled ones included.' },
  backoff_ms: {
    type: 'integer',
    minimum: 0,
    default: 1000,
    description: 'Milliseconds before a second attempt; doubles per attempt.',
  },
  throttle_wait_ms: {
    type: 'integer',
    minimum: 0,
    default: 60000,
    description: 'Milliseconds to wait when a throttled answer names no time; doubles per attempt.',
  },
  max_wait_ms: {
    type: 'integer',
    minimum: 0,
    default: 300000,
    description: 'Cap of any single wait in milliseconds, whatever the server asks for.',
  },
  request_timeout_seconds: {
    type: 'number',
    exclusiveMinimum: 0,
    default: 30,
    description: 'Seconds an attempt may take from sending to the last byte.',
  },
  sweep_max_age_hours: {
    type: 'number',
    exclusiveMinimum: 0,
    default: 168,
    description: 'Hours after which an unfinished sweep starts over.',
  },
  snapshot_max_age_hours: {
    type: 'number',
    exclusiveMinimum: 0,
    description: 'Hours after which a complete snapshot is followed by a fresh one; absent keeps the complete one.',
    examples: [24],
  },
  snapshot_id: {
    type: 'integer',
    minimum: 1,
    description: 'Id of the snapshot; absent takes its start in epoch seconds.',
    examples: [7],
  },
  personal_fields: {
    type: 'string',
    enum: ['keep', 'drop', 'hash'],
    default: 'keep',
    description:
      'What becomes of personal columns (x-pii in the catalog): kept, left out, or replaced by a keyed hash that is the same for the same value.',
  },
  personal_salt: {
    type: 'string',
    secret: true,
    minLength: 16,
    description: 'Key of the hash; the same key gives the same hashes. Needed with personal_fields: hash.',
    examples: ['…'],
  },
  slack_webhook_url: {
    type: 'string',
    secret: true,
    'x-env': ['SLACK_WEBHOOK_URL'],
    description: 'Incoming webhook that is told about the progress of a run; absent tells nobody.',
    examples: ['https://hooks.slack.com/services/…'],
  },
  exit_incomplete: {
    type: 'integer',
    enum: [0, 2],
    default: 2,
    description: 'Exit code of a run that ends incomplete but safe; 0 for runners that take 2 for a failure.',
  },
};

/** Rules that span settings: where the server is, and one complete set of credentials. */
export function settingRules(settings: Settings): readonly SettingFault[] {
  const faults: SettingFault[] = [];
  const has = (name: string) => settings[name] !== undefined;
  const cloud = ['client_id', 'client_secret', 'refresh_token'];
  if (!has('data_center') && !has('base_url')) {
    faults.push({
      setting: 'base_url',
      problem: 'is missing: set it, or data_center',
      example: '{"data_center": "au"}',
    });
  }
  if (settings.personal_fields === 'hash' && !has('personal_salt'))
    faults.push({
      setting: 'personal_salt',
      problem: 'is missing: personal_fields is hash, and a hash without a key can be guessed',
      example: '{"env": "PMP_PERSONAL_SALT"}',
    });
  // A server of one's own: by key or by user, never both, never with the cloud's credentials.
  const own = has('api_token') ? 'api_token' : has('username') ? 'username' : undefined;
  if (own !== undefined) {
    const user = own === 'api_token' ? ['username', 'password', 'domain'] : [];
    const both = [...cloud, ...user].filter(has);
    if (both.length > 0)
      faults.push({
        setting: own,
        problem: `cannot be used together with ${both.join(', ')}: ${own} is for on-premises servers`,
      });
    if (own === 'username' && !has('password'))
      faults.push({ setting: 'password', problem: 'is missing: username is set', example: '{"env": "PMP_PASSWORD"}' });
    return faults;
  }
  for (const name of cloud)
    if (!has(name))
      faults.push({
        setting: name,
        problem: 'is missing (cloud; on premises set api_token instead)',
        example: `{"env": "PMP_${name.toUpperCase()}"}`,
      });
  if (!has('data_center') && has('base_url') && !has('accounts_url')) {
    faults.push({
      setting: 'accounts_url',
      problem: 'is missing: set it, or data_center',
      example: '"https://accounts.zoho.com.au"',
    });
  }
  return faults;
}
