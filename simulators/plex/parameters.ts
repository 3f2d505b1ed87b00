/** Parameters of REST requests: which an endpoint knows, and which rows they leave. */
import { readDate, sortable } from './dates.ts';
import { isUuid } from './ids.ts';
import type { Row } from './plant.ts';

/** A parameter that an endpoint knows. All others are ignored without an error, as Plex ignores them. */
export interface Parameter {
  readonly type: 'text' | 'uuid' | 'date' | 'boolean' | 'integer';
  readonly required?: true;
  /** The field that it filters by; without one the endpoint uses the value itself. */
  readonly field?: string;
  /** Dates: from or until this one, itself included. */
  readonly bound?: 'from' | 'until';
}

export type Parameters = Readonly<Record<string, Parameter>>;

export const text = (field: string): Parameter => ({ type: 'text', field });
export const uuid = (field: string): Parameter => ({ type: 'uuid', field });
export const flag = (field: string): Parameter => ({ type: 'boolean', field });
export const integer = (field: string): Parameter => ({ type: 'integer', field });
export const from = (field: string): Parameter => ({ type: 'date', field, bound: 'from' });
export const until = (field: string): Parameter => ({ type: 'date', field, bound: 'until' });
/** The window that a history must be asked for. */
export const WINDOW: Parameters = {
  beginDate: { type: 'date', required: true },
  endDate: { type: 'date', required: true },
};

/** What a request asks for. */
export interface Asked {
  /** Values of a parameter as they were read: dates with seven digits, UUIDs in lower case. */
  values(name: string): readonly string[];
  /** Whether a row passes all filters. */
  wants(row: Row): boolean;
}

function readValue(type: Parameter['type'], value: string): string | undefined {
  switch (type) {
    case 'text':
      return value;
    case 'uuid':
      return isUuid(value) ? value.toLowerCase() : undefined;
    case 'date':
      return readDate(value);
    case 'boolean':
      return /^(true|false)$/i.test(value) ? value.toLowerCase() : undefined;
    case 'integer':
      return /^-?\d{1,9}$/.test(value) ? String(Number(value)) : undefined;
  }
}

const WORDS: Readonly<Record<Parameter['type'], string>> = {
  text: 'text',
  uuid: 'UUID',
  date: 'date',
  boolean: 'boolean',
  integer: 'integer',
};

function passes(value: unknown, { bound }: Parameter, wanted: readonly string[]): boolean {
  if (bound !== undefined) {
    if (typeof value !== 'string') return false;
    const date = sortable(value);
    return wanted.every((each) => (bound === 'from' ? date >= each : date <= each));
  }
  if (Array.isArray(value)) return value.some((each) => wanted.includes(String(each)));
  return value !== null && wanted.includes(String(value));
}

/** Reads a query; a text says what is wrong with it. Names may be written in any case, and be repeated. */
export function readQuery(query: URLSearchParams, parameters: Parameters): Asked | string {
  const known = new Map(Object.entries(parameters).map(([name, parameter]) => [name.toLowerCase(), [name, parameter]]));
  const found = new Map<string, string[]>();
  for (const [given, value] of query) {
    const [name, parameter] = (known.get(given.toLowerCase()) ?? []) as [string?, Parameter?];
    if (name === undefined || parameter === undefined) continue;
    const read = readValue(parameter.type, value);
    if (read === undefined) return `${name} is not a valid ${WORDS[parameter.type]}.`;
    found.set(name, [...(found.get(name) ?? []), read]);
  }
  const missing = Object.entries(parameters).find(([name, { required }]) => required && !found.has(name));
  if (missing) return `${missing[0]} is required.`;
  const filters = Object.entries(parameters).filter(([name, { field }]) => field !== undefined && found.has(name));
  return {
    values: (name) => found.get(name) ?? [],
    wants: (row) =>
      filters.every(([name, parameter]) => passes(row[parameter.field ?? name], parameter, found.get(name) ?? [])),
  };
}
