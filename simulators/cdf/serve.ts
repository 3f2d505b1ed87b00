/** One request of a client, from who may ask to what is done about it. */
import { gunzipSync } from 'node:zlib';
import { hash } from '../draw.ts';
import { type Answer, gatewayPage, json, waitHeader } from '../plex/answers.ts';
import type { Action, ActionOf } from './actions.ts';
import { barrierFor, RATE_TEXT } from './barriers.ts';
import type { LoggedCall } from './call-log.ts';
import { countPoints } from './datapoints.ts';
import { type Details, errorBody, invalid, Refusal } from './refusal.ts';
import type { Reply } from './resource.ts';
import { decoded, type Found, RIGHTS, routeOf } from './routes.ts';
import { factsFor } from './rules.ts';
import { type Fields, isObject } from './shapes.ts';
import { PROJECT, type Site } from './site.ts';
import { tokenError } from './tokens.ts';

/** A request as it came. */
export interface Request {
  readonly method: string;
  readonly path: string;
  readonly query: URLSearchParams;
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>;
  readonly body: Buffer;
}

/** What the server does with one request. Times are real milliseconds. */
export type Outcome =
  | { readonly kind: 'hang' }
  | { readonly kind: 'close' }
  | {
      readonly kind: 'answer';
      readonly answer: Answer;
      readonly delayMs: number;
      /** Only so much of the body; with `reset` the connection ends there. */
      readonly cut?: { readonly bytes: number; readonly reset: boolean };
    };

export const TOKEN_PATH = '/oauth/token';
const INSPECT_PATH = '/api/v1/token/inspect';
/** Project and the path after it; the SDK of the vendor ends some paths with a slash. */
const PROJECT_PATH = /^\/api\/v1\/projects\/([^/]+)(\/.*?)\/?$/;
/** A cut answer ends somewhere in here, unless the rule says where. */
const CUT_WITHIN = 4_096;

const MESSAGES: Readonly<Record<number, string>> = {
  401: 'Unauthorized',
  403: 'Forbidden',
  404: 'Not Found',
  429: RATE_TEXT,
  500: 'Internal server error',
  503: 'Service unavailable, try again',
};

/** What a handler works on. */
interface Work {
  readonly site: Site;
  readonly call: LoggedCall;
  readonly request: Request;
  /** The path after the project; the whole path where there is none. */
  readonly path: string;
  readonly found: Found | undefined;
  readonly content: unknown;
}

const plain = (answer: Answer): Outcome => ({ kind: 'answer', answer, delayMs: 0 });

function header({ headers }: Request, name: string): string | undefined {
  const value = headers[name];
  return typeof value === 'string' ? value : undefined;
}

/** The body without its compression. @throws Refusal where that is broken. */
function bytesOf(request: Request): Buffer {
  const encoding = header(request, 'content-encoding') ?? 'identity';
  if (encoding === 'identity') return request.body;
  if (encoding !== 'gzip') throw new Refusal(415, `Content-Encoding ${encoding} is not supported`);
  try {
    return gunzipSync(request.body);
  } catch {
    throw invalid('The body is not gzip');
  }
}

function contentOf(request: Request): unknown {
  const text = bytesOf(request).toString('utf8');
  if (text === '') return undefined;
  try {
    return JSON.parse(text);
  } catch {
    throw invalid('The body is not JSON');
  }
}

function refused({ call, path }: Pick<Work, 'call' | 'path'>, refusal: Refusal): Answer {
  const answer = json(errorBody(refusal, !path.startsWith('/extpipes')), refusal.status);
  return { ...answer, headers: { ...answer.headers, 'x-request-id': call.request_id } };
}

function replied({ call }: Work, { status, body }: Reply): Answer {
  const answer = json(body, status);
  return { ...answer, headers: { ...answer.headers, 'x-request-id': call.request_id } };
}

