import { CUSTOMER_NAMES } from './customers.ts';
import {
  ID_MODES,
  type IdMode,
  MOST_CUSTOMERS,
  ROW_MODES,
  type RowMode,
  THREAT_IDS,
  type ThreatIds,
  TYPE_MODES,
  type TypeMode,
} from './dataset.ts';
import { type Drift, driftProblem } from './drift.ts';
import { ROWS } from './lists.ts';

/** How one tenant's server behaves; `/__sim/config` reads and changes it. */
export interface Settings {
  /** Real milliseconds before each answer. */
  readonly latency_ms: number;
  readonly page_size_default: number;
  /** Larger page sizes are cut to this; 1,000 is the largest seen with ManageEngine. */
  readonly page_size_max: number;
  /** Seconds an access token lives; ManageEngine documents 3,600. */
  readonly expires_in: number;
  /** Whether an eleventh access token within ten virtual minutes is refused. */
  readonly token_limit: boolean;
  /** What a page past the last one holds: no rows, or the rows of an earlier page. */
  readonly past_end: 'empty' | 'wrap';
  readonly type_mode: TypeMode;
  readonly id_mode: IdMode;
  /** Bodies leave in pieces of so many bytes; 0 sends them whole. */
  readonly chunk_bytes: number;
  /** Whether `Authorization: Bearer` is taken beside the documented prefix. */
  readonly accept_bearer: boolean;
  /** What vulnerabilities, deployment tasks and patch groups answer: rows, or one of three refusals. */
  readonly seed_paths: '10022' | 'shape' | '404' | 'html';
  /** How a cloud token without the scope for `/api/1.4/som/` is refused there; `none`: it has the scope. */
  readonly missing_scope: 'none' | '401' | 'html';
  /** Whether the login of an on-premises server asks for a one-time password. */
  readonly two_factor: boolean;
  /** How the login spells its token; ManageEngine uses both. */
  readonly auth_token_key: 'auth_token' | 'authtoken';
  /** The status with which an MSP server refuses a key; both are in the wild. */
  readonly token_refusal_status: 401 | 200;
  /** Whether an MSP server lacks the endpoints that one build lacks; a list names others, e.g. `som`. */
  readonly msp_unsupported: boolean | readonly string[];
  /** Names of the customers of an MSP server. */
  readonly customers: readonly string[];
  /** Fields that rows gain or lose, by list. */
  readonly drift: Drift;
  /** How many patches systems have: 50 on average, or 37 and 900 systems none. All endpoints agree. */
  readonly dcapi_rows: RowMode;
  /** The page of 30 systems that have 1,200 patches each; 0 for none. */
  readonly dcapi_heavy_page: number;
  /** ManageEngine documents 30 for DCAPI; one requirement names 5. */
  readonly dcapi_page_size_default: number;
  /** 100 is the largest size in use with DCAPI. */
  readonly dcapi_page_size_max: number;
  /** How DCAPI writes the ids of systems, patches and vulnerabilities. */
  readonly dcapi_ids: ThreatIds;
  /** How DCAPI writes `totalRecords`; both are in the wild. */
  readonly dcapi_total: 'text' | 'number';
  /** Whether DCAPI names the neighbouring pages. */
  readonly dcapi_links: boolean;
  /** What stands around the rows of `systemreport/patches`: metadata, or nothing but their name. */
  readonly dcapi_envelope: 'metadata' | 'bare';
  /** What DCAPI's vulnerability calls answer: rows, or one of three refusals. */
  readonly vuln: '10022' | 'on' | '404' | 'html';
  /** Whether DCAPI also tells the changes of vulnerabilities; MSP servers never do. */
  readonly vuln_changes: boolean;
}

