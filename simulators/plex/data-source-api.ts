/** The Data Source API: who may ask, what the inputs must be, and the two forms of an answer. */
import { hash } from '../draw.ts';
import { type Answer, dataSourceError, json, type Problem } from './answers.ts';
import type { DataSource, DataType, Input, Inputs } from './data-source.ts';
import { DATA_SOURCES } from './data-sources.ts';
import { readDate } from './dates.ts';
import type { Records } from './records.ts';
import type { FlagSpelling } from './settings.ts';

/** A web-service user. */
export interface DataSourceUser {
  readonly username: string;
  readonly password: string;
}

export function userOf(seed: number): DataSourceUser {
  return { username: 'tap.user@example.invalid', password: `sim-${hash(seed, 'password').toString(16)}` };
}

/** Basic authentication, user and password in UTF-8. */
export function mayExecute({ username, password }: DataSourceUser, authorization: string | undefined): boolean {
  const given = /^Basic +(\S+)$/i.exec(authorization ?? '')?.[1] ?? '';
  return Buffer.from(given, 'base64').toString('utf8') === `${username}:${password}`;
}

/** A call as far as the API is concerned. */
export interface DataSourceCall {
  readonly method: string;
  readonly path: string;
  readonly query: URLSearchParams;
  readonly text: string;
  /** Plex support asks for it. */
  readonly transactionNo: string;
  /** Fewer rows than the data source's own limit. */
  readonly rowLimit: number | undefined;
  readonly flag: FlagSpelling;
}

const EXECUTE = /^\/api\/datasources\/(\d{1,9})\/execute$/;
const ONE = /^\/api\/datasources\/(\d{1,9})$/;
const SEARCH = '/api/datasources/search';

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

const TYPE_CHECKS: Readonly<Record<DataType, (value: unknown) => boolean>> = {
  string: (value) => typeof value === 'string',
  bool: (value) => typeof value === 'boolean',
  date: (value) => typeof value === 'string',
  int32: (value) => Number.isInteger(value) && Math.abs(Number(value)) <= 0x7fff_ffff,
  decimal: (value) => typeof value === 'number',
};

function problemOf(input: Input, value: unknown): Problem | undefined {
  const problem = (end: string, words: string): Problem => ({
    code: `DATA_SOURCE_INPUT_${end}`,
    message: `${input.name} ${words}.`,
  });
  if (value === undefined) return input.required ? problem('REQUIRED', 'is required') : undefined;
  if (value === null) return input.nullable ? undefined : problem('NOT_NULLABLE', 'must not be null');
  if (!TYPE_CHECKS[input.type](value)) return problem('TYPE_MISMATCH', `must be of type ${input.type}`);
  if (input.type === 'date' && readDate(String(value)) === undefined) {
    return problem('FORMAT_INVALID', 'is not a date like 2026-03-14T00:00:00Z');
  }
  return undefined;
}

type Checked = { readonly inputs: Inputs } | { readonly problem: Problem };

/** The inputs with their dates in seven digits, or what is wrong with them. */
function checked(source: DataSource, given: Readonly<Record<string, unknown>>): Checked {
  const unknown = Object.keys(given).find((name) => !source.inputs.some((input) => input.name === name));
  if (unknown !== undefined) {
    return { problem: { code: 'DATA_SOURCE_INPUT_NOT_FOUND', message: `Input ${unknown} does not exist.` } };
  }
  const inputs: Record<string, unknown> = {};
  for (const input of source.inputs) {
    const value = given[input.name];
    const problem = problemOf(input, value);
    if (problem) return { problem };
    if (value !== undefined) inputs[input.name] = input.type === 'date' ? (readDate(String(value)) ?? null) : value;
  }
  return { inputs };
}

/** The inputs as the client wrote them: wrapped by default, bare with `format=2`. */
function givenInputs(text: string, bare: boolean): Readonly<Record<string, unknown>> | undefined {
  let body: unknown;
  try {
    body = text === '' ? {} : JSON.parse(text);
  } catch {
    return undefined;
  }
  if (!isObject(body)) return undefined;
  if (bare) return body;
  const { inputs = {}, ...others } = body;
  return isObject(inputs) && Object.keys(others).length === 0 ? inputs : undefined;
}