function inspect({ site }: Work): Reply {
  const held = RIGHTS.filter((right) => !site.settings.capabilities_off.includes(right)).map((right) =>
    right.split(':'),
  );
  const names = [...new Set(held.map(([acl = '']) => acl))];
  const capabilities = names.map((acl) => ({
    [acl]: { actions: held.filter(([own]) => own === acl).map(([, action]) => action), scope: { all: {} } },
    projectScope: { projects: [PROJECT] },
  }));
  return {
    status: 200,
    body: { subject: 'target-cdf', projects: [{ projectUrlName: PROJECT, groups: [1] }], capabilities },
  };
}

/** Parameters as filters read them: numbers and truth values are no texts. */
function queryOf(query: URLSearchParams): Fields {
  const pairs = [...query].map(([name, value]) => {
    if (/^(limit|minLastUpdatedTime|maxLastUpdatedTime)$/.test(name)) return [name, Number(value)];
    return [name, name === 'root' ? value === 'true' : value];
  });
  return Object.fromEntries(pairs);
}

/** The regular answer of an endpoint. @throws Refusal */
function endpointReply(work: Work): Reply {
  const { site, request, found, content } = work;
  if (request.path === INSPECT_PATH && request.method === 'GET') return inspect(work);
  if (found === undefined) throw new Refusal(404, `Not Found: ${request.method} ${request.path}`);
  const { route, parts } = found;
  if (site.settings.capabilities_off.includes(route.right)) {
    throw new Refusal(403, `Resource not found. This may also be due to insufficient access rights: ${route.right}`);
  }
  const body = content ?? {};
  if (!isObject(body)) throw invalid('The body must be a JSON object');
  return route.answer({ context: site.context, parts, query: queryOf(request.query), body });
}

/** Names fewer of what an error is about. */
function lessNamed(refusal: Refusal, alterations: readonly Action[]): Refusal {
  const keep = alterations.flatMap((action) => (action.type === 'names' ? [action.keep ?? 0] : []));
  if (keep.length === 0) return refusal;
  const most = Math.min(...keep);
  const { missing, duplicated, ...others } = refusal.details;
  const details: Details = {
    ...others,
    ...(missing && most > 0 && { missing: missing.slice(0, most) }),
    ...(duplicated && most > 0 && { duplicated: duplicated.slice(0, most) }),
  };
  return new Refusal(refusal.status, refusal.message, details);
}

function vanished(site: Site, alterations: readonly Action[]): void {
  for (const action of alterations) {
    if (action.type !== 'vanish') continue;
    const { external_id, prefix } = action;
    site.project.removeNamed((name) => (prefix === undefined ? name === external_id : name.startsWith(prefix)));
  }
}

/** Does what the request asks, and answers as the alterations have it. */
function regular(work: Work, alterations: readonly Action[]): Answer {
  vanished(work.site, alterations);
  try {
    return replied(work, endpointReply(work));
  } catch (error) {
    if (error instanceof Refusal) return refused(work, lessNamed(error, alterations));
    throw error;
  }
}

/** An error that a rule asks for, in the form of what it hits. */
function statusAnswer(action: ActionOf<'status'>, work: Work): Answer {
  const {
    status,
    message = MESSAGES[status] ?? `Simulated ${status}`,
    body = 'json',
    retry_after,
    seconds = 60,
  } = action;
  const wait = retry_after === undefined ? {} : waitHeader(retry_after, seconds, work.site.now);
  if (body === 'html') return { ...gatewayPage(status), headers: { 'content-type': 'text/html', ...wait } };
  if (body === 'empty') return { status, headers: wait, body: '' };
  const isToken = work.request.path === TOKEN_PATH;
  const answer = isToken
    ? replied(work, tokenError(status, status >= 500 ? 'server_error' : 'invalid_client', message))
    : refused(work, new Refusal(status, message));
  return { ...answer, headers: { ...answer.headers, ...wait } };
}

