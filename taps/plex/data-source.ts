/** Asking the Data Source API: what a data source takes, and its rows in either form of an answer. */
import { answer, type HttpRequest } from '../../http/exchange.ts';
import { isObject, type Json } from '../../singer/lossless.ts';
import type { Api } from './connection.ts';
import { objectsIn, type VendorRow } from './records.ts';
import { turnAfter } from './turns.ts';

export type Inputs = { readonly [name: string]: Json };

/** An answer: its rows by the vendor's column names, and whether it was cut at the row limit of the data source. */
export interface Table {
  readonly rows: readonly VendorRow[];
  readonly cut: boolean;
}

/** An input as the data source's own description tells it. */
export interface Input {
  readonly name: string;
  readonly type: string;
}

/** Plex documents the first at the top of an answer and inside its table; the others have been seen. All count at both places. */
const CUT_FLAGS = ['rowLimitedExceeded', 'limitExceeded', 'rowLimitExceeded'];

function isCut(value: Json): boolean {
  return isObject(value) && CUT_FLAGS.some((flag) => value[flag] === true || value[flag] === 'true');
}

/** Rows of a table whose columns and rows stand apart. */
function zipped(table: VendorRow): VendorRow[] {
  const columns = Array.isArray(table.columns) ? (table.columns as readonly Json[]) : [];
  // A column may be a name, or an object that has one.
  const names = columns.map((column) => (isObject(column) ? String(column.name) : String(column)));
  const rows = Array.isArray(table.rows) ? (table.rows as readonly Json[]) : [];
  return rows
    .filter((row) => Array.isArray(row))
    .map((row) => Object.fromEntries(names.map((name, at) => [name, (row as readonly Json[])[at] ?? null])));
}

function requestFor(api: Api, stream: string, id: number, path: string): HttpRequest {
  return {
    url: `${api.baseUrl}/api/datasources/${id}${path}`,
    where: { stream, path: `/api/datasources/${id}${path}` },
    quiet: true,
  };
}

/**
 * Runs a data source. `format` 1 is the documented default with columns and rows apart, 2 has rows as objects; either is
 * understood, whatever was asked for.
 * @throws HttpFailure when it is refused or fails.
 */
export async function execute(api: Api, stream: string, id: number, inputs: Inputs, format: 1 | 2): Promise<Table> {
  const request: HttpRequest = {
    ...requestFor(api, stream, id, '/execute'),
    method: 'POST',
    ...(format === 2 && { query: { format: '2' } }),
    json: format === 2 ? inputs : { inputs },
    rows: [['rows'], ['tables']],
  };
  const rows: VendorRow[] = [];
  let cut = false;
  const groups = api.exchange(request);
  for (let seen = 1; ; seen += 1) {
    const step = await groups.next();
    if (step.done === true) return { rows, cut: cut || isCut(step.value.value) };
    for (const value of objectsIn(step.value)) {
      if (Array.isArray(value.columns) && Array.isArray(value.rows)) {
        rows.push(...zipped(value));
        cut ||= isCut(value);
      } else rows.push(value);
    }
    await turnAfter(seen);
  }
}

/** The inputs that a data source takes. @throws HttpFailure when that cannot be had. */
export async function inputsOf(api: Api, stream: string, id: number): Promise<readonly Input[]> {
  const { inputs } = await answer(api.exchange, { ...requestFor(api, stream, id, ''), object: [] });
  const list = Array.isArray(inputs) ? (inputs as readonly Json[]) : [];
  return objectsIn(list).map(({ name, type }) => ({ name: String(name), type: String(type) }));
}

/** Names that are not just the column's words in another case. */
const RENAMED: Readonly<Record<string, string>> = { Checksheet_No: 'checksheetNumber' };

/** `Inspection_Date` becomes `inspectionDate`. */
export function fieldName(column: string): string {
  const renamed = RENAMED[column];
  if (renamed !== undefined) return renamed;
  const [first = '', ...others] = column.split('_');
  return first.toLowerCase() + others.join('');
}

/** A row with its columns named like the fields of the REST API. */
export function renamed(row: VendorRow): VendorRow {
  return Object.fromEntries(Object.entries(row).map(([column, value]) => [fieldName(column), value]));
}
