/** What the server answers when nothing replaces the answer: pages of lists, objects, refusals. */
import type { Action, ActionOf } from './actions.ts';
import type { Customer } from './customers.ts';
import { drifted } from './drift.ts';
import { ENDPOINTS, type Endpoint, refusedQuery } from './endpoints.ts';
import { type Answer, errorEnvelope, loginPage, singletonEnvelope, unsupportedEndpoint } from './envelopes.ts';
import { unavailable } from './flavours.ts';
import type { ServedList } from './lists.ts';
import { type Listing, type PageRequest, pageBody, pageRequest, pageRows } from './paging.ts';
import type { Population } from './population.ts';
import { RowText } from './row-text.ts';
import type { Settings } from './settings.ts';
import type { Tenant } from './tenant.ts';

/** Spoils one row of a page; the true rows stay readable, so that the manifest still holds. */
function spoiled(rows: readonly string[], action: ActionOf<'badRow'>): readonly string[] {
  const at = Math.floor(rows.length / 2);
  if (action.kind === 'unknownEnum') {
    return rows.map((row, index) =>
      index === at ? row.replace(/"(resource_health_status|severity)":("?)[^,"]+"?/, '"$1":$299$2') : row,
    );
  }
  if (action.kind === 'secondsTime') {
    return rows.map((row, index) => (index === at ? row.replaceAll(/_time":("?)(\d{10})\d{3}/g, '_time":$1$2') : row));
  }
  return rows.toSpliced(at, 0, '"not a row"');
}

/** The page that is really answered: a server may ignore the size that was asked for. */
function effectivePage(settings: Settings, query: URLSearchParams, actions: readonly Action[]): PageRequest {
  let request = pageRequest(query, settings);
  for (const action of actions) {
    if (action.type === 'wrongLimit') request = { ...request, limit: action.limit ?? settings.page_size_default };
  }
  return request;
}

function freshPage(listing: Listing, request: PageRequest, settings: Settings, actions: readonly Action[]): string {
  const drift = Object.entries(settings.drift).find(([list]) => list === listing.key)?.[1];
  let rows = pageRows(listing, request, settings);
  if (drift) rows = rows.map((row) => drifted(row, drift));
  for (const action of actions) if (action.type === 'badRow') rows = spoiled(rows, action);
  return pageBody(listing, request, rows);
}

/** Lets the data move after a page was read, which is when a paging client cannot see it. */
function disturb(listing: Listing, { page, limit }: PageRequest, actions: readonly Action[]): void {
  const end = page * limit;
  for (const action of actions) {
    if (action.type === 'shrinkTotal') listing.shrink(action.count ?? 27);
    if (action.type === 'growTotal') listing.grow(action.count ?? 27, action.at ?? 'end');
    if (action.type === 'duplicateAcrossPages') listing.repeat(end, action.count ?? 3);
    if (action.type !== 'moveSystem') continue;
    for (let moved = 0; moved < (action.count ?? 1); moved += 1) listing.move(end);
  }
}

/** Lists whose undisturbed pages are kept as bytes: a benchmark must not measure this file. */
const KEPT: ReadonlySet<ServedList> = new Set([
  'scandetails',
  'allsystems',
  'allpatches',
  'installedpatches',
  'missingpatches',
  'deploymentpolicies',
  'viewconfig',
  'computers',
]);

const pageCache = new WeakMap<Population, { key: string; pages: Map<string, Buffer> }>();

function cachedPage(population: Population, listing: Listing, request: PageRequest, settings: Settings): Buffer {
  const key = `${population.version} ${settings.past_end} ${JSON.stringify(settings.drift)}`;
  let cache = pageCache.get(population);
  if (cache?.key !== key) {
    cache = { key, pages: new Map() };
    pageCache.set(population, cache);
  }
  const name = `${listing.key} ${request.page} ${request.limit}`;
  let bytes = cache.pages.get(name);
  if (!bytes) {
    bytes = Buffer.from(freshPage(listing, request, settings, []));
    cache.pages.set(name, bytes);
  }
  return bytes;
}

type Paged = Exclude<Endpoint, { readonly kind: 'singleton' }>;

/** The customers of an MSP server, which no fault disturbs. */
function customersListing(tenant: Tenant): Listing {
  const rows = tenant.customers.map(({ id, name }) =>
    new RowText().digits('customer_id', id).string('customer_name', name).end(),
  );
  const still = (): void => undefined;
  return {
    key: 'customers',
    total: rows.length,
    length: rows.length,
    rows: (start, end) => rows.slice(start, end),
    shrink: still,
    grow: still,
    move: still,
    repeat: still,
  };
}

function listingOf(tenant: Tenant, customer: Customer, endpoint: Paged, query: URLSearchParams): Listing {
  if (endpoint.kind === 'customers') return customersListing(tenant);
  if (endpoint.kind === 'list') return customer.population.listing(endpoint.list);
  return customer.pairs.listing(endpoint.view, query.get(endpoint.parameter) ?? '');
}

function pageAnswer(
  tenant: Tenant,
  customer: Customer,
  endpoint: Paged,
  query: URLSearchParams,
  alterations: readonly Action[],
): Answer {
  const { settings } = tenant;
  const listing = listingOf(tenant, customer, endpoint, query);
  const spoils = alterations.some((action) => action.type === 'wrongLimit' || action.type === 'badRow');
  const request = effectivePage(settings, query, alterations);
  const body =
    spoils || endpoint.kind !== 'list' || !KEPT.has(endpoint.list)
      ? freshPage(listing, request, settings, alterations)
      : cachedPage(customer.population, listing, request, settings);
  disturb(listing, request, alterations);
  return { status: 200, body };
}

/** Whose data an MSP server is asked for, or why it does not answer. */
function customerOf(tenant: Tenant, endpoint: Endpoint, query: URLSearchParams): Customer | Answer {
  const [first] = tenant.customers;
  if (tenant.flavour !== 'msp' || endpoint.kind === 'customers') return first;
  const id = query.get('customerid');
  if (!id) return errorEnvelope('1003', 'Customer ID Mandatory');
  return tenant.customers.find((customer) => customer.id === id) ?? errorEnvelope('1004', 'Invalid Customer ID');
}

/** What the server does with a path that this simulator does not serve. */
function unknownPath(path: string): Answer {
  return /^\/(api\/1\.[34]|dcapi)\//.test(path) ? unsupportedEndpoint() : loginPage();
}

/** The answer to an API call whose token is good. `alterations` spoil a page, or the data after it. */
export function regularAnswer(
  tenant: Tenant,
  path: string,
  query: URLSearchParams,
  alterations: readonly Action[],
): Answer {
  const endpoint = ENDPOINTS[path];
  if (!endpoint) return unknownPath(path);
  const allowed = tenant.flavour === 'msp' && endpoint.kind !== 'customers' ? ['customerid'] : [];
  const refused = unavailable(tenant.flavour, path, tenant.settings) ?? refusedQuery(endpoint, query, allowed);
  if (refused) return refused;
  const customer = customerOf(tenant, endpoint, query);
  if ('status' in customer) return customer;
  if (endpoint.kind !== 'singleton') return pageAnswer(tenant, customer, endpoint, query, alterations);
  return { status: 200, body: singletonEnvelope(endpoint.key, endpoint.value(customer.population)) };
}
