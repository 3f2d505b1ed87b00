/** The calls below `/dcapi/threats/`: what they list, what can be asked for, and what stands around the rows. */
import type { Customer } from './customers.ts';
import { memberOf } from './dataset.ts';
import { type Answer, bareEnvelope, errorEnvelope, threatsEnvelope } from './envelopes.ts';
import type { Open } from './exposure.ts';
import type { Listing, PageRequest, Paging } from './paging.ts';
import type { Settings } from './settings.ts';
import { type StreamTruth, truthOfList, truthOfPairs } from './stream-truth.ts';
import { THREAT_PATCH_FILTERS, wantedPatches } from './threat-patches.ts';
import { detailedRow, systemPatchesRow, systemVulnerabilitiesRow } from './threat-systems.ts';
import { vulnerabilityOf } from './vulnerabilities.ts';

/** One call. */
export interface ThreatCall {
  readonly streams: Readonly<Record<string, StreamTruth>>;
  /** Parameters beside those of paging. */
  readonly parameters: readonly string[];
  /** Whether pages are named by number; otherwise by a cursor. */
  readonly numbered: boolean;
  /** A refusal for parameters with nonsense in them. */
  readonly listing: (customer: Customer, query: URLSearchParams) => Listing | Answer;
}

/** Only the system that `resource_id` names, where it names one. */
function wantedSystem({ population }: Customer, query: URLSearchParams): ((system: number) => boolean) | undefined {
  const id = query.get('resource_id');
  if (id === null) return undefined;
  const named = memberOf(population.data, 'system', id);
  return (system) => system === named;
}

export const THREAT_CALLS: Readonly<Record<string, ThreatCall>> = {
  '/dcapi/threats/systemreport/patches': {
    streams: { dcapi_systems: truthOfList('dcapi_systems'), patch_system_mapping: truthOfPairs() },
    parameters: ['resource_id'],
    numbered: true,
    listing: (customer, query) =>
      customer.population.listed('dcapi_systems', {
        name: 'dcapi_systems',
        key: 'systemreport',
        inner: { name: 'patch_system_mapping', key: 'patches' },
        wanted: wantedSystem(customer, query),
        row: (system) => systemPatchesRow(customer.population.data, system, customer.pairs.of(system)),
      }),
  },
  '/dcapi/threats/patches': {
    streams: { dcapi_patches: truthOfList('dcapi_patches') },
    parameters: THREAT_PATCH_FILTERS,
    numbered: true,
    listing: ({ population }, query) =>
      population.listed('dcapi_patches', {
        name: 'dcapi_patches',
        key: 'patches',
        wanted: wantedPatches(population.data, query),
        row: (patch) => population.row('dcapi_patches', patch),
      }),
  },
  '/dcapi/threats/vulnerabilities': {
    streams: { dcapi_vulnerabilities: truthOfList('dcapi_vulnerabilities') },
    parameters: [],
    numbered: true,
    listing: ({ population }) =>
      population.listed('dcapi_vulnerabilities', {
        name: 'dcapi_vulnerabilities',
        key: 'vulnerabilities',
        row: (vulnerability) => population.row('dcapi_vulnerabilities', vulnerability),
      }),
  },
  '/dcapi/threats/systemreport/vulnerabilities': {
    streams: {
      system_vulnerabilities: { rows: ({ exposure }) => exposure.open.length, ids: ({ exposure }) => exposure.ids },
    },
    parameters: ['resource_id'],
    numbered: true,
    listing: (customer, query) =>
      customer.population.listed('dcapi_systems', {
        name: 'dcapi_systems',
        key: 'systemreport',
        inner: { name: 'system_vulnerabilities', key: 'vulnerabilities' },
        wanted: wantedSystem(customer, query),
        row: (system) => systemVulnerabilitiesRow(customer.population.data, system, customer.exposure.of(system)),
      }),
  },
  '/dcapi/threats/detailedinfo/vulnerabilities': {
    streams: {},
    parameters: ['cursor', 'updatedTime', 'vulnerabilityStatus'],
    numbered: false,
    listing: detailedListing,
  },
};

