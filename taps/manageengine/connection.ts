/** What all ManageEngine products share on the wire: settings, data centres, credentials, and how their errors read. */

import { type Auth, keyAuth } from '../../http/auth.ts';
import type { Http } from '../../http/exchange.ts';
import { type EnvelopeJudge, fieldOf, type Ruling } from '../../http/judge.ts';
import type { Turns } from '../../http/throttle.ts';
import type { Settings } from '../../singer/config.ts';
import type { Json } from '../../singer/lossless.ts';
import type { Closing, Run } from '../../singer/stream.ts';
import type { Customer } from './families.ts';
import { DATA_CENTERS } from './settings.ts';

/** A connected ManageEngine server. */
export interface Connection extends Closing {
  readonly http: Http;
  readonly baseUrl: string;
  /** The customer that is read, on a server that has several. */
  readonly customer?: Customer;
}

/** Reads ManageEngine's error envelopes, whose key spellings vary by product. Pure. */
export function judgeEnvelope(envelope: Json, httpStatus: number): Ruling | undefined {
  if (fieldOf(envelope, 'code') === 'INVALID_OAUTHSCOPE')
    return {
      reaction: 'login',
      type: '401_unauthorized',
      message: 'the access token lacks the scope for this endpoint',
      hint: 'create the refresh token with the scopes PatchManagerPlusCloud.PatchMgmt.READ, .Common.READ and .SOM.READ',
    };
  // Refused credentials come in every envelope there is; the status says enough.
  if (httpStatus === 401) return undefined;
  const code = fieldOf(envelope, 'error_code', 'errorCode', 'ErrorCode');
  const text = fieldOf(envelope, 'error_description', 'errorMsg', 'ErrorMsg') ?? 'no description';
  const status = fieldOf(envelope, 'status');
  if (code === '10002')
    return { reaction: 'renew', type: '401_unauthorized', message: `the server refused the credentials: ${text}` };
  if (code === '10022')
    return {
      reaction: 'unavailable',
      type: 'contract_error',
      message: `this server does not offer the endpoint: ${text}`,
    };
  if (code === 'INTERNAL_ERROR')
    return { reaction: 'retry', type: '5xx_server_error', message: `the server failed: ${text}` };
  if (/customer id mandatory/i.test(text))
    return {
      reaction: 'fail',
      type: 'contract_error',
      message: 'this is an MSP server: it wants to know which customer is meant',
      hint: 'set customer_name to the exact name of the customer',
    };
  if (code !== undefined)
    return { reaction: 'fail', type: 'contract_error', message: `the server refused the request: ${text} (${code})` };
  if (status !== undefined && status.toLowerCase() !== 'success')
    return {
      reaction: 'fail',
      type: 'contract_error',
      message: `the server answered with status "${status}": ${text}`,
    };
  return undefined;
}

/** Makes the client: credentials, pace and layers. No request yet. */
export async function connect(settings: Settings, run: Run): Promise<Connection> {
  // Loaded here, so that --about and --discover start without undici.
  const [{ openHttp }, { openDispatcher }, { Pace }, { ZohoAuth, TokenBudget, judgeToken }, { LoginAuth }] =
    await Promise.all([
      import('../../http/client.ts'),
      import('../../http/wire.ts'),
      import('../../http/throttle.ts'),
      import('../../http/oauth.ts'),
      import('./login.ts'),
    ]);
  const text = (name: string) => settings[name] as string | undefined;
  const number = (name: string) => settings[name] as number;
  const center = DATA_CENTERS[text('data_center') ?? ''];
  const baseUrl = text('base_url') ?? center?.base ?? '';
  const accountsUrl = text('accounts_url') ?? center?.accounts ?? '';
  const dispatcher = openDispatcher({
    caFile: text('ca_file'),
    verifyTls: settings.verify_tls !== false,
    env: run.env,
  });
  const retry = {
    attempts: number('max_attempts'),
    backoff: number('backoff_ms'),
    throttleWait: number('throttle_wait_ms'),
    maxWait: number('max_wait_ms'),
    timeout: number('request_timeout_seconds') * 1000,
  };
  const apiToken = text('api_token');
  const username = text('username');
  /** A client for the requests that bring a token: they carry none themselves. */
  const tokenClient = (judge: EnvelopeJudge, pace?: Turns) =>
    openHttp(
      {
        dispatcher,
        retry: { ...retry, attempts: TOKEN_ATTEMPTS },
        judge,
        failureEvent: 'token_request_failed',
        ...(pace !== undefined && { pace }),
      },
      run,
    ).exchange;
  let auth: Auth;
  if (apiToken !== undefined) auth = keyAuth(apiToken);
  else if (username !== undefined) {
    const login = { baseUrl, username, password: text('password') ?? '', domain: text('domain') };
    auth = new LoginAuth(login, tokenClient(judgeEnvelope), run);
  } else {
    auth = new ZohoAuth(
      {
        accountsUrl,
        clientId: text('client_id') ?? '',
        clientSecret: text('client_secret') ?? '',
        refreshToken: text('refresh_token') ?? '',
        refreshAt: number('token_refresh_at'),
      },
      tokenClient(judgeToken, new TokenBudget(retry.maxWait, run)),
      run,
    );
  }
  const authHint =
    apiToken === undefined && username === undefined
      ? 'a token of another data centre is refused too: check data_center (or base_url and accounts_url) and the scopes of the refresh token'
      : 'check the key or the user, and its rights: a key without the right to read patches is refused in the same words';
  const http = openHttp(
    {
      dispatcher,
      retry,
      judge: judgeEnvelope,
      pace: new Pace(number('page_delay_ms'), run.clock),
      auth,
      authHint,
      // Streams every body, so that the tests that send byte by byte reach the streaming reader.
      ...(run.env.TAPWORKS_HOSTILE === '1' && { smallBody: 0 }),
    },
    run,
  );
  return { http, baseUrl, close: () => http.close() };
}

/** A token request is tried this often before the run ends. */
const TOKEN_ATTEMPTS = 3;
