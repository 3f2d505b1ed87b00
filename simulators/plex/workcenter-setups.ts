/** `POST /production/v1/control/workcenter-setups`: the present of many workcenters in one call. */
import { type Answer, invalid, json, list, restError } from './answers.ts';
import { isUuid } from './ids.ts';
import type { Row } from './plant.ts';
import type { Records } from './records.ts';

/** Filters of the body, by the field of a definition or status that they compare with. */
const FILTERS = {
  workcenterIds: 'workcenterId',
  workcenterCodes: 'workcenterCode',
  workcenterTypes: 'workcenterType',
  workcenterGroups: 'workcenterGroup',
} as const;

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function problemOf(body: object): string | undefined {
  for (const [name, value] of Object.entries(body)) {
    if (!Object.hasOwn(FILTERS, name)) return `${name} is not known.`;
    const texts = Array.isArray(value) && value.every((each) => typeof each === 'string');
    if (!texts) return `${name} must be an array of texts.`;
    if (name === 'workcenterIds' && !value.every(isUuid)) return 'workcenterIds has a value that is not a valid UUID.';
  }
  return undefined;
}

/** Workcenters that pass every given filter; without any filter, all that are set up. 204 when there are none. */
export function workcenterSetups(records: Records, text: string): Answer {
  const body = parsed(text);
  if (typeof body !== 'object' || body === null || Array.isArray(body)) {
    return restError(400, 'REQUEST_MALFORMED', 'The body is not a JSON object.');
  }
  const problem = problemOf(body);
  if (problem !== undefined) return invalid(problem);
  const filters = Object.entries(body as Readonly<Record<keyof typeof FILTERS, readonly string[]>>);
  const wanted = new Set<unknown>();
  for (const row of records.masters('workcenters')) {
    const passes = filters.every(([name, values]) => {
      const value = String(row[FILTERS[name as keyof typeof FILTERS]]);
      return values.some((each) => each === value || (name === 'workcenterIds' && each.toLowerCase() === value));
    });
    if (passes) wanted.add(row.workcenterId);
  }
  const rows: Row[] = [];
  for (const row of records.masters('workcenter_status')) if (wanted.has(row.id)) rows.push(row);
  return rows.length === 0 ? { ...json(null, 204), body: '' } : list(rows);
}
