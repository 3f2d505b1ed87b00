/** One request of a client, from who may ask to what is done about it. */
import { hash } from '../draw.ts';
import type { Action, ActionOf } from './actions.ts';
import {
  type Answer,
  dataSourceError,
  gatewayPage,
  json,
  type RowsBody,
  restError,
  unauthenticated,
  waitHeader,
} from './answers.ts';
import type { LoggedCall } from './call-log.ts';
import { dataSourceAnswer, inputNames, mayExecute } from './data-source-api.ts';
import type { Row } from './plant.ts';
import { mayAsk, type RestRequest, restAnswer } from './rest-api.ts';
import type { Site } from './site.ts';

/** What the server does with one request. Times are real milliseconds. */
export type Outcome =
  | { readonly kind: 'hang' }
  | { readonly kind: 'close' }
  | {
      readonly kind: 'answer';
      readonly answer: Answer;
      readonly delayMs: number;
      /** The body in pieces. */
      readonly drip?: { readonly bytes: number; readonly ms: number };
      /** Only so much of the body; with `reset` the connection ends there. */
      readonly cut?: { readonly bytes: number; readonly reset: boolean };
    };

const DATA_SOURCES = '/api/datasources/';
/** A cut answer ends somewhere in here, unless the rule says where. */
const CUT_WITHIN = 4_096;

const plain = (answer: Answer): Outcome => ({ kind: 'answer', answer, delayMs: 0 });

const REST_CODES: Readonly<Record<number, string>> = {
  400: 'REQUEST_VALIDATION_FAILED',
  401: 'REQUEST_NOT_AUTHENTICATED',
  403: 'REQUEST_FORBIDDEN',
  404: 'RESOURCE_NOT_FOUND',
  429: 'TOO_MANY_REQUESTS',
};

const DATA_SOURCE_CODES: Readonly<Record<number, string>> = {
  401: 'USER_ACCESS_DENIED',
  403: 'DATA_SOURCE_API_ACCESS_DENIED',
  404: 'DATA_SOURCE_NOT_FOUND',
  405: 'METHOD_NOT_ALLOWED',
};

/** An error that a rule asks for, in the form of the API that it hits. */
function statusAnswer(action: ActionOf<'status'>, site: Site, isDataSource: boolean): Answer {
  const { status, code, message = `Simulated ${status}.`, body = 'json' } = action;
  if (body === 'html') return gatewayPage(status);
  if (body === 'empty') return { status, body: '' };
  if (!isDataSource) return restError(status, code ?? REST_CODES[status] ?? 'UNEXPECTED', message);
  const { transactionNo } = site.nextTransaction();
  const known = DATA_SOURCE_CODES[status] ?? 'REQUEST_PROCESSING_ERROR';
  return dataSourceError(status, code ?? known, message, transactionNo);
}

function withWait(answer: Answer, action: ActionOf<'status'>, site: Site): Answer {
  if (action.retry_after === undefined) return answer;
  const seconds = action.seconds ?? 60;
  site.limit.asked(site.now, seconds);
  return { ...answer, headers: { ...answer.headers, ...waitHeader(action.retry_after, seconds, site.now) } };
}

/** A failure that takes the answer's place. */
function replaced(action: Action, site: Site, call: LoggedCall, regular: () => Answer): Outcome {
  const isDataSource = call.path.startsWith(DATA_SOURCES);
  switch (action.type) {
    case 'hang':
    case 'close':
      return { kind: action.type };
    case 'status':
      return plain(withWait(statusAnswer(action, site, isDataSource), action, site));
    case 'keyExpires':
      return plain(unauthenticated());
    case 'truncate': {
      const drawn = 1 + (hash(site.seed, 'cut', call.path, call.seq) % CUT_WITHIN);
      const cut = { bytes: action.after_bytes ?? drawn, reset: action.reset ?? false };
      return { kind: 'answer', answer: regular(), delayMs: 0, cut };
    }
    default:
      throw new Error(`action ${action.type} does not replace an answer`);
  }
}

