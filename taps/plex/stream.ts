/** What a stream of tap-plex is, and what it is given to read itself. */
import type { Settings } from '../../singer/config.ts';
import { isObject, type Json, type Row } from '../../singer/lossless.ts';
import type { JsonSchema } from '../../singer/messages.ts';
import type { RowGroup, Run, StreamDeclaration, StreamVersion } from '../../singer/stream.ts';
import type { Connection } from './connection.ts';
import { DAY, instant } from './dates.ts';
import type { Parents } from './parents.ts';
import { recordReader, type Stamp, type VendorRow } from './records.ts';
import type { Group } from './settings.ts';

/** Rows of a stream, and the bookmarks that are true once they are safe; those are read after the rows. */
export interface StreamPage {
  readonly rows: Iterable<RowGroup> | AsyncIterable<RowGroup>;
  readonly complete?: readonly StreamVersion[];
  readonly bookmarks: Readonly<Record<string, Json>>;
}

/** Requests that a run will make for a stream. */
export interface Calls {
  readonly calls: number;
  /** True when a count that only the plant knows was assumed. */
  readonly assumed: boolean;
}

/** What is known before a request: settings, bookmarks and assumptions. */
export interface Planning {
  readonly settings: Settings;
  readonly startedAt: number;
  bookmark(stream: string): Bookmark;
  wants(stream: string): boolean;
  /** A count from the settings, else a usual one. */
  assumption(name: string): number;
}

export interface PlexStream {
  readonly declaration: StreamDeclaration;
  readonly group: Group;
  /** What it is read from, for people: a path, or a data source. */
  readonly source: string;
  /** The product that the key must be subscribed to, or the API. */
  readonly product: string;
  /** How it is read, for people. */
  readonly manner: string;
  /** Without it a run is a failure. Others are skipped when Plex refuses them. */
  readonly mandatory: boolean;
  /** Name of the stream whose reader fills it too. */
  readonly fedBy?: string;
  /** Schema of its bookmark. */
  readonly checkpoint: JsonSchema;
  /** Called before any stream is read: a stream that goes by the rows of another says here what it wants to see of them. */
  follow?(reading: Reading): void;
  read(reading: Reading): AsyncGenerator<StreamPage>;
  plan(planning: Planning): Calls;
}

/** A bookmark as read from a state: undefined fields where there is none. */
export type Bookmark = { readonly [field: string]: Json | undefined };

/** One run's view of everything. */
export class Reading {
  readonly connection: Connection;
  readonly settings: Settings;
  readonly run: Run;
  /** Start of the run, epoch milliseconds. */
  readonly startedAt: number;
  readonly parents: Parents;
  readonly #bookmarks: Readonly<Record<string, Json>>;
  readonly #wanted: ReadonlySet<string>;
  readonly #stamp: Stamp;

  constructor(
    given: {
      readonly connection: Connection;
      readonly settings: Settings;
      readonly startedAt: number;
      readonly parents: Parents;
      readonly bookmarks: Readonly<Record<string, Json>>;
      readonly wanted: ReadonlySet<string>;
      readonly stamp: Stamp;
    },
    run: Run,
  ) {
    this.connection = given.connection;
    this.settings = given.settings;
    this.startedAt = given.startedAt;
    this.parents = given.parents;
    this.run = run;
    this.#bookmarks = given.bookmarks;
    this.#wanted = given.wanted;
    this.#stamp = given.stamp;
  }

  bookmark(stream: string): Bookmark {
    return bookmarkIn(this.#bookmarks, stream);
  }

  wants(stream: string): boolean {
    return this.#wanted.has(stream);
  }

  /** Version of lists that are sent whole in this run; undefined unless versions are wanted. */
  get version(): number | undefined {
    return this.settings.activate_version === true ? Math.floor(this.startedAt / 1000) : undefined;
  }

  /** Compiles the conversion of a stream's rows; what cannot be read is told once per property. */
  recordReader({ name, schema, key }: StreamDeclaration): (row: VendorRow) => Row | undefined {
    const told = new Set<string>();
    const tell = (property: string) => {
      if (told.has(property)) return;
      told.add(property);
      const text = `${name}: a value of ${property} is not what its type says and became null`;
      this.run.log.warn('value_unreadable', text, { stream: name, property });
    };
    const read = recordReader(schema, key, this.#stamp, tell);
    return (row) => {
      const record = read(row);
      if (record === undefined) tell(key.join(' and '));
      return record;
    };
  }
}

/** A stream's bookmark among those of a state. */
export function bookmarkIn(bookmarks: Readonly<Record<string, Json>>, stream: string): Bookmark {
  const found = bookmarks[stream];
  return found !== undefined && isObject(found) ? found : {};
}

/** A list of texts among the settings. */
export function textsOf(settings: Settings, name: string): readonly string[] {
  return (settings[name] ?? []) as readonly string[];
}

/** Epoch milliseconds at which histories begin in a first run. */
export function startOf(settings: Settings, startedAt: number, daysBefore: number): number {
  return instant(settings.start_date) ?? startedAt - daysBefore * DAY;
}

/** Whether a full pass is due: there was none, or it is too old. */
export function isDue(last: Json | undefined, startedAt: number, days: number): boolean {
  const at = instant(last);
  return at === undefined || startedAt - at >= days * DAY;
}

/** Records of a group of vendor rows. */
export function recordsOf(rows: readonly VendorRow[], read: (row: VendorRow) => Row | undefined): readonly Row[] {
  const records: Row[] = [];
  for (const row of rows) {
    const record = read(row);
    if (record !== undefined) records.push(record);
  }
  return records;
}

/** Schema of a bookmark with these text and whole-number fields, and whatever else `more` says. */
export function checkpointOf(
  texts: readonly string[],
  numbers: readonly string[] = [],
  more: Readonly<Record<string, JsonSchema>> = {},
): JsonSchema {
  return {
    type: 'object',
    properties: {
      ...Object.fromEntries(texts.map((name) => [name, { type: 'string' }])),
      ...Object.fromEntries(numbers.map((name) => [name, { type: 'integer' }])),
      ...more,
    },
  };
}
