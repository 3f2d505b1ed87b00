/** The REST API of Plex Connect: who may ask, which endpoint is meant, and its answer. */
import { hash } from '../draw.ts';
import { type Answer, invalid, json, list, notFound, restError, unauthenticated } from './answers.ts';
import { isUuid } from './ids.ts';
import { readQuery } from './parameters.ts';
import type { Row } from './plant.ts';
import type { Records } from './records.ts';
import { REST_ENDPOINTS, type RestEndpoint } from './rest-endpoints.ts';
import { PRODUCTS } from './settings.ts';
import { workcenterSetups } from './workcenter-setups.ts';

/** Who may use the REST API. */
export interface RestAccount {
  readonly apiKey: string;
  /** The customer number, six digits. */
  readonly customerId: string;
  readonly tenantId: string;
  /** The company in a word, which names its host. */
  readonly pcnCode: string;
}

/** A request as far as the API is concerned. */
export interface RestRequest {
  readonly method: string;
  readonly path: string;
  readonly query: URLSearchParams;
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>;
  readonly text: string;
}

export const KEY_HEADER = 'x-plex-connect-api-key';
const CUSTOMER_HEADER = 'x-plex-connect-customer-id';
const TENANT_HEADER = 'x-plex-connect-tenant-id';

const TENANTS = '/mdm/v1/tenants';
const SETUPS = '/production/v1/control/workcenter-setups';

/** Account of the invented tenant, decided by the seed. */
export function accountOf(seed: number): RestAccount {
  const part = (index: number): string => hash(seed, 'api key', index).toString(16).padStart(8, '0');
  return {
    apiKey: `sim-${part(0)}${part(1)}${part(2)}`,
    customerId: '340884',
    pcnCode: 'exampleplant',
    tenantId: `${part(3)}-0000-4000-8000-${part(4)}0000`,
  };
}

/** Which product a path belongs to: its collection. */
function productOf(path: string): string {
  return path.split('/')[1] ?? '';
}

/** The key counts as a header only, and the customer or tenant, if named, must be one that it may act for. */
export function mayAsk(account: RestAccount, { headers, query }: RestRequest): boolean {
  const names = [...query.keys()].map((name) => name.toLowerCase());
  if (names.includes(KEY_HEADER) || headers[KEY_HEADER] !== account.apiKey) return false;
  const [customer, tenant] = [headers[CUSTOMER_HEADER], headers[TENANT_HEADER]];
  if (customer !== undefined && customer !== account.customerId) return false;
  return tenant === undefined || String(tenant).toLowerCase() === account.tenantId;
}

interface Route {
  readonly endpoint: RestEndpoint;
  readonly ids: readonly string[];
}

const ROUTES = Object.entries(REST_ENDPOINTS).map(([path, endpoint]) => ({
  pattern: new RegExp(`^${path.replaceAll('{id}', '([^/]+)')}$`),
  endpoint,
}));

function decoded(segment: string): string {
  try {
    return decodeURIComponent(segment);
  } catch {
    // Not an encoding at all, so it is what it says.
    return segment;
  }
}

function routeOf(path: string): Route | undefined {
  for (const { pattern, endpoint } of ROUTES) {
    const [whole, ...ids] = pattern.exec(path) ?? [];
    if (whole !== undefined) return { endpoint, ids: ids.map(decoded) };
  }
  return undefined;
}

function* wanted(rows: Iterable<Row>, wants: (row: Row) => boolean): Generator<Row> {
  for (const row of rows) if (wants(row)) yield row;
}

function listed(
  endpoint: Extract<RestEndpoint, { kind: 'list' }>,
  records: Records,
  route: Route,
  query: URLSearchParams,
): Answer {
  const bad = route.ids.find((id) => !isUuid(id));
  if (bad !== undefined) return invalid('id is not a valid UUID.');
  const asked = readQuery(query, endpoint.parameters);
  if (typeof asked === 'string') return invalid(asked);
  const rows = endpoint.rows(records, asked, route.ids);
  return rows ? list(wanted(rows, asked.wants)) : notFound();
}

function single(endpoint: Extract<RestEndpoint, { kind: 'record' }>, records: Records, id: string): Answer {
  if (endpoint.id === 'uuid' && !isUuid(id)) return invalid('id is not a valid UUID.');
  if (endpoint.id === 'integer' && !/^\d{1,9}$/.test(id)) return invalid('id is not a valid integer.');
  const row = endpoint.row(records, endpoint.id === 'uuid' ? id.toLowerCase() : id);
  return row ? json(row) : notFound();
}

/** The regular answer to a request that may be asked. */
export function restAnswer(
  account: RestAccount,
  records: Records,
  off: readonly string[],
  { method, path, query, text }: RestRequest,
): Answer {
  const product = productOf(path);
  // A product that the key is not subscribed to looks exactly like a wrong key.
  if (PRODUCTS.some((known) => known === product) && off.includes(product)) return unauthenticated();
  if (path === TENANTS && method === 'GET') return list([{ id: account.tenantId, code: account.pcnCode }]);
  if (path === SETUPS && method === 'POST') return workcenterSetups(records, text);
  const route = routeOf(path);
  if (!route && path !== TENANTS && path !== SETUPS) return notFound();
  if (!route || method !== 'GET') return restError(405, 'METHOD_NOT_ALLOWED', `${method} is not allowed here.`);
  const { endpoint } = route;
  return endpoint.kind === 'list'
    ? listed(endpoint, records, route, query)
    : single(endpoint, records, route.ids[0] ?? '');
}
