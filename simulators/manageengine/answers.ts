/** What the server answers when nothing replaces the answer: pages of lists, objects, refusals. */
import type { Action } from './actions.ts';
import type { Customer } from './customers.ts';
import { ENDPOINTS, type Endpoint, refusedQuery } from './endpoints.ts';
import { type Answer, errorEnvelope, loginPage, singletonEnvelope, unsupportedEndpoint } from './envelopes.ts';
import { unavailable } from './flavours.ts';
import type { ServedList } from './lists.ts';
import { type PageSource, pageAnswer } from './page-answers.ts';
import { type Listing, type Paging, pageBody } from './paging.ts';
import { RowText } from './row-text.ts';
import type { Settings } from './settings.ts';
import type { Tenant } from './tenant.ts';
import { threatsBody, threatsPaging } from './threats.ts';

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

/** The customers of an MSP server, which no fault disturbs. */
function customersListing(tenant: Tenant): Listing {
  const rows = tenant.customers.map(({ id, name }) =>
    new RowText().digits('customer_id', id).string('customer_name', name).end(),
  );
  const still = (): void => undefined;
  return {
    name: 'customers',
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

function paging(settings: Settings): Paging {
  const { page_size_default, page_size_max, past_end } = settings;
  return { parameter: 'pagelimit', page_size_default, page_size_max, past_end };
}

type Paged = Exclude<Endpoint, { readonly kind: 'singleton' }>;

function sourceOf(tenant: Tenant, customer: Customer, endpoint: Paged, query: URLSearchParams): PageSource | Answer {
  const { settings } = tenant;
  if (endpoint.kind === 'threats') {
    const { path, call } = endpoint;
    const listing = call.listing(customer, query);
    if ('status' in listing) return listing;
    const whole = !call.parameters.some((name) => query.has(name));
    return {
      listing,
      paging: threatsPaging(settings),
      body: (request, rows) => threatsBody({ path, query }, settings, listing, request, rows),
      ...(whole && { kept: { population: customer.population, name: path } }),
    };
  }
  const listing =
    endpoint.kind === 'customers'
      ? customersListing(tenant)
      : endpoint.kind === 'list'
        ? customer.population.listing(endpoint.list)
        : customer.pairs.listing(endpoint.view, query.get(endpoint.parameter) ?? '');
  const kept = endpoint.kind === 'list' && KEPT.has(endpoint.list);
  return {
    listing,
    paging: paging(settings),
    body: (request, rows) => pageBody(listing, request, rows),
    ...(kept && { kept: { population: customer.population, name: endpoint.list } }),
  };
}

/** How a caller of an MSP server names the customer: ManageEngine takes ids below `/api` and names below `/dcapi`. */
function customerParameter(endpoint: Endpoint): 'customerid' | 'customername' {
  return endpoint.kind === 'threats' ? 'customername' : 'customerid';
}

/** Whose data an MSP server is asked for, or why it does not answer. */
function customerOf(tenant: Tenant, endpoint: Endpoint, query: URLSearchParams): Customer | Answer {
  const [first] = tenant.customers;
  if (tenant.flavour !== 'msp' || endpoint.kind === 'customers') return first;
  const parameter = customerParameter(endpoint);
  const named = query.get(parameter);
  if (!named) return errorEnvelope('1003', 'Customer ID Mandatory');
  const found = tenant.customers.find(({ id, name }) => (parameter === 'customerid' ? id : name) === named);
  return found ?? errorEnvelope('1004', `Invalid Customer ${parameter === 'customerid' ? 'ID' : 'Name'}`);
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
  const allowed = tenant.flavour === 'msp' && endpoint.kind !== 'customers' ? [customerParameter(endpoint)] : [];
  const refused = unavailable(tenant.flavour, path, tenant.settings) ?? refusedQuery(endpoint, query, allowed);
  if (refused) return refused;
  const customer = customerOf(tenant, endpoint, query);
  if ('status' in customer) return customer;
  if (endpoint.kind === 'singleton') {
    return { status: 200, body: singletonEnvelope(endpoint.key, endpoint.value(customer.population)) };
  }
  const source = sourceOf(tenant, customer, endpoint, query);
  return 'status' in source ? source : pageAnswer(source, query, tenant.settings, alterations);
}
