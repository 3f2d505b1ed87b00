import { hash } from '../draw.ts';
import type { Decision } from '../faults.ts';
import type { LoggedRequest } from '../request-log.ts';
import type { Action, ActionOf } from './actions.ts';
import {
  ENDPOINTS,
  type Endpoint,
  listBody,
  type PageRequest,
  pageRequest,
  pageRows,
  refusedQuery,
  singletonBody,
  unknownPath,
} from './endpoints.ts';
import {
  type Answer,
  errorEnvelope,
  internalError,
  invalidToken,
  loginPage,
  throttlePage,
  tooManyRequests,
  unavailablePage,
} from './envelopes.ts';
import { accessDenied, invalidCode } from './oauth.ts';
import type { Tenant } from './tenant.ts';

/** What the server does with one request. */
export type Outcome =
  /** `delayMs` comes on top of the tenant's latency. */
  | { readonly kind: 'answer'; readonly answer: Answer; readonly delayMs: number }
  | { readonly kind: 'hang' }
  /** With an answer, its headers and the first bytes of its body leave before the reset. */
  | { readonly kind: 'reset'; readonly answer?: Answer; readonly afterBytes: number };

const LATE_MS = 3_300;

function retryAfter(action: ActionOf<'rate429'>, now: number): string | undefined {
  const seconds = action.seconds ?? 1;
  if (action.retry_after === 'none') return undefined;
  return action.retry_after === 'date' ? new Date(now + seconds * 1_000).toUTCString() : String(seconds);
}

/** Cuts a body at a drawn byte, never at its very start or end. */
function truncated(tenant: Tenant, request: LoggedRequest, answer: Answer): Answer {
  const body = Buffer.from(answer.body);
  const cut =
    1 + (hash(tenant.seed, 'cut', request.path, request.page ?? 0, request.seq) % Math.max(1, body.length - 1));
  return { ...answer, body: body.subarray(0, cut) };
}

/** A failure that takes the answer's place. `regular` builds what would have been answered. */
function replaced(action: Action, tenant: Tenant, request: LoggedRequest, regular: () => Answer): Outcome {
  const answered = (answer: Answer): Outcome => ({ kind: 'answer', answer, delayMs: 0 });
  switch (action.type) {
    case 'expireToken':
    case 'unauthorizedLoop':
      return answered(invalidToken());
    case 'refreshLimit':
      return answered({ ...accessDenied(), status: action.status ?? 400 });
    case 'refreshDenied':
      return answered(invalidCode());
    case 'rate429':
      return answered(tooManyRequests(retryAfter(action, tenant.now)));
    case 'lockout':
      return answered(tooManyRequests());
    case 'htmlLogin':
      return answered(loginPage());
    case 'htmlThrottle':
    case 'dailyQuota':
      return answered(throttlePage());
    case 'emptyBody':
      return answered({ status: 200, body: '' });
    case 'truncatedJson':
      return answered(truncated(tenant, request, regular()));
    case 'burst503':
      return answered(unavailablePage());
    case 'error500':
      return answered(internalError());
    case 'errorEnvelope':
      return answered(errorEnvelope(action.code, action.description));
    case 'hang':
      return { kind: 'hang' };
    case 'reset':
      return action.after_bytes === undefined
        ? { kind: 'reset', afterBytes: 0 }
        : { kind: 'reset', answer: regular(), afterBytes: action.after_bytes };
    default:
      throw new Error(`action ${action.type} does not replace an answer`);
  }
}

