/** What replies mean: one line per kind that ManageEngine and the proxies before it are known to send. */
import { describe, expect, it } from 'vitest';
import { HttpFailure, retryAfter } from '../../http/judge.ts';
import { judgeEnvelope } from '../../taps/manageengine/connection.ts';
import { ask, clientFor, inTurn, type Reply } from './replies.ts';
import { memoryRun } from './run.ts';
import { NOON } from './virtual-clock.ts';

const html = (body: string) => `<!DOCTYPE html>\n<html><body>${body}</body></html>`;
const LOGIN = html('<form action="/x"><input name="PASSWORD" type="password"></form>');
const json = (value: unknown) => JSON.stringify(value);

/** Name, reply, what to do, and how a gap would call it. */
const TABLE: readonly (readonly [string, Reply, string, string])[] = [
  ['throttle page with 200', { body: html('Please wait') }, 'throttle', 'html_response'],
  [
    'throttle page after a byte order mark and blanks',
    { body: `\ufeff \n\t${html('Please wait')}` },
    'throttle',
    'html_response',
  ],
  [
    'throttle page about signed designs',
    { body: html('Your assignment is being designed in time') },
    'throttle',
    'html_response',
  ],
  ['login page with 200', { body: LOGIN }, 'login', 'html_response'],
  ['login page without a form', { body: html('<a href="/accounts/x">Sign in</a>') }, 'login', 'html_response'],
  [
    'redirect to the accounts host',
    { status: 302, headers: { location: 'https://accounts.zoho.example/signin' } },
    'login',
    'html_response',
  ],
  ['redirect to nowhere', { status: 302 }, 'login', 'html_response'],
  ['redirect to no address', { status: 302, headers: { location: 'http://' } }, 'login', 'html_response'],
  ['empty body with 200', {}, 'throttle', 'empty_response'],
  ['blank body with 200', { body: ' \n ' }, 'throttle', 'empty_response'],
  [
    'error envelope with 200',
    { body: json({ status: 'error', error_code: '1002', error_description: 'x' }) },
    'fail',
    'contract_error',
  ],
  ['status error without a code', { body: json({ status: 'error', rows: [] }) }, 'fail', 'contract_error'],
  ['status failure in capitals', { body: json({ status: 'FAILURE', rows: [] }) }, 'fail', 'contract_error'],
  [
    'IAM0028 with 200',
    { body: json({ errorCode: 'IAM0028', errorMsg: 'Unsupported parameter' }) },
    'fail',
    'contract_error',
  ],
  [
    'IAM0028 with 400',
    { status: 400, body: json({ errorCode: 'IAM0028', errorMsg: 'Unsupported parameter' }) },
    'fail',
    'contract_error',
  ],
  [
    '401, ErrorCode spelling',
    { status: 401, body: json({ ErrorCode: '1', ErrorMsg: 'x' }) },
    'renew',
    '401_unauthorized',
  ],
  [
    '401, INVALID_TOKEN envelope',
    { status: 401, body: json({ code: 'INVALID_TOKEN', message: 'Invalid Oauthtoken', status: 'error' }) },
    'renew',
    '401_unauthorized',
  ],
  ['401, text', { status: 401, body: 'Invalid Oauthtoken' }, 'renew', '401_unauthorized'],
  ['401, page', { status: 401, body: LOGIN }, 'renew', '401_unauthorized'],
  ['401, nothing', { status: 401 }, 'renew', '401_unauthorized'],
  [
    '10002 with 200',
    { body: json({ error_code: '10002', error_description: 'Invalid or expired token' }) },
    'renew',
    '401_unauthorized',
  ],
  ['10002 as a number with 401', { status: 401, body: json({ error_code: 10002 }) }, 'renew', '401_unauthorized'],
  [
    '10022 with 200',
    { body: json({ error_code: '10022', error_description: 'not supported' }) },
    'unavailable',
    'contract_error',
  ],
  ['10022 as a number with 404', { status: 404, body: json({ errorCode: 10022 }) }, 'unavailable', 'contract_error'],
  ['404, page', { status: 404, body: html('Not found') }, 'unavailable', 'html_response'],
  ['404, nothing', { status: 404 }, 'unavailable', 'contract_error'],
  ['403, JSON', { status: 403, body: json({ message: 'no' }) }, 'fail', 'contract_error'],
  ['403, text', { status: 403, body: 'Forbidden' }, 'fail', 'contract_error'],
  ['412, text of the product', { status: 412, body: 'Licence expired' }, 'fail', 'contract_error'],
  [
    '412, envelope',
    { status: 412, body: json({ error_code: 'LIC', error_description: 'x' }) },
    'fail',
    'contract_error',
  ],
  ['429, JSON', { status: 429, body: json({ error_code: '429' }) }, 'throttle', '429_rate_limit'],
  ['429, page', { status: 429, body: html('slow down') }, 'throttle', '429_rate_limit'],
  ['500, internal error', { status: 500, body: json({ error_code: 'INTERNAL_ERROR' }) }, 'retry', '5xx_server_error'],
  ['200, internal error', { body: json({ error_code: 'INTERNAL_ERROR' }) }, 'retry', '5xx_server_error'],
  ['502, page of the proxy', { status: 502, body: html('Bad gateway') }, 'retry', '5xx_server_error'],
  ['503, page of the proxy that offers to sign in', { status: 503, body: LOGIN }, 'retry', '5xx_server_error'],
  ['504, nothing', { status: 504 }, 'retry', '5xx_server_error'],
  ['cut JSON', { body: '{"rows":[{"id":1},{"i' }, 'retry', 'json_parse_error'],
  ['text that is no JSON', { body: 'temporarily confused' }, 'retry', 'json_parse_error'],
  ['two values', { body: '{"rows":[]}{"rows":[]}' }, 'retry', 'json_parse_error'],
  ['no list where rows belong', { body: json({ status: 'success', message: {} }) }, 'fail', 'contract_error'],
  ['an object where rows belong', { body: json({ rows: { id: 1 } }) }, 'fail', 'contract_error'],
  ['null', { body: 'null' }, 'fail', 'contract_error'],
];

