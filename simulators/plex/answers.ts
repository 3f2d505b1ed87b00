/** What Plex answers with, in the forms of its two APIs. */
import type { Row } from './plant.ts';

/** An answer. Rows are written one by one, so that a list of any length takes no room. */
export interface Answer {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body: string | RowsBody;
}

export interface RowsBody {
  /** Text before, between and after the rows. */
  readonly before: string;
  readonly between: string;
  readonly after: string;
  readonly rows: Iterable<object>;
}

const JSON_TYPE = { 'content-type': 'application/json; charset=utf-8' };

export function json(value: unknown, status = 200): Answer {
  return { status, headers: JSON_TYPE, body: JSON.stringify(value) };
}

/** A bare array, as all lists of the REST API are. */
export function list(rows: Iterable<Row>): Answer {
  return { status: 200, headers: JSON_TYPE, body: { before: '[', between: ',', after: ']', rows } };
}

/** A problem with one argument of a request. */
export interface Problem {
  readonly code: string;
  readonly message: string;
}

/** An error of the REST API. */
export function restError(status: number, code: string, message: string, errors: readonly Problem[] = []): Answer {
  return json({ code, message, errors }, status);
}

export function invalid(message: string): Answer {
  const errors = [{ code: 'ARGUMENT_INVALID', message }];
  return restError(400, 'REQUEST_VALIDATION_FAILED', 'One or more arguments are not valid.', errors);
}

export function unauthenticated(): Answer {
  return restError(401, 'REQUEST_NOT_AUTHENTICATED', 'The request could not be authenticated.');
}

export function notFound(): Answer {
  return restError(404, 'RESOURCE_NOT_FOUND', 'The requested resource was not found.');
}

/** An error of the Data Source API, whose clients decide on the code. */
export function dataSourceError(status: number, code: string, message: string, transactionNo: string): Answer {
  return json({ errors: [{ code, message }], transactionNo }, status);
}

/** What a gateway says, instead of JSON. */
export function gatewayPage(status: number): Answer {
  const body = `<html><head><title>${status}</title></head><body><h1>${status} Gateway</h1></body></html>`;
  return { status, headers: { 'content-type': 'text/html' }, body };
}

/** How an answer names a wait: whole seconds, a date, or not at all. */
export function waitHeader(
  form: 'none' | 'seconds' | 'date',
  seconds: number,
  now: number,
): Readonly<Record<string, string>> {
  if (form === 'none') return {};
  // A date has whole seconds only, so it is rounded up as well: whoever waits that long has waited long enough.
  const date = new Date(Math.ceil((now + seconds * 1_000) / 1_000) * 1_000);
  return { 'retry-after': form === 'date' ? date.toUTCString() : String(seconds) };
}
