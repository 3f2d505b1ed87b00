/** Named courses of events: settings that differ from the defaults, and fault rules. */
import { API } from './actions.ts';
import type { Settings } from './settings.ts';

export interface Scenario {
  readonly settings: Partial<Settings>;
  /** Rules as `/__sim/faults` takes them. */
  readonly rules: readonly object[];
}

/** From the third attempt at the same request on nothing happens, so three attempts always suffice. */
const SOMETIMES = { path: API, probability: 0.1, attempts: 2 } as const;
/** Requests that create, and that the SDK of the vendor does not repeat. */
const CREATES = '/(assets|events|timeseries|relationships)$';
const ONCE = { path: CREATES, method: 'POST', probability: 0.4, attempts: 1 } as const;

const SCENARIOS: Readonly<Record<string, Scenario>> = {
  happy: { settings: {}, rules: [] },
  throttled: {
    settings: { requests_per_second: 20, retry_after: 'seconds' },
    rules: [
      {
        id: 'rate',
        match: { path: '/assets$', nth: [1] },
        action: { type: 'status', status: 429, retry_after: 'seconds', seconds: 1 },
      },
      {
        id: 'date',
        match: { path: '/events$', nth: [1] },
        action: { type: 'status', status: 429, retry_after: 'date', seconds: 1 },
      },
      {
        id: 'concurrency',
        match: { path: '/timeseries/data$', nth: [1, 2] },
        action: { type: 'status', status: 429, message: 'Too many concurrent requests for this identity' },
      },
    ],
  },
  busy: {
    settings: { parallel_limit: 4 },
    rules: [{ id: 'late', match: { path: API }, action: { type: 'delay', ms: 20 } }],
  },
  flaky: {
    settings: {},
    rules: [
      { id: 'burst', match: { path: '/assets$', method: 'POST' }, times: 2, action: { type: 'status', status: 503 } },
      { id: 'server', match: SOMETIMES, action: { type: 'status', status: 500 } },
      { id: 'gateway', match: SOMETIMES, action: { type: 'status', status: 502, body: 'html' } },
      { id: 'timeout', match: SOMETIMES, action: { type: 'status', status: 504, body: 'empty' } },
      { id: 'close', match: SOMETIMES, action: { type: 'close' } },
    ],
  },
  lost_answers: {
    settings: {},
    rules: [
      { id: 'unavailable', match: ONCE, action: { type: 'status', status: 503, stored: true } },
      { id: 'close', match: ONCE, action: { type: 'close', stored: true } },
      { id: 'truncate', match: ONCE, action: { type: 'truncate' } },
    ],
  },
  slow: {
    settings: { delay_factor: 0.1 },
    rules: [
      { id: 'events', match: { path: '/events$' }, action: { type: 'delay', ms: 16_000 } },
      { id: 'hang', match: { path: '/assets$', method: 'POST' }, times: 1, action: { type: 'hang' } },
    ],
  },
  tokens: {
    settings: { token_requests: 10 },
    rules: [
      { id: 'provider', match: { path: '^/oauth/token$', nth: [1, 3] }, action: { type: 'status', status: 500 } },
    ],
  },
  vague: {
    settings: { unknown_parents: 'first' },
    rules: [
      { id: 'events', match: { path: '/events$' }, action: { type: 'names', keep: 1 } },
      { id: 'others', match: { path: '/(assets|timeseries|relationships)$' }, action: { type: 'names', keep: 0 } },
    ],
  },
  eventual: { settings: { list_lag_ms: 30_000 }, rules: [] },
  cleanup: {
    settings: {},
    rules: [{ id: 'cleanup', match: { path: '/events$', nth: [2] }, action: { type: 'vanish', prefix: 'PCN' } }],
  },
  forbidden: { settings: { capabilities_off: ['relationshipsAcl:WRITE', 'extractionrunsAcl:WRITE'] }, rules: [] },
  entra: { settings: { scope: 'default' }, rules: [] },
};

/** Names that `--scenario` takes. */
export const SCENARIO_NAMES: readonly string[] = Object.keys(SCENARIOS);

/** @throws Error that lists the known names. */
export function scenarioFor(name: string): Scenario {
  const scenario = Object.hasOwn(SCENARIOS, name) ? SCENARIOS[name] : undefined;
  if (!scenario) throw new Error(`unknown scenario "${name}"; known scenarios: ${SCENARIO_NAMES.join(', ')}`);
  return scenario;
}
