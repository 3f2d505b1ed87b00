import type { Answer } from './envelopes.ts';
import { FLAVOURS } from './flavours.ts';
import { LIST_NAMES } from './lists.ts';
import { grantCodeOf } from './oauth.ts';
import type { SlackInbox } from './slack.ts';
import type { Tenant, TenantOptions } from './tenant.ts';

/** What the control surface needs of the server. */
export interface Office {
  tenant(clientId?: string): Tenant;
  addTenant(options: TenantOptions): Tenant;
  readonly tenants: readonly Tenant[];
  /** What arrived at `/__sim/slack`. */
  readonly slack: SlackInbox;
}

interface ControlRequest {
  readonly office: Office;
  readonly tenant: Tenant;
  readonly query: URLSearchParams;
  readonly body: unknown;
}

type Handler = (request: ControlRequest) => unknown;

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function describe(tenant: Tenant): Readonly<Record<string, unknown>> {
  const { flavour, profile, seed, scenario, config, account } = tenant;
  const way = flavour === 'cloud' ? { grant_code: grantCodeOf(tenant.credentials) } : { account };
  return { client_id: tenant.credentials.client_id, flavour, profile, seed, scenario, config, ...way };
}

function advanceClock({ tenant, body }: ControlRequest): unknown {
  const advance = isObject(body) ? body.advance_ms : undefined;
  if (typeof advance !== 'number' || advance < 0) throw new Error('send {"advance_ms": N}, N milliseconds from 0');
  tenant.advance(advance);
  return { now: tenant.now };
}

/** Pairs of system and patch, which can only vanish. */
const PAIRS = 'pairs';

/** {"count": N, "list": "scandetails", "at": "end"}; systems unless the list says patches. */
function change({ tenant, query, body }: ControlRequest, direction: 'shrink' | 'grow'): unknown {
  const { count, list = 'scandetails', at = 'end' } = isObject(body) ? body : {};
  if (typeof count !== 'number' || !Number.isInteger(count) || count < 1) {
    throw new Error('count must be a whole number from 1');
  }
  const named = LIST_NAMES.find((name) => name === list);
  const pairs = direction === 'shrink' && list === PAIRS;
  if (!named && !pairs) {
    throw new Error(`list must be one of ${[...LIST_NAMES, ...(direction === 'shrink' ? [PAIRS] : [])].join(', ')}`);
  }
  if (at !== 'start' && at !== 'end') throw new Error('at must be start or end');
  const customer = query.get('customer') ?? undefined;
  if (!named) tenant.shrinkPairs(count, customer);
  else if (direction === 'shrink') tenant.shrink(named, count, customer);
  else tenant.grow(named, count, at, customer);
  return tenant.manifest(customer === undefined ? {} : { customer });
}

const TENANT_KEYS: Readonly<Record<string, string>> = {
  client_id: 'string',
  client_secret: 'string',
  refresh_token: 'string',
  api_token: 'string',
  flavour: 'string',
  profile: 'string',
  seed: 'number',
  scenario: 'string',
};

function addTenant({ office, body }: ControlRequest): unknown {
  if (!isObject(body) || typeof body.client_id !== 'string') throw new Error('send {"client_id": "…"} at least');
  for (const [key, value] of Object.entries(body)) {
    if (TENANT_KEYS[key] === undefined) {
      throw new Error(`unknown key "${key}"; known keys: ${Object.keys(TENANT_KEYS).join(', ')}`);
    }
    if (typeof value !== TENANT_KEYS[key]) throw new Error(`${key} must be a ${TENANT_KEYS[key]}`);
  }
  const { client_id, flavour, ...others } = body;
  const known = FLAVOURS.find((name) => name === flavour);
  if (flavour !== undefined && !known) throw new Error(`flavour must be one of ${FLAVOURS.join(', ')}`);
  return describe(office.addTenant({ ...others, client_id, ...(known ? { flavour: known } : {}) }));
}

function manifest({ tenant, query }: ControlRequest): unknown {
  const [stream, customer] = [query.get('stream'), query.get('customer')];
  return tenant.manifest({
    ids: query.get('ids') === '1',
    ...(stream === null ? {} : { stream }),
    ...(customer === null ? {} : { customer }),
  });
}

const HANDLERS: Readonly<Record<string, Handler>> = {
  'GET manifest': manifest,
  'GET state': ({ tenant }) => tenant.state(),
  'POST reset': ({ tenant }) => {
    tenant.reset();
    return tenant.state();
  },
  'POST clock': advanceClock,
  'GET faults': ({ tenant }) => ({ faults: tenant.faults }),
  'POST faults': ({ tenant, body }) => ({
    ids: (Array.isArray(body) ? body : [body]).map((rule: unknown) => tenant.addFaultJson(rule)),
  }),
  'DELETE faults': ({ tenant, query }) => ({ removed: tenant.removeFaults(query.get('id') ?? undefined) }),
  'POST shrink': (request) => change(request, 'shrink'),
  'POST grow': (request) => change(request, 'grow'),
  'POST expire': ({ tenant }) => ({ expired: tenant.tokens.expire(tenant.now, tenant.apiToken) }),
  'GET requests': ({ tenant }) => ({ requests: tenant.requests }),
  'GET config': ({ tenant }) => tenant.settings,
  'POST config': ({ tenant, body }) => tenant.configure(body),
  'GET tenants': ({ office }) => ({ tenants: office.tenants.map(describe) }),
  'POST tenants': addTenant,
  'GET slack': ({ office }) => ({ behaviour: office.slack.behaviour, messages: office.slack.messages }),
  'DELETE slack': ({ office }) => ({ removed: office.slack.clear() }),
  'POST slack/behaviour': ({ office, body }) => office.slack.behave(body),
};

function json(status: number, value: unknown): Answer {
  return { status, body: JSON.stringify(value), headers: { 'content-type': 'application/json' } };
}

/** Answers a `/__sim/` request; `?tenant=<client_id>` says whose, the default tenant's without it. */
export function control(office: Office, method: string, path: string, query: URLSearchParams, text: string): Answer {
  const handler = HANDLERS[`${method} ${path.slice('/__sim/'.length)}`];
  if (!handler) {
    const known = Object.keys(HANDLERS).map((name) => name.replace(' ', ' /__sim/'));
    return json(404, { error: `nothing at ${method} ${path}`, known });
  }
  try {
    const body: unknown = text === '' ? undefined : JSON.parse(text);
    return json(200, handler({ office, tenant: office.tenant(query.get('tenant') ?? undefined), query, body }));
  } catch (error) {
    // Whatever the caller sent wrong is reported to the caller; the simulator goes on.
    return json(400, { error: error instanceof Error ? error.message : String(error) });
  }
}