/** Spoils one row of a page; the true rows stay readable, so that the manifest still holds. */
function spoiled(rows: readonly string[], action: ActionOf<'badRow'>): string[] {
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

type ListEndpoint = Extract<Endpoint, { readonly kind: 'list' }>;

/** The page that is really answered: a server may ignore the size that was asked for. */
function effectivePage(tenant: Tenant, query: URLSearchParams, actions: readonly Action[]): PageRequest {
  let request = pageRequest(query, tenant.settings);
  for (const action of actions) {
    if (action.type !== 'wrongLimit') continue;
    request = { ...request, limit: action.limit ?? tenant.settings.page_size_default };
  }
  return request;
}

function spoiledPage(
  tenant: Tenant,
  endpoint: ListEndpoint,
  query: URLSearchParams,
  actions: readonly Action[],
): string {
  const { population, settings } = tenant;
  const request = effectivePage(tenant, query, actions);
  let rows = pageRows(population, endpoint.list, request, settings);
  for (const action of actions) if (action.type === 'badRow') rows = spoiled(rows, action);
  return listBody(population, endpoint.list, request, rows);
}

/** Lets the data move after a page was read, which is when a paging client cannot see it. */
function disturb(tenant: Tenant, endpoint: ListEndpoint, query: URLSearchParams, actions: readonly Action[]): void {
  const { population } = tenant;
  const { page, limit } = effectivePage(tenant, query, actions);
  const end = page * limit;
  for (const action of actions) {
    if (action.type === 'shrinkTotal') population.shrink(endpoint.list, action.count ?? 27);
    if (action.type === 'growTotal') population.grow(endpoint.list, action.count ?? 27, action.at ?? 'end');
    if (action.type === 'duplicateAcrossPages') population.repeatAfter(endpoint.list, end, action.count ?? 3);
    if (action.type !== 'moveSystem') continue;
    for (let moved = 0; moved < (action.count ?? 1); moved += 1) population.move(endpoint.list, end);
  }
}

/** Undisturbed pages are kept as bytes: a benchmark must not measure this file. */
const pageCache = new WeakMap<Tenant, { key: string; pages: Map<string, Buffer> }>();

function cachedPage(tenant: Tenant, endpoint: ListEndpoint, query: URLSearchParams): Buffer {
  const { population, settings } = tenant;
  const paging = pageRequest(query, settings);
  const key = `${population.serial} ${population.version} ${settings.past_end}`;
  let cache = pageCache.get(tenant);
  if (cache?.key !== key) {
    cache = { key, pages: new Map() };
    pageCache.set(tenant, cache);
  }
  const name = `${endpoint.list} ${paging.page} ${paging.limit}`;
  let bytes = cache.pages.get(name);
  if (!bytes) {
    const rows = pageRows(population, endpoint.list, paging, settings);
    bytes = Buffer.from(listBody(population, endpoint.list, paging, rows));
    cache.pages.set(name, bytes);
  }
  return bytes;
}

function regularAnswer(tenant: Tenant, path: string, query: URLSearchParams, alterations: readonly Action[]): Answer {
  const endpoint = ENDPOINTS[path];
  if (!endpoint) return unknownPath(path);
  const refused = refusedQuery(endpoint, query);
  if (refused) return refused;
  if (endpoint.kind === 'singleton') return { status: 200, body: singletonBody(tenant.population, endpoint) };
  const spoils = alterations.some((action) => action.type === 'wrongLimit' || action.type === 'badRow');
  const body = spoils ? spoiledPage(tenant, endpoint, query, alterations) : cachedPage(tenant, endpoint, query);
  if (alterations.length > 0) disturb(tenant, endpoint, query, alterations);
  return { status: 200, body };
}

function lateness(tenant: Tenant, request: LoggedRequest, alterations: readonly Action[]): number {
  let total = 0;
  for (const action of alterations) {
    if (action.type !== 'slow') continue;
    const wobble = (hash(tenant.seed, 'late', request.seq) % 401) - 200;
    total += ((action.ms ?? LATE_MS) * (1_000 + wobble)) / 1_000;
  }
  return total;
}

function decide(tenant: Tenant, request: LoggedRequest): Decision<Action> {
  const page = request.page ?? 1;
  const attempt = tenant.attempt(request.path, page);
  const decision = tenant.engine.decide({ path: request.path, page, attempt, now: request.at });
  const involved = decision.instead ? [decision.instead] : decision.alterations;
  request.fault = involved.length > 0 ? involved.map(({ id }) => id).join('+') : null;
  return decision;
}

/** Serves one request of a known tenant, faults first. `regular` is asked at most once. */
function serve(
  tenant: Tenant,
  request: LoggedRequest,
  token: string,
  regular: (alterations: readonly Action[]) => Answer,
): Outcome {
  const decision = decide(tenant, request);
  if (decision.instead?.action.type === 'expireToken') tenant.tokens.kill(token);
  if (decision.instead) return replaced(decision.instead.action, tenant, request, () => regular([]));
  const alterations = decision.alterations.map(({ action }) => action);
  return { kind: 'answer', answer: regular(alterations), delayMs: lateness(tenant, request, alterations) };
}

/** An API call with the given access token. A dead token is refused before any fault is considered. */
export function serveApi(tenant: Tenant, request: LoggedRequest, query: URLSearchParams, token: string): Outcome {
  if (!tenant.tokens.accepts(token, request.at)) return { kind: 'answer', answer: invalidToken(), delayMs: 0 };
  return serve(tenant, request, token, (alterations) => regularAnswer(tenant, request.path, query, alterations));
}

/** A token request of a known client. */
export function serveToken(tenant: Tenant, request: LoggedRequest, form: URLSearchParams): Outcome {
  const { expires_in, token_limit } = tenant.settings;
  return serve(tenant, request, '', () => tenant.tokens.refresh(form, request.at, expires_in, token_limit));
}
