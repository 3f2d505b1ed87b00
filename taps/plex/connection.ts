/** Both APIs of Plex as one connection: addresses, credentials, pace, and the breaker in front of each. */
import type { Auth } from '../../http/auth.ts';
import type { Exchange, HttpRequest, HttpStats } from '../../http/exchange.ts';
import type { Settings } from '../../singer/config.ts';
import type { Closing, Run } from '../../singer/stream.ts';
import { judgeDataSource, judgeRest } from './judges.ts';

/** One of the two APIs: where it is, and how it is asked. */
export interface Api {
  readonly baseUrl: string;
  readonly exchange: Exchange;
  readonly stats: HttpStats;
  /** True once any request has been answered as it should. */
  readonly answered: boolean;
}

/** A connected tenant. */
export interface Connection extends Closing {
  readonly rest: Api;
  /** Undefined without a web-service user. */
  readonly dataSources: Api | undefined;
  /** A data source's login is looked at once in `--test`. */
  dataSourceTested: boolean;
}

/** The largest burst: with the default of 150 calls no minute sees more than the 200 that Plex documents. */
const BURST = 40;
/** What Plex documents per key. */
const DOCUMENTED_LIMIT = 200;
/**
 * Answers up to this many bytes are parsed at once. Those that come by the thousand, of single parts and jobs, are a few KB;
 * parsed at once, lists of half a megabyte would take several.
 */
const SMALL_BODY = 128 * 1024;
/** After so many failed requests in a row a collection, or a data source, is left alone for a minute. */
const BREAKER = { failures: 5, pause: 60_000 };

/** Address of the REST API, as Plex documents it. */
export function restUrl(settings: Settings): string {
  const given = settings.base_url as string | undefined;
  if (given !== undefined) return given.replace(/\/+$/, '');
  return settings.use_test === true ? 'https://test.connect.plex.com' : 'https://connect.plex.com';
}

/** Address of the Data Source API, as Plex documents it: the tenant's own host where its code is known, else the shared one. */
export function dataSourceUrl(settings: Settings): string {
  const given = settings.datasource_base_url as string | undefined;
  if (given !== undefined) return given.replace(/\/+$/, '');
  const code = settings.pcn_code as string | undefined;
  const test = settings.use_test === true;
  if (code !== undefined) return `https://${code}.${test ? 'test.' : ''}on.plex.com`;
  return test ? 'https://test.cloud.plex.com' : 'https://cloud.plex.com';
}

/** The key as headers; Plex documents that a key in the query is refused. */
function restAuth(settings: Settings): Auth {
  const optional = {
    'x-plex-connect-api-secret': settings.api_secret,
    'x-plex-connect-tenant-id': settings.tenant_id,
  };
  const headers: Record<string, string> = {
    'x-plex-connect-api-key': String(settings.api_key),
    'x-plex-connect-customer-id': String(settings.customer_id),
  };
  for (const [name, value] of Object.entries(optional)) if (typeof value === 'string') headers[name] = value;
  return { headers: async () => headers };
}

/** The collection of a path, which is the product that a key is subscribed to; of a data source, its own address. */
function groupOf({ url }: HttpRequest): string {
  const segments = new URL(url).pathname.split('/');
  return segments[1] === 'api' ? segments.slice(1, 4).join('/') : segments.slice(1, 4).join('/');
}

/** Makes both clients. No request yet. */
export async function connect(settings: Settings, run: Run): Promise<Connection> {
  // Loaded here, so that --about and --discover start without undici.
  const [{ openHttp }, { openDispatcher }, { TokenBucket }, { withBreaker }] = await Promise.all([
    import('../../http/client.ts'),
    import('../../http/wire.ts'),
    import('../../http/token-bucket.ts'),
    import('../../http/circuit-breaker.ts'),
  ]);
  const number = (name: string) => settings[name] as number;
  const perMinute = number('requests_per_minute');
  if (perMinute > DOCUMENTED_LIMIT) {
    const text = `requests_per_minute is ${perMinute}; Plex documents ${DOCUMENTED_LIMIT} calls per minute and key`;
    run.log.warn('rate_above_limit', text, { requests_per_minute: perMinute });
  }
  if (!/^\d{6}$/.test(String(settings.customer_id))) {
    run.log.warn('customer_id_unusual', 'customer_id is not six digits; customer numbers of Plex usually are');
  }
  const dispatcher = openDispatcher({
    caFile: settings.ca_file as string | undefined,
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
  const open = (
    baseUrl: string,
    auth: Auth,
    judge: typeof judgeRest,
    callsPerMinute: number,
    authHint: string,
  ): Api => {
    const http = openHttp(
      {
        dispatcher,
        retry,
        judge,
        auth,
        authHint,
        pace: new TokenBucket(callsPerMinute, BURST, run.clock),
        failureEvent: 'request_failed',
        // Entries name employees.
        sampleAnswers: false,
        // In hostile mode every body is streamed, so that the tests that send byte by byte reach the streaming reader.
        smallBody: run.env.TAPWORKS_HOSTILE === '1' ? 0 : SMALL_BODY,
      },
      run,
    );
    return {
      baseUrl,
      exchange: withBreaker(http.exchange, groupOf, BREAKER, run.clock),
      stats: http.stats,
      get answered() {
        return http.answered;
      },
    };
  };
  const { ds_username: username, ds_password: password } = settings;
  let dataSources: Api | undefined;
  if (typeof username === 'string' && username !== '' && typeof password === 'string') {
    const token = Buffer.from(`${username}:${password}`, 'utf8').toString('base64');
    run.log.hide(token);
    const auth: Auth = { headers: async () => ({ authorization: `Basic ${token}` }) };
    const hint = 'check ds_username and ds_password: they are a web-service user, not a person and not the key';
    dataSources = open(dataSourceUrl(settings), auth, judgeDataSource, Math.max(1, Math.floor(perMinute / 2)), hint);
  }
  const hint = 'check api_key and customer_id; a key may have expired, or lack the subscription to this product';
  return {
    rest: open(restUrl(settings), restAuth(settings), judgeRest, perMinute, hint),
    dataSources,
    dataSourceTested: false,
    close: () => dispatcher.close(),
  };
}
