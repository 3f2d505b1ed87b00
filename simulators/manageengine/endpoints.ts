import {
  type Answer,
  listEnvelope,
  loginPage,
  singletonEnvelope,
  unsupportedEndpoint,
  unsupportedParameter,
} from './envelopes.ts';
import type { ListName, Population } from './population.ts';
import { approvalSettings, dbUpdateStatus, healthPolicy, patchSummary, somSummary } from './summary.ts';

/** A path's answer: pages of a list, or one object. `stream` is the name in the manifest. */
export type Endpoint =
  | { readonly kind: 'list'; readonly list: ListName; readonly stream: string }
  | {
      readonly kind: 'singleton';
      readonly key: string;
      readonly stream: string;
      readonly value: (population: Population) => Readonly<Record<string, unknown>>;
    };

export const ENDPOINTS: Readonly<Record<string, Endpoint>> = {
  '/api/1.4/patch/scandetails': { kind: 'list', list: 'scandetails', stream: 'systems' },
  '/api/1.4/patch/allsystems': { kind: 'list', list: 'allsystems', stream: 'all_systems' },
  '/api/1.4/patch/allpatches': { kind: 'list', list: 'allpatches', stream: 'patches' },
  '/api/1.4/patch/summary': { kind: 'singleton', key: 'summary', stream: 'patch_summary', value: patchSummary },
  '/api/1.4/patch/healthpolicy': {
    kind: 'singleton',
    key: 'healthpolicy',
    stream: 'health_policy',
    value: healthPolicy,
  },
  '/api/1.4/patch/approvalsettings': {
    kind: 'singleton',
    key: 'approvalsettings',
    stream: 'approval_settings',
    value: approvalSettings,
  },
  '/api/1.4/patch/dbupdatestatus': {
    kind: 'singleton',
    key: 'dbupdatestatus',
    stream: 'db_update_status',
    value: dbUpdateStatus,
  },
  '/api/1.4/som/summary': { kind: 'singleton', key: 'summary', stream: 'som_summary', value: somSummary },
};

const PAGING = new Set(['page', 'pagelimit']);

/** Rows are listed by id, which is all that these two can ask for here. */
const SORTING: Readonly<Record<string, readonly string[]>> = {
  orderby: ['resource_id', 'patch_id'],
  sortorder: ['asc'],
};

/** Why a query cannot be answered, or nothing. ManageEngine refuses unknown names and wrong case. */
export function refusedQuery(endpoint: Endpoint, query: URLSearchParams): Answer | undefined {
  for (const [name, value] of query) {
    if (endpoint.kind === 'list' && (PAGING.has(name) || SORTING[name]?.includes(value))) continue;
    return unsupportedParameter(name);
  }
  return undefined;
}

/** What the server does with a path that this simulator does not serve. */
export function unknownPath(path: string): Answer {
  return /^\/(api\/1\.[34]|dcapi)\//.test(path) ? unsupportedEndpoint() : loginPage();
}

/** Sizes of pages, and what lies past the last one. */
export interface Paging {
  readonly page_size_default: number;
  readonly page_size_max: number;
  readonly past_end: 'empty' | 'wrap';
}

/** The page a request asks for, after the server's own idea of limits. */
export interface PageRequest {
  readonly page: number;
  readonly limit: number;
}

function positive(text: string | null): number | undefined {
  const value = Number(text);
  return text !== null && Number.isSafeInteger(value) && value > 0 ? value : undefined;
}

/** `pagelimit=0` once meant all rows; ManageEngine says it no longer does, so it means the default. */
export function pageRequest(query: URLSearchParams, paging: Paging): PageRequest {
  const limit = positive(query.get('pagelimit')) ?? paging.page_size_default;
  return { page: positive(query.get('page')) ?? 1, limit: Math.min(limit, paging.page_size_max) };
}

/** First and last position (exclusive) of a page in a list. */
function span(population: Population, list: ListName, request: PageRequest, paging: Paging): readonly [number, number] {
  const listed = population.listed(list).length;
  const total = population.total(list);
  const pages = Math.max(1, Math.ceil(total / request.limit));
  const wraps = paging.past_end === 'wrap' && request.page > pages;
  const page = wraps ? ((request.page - 1) % pages) + 1 : request.page;
  if (page > pages) return [listed, listed];
  // Repeated rows make the list longer than its total says; the last page carries the surplus.
  return [(page - 1) * request.limit, page === pages ? listed : page * request.limit];
}

/** The JSON texts of a page's rows. */
export function pageRows(population: Population, list: ListName, request: PageRequest, paging: Paging): string[] {
  const [start, end] = span(population, list, request, paging);
  return population
    .listed(list)
    .slice(start, end)
    .map((member) => population.row(list, member));
}

export function listBody(
  population: Population,
  list: ListName,
  request: PageRequest,
  rows: readonly string[],
): string {
  return listEnvelope(list, { total: population.total(list), limit: request.limit, page: request.page, rows });
}

export function singletonBody(population: Population, endpoint: Endpoint & { kind: 'singleton' }): string {
  return singletonEnvelope(endpoint.key, endpoint.value(population));
}
