import { listEnvelope } from './envelopes.ts';

/** A list inside a row: its key there, and what `drift` calls its rows. */
export interface Nested {
  readonly name: string;
  readonly key: string;
}

/** A list as an endpoint pages through it, and as faults disturb it. Positions count from 0. */
export interface Listing {
  /** What `drift` calls it. */
  readonly name: string;
  /** The name of the rows in the envelope. */
  readonly key: string;
  /** The list inside each row, if there is one. */
  readonly inner?: Nested;
  /** Different members, which is the total that the server reports. */
  readonly total: number;
  /** Entries, repeats included. */
  readonly length: number;
  /** The JSON texts of the entries from `start` (included) to `end` (excluded). */
  rows(start: number, end: number): readonly string[];
  /** Names the place behind the first `position` entries; null behind all. Only where a cursor pages, not a number. */
  readonly behind?: (position: number) => string | null;
  /** `count` members vanish from every list of their kind; which ones is drawn by seed. */
  shrink(count: number): void;
  /** `count` new members join every list of their kind. */
  grow(count: number, at: 'start' | 'end'): void;
  /** A member listed at or after `position` appears before it instead, so everything between shifts. */
  move(position: number): void;
  /** The `count` rows before `position` are listed again right at it; later rows shift. */
  repeat(position: number, count: number): void;
}

/** How a family of endpoints pages: who names the size, how large pages are, what lies past the last one. */
export interface Paging {
  /** ManageEngine wants `pagelimit` below `/api/1.4` and `pageLimit` below `/dcapi`. */
  readonly parameter: 'pagelimit' | 'pageLimit';
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
  const limit = positive(query.get(paging.parameter)) ?? paging.page_size_default;
  return { page: positive(query.get('page')) ?? 1, limit: Math.min(limit, paging.page_size_max) };
}

/** First and last position (exclusive) of a page in a list. */
function span({ length, total }: Listing, request: PageRequest, paging: Paging): readonly [number, number] {
  const pages = Math.max(1, Math.ceil(total / request.limit));
  const wraps = paging.past_end === 'wrap' && request.page > pages;
  const page = wraps ? ((request.page - 1) % pages) + 1 : request.page;
  if (page > pages) return [length, length];
  // Repeated rows make the list longer than its total says; the last page carries the surplus.
  return [(page - 1) * request.limit, page === pages ? length : page * request.limit];
}

/** The JSON texts of a page's rows. */
export function pageRows(listing: Listing, request: PageRequest, paging: Paging): readonly string[] {
  return listing.rows(...span(listing, request, paging));
}

/** The body of a page of an `/api/1.4` list. */
export function pageBody(listing: Listing, request: PageRequest, rows: readonly string[]): string {
  return listEnvelope(listing.key, { total: listing.total, limit: request.limit, page: request.page, rows });
}