async function failureOf(reply: Reply, smallBody?: number): Promise<HttpFailure> {
  const server = await inTurn(reply);
  const http = clientFor(memoryRun(), {
    judge: judgeEnvelope,
    retry: { attempts: 1 },
    ...(smallBody !== undefined && { smallBody }),
  });
  const thrown = await ask(http, server.url).then(
    () => undefined,
    (error: unknown) => error,
  );
  if (!(thrown instanceof HttpFailure)) throw new Error(`no failure but ${String(thrown)}`);
  return thrown;
}

describe('a reply', () => {
  it.each(TABLE)('%s', async (_name, reply, reaction, type) => {
    expect(await failureOf(reply)).toMatchObject({ reaction, type });
    expect(await failureOf(reply, 0), 'streamed').toMatchObject({ reaction, type });
  });

  it.each([
    ['success', { status: 'success', rows: [{ id: 1 }] }],
    ['SUCCESS in capitals', { status: 'SUCCESS', rows: [{ id: 1 }] }],
    ['no status', { rows: [{ id: 1 }] }],
    ['rows that speak of errors', { status: 'success', rows: [{ error_code: '10022', status: 'error' }] }],
    ['rows that hold a page', { rows: [{ text: '<html>sign in</html>' }] }],
  ])('%s is data', async (_name, value) => {
    const server = await inTurn({ body: json(value), headers: { 'content-type': 'text/plain;charset=UTF-8' } });
    const { rows } = await ask(clientFor(memoryRun(), { judge: judgeEnvelope }), server.url);
    expect(rows).toEqual(value.rows);
  });
});

describe('Retry-After', () => {
  it.each([
    ['7', 7_000],
    [' 7 ', 7_000],
    ['0', 0],
    [new Date(NOON + 90_000).toUTCString(), 90_000],
    [new Date(NOON - 90_000).toUTCString(), 0],
    ['soon', undefined],
    ['', undefined],
    [undefined, undefined],
  ])('%j is %j ms', (value, expected) => {
    expect(retryAfter(value, NOON)).toBe(expected);
  });
});
