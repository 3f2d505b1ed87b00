/** Named courses of events: settings that differ from the defaults, and fault rules. */
import type { Rule } from './actions.ts';
import type { Settings } from './settings.ts';

export interface Scenario {
  readonly settings: Partial<Settings>;
  readonly rules: readonly Rule[];
}

const REST = '^/(?!api/)';
const DATA_SOURCES = '^/api/datasources/';
const MOVES = '/container-location-moves$';
/** From the third attempt on nothing transient happens, so three attempts always suffice. */
const SOMETIMES = { probability: 0.1, attempts: 2 } as const;

const flaky: readonly Rule[] = [
  { id: 'burst', match: { path: '/mdm/v1/parts$' }, times: 3, action: { type: 'status', status: 503, body: 'html' } },
  { id: 'server', match: SOMETIMES, action: { type: 'status', status: 500 } },
  { id: 'gateway', match: SOMETIMES, action: { type: 'status', status: 502, body: 'html' } },
  { id: 'timeout', match: SOMETIMES, action: { type: 'status', status: 504, body: 'empty' } },
  { id: 'close', match: SOMETIMES, action: { type: 'close' } },
  { id: 'truncate', match: SOMETIMES, action: { type: 'truncate' } },
  { id: 'reset', match: SOMETIMES, action: { type: 'truncate', reset: true } },
];

const throttled: readonly Rule[] = [
  {
    id: 'seconds',
    match: { path: '/workcenters$', nth: 1 },
    action: { type: 'status', status: 429, retry_after: 'seconds', seconds: 2 },
  },
  {
    id: 'date',
    match: { path: '/locations$', nth: 1 },
    action: { type: 'status', status: 429, retry_after: 'date', seconds: 2 },
  },
];

const slow: readonly Rule[] = [
  { id: 'jobs', match: { path: '/scheduling/v1/jobs$' }, action: { type: 'delay', ms: 16_000 } },
  { id: 'containers', match: { path: '/containers$' }, action: { type: 'drip', bytes: 16_384, ms: 200 } },
  { id: 'hang', match: { path: '/workcenter-statuses$' }, times: 1, action: { type: 'hang' } },
];

const drift: readonly Rule[] = [
  { id: 'data', match: { path: '/locations$' }, action: { type: 'wrongShape', kind: 'data' } },
  { id: 'extra', match: { path: '/mdm/v1/parts$' }, action: { type: 'wrongShape', kind: 'extra', field: 'shelfLife' } },
  {
    id: 'missing',
    match: { path: '/workcenters$' },
    action: { type: 'wrongShape', kind: 'missing', field: 'plcName' },
  },
  { id: 'object', match: { path: '/mdm/v1/operations$' }, times: 1, action: { type: 'wrongShape', kind: 'object' } },
];

const SCENARIOS: Readonly<Record<string, Scenario>> = {
  happy: { settings: {}, rules: [] },
  demo_tenant: {
    settings: {},
    rules: [
      { id: 'moves', match: { path: MOVES }, action: { type: 'status', status: 400 } },
      {
        id: 'datasources',
        match: { path: DATA_SOURCES },
        action: { type: 'status', status: 403, code: 'DATA_SOURCE_API_ACCESS_DENIED' },
      },
    ],
  },
  throttled: { settings: { calls_per_minute: 60, retry_after: 'seconds' }, rules: throttled },
  throttled_silent: { settings: { calls_per_minute: 60, retry_after: 'none' }, rules: [] },
  flaky: { settings: {}, rules: flaky },
  slow: { settings: { delay_factor: 0.1 }, rules: slow },
  rotation: { settings: {}, rules: [{ id: 'key', match: { path: REST }, action: { type: 'keyExpires', calls: 25 } }] },
  drift: { settings: {}, rules: drift },
  rowlimit: {
    settings: {},
    rules: [{ id: 'cut', match: { path: DATA_SOURCES }, action: { type: 'rowLimit', rows: 3 } }],
  },
  unsubscribed: { settings: { products_off: ['quality'] }, rules: [] },
};

/** Names that `--scenario` takes. */
export const SCENARIO_NAMES: readonly string[] = Object.keys(SCENARIOS);

/** @throws Error that lists the known names. */
export function scenarioFor(name: string): Scenario {
  const scenario = Object.hasOwn(SCENARIOS, name) ? SCENARIOS[name] : undefined;
  if (!scenario) throw new Error(`unknown scenario "${name}"; known scenarios: ${SCENARIO_NAMES.join(', ')}`);
  return scenario;
}
