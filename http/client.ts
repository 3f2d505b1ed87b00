import type { Dispatcher } from 'undici';
import { ConnectorError } from '../singer/errors.ts';
import { backoff, type RetryPolicy, retrying, type Verdict } from '../singer/retry.ts';
import type { Run } from '../singer/stream.ts';
import type { Auth } from './auth.ts';
import type { Exchange, Http, HttpRequest, HttpStats } from './exchange.ts';
import { type EnvelopeJudge, HttpFailure, isAbsence } from './judge.ts';
import type { Turns } from './throttle.ts';
import { wire } from './wire.ts';

/** How a client waits and tries again. Times in milliseconds. */
export interface RetrySettings {
  readonly attempts: number;
  readonly backoff: number;
  readonly throttleWait: number;
  readonly maxWait: number;
  /** Limit of one attempt, from sending to the last byte. */
  readonly timeout: number;
}

/** Refusals in a row, over all endpoints, after which asking again only risks a lock-out. */
const REFUSALS_BEFORE_STOP = 3;

/** The same for an endpoint right after one that was given up: a scope that is missing is missing for its neighbours too. */
const REFUSALS_OF_NEIGHBOUR = 2;

/** Endpoints in a row that may be given up, once others have answered, before the credentials themselves are in doubt. */
const REFUSED_ENDPOINTS = 3;

function withAuth(auth: Auth, hint: string): (next: Exchange) => Exchange {
  let refusals = 0;
  let answered = false;
  let givenUp = 0;
  return (next) =>
    async function* (request) {
      const headers = { ...request.headers, ...(await auth.headers()) };
      try {
        const envelope = yield* next({ ...request, headers });
        refusals = 0;
        answered = true;
        givenUp = 0;
        return envelope;
      } catch (thrown) {
        if (!(thrown instanceof HttpFailure)) throw thrown;
        if (thrown.reaction !== 'renew') {
          if (thrown.type !== 'network_error' && thrown.type !== 'network_timeout') refusals = 0;
          throw thrown;
        }
        // The same key would be refused again, but it may lack the right to one endpoint only: that is its stream's end.
        if (auth.renew === undefined) {
          const { type, message, where, sample } = thrown;
          throw new HttpFailure({ reaction: 'login', type, message, hint }, where, { sample, cause: thrown });
        }
        refusals += 1;
        if (refusals < (givenUp === 0 ? REFUSALS_BEFORE_STOP : REFUSALS_OF_NEIGHBOUR)) throw thrown;
        const problem = `the server refused the credentials ${refusals} times in a row`;
        // Credentials that work elsewhere lack a right to this endpoint. An endpoint that is only probed tells nothing of them.
        if (answered && (request.probe === true || givenUp < REFUSED_ENDPOINTS - 1)) {
          givenUp += 1;
          refusals = 0;
          const ruling = { reaction: 'login', type: thrown.type, message: problem, hint } as const;
          throw new HttpFailure(ruling, thrown.where, { sample: thrown.sample, cause: thrown });
        }
        throw new ConnectorError('auth', problem, thrown.where, { hint, cause: thrown });
      }
    };
}

/** What ends the waiting for a request: the end of the run, or its own. */
function signalOf({ signal }: HttpRequest, run: Pick<Run, 'signal'>): AbortSignal {
  return signal === undefined ? run.signal : AbortSignal.any([run.signal, signal]);
}

function withThrottle(pace: Turns, run: Pick<Run, 'signal'>): (next: Exchange) => Exchange {
  return (next) =>
    async function* (request) {
      await pace.turn(signalOf(request, run));
      let throttled: HttpFailure | undefined;
      try {
        return yield* next(request);
      } catch (thrown) {
        if (thrown instanceof HttpFailure && thrown.reaction === 'throttle') throttled = thrown;
        throw thrown;
      } finally {
        pace.ended(throttled !== undefined, throttled?.retryAfter);
      }
    };
}

function countFailure(run: Run, { type }: HttpFailure): void {
  const { program } = run.metrics;
  const name = 'tapworks_http_failures_total';
  run.metrics.count(name, 'Failed attempts by what went wrong.', { error_type: type, program });
}

/** The wait that a failure asks for, or `fail`. Pure; `renew` is the caller's business. */
export function verdictOf(
  failure: HttpFailure,
  attempt: number,
  settings: Pick<RetrySettings, 'backoff' | 'throttleWait'>,
  clock: Pick<Run['clock'], 'random'>,
): Verdict {
  switch (failure.reaction) {
    case 'retry':
      return { action: 'retry', wait: failure.retryAfter ?? backoff(settings.backoff, attempt, clock) };
    case 'throttle':
      return { action: 'retry', wait: failure.retryAfter ?? settings.throttleWait * 2 ** (attempt - 1) };
    case 'renew':
    case 'login':
      return { action: 'retry', wait: 0 };
    default:
      return { action: 'fail' };
  }
}

