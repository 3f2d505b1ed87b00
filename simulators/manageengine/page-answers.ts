/** A page of a list as the server answers with it: spoiled by faults, or kept as bytes. */
import type { Action, ActionOf } from './actions.ts';
import { drifted } from './drift.ts';
import type { Answer } from './envelopes.ts';
import { type Listing, type PageRequest, type Paging, pageRequest, pageRows } from './paging.ts';
import type { Population } from './population.ts';
import type { Settings } from './settings.ts';

const BAD_ROW = '"not a row"';

/** Something that is no object among the rows, and in the list inside one of them. */
function withBadRow(rows: readonly string[], at: number, innerKey: string | undefined): readonly string[] {
  const start = `"${innerKey}":[{`;
  const host = innerKey === undefined ? -1 : rows.findIndex((row, index) => index >= at && row.includes(start));
  const hosted = rows.map((row, index) => (index === host ? row.replace(start, `"${innerKey}":[${BAD_ROW},{`) : row));
  return hosted.toSpliced(at, 0, BAD_ROW);
}

/** Spoils one row of a page; the true rows stay readable, so that the manifest still holds. */
function spoiled(rows: readonly string[], action: ActionOf<'badRow'>, innerKey: string | undefined): readonly string[] {
  const at = Math.floor(rows.length / 2);
  if (action.kind === 'unknownEnum') {
    return rows.map((row, index) =>
      index === at ? row.replace(/"(resource_health_status|severity)":("?)[^,"]+"?/, '"$1":$299$2') : row,
    );
  }
  if (action.kind === 'secondsTime') {
    return rows.map((row, index) => (index === at ? row.replaceAll(/_time":("?)(\d{10})\d{3}/g, '_time":$1$2') : row));
  }
  return withBadRow(rows, at, innerKey);
}

/** What a page is a page of, and how it is wrapped. */
export interface PageSource {
  readonly listing: Listing;
  readonly paging: Paging;
  readonly body: (request: PageRequest, rows: readonly string[]) => string;
  /** Where undisturbed pages are kept as bytes, and under which name; absent for what is asked for once. */
  readonly kept?: { readonly population: Population; readonly name: string };
}

/** The page that is really answered: a server may ignore the size that was asked for. */
function effectivePage(paging: Paging, query: URLSearchParams, actions: readonly Action[]): PageRequest {
  let request = pageRequest(query, paging);
  for (const action of actions) {
    if (action.type === 'wrongLimit') request = { ...request, limit: action.limit ?? paging.page_size_default };
  }
  return request;
}

function freshPage(
  { listing, paging, body }: PageSource,
  request: PageRequest,
  settings: Settings,
  actions: readonly Action[],
): string {
  let rows = drifted(pageRows(listing, request, paging), settings.drift, listing);
  for (const action of actions) if (action.type === 'badRow') rows = spoiled(rows, action, listing.inner?.key);
  return body(request, rows);
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

/** Kept pages are forgotten beyond this: clients of many page sizes must not fill the memory. */
const KEPT_BYTES = 96 * 1024 * 1024;

interface KeptPages {
  readonly version: number;
  readonly settings: Settings;
  readonly pages: Map<string, Buffer>;
  bytes: number;
}

const keptPages = new WeakMap<Population, KeptPages>();

function keptPage(
  source: PageSource,
  { population, name }: NonNullable<PageSource['kept']>,
  request: PageRequest,
  settings: Settings,
): Buffer {
  let kept = keptPages.get(population);
  if (kept?.version !== population.version || kept.settings !== settings) {
    kept = { version: population.version, settings, pages: new Map(), bytes: 0 };
    keptPages.set(population, kept);
  }
  const key = `${name} ${request.page} ${request.limit}`;
  let bytes = kept.pages.get(key);
  if (!bytes) {
    bytes = Buffer.from(freshPage(source, request, settings, []));
    if (kept.bytes + bytes.length > KEPT_BYTES) {
      kept.pages.clear();
      kept.bytes = 0;
    }
    kept.pages.set(key, bytes);
    kept.bytes += bytes.length;
  }
  return bytes;
}

/** Answers with a page. `alterations` spoil it, or the data after it. */
export function pageAnswer(
  source: PageSource,
  query: URLSearchParams,
  settings: Settings,
  alterations: readonly Action[],
): Answer {
  const spoils = alterations.some((action) => action.type === 'wrongLimit' || action.type === 'badRow');
  const request = effectivePage(source.paging, query, alterations);
  const body =
    spoils || !source.kept
      ? freshPage(source, request, settings, alterations)
      : keptPage(source, source.kept, request, settings);
  disturb(source.listing, request, alterations);
  return { status: 200, body };
}
