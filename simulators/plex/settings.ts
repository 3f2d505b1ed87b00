/** What can be changed about a running simulator. */
export interface Settings {
  /** REST calls that a key may make in any 60 seconds; 0 for as many as it likes. Plex documents 200. */
  readonly calls_per_minute: number;
  /** How a 429 names the wait. */
  readonly retry_after: 'none' | 'seconds' | 'date';
  /** Collections that the key is not subscribed to. */
  readonly products_off: readonly string[];
  /** Which spelling of "the answer was cut" the Data Source API uses. */
  readonly row_limit_flag: 'rotate' | FlagSpelling;
  /** Delays of faults are multiplied by this. */
  readonly delay_factor: number;
  /** `stands`: only `/__sim/advance` moves the clock, so that two readings of everything agree. */
  readonly clock: 'runs' | 'stands';
}

/** Where and how an answer says that it was cut; `table` means inside the table. */
export const FLAG_SPELLINGS = ['rowLimitedExceeded', 'table', 'limitExceeded', 'rowLimitExceeded'] as const;
export type FlagSpelling = (typeof FLAG_SPELLINGS)[number];

export const DEFAULT_SETTINGS: Settings = {
  calls_per_minute: 200,
  retry_after: 'none',
  products_off: [],
  row_limit_flag: 'rotate',
  delay_factor: 1,
  clock: 'runs',
};

/** The collections of the REST API: each is a product that a key may lack. */
export const PRODUCTS = ['mdm', 'engineering', 'production', 'scheduling', 'inventory', 'quality'] as const;

const CHECKS: Readonly<Record<keyof Settings, readonly [string, (value: unknown) => boolean]>> = {
  calls_per_minute: ['a whole number from 0', (value) => Number.isSafeInteger(value) && Number(value) >= 0],
  retry_after: ['none, seconds or date', (value) => ['none', 'seconds', 'date'].includes(String(value))],
  products_off: [
    `a list of ${PRODUCTS.join(', ')}`,
    (value) => Array.isArray(value) && value.every((name) => PRODUCTS.some((product) => product === name)),
  ],
  row_limit_flag: [
    `rotate, ${FLAG_SPELLINGS.join(', ')}`,
    (value) => ['rotate', ...FLAG_SPELLINGS].includes(String(value)),
  ],
  delay_factor: ['a number from 0', (value) => typeof value === 'number' && value >= 0],
  clock: ['runs or stands', (value) => value === 'runs' || value === 'stands'],
};

/** Settings with some changed. @throws Error that names what is unknown or wrong. */
export function changedSettings(settings: Settings, change: unknown): Settings {
  if (typeof change !== 'object' || change === null || Array.isArray(change)) {
    throw new Error('send an object of settings, like {"calls_per_minute": 0}');
  }
  for (const [name, value] of Object.entries(change)) {
    const check = Object.hasOwn(CHECKS, name) ? CHECKS[name as keyof Settings] : undefined;
    if (!check) throw new Error(`unknown setting "${name}"; known settings: ${Object.keys(CHECKS).join(', ')}`);
    if (!check[1](value)) throw new Error(`${name} must be ${check[0]}`);
  }
  return { ...settings, ...change };
}