function withRetry(
  settings: RetrySettings,
  run: Run,
  stats: HttpStats,
  auth: Auth | undefined,
  event: string,
): (next: Exchange) => Exchange {
  return (next) =>
    async function* (request) {
      let attempts = 1;
      let signedOut = false;
      const policy: RetryPolicy = {
        attempts: settings.attempts,
        maxWait: settings.maxWait,
        async judge({ attempt, error }) {
          // The last refusal leaves the auth layer as the end of the run.
          const failure = error instanceof ConnectorError ? (error.cause ?? error) : error;
          if (failure instanceof HttpFailure) countFailure(run, failure);
          if (!(error instanceof HttpFailure)) return { action: 'fail' };
          const absent = request.probe === true && isAbsence(error);
          const again =
            !absent &&
            attempt < settings.attempts &&
            !(error.reaction === 'login' && signedOut) &&
            // The same credentials again would get the same, and lock an account.
            !((error.reaction === 'login' || error.reaction === 'renew') && auth?.renew === undefined);
          run.log[absent || (request.quiet === true && !again) ? 'debug' : 'warn'](
            event,
            `${error.message}${again ? '' : ', giving up'}`,
            {
              ...error.where,
              error_type: error.type,
              attempt,
              ...(error.sample !== undefined && { response_sample: error.sample }),
            },
          );
          // Also when giving up: the next request must not go out with what was refused just now.
          if (error.reaction === 'renew' || (again && error.reaction === 'login')) await auth?.renew?.();
          if (!again) return { action: 'fail' };
          if (error.reaction === 'login') signedOut = true;
          return verdictOf(error, attempt, settings, run.clock);
        },
        onRetry({ attempt }, wait) {
          if (attempt === 1) stats.retried += 1;
          attempts = attempt + 1;
          if (wait >= 5_000)
            run.log.info('waiting', `waiting ${Math.round(wait / 1000)} s before the next attempt`, {
              ...request.where,
              wait_seconds: wait / 1000,
            });
        },
      };
      const { program } = run.metrics;
      const send = () => {
        stats.requests += 1;
        run.metrics.count('tapworks_http_requests_total', 'Attempts on the wire, those for tokens included.', {
          program,
        });
        return next(request);
      };
      try {
        const envelope = yield* retrying(send, policy, run.clock, signalOf(request, run));
        if (attempts > 1) stats.recovered += 1;
        return envelope;
      } catch (thrown) {
        // A probed endpoint that is not there has lost nobody anything.
        if (thrown instanceof HttpFailure && !(request.probe === true && isAbsence(thrown))) stats.lost += 1;
        throw thrown;
      }
    };
}

/**
 * The longest a request may take with all its attempts and waits. By the run's clock, not the wall's: waits are part
 * of it. It only guards against a fault of the layers inside, each of which has a limit of its own.
 */
function withDeadline(settings: RetrySettings, run: Run): (next: Exchange) => Exchange {
  const limit = settings.attempts * (settings.timeout + 2 * settings.maxWait) + 60_000;
  return (next) =>
    async function* (request) {
      const end = run.clock.now() + limit;
      const groups = next(request);
      try {
        for (;;) {
          const step = await groups.next();
          if (step.done === true) return step.value;
          if (run.clock.now() > end) {
            throw new HttpFailure(
              {
                reaction: 'fail',
                type: 'network_timeout',
                message: `the request took longer than ${Math.round(limit / 1000)} s`,
              },
              request.where,
            );
          }
          yield step.value;
        }
      } finally {
        await groups.return({ value: null, found: false });
      }
    };
}

export interface HttpOptions {
  readonly dispatcher: Dispatcher;
  readonly retry: RetrySettings;
  readonly judge: EnvelopeJudge;
  readonly pace?: Turns;
  readonly auth?: Auth;
  /** What to do about refused credentials, for the error line. */
  readonly authHint?: string;
  /** Event name of failed attempts in the log. */
  readonly failureEvent?: string;
  readonly smallBody?: number;
  /** False where answers hold personal data: then only refusals leave a sample in the log. */
  readonly sampleAnswers?: boolean;
}

/** Puts the layers together. Closing the client closes the dispatcher. */
export function openHttp(options: HttpOptions, run: Run): Http {
  const {
    dispatcher,
    retry,
    judge,
    pace,
    auth,
    authHint = 'check the credentials',
    failureEvent = 'page_extraction_failed',
    smallBody,
    sampleAnswers,
  } = options;
  const stats: HttpStats = { requests: 0, retried: 0, recovered: 0, lost: 0 };
  let answered = false;
  let closed: Promise<void> | undefined;
  let exchange = wire({
    dispatcher,
    timeout: retry.timeout,
    judge,
    run,
    ...(smallBody !== undefined && { smallBody }),
    ...(sampleAnswers !== undefined && { sampleAnswers }),
  });
  if (auth !== undefined) exchange = withAuth(auth, authHint)(exchange);
  if (pace !== undefined) exchange = withThrottle(pace, run)(exchange);
  exchange = withRetry(retry, run, stats, auth, failureEvent)(exchange);
  const bounded = withDeadline(retry, run)(exchange);
  return {
    exchange: async function* (request) {
      const envelope = yield* bounded(request);
      answered = true;
      return envelope;
    },
    stats,
    get answered() {
      return answered;
    },
    close() {
      closed ??= dispatcher.close();
      return closed;
    },
  };
}
