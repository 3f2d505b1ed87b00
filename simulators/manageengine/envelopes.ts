/**
 * The bodies that ManageEngine sends around rows and for refusals. A status never tells success
 * from failure with this vendor, so each refusal names its status here beside its body.
 */
export interface Answer {
  readonly status: number;
  readonly body: string | Buffer;
  readonly headers?: Readonly<Record<string, string>>;
}

/** Valid JSON arrives as text/plain; ManageEngine clients must not gate parsing on the type. */
export const JSON_AS_TEXT = 'text/plain;charset=UTF-8';
const HTML = { 'content-type': 'text/html;charset=UTF-8' } as const;

const TAIL = '"message_version":"1.4","status":"success","response_code":200}';

/** A page of an `/api/1.4` list; rows are JSON texts. */
export function listEnvelope(
  key: string,
  page: { readonly total: number; readonly limit: number; readonly page: number; readonly rows: readonly string[] },
): string {
  const head = `{"message_type":"${key}","message_response":{"total":${page.total},"limit":${page.limit},"page":${page.page},`;
  return `${head}"${key}":[${page.rows.join(',')}]},${TAIL}`;
}

/** A page of a call below `/dcapi/threats`; rows are JSON texts. */
export function threatsEnvelope(key: string, metadata: object, rows: readonly string[]): string {
  const head = `{"metadata":${JSON.stringify(metadata)},"message_response":`;
  return `${head}${bareEnvelope(key, rows)},"status":"success","response_code":200}`;
}

/** Rows with nothing around them but their name. */
export function bareEnvelope(key: string, rows: readonly string[]): string {
  return `{"${key}":[${rows.join(',')}]}`;
}

/** An `/api/1.4` singleton. */
export function singletonEnvelope(key: string, value: Readonly<Record<string, unknown>>): string {
  return `{"message_type":"${key}","message_response":{"${key}":${JSON.stringify(value)}},${TAIL}`;
}

/** A refused request: status 200, no `message_response` at all. */
export function errorEnvelope(code = '1002', description = 'Example refusal'): Answer {
  const body = { message_version: '1.4', status: 'error', error_code: code, error_description: description };
  return { status: 200, body: JSON.stringify(body) };
}

export function unsupportedParameter(name: string): Answer {
  const errorMsg = `Unsupported parameter ${name} detected in the request.`;
  return { status: 400, body: JSON.stringify({ errorCode: 'IAM0028', errorMsg }) };
}

export function unsupportedEndpoint(): Answer {
  return errorEnvelope('10022', 'API Endpoint is not supported by current server');
}

/** An expired, unknown or absent access token. */
export function invalidToken(): Answer {
  const body = { code: 'INVALID_TOKEN', details: {}, message: 'Invalid Oauthtoken', status: 'error' };
  return { status: 401, body: JSON.stringify(body) };
}

/** The page that ManageEngine shows, with status 200, to clients that ask too often. */
export function throttlePage(): Answer {
  const body =
    '<!DOCTYPE html>\n<html><head><title>Please wait</title></head><body><p>Too many requests. Please wait.</p></body></html>\n';
  return { status: 200, body, headers: HTML };
}

/** The sign-in page, with status 200, for a wrong path, a missing scope or a lost session. */
export function loginPage(): Answer {
  const body =
    '<!DOCTYPE html>\n<html><head><title>Sign in</title></head><body><form action="/signin" method="post"><input name="LOGIN_ID"><input name="PASSWORD" type="password"></form></body></html>\n';
  return { status: 200, body, headers: HTML };
}

/** The front proxy's page. */
export function unavailablePage(): Answer {
  const body = '<html><head><title>503 Service Unavailable</title></head><body>Service Unavailable</body></html>\n';
  return { status: 503, body, headers: HTML };
}

export function internalError(): Answer {
  const body = { error_code: 'INTERNAL_ERROR', error_description: 'dc.rest.api_internal_error' };
  return { status: 500, body: JSON.stringify(body) };
}

/** 429 with `Retry-After` in seconds, as an HTTP date, or without. */
export function tooManyRequests(retryAfter?: string): Answer {
  const body = JSON.stringify({ error_code: '429', error_description: 'Too many requests' });
  return { status: 429, body, ...(retryAfter === undefined ? {} : { headers: { 'retry-after': retryAfter } }) };
}