function* reshaped(rows: Iterable<object>, { kind, field = '' }: ActionOf<'wrongShape'>): Generator<object> {
  for (const row of rows) {
    const { [field]: _dropped, ...others } = row as Row;
    yield kind === 'missing' ? others : { ...row, [field]: `new ${field}` };
  }
}

function misshapen(answer: Answer, action: ActionOf<'wrongShape'>): Answer {
  if (typeof answer.body === 'string') return answer;
  const body: RowsBody = answer.body;
  switch (action.kind ?? 'object') {
    case 'object':
      return json({ message: 'No list today.' });
    case 'data':
      return { ...answer, body: { ...body, before: '{"data":[', after: ']}' } };
    default:
      return { ...answer, body: { ...body, rows: reshaped(body.rows, action) } };
  }
}

/** The regular answer with everything that alters it. */
function altered(answer: Answer, actions: readonly Action[], site: Site): Outcome {
  const factor = site.settings.delay_factor;
  let outcome: Outcome & { kind: 'answer' } = { kind: 'answer', answer, delayMs: 0 };
  for (const action of actions) {
    if (action.type === 'delay') outcome = { ...outcome, delayMs: outcome.delayMs + action.ms * factor };
    if (action.type === 'drip') {
      outcome = { ...outcome, drip: { bytes: action.bytes ?? 1_024, ms: (action.ms ?? 20) * factor } };
    }
    if (action.type === 'wrongShape') outcome = { ...outcome, answer: misshapen(outcome.answer, action) };
  }
  return outcome;
}

function withFaults(
  site: Site,
  call: LoggedCall,
  { query }: RestRequest,
  regular: (alterations: readonly Action[]) => Answer,
): Outcome {
  const { path } = call;
  const subject = `${path}?${query}`;
  const asked = { path, query, subject, page: 1, attempt: site.attempt(subject), now: call.at };
  const decision = site.engine.decide(asked);
  const involved = decision.instead ? [decision.instead] : decision.alterations;
  call.fault = involved.length > 0 ? involved.map(({ id }) => id).join('+') : null;
  if (decision.instead) return replaced(decision.instead.action, site, call, () => regular([]));
  const alterations = decision.alterations.map(({ action }) => action);
  return altered(regular(alterations), alterations, site);
}

function serveDataSource(site: Site, call: LoggedCall, request: RestRequest): Outcome {
  const { authorization } = request.headers;
  if (!mayExecute(site.user, typeof authorization === 'string' ? authorization : undefined)) {
    const { transactionNo } = site.nextTransaction();
    return plain(dataSourceError(401, 'USER_ACCESS_DENIED', 'The user is not known.', transactionNo));
  }
  call.inputs = inputNames(request);
  return withFaults(site, call, request, (alterations) => {
    const limits = alterations.flatMap((action) => (action.type === 'rowLimit' ? [action.rows] : []));
    const rowLimit = limits.length > 0 ? Math.min(...limits) : undefined;
    return dataSourceAnswer(site.records, { ...request, ...site.nextTransaction(), rowLimit });
  });
}

function serveRest(site: Site, call: LoggedCall, request: RestRequest): Outcome {
  if (!mayAsk(site.account, request)) return plain(unauthenticated());
  const wait = site.limit.take(call.at, site.settings.calls_per_minute);
  if (wait !== undefined) {
    const { retry_after } = site.settings;
    if (retry_after !== 'none') site.limit.asked(call.at, wait);
    const headers = waitHeader(retry_after, wait, call.at);
    const refusal = restError(429, 'TOO_MANY_REQUESTS', 'Too many calls in a minute.');
    return plain({ ...refusal, headers: { ...refusal.headers, ...headers } });
  }
  site.calls += 1;
  return withFaults(site, call, request, () =>
    restAnswer(site.account, site.records, site.settings.products_off, request),
  );
}

/** Decides about one request. */
export function serve(site: Site, call: LoggedCall, request: RestRequest): Outcome {
  const isDataSource = request.path.startsWith(DATA_SOURCES);
  return isDataSource ? serveDataSource(site, call, request) : serveRest(site, call, request);
}
