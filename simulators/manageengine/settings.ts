import { ID_MODES, type IdMode, TYPE_MODES, type TypeMode } from './dataset.ts';

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
};

const CHOICES: Readonly<Record<string, readonly string[]>> = {
  past_end: ['empty', 'wrap'],
  type_mode: TYPE_MODES,
  id_mode: ID_MODES,
};

const LEAST: Readonly<Record<string, number>> = { page_size_default: 1, page_size_max: 1, expires_in: 1 };

/**
 * Settings changed by a JSON object.
 * @throws Error that names the key, what it takes, or the known keys.
 */
export function changedSettings(settings: Settings, change: unknown): Settings {
  if (typeof change !== 'object' || change === null || Array.isArray(change)) {
    throw new Error('settings must be an object');
  }
  for (const [key, value] of Object.entries(change)) {
    const present: unknown = Object.entries(settings).find(([name]) => name === key)?.[1];
    if (present === undefined) {
      throw new Error(`unknown setting "${key}"; known settings: ${Object.keys(settings).join(', ')}`);
    }
    const choices = CHOICES[key];
    if (choices && !choices.includes(String(value))) throw new Error(`${key} must be one of ${choices.join(', ')}`);
    if (typeof value !== typeof present) throw new Error(`${key} must be a ${typeof present}`);
    if (typeof value !== 'number') continue;
    if (!Number.isInteger(value) || value < (LEAST[key] ?? 0)) {
      throw new Error(`${key} must be a whole number from ${LEAST[key] ?? 0}`);
    }
  }
  return { ...settings, ...change };
}
