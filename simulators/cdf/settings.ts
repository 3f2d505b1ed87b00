/** What can be changed about a running simulator. */
export interface Settings {
  /** Life of a token. */
  readonly token_seconds: number;
  /** Requests that a token is good for; 0 for as many as come in its life. */
  readonly token_requests: number;
  /** What a client has to ask for: `default` is Microsoft Entra's `…/.default`. */
  readonly scope: 'user_impersonation' | 'default';
  /** The `audience` that a client has to name; any or none when empty. */
  readonly audience: string;
  /** Rights that the client lacks, like `assetsAcl:WRITE`. */
  readonly capabilities_off: readonly string[];
  /** Answer to a project that does not exist. */
  readonly unknown_project: 401 | 403;
  /** Unknown fields of assets and events; those of other resources are always refused. */
  readonly unknown_fields: 'refuse' | 'ignore';
  /** How many unknown parents an answer names. */
  readonly unknown_parents: 'first' | 'all';
  /** Requests at once before 429; 0 for any number. */
  readonly parallel_limit: number;
  /** Requests in any second before 429; 0 for any number. */
  readonly requests_per_second: number;
  /** Whether a 429 of these limits names its wait. */
  readonly retry_after: 'none' | 'seconds' | 'date';
  /** Virtual milliseconds before lists show a new object. */
  readonly list_lag_ms: number;
  /** Delays of faults are multiplied by this. */
  readonly delay_factor: number;
  /** `stands`: only `/__sim/advance` moves the clock. */
  readonly clock: 'runs' | 'stands';
}

export const DEFAULT_SETTINGS: Settings = {
  token_seconds: 3_600,
  token_requests: 0,
  scope: 'user_impersonation',
  audience: '',
  capabilities_off: [],
  unknown_project: 401,
  unknown_fields: 'refuse',
  unknown_parents: 'first',
  parallel_limit: 0,
  requests_per_second: 0,
  retry_after: 'none',
  list_lag_ms: 0,
  delay_factor: 1,
  clock: 'runs',
};

type SettingCheck = readonly [string, (value: unknown) => boolean];

function oneOf(...known: readonly (string | number)[]): SettingCheck {
  return [known.join(' or '), (value) => known.some((each) => each === value)];
}

const COUNT: SettingCheck = ['a whole number from 0', (value) => Number.isSafeInteger(value) && Number(value) >= 0];

const CHECKS: Readonly<Record<keyof Settings, SettingCheck>> = {
  token_seconds: ['a whole number from 1', (value) => Number.isSafeInteger(value) && Number(value) >= 1],
  token_requests: COUNT,
  scope: oneOf('user_impersonation', 'default'),
  audience: ['a text', (value) => typeof value === 'string'],
  capabilities_off: [
    'a list like ["assetsAcl:WRITE"]',
    (value) => Array.isArray(value) && value.every((right) => /^[a-zA-Z]+Acl:(READ|WRITE)$/.test(String(right))),
  ],
  unknown_project: oneOf(401, 403),
  unknown_fields: oneOf('refuse', 'ignore'),
  unknown_parents: oneOf('first', 'all'),
  parallel_limit: COUNT,
  requests_per_second: COUNT,
  retry_after: oneOf('none', 'seconds', 'date'),
  list_lag_ms: COUNT,
  delay_factor: ['a number from 0', (value) => typeof value === 'number' && value >= 0],
  clock: oneOf('runs', 'stands'),
};

/** Settings with some changed. @throws Error that names what is unknown or wrong. */
export function changedSettings(settings: Settings, change: unknown): Settings {
  if (typeof change !== 'object' || change === null || Array.isArray(change)) {
    throw new Error('send an object of settings, like {"parallel_limit": 4}');
  }
  for (const [name, value] of Object.entries(change)) {
    const check = Object.hasOwn(CHECKS, name) ? CHECKS[name as keyof Settings] : undefined;
    if (!check) throw new Error(`unknown setting "${name}"; known settings: ${Object.keys(CHECKS).join(', ')}`);
    if (!check[1](value)) throw new Error(`${name} must be ${check[0]}`);
  }
  return { ...settings, ...change };
}
