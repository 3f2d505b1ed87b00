/** What all ManageEngine products share on the wire: settings, data centres, credentials, and how their errors read. */

import { type Auth, keyAuth } from '../../http/auth.ts';
import type { Http } from '../../http/exchange.ts';
import { fieldOf, type Ruling } from '../../http/judge.ts';
import type { SettingFault, Settings, SettingsSchema } from '../../singer/config.ts';
import type { Json } from '../../singer/lossless.ts';
import type { Closing, Run } from '../../singer/stream.ts';

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
  if (has('api_token')) {
    const both = cloud.filter(has);
    if (both.length > 0)
      faults.push({
        setting: 'api_token',
        problem: `cannot be used together with ${both.join(', ')}: api_token is for on-premises servers`,
      });
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

/** A connected ManageEngine server. */
export interface Connection extends Closing {
  readonly http: Http;
  readonly baseUrl: string;
}

/** Reads ManageEngine's error envelopes, whose key spellings vary by product. Pure. */
export function judgeEnvelope(envelope: Json, httpStatus: number): Ruling | undefined {
  // Refused credentials come in every envelope there is; the status says enough.
  if (httpStatus === 401) return undefined;
  const code = fieldOf(envelope, 'error_code', 'errorCode', 'ErrorCode');
  const text = fieldOf(envelope, 'error_description', 'errorMsg', 'ErrorMsg') ?? 'no description';
  const status = fieldOf(envelope, 'status');
  if (code === '10002')
    return { reaction: 'renew', type: '401_unauthorized', message: `the server refused the credentials: ${text}` };
  if (code === '10022')
    return {
      reaction: 'unavailable',
      type: 'contract_error',
      message: `this server does not offer the endpoint: ${text}`,
    };
  if (code === 'INTERNAL_ERROR')
    return { reaction: 'retry', type: '5xx_server_error', message: `the server failed: ${text}` };
  if (code !== undefined)
    return { reaction: 'fail', type: 'contract_error', message: `the server refused the request: ${text} (${code})` };
  if (status !== undefined && status.toLowerCase() !== 'success')
    return {
      reaction: 'fail',
      type: 'contract_error',
      message: `the server answered with status "${status}": ${text}`,
    };
  return undefined;
}

/** Makes the client: credentials, pace and layers. No request yet. */
export async function connect(settings: Settings, run: Run): Promise<Connection> {
  // Loaded here, so that --about and --discover start without undici.
  const [{ openDispatcher, openHttp }, { Pace }, { ZohoAuth, TokenBudget, judgeToken }] = await Promise.all([
    import('../../http/client.ts'),
    import('../../http/throttle.ts'),
    import('../../http/oauth.ts'),
  ]);
  const text = (name: string) => settings[name] as string | undefined;
  const number = (name: string) => settings[name] as number;
  const center = DATA_CENTERS[text('data_center') ?? ''];
  const baseUrl = text('base_url') ?? center?.base ?? '';
  const accountsUrl = text('accounts_url') ?? center?.accounts ?? '';
  const dispatcher = openDispatcher({
    caFile: text('ca_file'),
    verifyTls: settings.verify_tls !== false,
    env: run.env,
  });
  const retry = {
    attempts: number('max_attempts'),
    backoff: number('backoff_ms'),
    throttleWait: number('throttle_wait_ms'),
    maxWait: number('max_wait_ms'),
    timeout: number('request_timeout_seconds') * 1000,
  };
  const apiToken = text('api_token');
  let auth: Auth;
  if (apiToken !== undefined) auth = keyAuth(apiToken);
  else {
    const maxWait = retry.maxWait;
    const accounts = openHttp(
      {
        dispatcher,
        retry: { ...retry, attempts: TOKEN_ATTEMPTS },
        judge: judgeToken,
        pace: new TokenBudget(maxWait, run),
        failureEvent: 'token_request_failed',
      },
      run,
    );
    auth = new ZohoAuth(
      {
        accountsUrl,
        clientId: text('client_id') ?? '',
        clientSecret: text('client_secret') ?? '',
        refreshToken: text('refresh_token') ?? '',
        refreshAt: number('token_refresh_at'),
      },
      accounts.exchange,
      run,
    );
  }
  const http = openHttp(
    {
      dispatcher,
      retry,
      judge: judgeEnvelope,
      pace: new Pace(number('page_delay_ms'), run.clock),
      auth,
      authHint:
        'a token of another data centre is refused too: check data_center (or base_url and accounts_url) and the scopes of the refresh token',
      // Streams every body, so that the tests that send byte by byte reach the streaming reader.
      ...(run.env.TAPWORKS_HOSTILE === '1' && { smallBody: 0 }),
    },
    run,
  );
  return { http, baseUrl, close: () => http.close() };
}

/** A token request is tried this often before the run ends. */
const TOKEN_ATTEMPTS = 3;
