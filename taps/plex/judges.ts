/** What the error bodies of both APIs mean. Pure; decisions are made on status and code, never on the text. */
import { fieldOf, type Ruling } from '../../http/judge.ts';
import { isObject, type Json } from '../../singer/lossless.ts';

/** The first of the problems that an error body lists. */
function firstProblem(envelope: Json): Json {
  if (!isObject(envelope) || !Array.isArray(envelope.errors)) return null;
  return (envelope.errors[0] as Json | undefined) ?? null;
}

/** Statuses that say "not now" beside 429 and the 5xx, which are judged before the body is read. */
const NOT_NOW = [408, 425];

/**
 * Reads the error envelope of the REST API: `{code, message, errors: [{code, message}]}`. A 401 says nothing but that: a bad
 * key, a missing subscription and a foreign customer look alike.
 */
export function judgeRest(envelope: Json, status: number): Ruling | undefined {
  if (status < 400 || status === 401) return undefined;
  if (NOT_NOW.includes(status))
    return { reaction: 'retry', type: 'network_timeout', message: `the server gave up waiting (${status})` };
  const problem = firstProblem(envelope);
  const code = fieldOf(problem, 'code') ?? fieldOf(envelope, 'code');
  const text = fieldOf(problem, 'message') ?? fieldOf(envelope, 'message');
  if (code === undefined && text === undefined) return undefined;
  return {
    reaction: status === 404 ? 'unavailable' : 'fail',
    type: status === 401 ? '401_unauthorized' : 'contract_error',
    message: `Plex refused the request: ${text ?? 'no reason given'} (${status} ${code ?? 'without a code'})`,
  };
}

/** Codes by which the Data Source API refuses the user, as Plex documents them. */
const ACCESS_CODES = [
  'CUSTOMER_ACCESS_DENIED',
  'USER_ACCESS_DENIED',
  'DATA_SOURCE_API_ACCESS_DENIED',
  'DATA_SOURCE_ACCESS_DENIED',
];

/** Reads the error envelope of the Data Source API: `{errors: [{code, message}], transactionNo}`. */
export function judgeDataSource(envelope: Json, status: number): Ruling | undefined {
  if (status < 400) return undefined;
  if (NOT_NOW.includes(status))
    return { reaction: 'retry', type: 'network_timeout', message: `the server gave up waiting (${status})` };
  const problem = firstProblem(envelope);
  const code = fieldOf(problem, 'code');
  if (code === undefined) return undefined;
  const text = fieldOf(problem, 'message') ?? 'no reason given';
  const number = fieldOf(envelope, 'transactionNo');
  const denied = ACCESS_CODES.includes(code);
  return {
    reaction: code === 'REQUEST_PROCESSING_ERROR' ? 'retry' : 'fail',
    type: denied ? '401_unauthorized' : 'contract_error',
    message: `the Data Source API refused the request: ${text} (${code}, transaction ${number ?? 'unknown'})`,
    ...(denied && { hint: 'ask Plex support to give the web-service user the right to this data source' }),
  };
}
