/** What is remembered of a run, and what the next one makes of it. Nothing here reads a file. */
import { isObject, type Json } from '../../singer/lossless.ts';
import type { State, StateDeclaration } from '../../singer/state-file.ts';
import { type FilePrint, isSamePrint } from './file-print.ts';

const STATE_VERSION = 1;

/** A place in a table: the row number, or the values of its key. */
export type Cursor = readonly CursorValue[];
/** An SQLite value; integers as digits and bytes in base64, which JSON numbers and texts could not hold. */
export type CursorValue =
  | { readonly integer: string }
  | { readonly real: number }
  | { readonly text: string }
  | { readonly blob: string };

/** By what one sees that a table was made anew, so that neither row numbers nor bookmarks mean what they did. */
export interface Generation {
  readonly schema_version: number;
  /** The last import that the file tells of; null when it tells of none. */
  readonly max_import_id: number | null;
  readonly rows: number;
}

/** The bookmark of a stream. */
export interface Bookmark {
  /** The reading that the rows in the target belong to. */
  readonly version: number;
  readonly generation: Generation;
  readonly replication_key?: string;
  readonly replication_key_value?: string | number | null;
  /** Where a reading that is not complete stands, and what it has counted; absent when it is complete. */
  readonly progress?: Progress;
}

export interface Progress {
  /** All rows up to here have been read. */
  readonly cursor: Cursor;
  readonly read: number;
  readonly emitted: number;
  readonly rejected: number;
  /** The highest value of the replication key so far. */
  readonly highest?: string | number | null;
  /** Whether all rows are read or only what is new. */
  readonly whole: boolean;
  /** The run that stands here. */
  readonly sweep: number;
}

/** A run that has begun: its version, the file as it was, and the streams that it has finished. */
export interface Sweep {
  readonly version: number;
  readonly source: FilePrint;
  /** Of the settings and schemas by which rows become records: half a table by these and half by others would be neither. */
  readonly manner: string;
  readonly done: readonly string[];
}

const GENERATION = {
  type: 'object',
  required: ['schema_version', 'rows'],
  properties: {
    schema_version: { type: 'integer' },
    max_import_id: { type: ['integer', 'null'] },
    rows: { type: 'integer' },
  },
};

const BOOKMARK = {
  type: 'object',
  properties: {
    version: { type: 'integer', minimum: 0 },
    generation: GENERATION,
    replication_key: { type: 'string' },
    replication_key_value: { type: ['string', 'number', 'null'] },
    progress: {
      type: 'object',
      required: ['cursor', 'read', 'emitted', 'rejected', 'whole', 'sweep'],
      properties: {
        cursor: { type: 'array', minItems: 1, items: { type: 'object' } },
        read: { type: 'integer', minimum: 0 },
        emitted: { type: 'integer', minimum: 0 },
        rejected: { type: 'integer', minimum: 0 },
        whole: { type: 'boolean' },
        sweep: { type: 'integer', minimum: 0 },
      },
    },
  },
};

export const STATE: StateDeclaration = {
  version: STATE_VERSION,
  bookmarks: {},
  otherBookmarks: BOOKMARK,
  top: {
    sweep: {
      type: ['object', 'null'],
      required: ['version', 'source', 'manner', 'done'],
      properties: {
        version: { type: 'integer', minimum: 0 },
        source: { type: 'object' },
        manner: { type: 'string' },
        done: { type: 'array', items: { type: 'string' } },
      },
    },
    currently_syncing: { type: ['string', 'null'] },
  },
};

/** The bookmark of a stream, if it is one of this tap's. */
export function bookmarkOf(state: State, stream: string): Bookmark | undefined {
  const bookmarks = state.bookmarks ?? {};
  const found = Object.hasOwn(bookmarks, stream) ? bookmarks[stream] : undefined;
  return found !== undefined && isObject(found) && 'version' in found && 'generation' in found
    ? (found as unknown as Bookmark)
    : undefined;
}

/** The run to go on with: one that ended early, whose file nobody has written to since, and that reads in the same manner. */
export function openSweep(state: State, print: FilePrint | undefined, manner: string): Sweep | undefined {
  const { sweep } = state;
  if (print === undefined || sweep === undefined || !isObject(sweep)) return undefined;
  const found = sweep as unknown as Sweep;
  return isSamePrint(found.source, print) && found.manner === manner ? found : undefined;
}

/** A version for a new reading: the time, but always above any that went before. */
export function nextVersion(state: State, now: number): number {
  const versions = Object.keys(state.bookmarks ?? {}).map((stream) => bookmarkOf(state, stream)?.version ?? 0);
  const { sweep } = state;
  const open = sweep !== undefined && isObject(sweep) ? Number((sweep as unknown as Sweep).version) : 0;
  return Math.max(now, ...[...versions, open].map((version) => version + 1));
}

/** Whether the table is still the one that the bookmark tells of. */
export function isSameTable(bookmark: Bookmark, generation: Generation): boolean {
  const { schema_version, max_import_id } = bookmark.generation;
  return schema_version === generation.schema_version && max_import_id === generation.max_import_id;
}

/** The state of a run before its first row: by it, one that ends before the next state keeps its version. */
export function firstState(state: State, sweep: Sweep): State {
  return {
    ...state,
    state_version: STATE_VERSION,
    bookmarks: state.bookmarks ?? {},
    sweep: sweep as unknown as Json,
    currently_syncing: null,
  };
}

/** The state with one bookmark, the run's own notes and the stream at work replaced; anything else is handed on. */
export function stateWith(
  state: State,
  stream: string,
  bookmark: Bookmark,
  sweep: Sweep | undefined,
  syncing: string | null,
): State {
  return {
    ...state,
    state_version: STATE_VERSION,
    bookmarks: { ...state.bookmarks, [stream]: bookmark as unknown as Json },
    sweep: (sweep ?? null) as unknown as Json,
    currently_syncing: syncing,
  };
}
