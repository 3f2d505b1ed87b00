/** The bookmark of a stream that is read by its changes, and what the reading after it may ask for. */
import { isObject, type Json } from '../singer/lossless.ts';
import type { JsonSchema } from '../singer/messages.ts';

/** The bookmark of a stream of changes. Instants are epoch milliseconds. */
export interface ChangesState {
  /** What this reading asks for is newer; null for a reading of all rows. */
  readonly changed_since: number | null;
  /** Place behind the last row that was read; null at the start and at the end. */
  readonly cursor: string | null;
  readonly pages: number;
  readonly rows: number;
  /** Rows the server reports for this reading. */
  readonly total: number | null;
  /** The latest change among the rows read. */
  readonly newest: number | null;
  /** When this reading sent its first request; null before. */
  readonly begun_at: number | null;
  /** When the last reading of all rows began that brought all of them. */
  readonly whole_at: number | null;
  readonly finished: boolean;
}

const WHOLE: JsonSchema = { type: 'integer', minimum: 0 };
const WHOLE_OR_NULL: JsonSchema = { anyOf: [WHOLE, { type: 'null' }] };

/** What the state file must hold for a stream of changes. */
export const CHANGES_STATE_SCHEMA: JsonSchema = {
  type: 'object',
  required: ['changed_since', 'cursor', 'pages', 'rows', 'begun_at', 'whole_at', 'finished'],
  properties: {
    changed_since: WHOLE_OR_NULL,
    cursor: { anyOf: [{ type: 'string' }, { type: 'null' }] },
    pages: WHOLE,
    rows: WHOLE,
    total: WHOLE_OR_NULL,
    newest: WHOLE_OR_NULL,
    begun_at: WHOLE_OR_NULL,
    whole_at: WHOLE_OR_NULL,
    finished: { type: 'boolean' },
  },
};

/** The bookmark before the first request for all rows. */
export const READING_START: ChangesState = {
  changed_since: null,
  cursor: null,
  pages: 0,
  rows: 0,
  total: null,
  newest: null,
  begun_at: null,
  whole_at: null,
  finished: false,
};

/** How far the clocks of the two sides may differ, and how late a change may show. */
const OVERLAP = 3_600_000;

/** The bookmark as one of changes, if it is one. */
export function asChanges(bookmark: Json | undefined): ChangesState | undefined {
  return isObject(bookmark) && 'changed_since' in bookmark ? (bookmark as unknown as ChangesState) : undefined;
}

/** True for a finished reading of all rows that brought as many as the server reports. */
export function broughtAll({ changed_since, finished, rows, total }: ChangesState): boolean {
  return finished && changed_since === null && (total === null || rows >= total);
}

/**
 * What the reading after this one starts from; undefined when it must bring everything, because this one was to and did
 * not. An unfinished reading is asked for again from its start.
 */
export function nextReading(state: ChangesState): ChangesState | undefined {
  const { changed_since, newest, begun_at, whole_at, finished } = state;
  if (changed_since === null && !broughtAll(state)) return undefined;
  if (!finished || begun_at === null) return { ...READING_START, changed_since, whole_at };
  // One millisecond earlier: the vendor tells what is newer, and more may have happened within the same one.
  const latest = newest === null ? (changed_since ?? begun_at) : newest - 1;
  return {
    ...READING_START,
    changed_since: Math.max(0, Math.min(latest, begun_at - OVERLAP)),
    whole_at: changed_since === null ? begun_at : whole_at,
  };
}