/** A failure that takes the answer's place. */
function replaced(action: Action, work: Work, reply: () => Answer): Outcome {
  switch (action.type) {
    case 'hang':
    case 'close':
      if (action.stored) reply();
      return { kind: action.type };
    case 'status':
      if (action.stored) reply();
      return plain(statusAnswer(action, work));
    case 'truncate': {
      const { site, call } = work;
      const drawn = 1 + (hash(site.seed, 'cut', call.path, call.seq) % CUT_WITHIN);
      const cut = { bytes: action.after_bytes ?? drawn, reset: action.reset ?? false };
      return { kind: 'answer', answer: reply(), delayMs: 0, cut };
    }
    default:
      throw new Error(`action ${action.type} does not replace an answer`);
  }
}

/** External ids in the items of a body. */
function namesIn(content: unknown): readonly string[] {
  const items = isObject(content) && Array.isArray(content.items) ? content.items : [];
  return items.flatMap((item) => (isObject(item) && typeof item.externalId === 'string' ? [item.externalId] : []));
}

function withFaults(work: Work, reply: (alterations: readonly Action[]) => Answer): Outcome {
  const { site, call, request, content } = work;
  const { method, path } = request;
  // The same body again is another attempt at the same request.
  const subject = `${method} ${path}?${request.query} ${hash(0, request.body.toString('latin1'))}`;
  const query = factsFor(site.engine, { method, query: request.query, names: namesIn(content) });
  const asked = { path, query, subject, page: 1, attempt: site.attempt(subject), now: call.at };
  const decision = site.engine.decide(asked);
  const involved = decision.instead ? [decision.instead] : decision.alterations;
  call.fault = involved.length > 0 ? involved.map(({ id }) => id).join('+') : null;
  if (decision.instead) return replaced(decision.instead.action, work, () => reply([]));
  const alterations = decision.alterations.map(({ action }) => action);
  const delays = alterations.map((action) => (action.type === 'delay' ? action.ms : 0));
  const delayMs = delays.reduce((sum, ms) => sum + ms, 0) * site.settings.delay_factor;
  return { kind: 'answer', answer: reply(alterations), delayMs };
}

function serveToken(site: Site, call: LoggedCall, request: Request): Outcome {
  site.log.enter(call, `${request.method} ${TOKEN_PATH}`);
  const work: Work = { site, call, request, path: TOKEN_PATH, found: undefined, content: undefined };
  return withFaults(work, () =>
    replied(
      work,
      site.tokens.answer({
        method: request.method,
        contentType: header(request, 'content-type') ?? '',
        authorization: header(request, 'authorization'),
        text: request.body.toString('utf8'),
        now: site.now,
        settings: site.settings,
      }),
    ),
  );
}

/** Decides about one request. */
export function serve(site: Site, call: LoggedCall, request: Request): Outcome {
  call.bytes = request.body.length;
  call.gzip = header(request, 'content-encoding') === 'gzip';
  if (request.path === TOKEN_PATH) return serveToken(site, call, request);
  const [, project, path = request.path] = PROJECT_PATH.exec(request.path) ?? [];
  const found = project === undefined ? undefined : routeOf(request.method, path);
  const barrier = barrierFor(site, call, {
    authorization: header(request, 'authorization'),
    project: project === undefined ? undefined : decoded(project),
    route: found?.route,
  });
  if (barrier) {
    const answer = refused({ call, path: request.path }, barrier);
    const wait = barrier.status === 429 ? waitHeader(site.settings.retry_after, 1, site.now) : {};
    return plain({ ...answer, headers: { ...answer.headers, ...wait } });
  }
  try {
    const content = contentOf(request);
    call.items = isObject(content) && Array.isArray(content.items) ? content.items.length : null;
    call.points = path === '/timeseries/data' ? countPoints(content) : null;
    const work: Work = { site, call, request, path, found, content };
    return withFaults(work, (alterations) => regular(work, alterations));
  } catch (error) {
    if (error instanceof Refusal) return plain(refused({ call, path }, error));
    throw error;
  }
}