export const DEFAULT_SETTINGS: Settings = {
  latency_ms: 0,
  page_size_default: 25,
  page_size_max: 1_000,
  expires_in: 3_600,
  token_limit: true,
  past_end: 'empty',
  type_mode: 'strings',
  id_mode: 'au',
  chunk_bytes: 0,
  accept_bearer: false,
  seed_paths: '10022',
  missing_scope: 'none',
  two_factor: false,
  auth_token_key: 'auth_token',
  token_refusal_status: 401,
  msp_unsupported: false,
  customers: CUSTOMER_NAMES,
  drift: {},
  dcapi_rows: 'seed',
  dcapi_heavy_page: 0,
  dcapi_page_size_default: 30,
  dcapi_page_size_max: 100,
  dcapi_ids: 'text',
  dcapi_total: 'text',
  dcapi_links: false,
  dcapi_envelope: 'metadata',
  vuln: '10022',
  vuln_changes: true,
};

const CHOICES: Readonly<Record<string, readonly (string | number)[]>> = {
  past_end: ['empty', 'wrap'],
  type_mode: TYPE_MODES,
  id_mode: ID_MODES,
  seed_paths: ['10022', 'shape', '404', 'html'],
  missing_scope: ['none', '401', 'html'],
  auth_token_key: ['auth_token', 'authtoken'],
  token_refusal_status: [401, 200],
  dcapi_rows: ROW_MODES,
  dcapi_ids: THREAT_IDS,
  dcapi_total: ['text', 'number'],
  dcapi_envelope: ['metadata', 'bare'],
  vuln: ['10022', 'on', '404', 'html'],
};

const LEAST: Readonly<Record<string, number>> = {
  page_size_default: 1,
  page_size_max: 1,
  dcapi_page_size_default: 1,
  dcapi_page_size_max: 1,
  expires_in: 1,
};

function areNames(value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.every((name) => typeof name === 'string' && name !== '');
}

function customersProblem(value: unknown): string | undefined {
  const different = areNames(value) && new Set(value).size === value.length;
  return different && value.length >= 1 && value.length <= MOST_CUSTOMERS
    ? undefined
    : `customers must be a list of 1 to ${MOST_CUSTOMERS} different names`;
}

/** Settings that are neither a choice, nor a number, nor a boolean. */
const PROBLEMS: Readonly<Record<string, (value: unknown) => string | undefined>> = {
  customers: customersProblem,
  msp_unsupported: (value) =>
    typeof value === 'boolean' || areNames(value)
      ? undefined
      : 'msp_unsupported must be true, false or a list like ["som", "allpatches"]',
  drift: (value) => driftProblem(value, Object.keys(ROWS)),
};

function problem(key: string, value: unknown, present: unknown): string | undefined {
  const special = PROBLEMS[key];
  if (special) return special(value);
  const choices = CHOICES[key];
  if (choices && !choices.some((choice) => String(choice) === String(value))) {
    return `${key} must be one of ${choices.join(', ')}`;
  }
  if (choices) return undefined;
  if (typeof value !== typeof present) return `${key} must be a ${typeof present}`;
  const least = LEAST[key] ?? 0;
  const fits = typeof value !== 'number' || (Number.isInteger(value) && value >= least);
  return fits ? undefined : `${key} must be a whole number from ${least}`;
}

/**
 * Settings changed by a JSON object. A choice may come as text or as a number.
 * @throws Error that names the key, what it takes, or the known keys.
 */
export function changedSettings(settings: Settings, change: unknown): Settings {
  if (typeof change !== 'object' || change === null || Array.isArray(change)) {
    throw new Error('settings must be an object');
  }
  const present = new Map<string, unknown>(Object.entries(settings));
  const changed = Object.entries(change).map(([key, value]): [string, unknown] => {
    if (!present.has(key))
      throw new Error(`unknown setting "${key}"; known settings: ${[...present.keys()].join(', ')}`);
    const found = problem(key, value, present.get(key));
    if (found !== undefined) throw new Error(found);
    return [key, CHOICES[key]?.find((choice) => String(choice) === String(value)) ?? value];
  });
  return { ...settings, ...Object.fromEntries(changed) };
}
