/**
 * What a reply means. Pure functions over the body's first bytes, the status and the envelope, because vendors send
 * throttle pages, login pages, empty bodies and refusals with status 200.
 */
import { ConnectorError, type ErrorCode, type Where } from '../singer/errors.ts';
import { isObject, type Json } from '../singer/lossless.ts';

/** The kinds of failure that gap records and `--status` name. */
export const FAILURE_TYPES = [
  '401_unauthorized',
  '429_rate_limit',
  '5xx_server_error',
  'network_timeout',
  'network_error',
  'json_parse_error',
  'html_response',
  'empty_response',
  'contract_error',
] as const;

export type FailureType = (typeof FAILURE_TYPES)[number];

/**
 * What to do: `retry` after a back-off; `throttle` after the server's own time; `renew` the credentials and repeat at
 * once; `login` like renew, but a second time it is final; `fail`: asking again would get the same; `unavailable`:
 * this server does not have the endpoint.
 */
export type Reaction = 'retry' | 'throttle' | 'renew' | 'login' | 'fail' | 'unavailable';

export interface Ruling {
  readonly reaction: Reaction;
  readonly type: FailureType;
  readonly message: string;
  readonly hint?: string;
}

/** A reply before its body is read further than its beginning. */
export interface ReplyHead {
  readonly status: number;
  /** Lower-case names. */
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  /** The beginning of the body as text, at most 4 KB. */
  readonly text: string;
}

/** A vendor's own reading of an envelope; undefined means that it sees nothing wrong. At most 15 lines each. */
export type EnvelopeJudge = (envelope: Json, status: number) => Ruling | undefined;

const CODES: Readonly<Record<FailureType, ErrorCode>> = {
  '401_unauthorized': 'auth',
  '429_rate_limit': 'throttled',
  '5xx_server_error': 'upstream',
  network_timeout: 'network',
  network_error: 'network',
  json_parse_error: 'parse',
  html_response: 'upstream',
  empty_response: 'upstream',
  contract_error: 'upstream',
};

/** A reply (or the lack of one) that is not what was asked for. */
export class HttpFailure extends ConnectorError {
  readonly type: FailureType;
  readonly reaction: Reaction;
  /** Milliseconds the server asked to wait, if it said so. */
  readonly retryAfter: number | undefined;
  /** Beginning of the body, masked. */
  readonly sample: string | undefined;

  constructor(
    ruling: Ruling,
    where: Where,
    more: { retryAfter?: number | undefined; sample?: string | undefined; cause?: unknown } = {},
  ) {
    super(CODES[ruling.type], ruling.message, where, {
      ...(ruling.hint !== undefined && { hint: ruling.hint }),
      ...(more.cause !== undefined && { cause: more.cause }),
    });
    this.name = 'HttpFailure';
    this.type = ruling.type;
    this.reaction = ruling.reaction;
    this.retryAfter = more.retryAfter;
    this.sample = more.sample;
  }
}

/** True when no answer came at all. */
export function isUnreachable({ type }: Pick<HttpFailure, 'type'>): boolean {
  return type === 'network_error' || type === 'network_timeout';
}

/** True for an answer that says "there is no such endpoint here", in whatever words: an error code, 404, 403, a sign-in page. */
export function isAbsence({ reaction, where }: Pick<HttpFailure, 'reaction' | 'where'>): boolean {
  return reaction === 'unavailable' || reaction === 'login' || where.status === 403;
}

const SIGN_IN = /<input[^>]+type=["']?password|\bsign[\s-]?in\b|\blog[\s-]?in\b|\/accounts?\//i;

function hostOf(location: string): string {
  return URL.canParse(location, 'http://unknown') ? new URL(location, 'http://unknown').host : 'nowhere';
}

/** Judges status and beginning of the body; undefined means: go on and read it as JSON. */
export function judgeHead({ status, headers, text }: ReplyHead): Ruling | undefined {
  const start = text.trimStart();
  if (status === 429)
    return { reaction: 'throttle', type: '429_rate_limit', message: 'the server asks to slow down (429)' };
  if (status >= 500) return { reaction: 'retry', type: '5xx_server_error', message: `the server failed (${status})` };
  if (status >= 300 && status < 400) {
    const location = String(headers.location ?? '');
    return {
      reaction: 'login',
      type: 'html_response',
      message: `redirected to ${location === '' ? 'nowhere' : hostOf(location)} instead of answering`,
    };
  }
  if (status === 401 && !start.startsWith('{'))
    return { reaction: 'renew', type: '401_unauthorized', message: 'the server refused the credentials (401)' };
  if (start.startsWith('<')) {
    return SIGN_IN.test(start)
      ? { reaction: 'login', type: 'html_response', message: 'got a sign-in page instead of data' }
      : {
          reaction: status === 404 ? 'unavailable' : 'throttle',
          type: 'html_response',
          message: 'got an HTML page instead of data',
        };
  }
  if (start === '' && status < 400)
    return { reaction: 'throttle', type: 'empty_response', message: 'got an empty body' };
  return undefined;
}

/** Judges a JSON reply by its status once the vendor's own judge saw nothing. */
export function judgeStatus(status: number): Ruling | undefined {
  if (status === 401)
    return { reaction: 'renew', type: '401_unauthorized', message: 'the server refused the credentials (401)' };
  if (status === 403)
    return {
      reaction: 'fail',
      type: 'contract_error',
      message: 'the server forbids this request (403)',
      hint: 'check the scopes or rights of the credentials',
    };
  if (status === 404)
    return { reaction: 'unavailable', type: 'contract_error', message: 'the server does not have this endpoint (404)' };
  if (status >= 400)
    return { reaction: 'fail', type: 'contract_error', message: `the server refused the request (${status})` };
  return undefined;
}

/**
 * `Retry-After` in milliseconds: whole seconds or an HTTP date (RFC 9110, 10.2.3). Undefined when absent or unreadable.
 */
export function retryAfter(value: string | string[] | undefined, now: number): number | undefined {
  const text = (Array.isArray(value) ? value[0] : value)?.trim();
  if (text === undefined || text === '') return undefined;
  if (/^\d+$/.test(text)) return Number(text) * 1000;
  const at = Date.parse(text);
  return Number.isNaN(at) ? undefined : Math.max(0, at - now);
}

/** A text field of an envelope under any of its spellings; numbers count as text. */
export function fieldOf(envelope: Json, ...names: readonly string[]): string | undefined {
  if (!isObject(envelope)) return undefined;
  for (const name of names) {
    const value = envelope[name];
    if (typeof value === 'string') return value;
    if (typeof value === 'number') return String(value);
  }
  return undefined;
}