/** Names the place behind a row of `detailedinfo/vulnerabilities`; rows that come or go before it do not move it. */
function cursorBehind({ population }: Customer, { system, vulnerability }: Open): string {
  const place = [population.id('dcapi_systems', system), population.id('dcapi_vulnerabilities', vulnerability)];
  return Buffer.from(place.join('/')).toString('base64url');
}

interface Place {
  readonly system: number;
  readonly vulnerability: number;
}

function placeOf({ population }: Customer, cursor: string): Place | undefined {
  const [resource = '', id = ''] = Buffer.from(cursor, 'base64url').toString().split('/');
  const [system, vulnerability] = [memberOf(population.data, 'system', resource), vulnerabilityOf(id)];
  return system === undefined || vulnerability === undefined ? undefined : { system, vulnerability };
}

/** Rows that changed after `updatedTime`: the total counts all of them, the entries are those behind the cursor. */
function detailedListing(customer: Customer, query: URLSearchParams): Listing | Answer {
  const { population, exposure } = customer;
  const cursor = query.get('cursor');
  const place = cursor === null ? undefined : placeOf(customer, cursor);
  if (cursor !== null && !place) return errorEnvelope('1006', 'Invalid cursor');
  const updatedTime = query.get('updatedTime') ?? '0';
  if (!/^\d{1,15}$/.test(updatedTime)) return errorEnvelope('1007', 'Invalid updatedTime');
  const status = query.get('vulnerabilityStatus') ?? 'open';
  const wanted = status === 'open' ? exposure.open.filter(({ updated }) => updated > Number(updatedTime)) : [];
  const isBehind = ({ system, vulnerability }: Open): boolean =>
    !place || system > place.system || (system === place.system && vulnerability > place.vulnerability);
  const behind = wanted.filter(isBehind);
  const still = (): void => undefined;
  return {
    name: 'system_vulnerabilities',
    key: 'vulnerabilities',
    total: wanted.length,
    length: behind.length,
    rows: (start, end) => behind.slice(start, end).map((open) => detailedRow(population.data, open)),
    behind: (position) => {
      const last = behind[position - 1];
      return last && position < behind.length ? cursorBehind(customer, last) : null;
    },
    shrink: (count) => population.shrink('dcapi_systems', count),
    grow: (count, at) => population.grow('dcapi_systems', count, at),
    move: still,
    repeat: still,
  };
}

export function threatsPaging(settings: Settings): Paging {
  return {
    parameter: 'pageLimit',
    page_size_default: settings.dcapi_page_size_default,
    page_size_max: settings.dcapi_page_size_max,
    past_end: settings.past_end,
  };
}

/** Addresses of the neighbouring pages, relative to the server; null at the ends. */
function linksOf(path: string, query: URLSearchParams, { page, limit }: PageRequest, pages: number): object {
  const to = (other: number): string | null => {
    if (other < 1 || other > pages) return null;
    const changed = new URLSearchParams(query);
    changed.set('page', String(other));
    changed.set('pageLimit', String(limit));
    return `${path}?${changed}`;
  };
  return { next: to(page + 1), prev: to(page - 1) };
}

/** The body of a page of a call. */
export function threatsBody(
  call: { readonly path: string; readonly query: URLSearchParams },
  settings: Settings,
  listing: Listing,
  request: PageRequest,
  rows: readonly string[],
): string {
  const { path, query } = call;
  const { key, total, behind } = listing;
  if (settings.dcapi_envelope === 'bare' && path.endsWith('/systemreport/patches')) return bareEnvelope(key, rows);
  const totalPages = Math.ceil(total / request.limit);
  const metadata = {
    ...(behind ? { cursor: behind(request.limit) } : { page: request.page }),
    pageLimit: request.limit,
    totalRecords: settings.dcapi_total === 'text' ? String(total) : total,
    ...(behind ? {} : { totalPages }),
    ...(settings.dcapi_links && !behind ? { links: linksOf(path, query, request, totalPages) } : {}),
  };
  return threatsEnvelope(key, metadata, rows);
}