function cut(rows: Iterable<readonly unknown[]>, most: number): { kept: (readonly unknown[])[]; exceeded: boolean } {
  const kept: (readonly unknown[])[] = [];
  for (const row of rows) {
    if (kept.length === most) return { kept, exceeded: true };
    kept.push(row);
  }
  return { kept, exceeded: false };
}

function flagged(spelling: FlagSpelling, exceeded: boolean): Readonly<Record<string, boolean>> {
  return { [spelling === 'table' ? 'rowLimitedExceeded' : spelling]: exceeded };
}

function table(
  source: DataSource,
  kept: readonly (readonly unknown[])[],
  call: DataSourceCall,
  exceeded: boolean,
): Answer {
  const names = source.columns.map(({ name }) => name);
  const { transactionNo, flag } = call;
  const spelled = flagged(flag, exceeded);
  const [inside, beside] = flag === 'table' ? [spelled, {}] : [{}, spelled];
  if (call.query.get('format') === '2') {
    const rows = kept.map((row) => Object.fromEntries(names.map((name, at) => [name, row[at]])));
    return json({ outputs: {}, rows, ...spelled, transactionNo });
  }
  return json({ outputs: {}, tables: [{ columns: names, rows: kept, ...inside }], ...beside, transactionNo });
}

function execute(source: DataSource, records: Records, call: DataSourceCall): Answer {
  const refused = ({ code, message }: Problem): Answer => dataSourceError(400, code, message, call.transactionNo);
  if (call.method !== 'POST') {
    return dataSourceError(405, 'METHOD_NOT_ALLOWED', 'Only POST is allowed.', call.transactionNo);
  }
  const given = givenInputs(call.text, call.query.get('format') === '2');
  if (!given) {
    return refused({ code: 'DATA_SOURCE_INPUT_FORMAT_INVALID', message: 'The body must be {"inputs": {…}}.' });
  }
  const read = checked(source, given);
  if ('problem' in read) return refused(read.problem);
  const rows = source.rows(records, read.inputs);
  if (!rows) return refused({ code: 'DATA_SOURCE_OBJECT_NOT_FOUND', message: 'There is no such record.' });
  const { kept, exceeded } = cut(rows, Math.min(source.rowLimit, call.rowLimit ?? source.rowLimit));
  return table(source, kept, call, exceeded);
}

function description({ id, name, inputs, columns }: DataSource): Readonly<Record<string, unknown>> {
  return { id, name, inputs, outputs: [], columns };
}

/** Names of the inputs of a call, for the log. */
export function inputNames({ path, query, text }: Pick<DataSourceCall, 'path' | 'query' | 'text'>): string[] | null {
  if (!EXECUTE.test(path)) return null;
  return Object.keys(givenInputs(text, query.get('format') === '2') ?? {});
}

/** The regular answer to a call of a user who may make it. */
export function dataSourceAnswer(records: Records, call: DataSourceCall): Answer {
  const { path, method, query, transactionNo } = call;
  const [, id] = EXECUTE.exec(path) ?? ONE.exec(path) ?? [];
  const isSearch = path === SEARCH;
  const unknown = dataSourceError(400, 'DATA_SOURCE_NOT_FOUND', 'There is no such data source.', transactionNo);
  if (id === undefined && !isSearch) return unknown;
  const source = DATA_SOURCES.get(Number(id));
  if (!isSearch && !source) return unknown;
  if (source && EXECUTE.test(path)) return execute(source, records, call);
  if (method !== 'GET') return dataSourceError(405, 'METHOD_NOT_ALLOWED', 'Only GET is allowed.', transactionNo);
  if (source) return json(description(source));
  const wanted = (query.get('name') ?? '').toLowerCase();
  const found = [...DATA_SOURCES.values()].filter(({ name }) => name.toLowerCase().includes(wanted));
  return json(found.map((each) => ({ id: each.id, name: each.name })));
}
