import { hash } from '../draw.ts';
import type { Decision } from '../faults.ts';
import type { LoggedRequest } from '../request-log.ts';
import type { Action, ActionOf } from './actions.ts';
import { regularAnswer } from './answers.ts';
import { subjectOf } from './endpoints.ts';
import {
  type Answer,
  errorEnvelope,
  internalError,
  loginPage,
  throttlePage,
  tooManyRequests,
  unavailablePage,
} from './envelopes.ts';
import { refusedToken, type Shown, takesPrefix } from './flavours.ts';
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
      return answered(refusedToken(tenant.flavour, tenant.settings));
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

function lateness(tenant: Tenant, request: LoggedRequest, alterations: readonly Action[]): number {
  let total = 0;
  for (const action of alterations) {
    if (action.type !== 'slow') continue;
    const wobble = (hash(tenant.seed, 'late', request.seq) % 401) - 200;
    total += ((action.ms ?? LATE_MS) * (1_000 + wobble)) / 1_000;
  }
  return total;
}

function decide(tenant: Tenant, request: LoggedRequest, query: URLSearchParams): Decision<Action> {
  const { path, at: now } = request;
  const page = request.page ?? 1;
  const subject = subjectOf(path, query);
  const attempt = tenant.attempt(subject, page);
  const decision = tenant.engine.decide({ path, query, subject, page, attempt, now });
  const involved = decision.instead ? [decision.instead] : decision.alterations;
  request.fault = involved.length > 0 ? involved.map(({ id }) => id).join('+') : null;
  return decision;
}

/** Serves one request of a known tenant, faults first. `regular` is asked at most once. */
function serve(
  tenant: Tenant,
  request: LoggedRequest,
  query: URLSearchParams,
  token: string,
  regular: (alterations: readonly Action[]) => Answer,
): Outcome {
  const decision = decide(tenant, request, query);
  if (decision.instead?.action.type === 'expireToken') tenant.tokens.kill(token);
  if (decision.instead) return replaced(decision.instead.action, tenant, request, () => regular([]));
  const alterations = decision.alterations.map(({ action }) => action);
  return { kind: 'answer', answer: regular(alterations), delayMs: lateness(tenant, request, alterations) };
}

/** An API call with what the client shows. A dead token is refused before any fault is considered. */
export function serveApi(tenant: Tenant, request: LoggedRequest, query: URLSearchParams, shown: Shown): Outcome {
  const { flavour, settings, tokens } = tenant;
  if (!takesPrefix(flavour, shown, settings) || !tokens.accepts(shown.token, request.at)) {
    return { kind: 'answer', answer: refusedToken(flavour, settings), delayMs: 0 };
  }
  return serve(tenant, request, query, shown.token, (alterations) =>
    regularAnswer(tenant, request.path, query, alterations),
  );
}

/** A token request of a known client. */
export function serveToken(tenant: Tenant, request: LoggedRequest, form: URLSearchParams): Outcome {
  const { expires_in, token_limit } = tenant.settings;
  return serve(tenant, request, form, '', () => tenant.tokens.grant(form, request.at, expires_in, token_limit));
}

/** A login at an on-premises server. */
export function serveLogin(tenant: Tenant, request: LoggedRequest, form: URLSearchParams): Outcome {
  return serve(tenant, request, form, '', () => tenant.logins.answer(request.path, form, tenant.settings));
}
