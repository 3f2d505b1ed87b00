/** Streams that are one list: all of it in every run, or the rows whose own date says that they changed. */
import type { JsonSchema } from '../../singer/messages.ts';
import type { StreamDeclaration, StreamVersion } from '../../singer/stream.ts';
import { asked, DAY, earlier, later, sortable } from './dates.ts';
import type { VendorRow } from './records.ts';
import { list } from './rest.ts';
import type { Group } from './settings.ts';
import { checkpointOf, isDue, type PlexStream, type Reading, recordsOf, type StreamPage } from './stream.ts';

/** What all declarations of lists say. */
export interface ListDeclaration {
  readonly name: string;
  readonly schema: JsonSchema;
  readonly key: readonly string[];
  readonly group: Group;
  readonly product: string;
  readonly path: string;
  readonly mandatory: boolean;
}

export function declarationOf(
  { name, schema, key }: Pick<ListDeclaration, 'name' | 'schema' | 'key'>,
  bookmark?: string,
  selectedByDefault = true,
): StreamDeclaration {
  const { $schema, title, ...published } = schema;
  return {
    name,
    key,
    schema: published,
    replication: bookmark === undefined ? 'FULL_TABLE' : 'INCREMENTAL',
    selectedByDefault,
    ...(bookmark !== undefined && { bookmarks: [bookmark] }),
  };
}

/** The version that is complete with a whole list; an empty answer never wipes a table out. */
export function completed(stream: string, version: number | undefined, rows: number): readonly StreamVersion[] {
  return version === undefined || rows === 0 ? [] : [{ stream, version }];
}

/** A list that is sent whole in every run. */
export function fullList(given: ListDeclaration): PlexStream {
  const declaration = declarationOf(given);
  const { name, path } = given;
  return {
    ...given,
    declaration,
    source: path,
    manner: 'all rows in every run',
    checkpoint: checkpointOf(['lastSync'], ['rows']),
    async *read(reading) {
      const toRecord = reading.recordReader(declaration);
      const groups = await list(reading.connection.rest, { stream: name, path });
      const { version } = reading;
      let total = 0;
      yield {
        rows: (async function* () {
          for await (const rows of groups) {
            total += rows.length;
            reading.parents.show(name, rows);
            const records = recordsOf(rows, toRecord);
            yield { stream: name, records, ...(version !== undefined && { version }) };
          }
          reading.parents.ended(name);
        })(),
        get complete() {
          return completed(name, version, total);
        },
        get bookmarks() {
          return { [name]: { lastSync: asked(reading.startedAt), rows: total } };
        },
      };
    },
    plan: () => ({ calls: 1, assumed: false }),
  };
}

/** A list that Plex cannot filter by time: it comes whole, and rows leave only if their date is new enough. */
export interface ChangesDeclaration extends ListDeclaration {
  /** Field that says when a row changed last. */
  readonly changed: string;
  /** Milliseconds before the newest date seen so far: rows that were written late are seen again. */
  readonly lookback: number;
  readonly lookbackText: string;
  /** All rows leave again after `full_pass_days`. */
  readonly fullPasses: boolean;
}

/** Which rows of a list leave, and how far the list has come. */
export class Changes {
  readonly full: boolean;
  readonly #field: string;
  readonly #from: string | undefined;
  #newest: string | undefined;

  constructor(
    reading: Reading,
    stream: string,
    { changed, lookback, fullPasses }: Omit<ChangesDeclaration, keyof ListDeclaration>,
  ) {
    const bookmark = reading.bookmark(stream);
    const { full_pass_days: days } = reading.settings;
    this.#field = changed;
    this.#newest = sortable(bookmark[changed]);
    this.full =
      this.#newest === undefined ||
      reading.version !== undefined ||
      (fullPasses && isDue(bookmark.lastFullSync, reading.startedAt, days as number));
    this.#from = this.full || this.#newest === undefined ? undefined : earlier(this.#newest, lookback);
  }

  /** Whether a row leaves. A row without a date always does. */
  has(row: VendorRow): boolean {
    const date = sortable(row[this.#field]);
    this.#newest = later(this.#newest, date);
    return this.#from === undefined || date === undefined || date >= this.#from;
  }

  /** The newest date so far, as a field of the bookmark. */
  get newest(): Readonly<Record<string, string>> {
    return this.#newest === undefined ? {} : { [this.#field]: this.#newest };
  }
}

/** A stream of the rows that changed. A first run brings everything, whatever `start_date` says. */
export function changedList(given: ChangesDeclaration): PlexStream {
  const declaration = declarationOf(given, given.changed);
  const { name, path, changed, fullPasses } = given;
  return {
    ...given,
    declaration,
    source: path,
    manner: `one list; rows whose ${changed} is new, and ${given.lookbackText} before`,
    checkpoint: checkpointOf([changed, 'lastFullSync'], ['rows']),
    read: (reading) => readChanges(reading, given, declaration),
    plan: () => ({ calls: 1, assumed: false }),
  };

  async function* readChanges(
    reading: Reading,
    { name: stream }: ListDeclaration,
    { name: table }: StreamDeclaration,
  ): AsyncGenerator<StreamPage> {
    const toRecord = reading.recordReader(declaration);
    const changes = new Changes(reading, stream, given);
    const groups = await list(reading.connection.rest, { stream, path });
    const { version } = reading;
    const since = reading.bookmark(stream).lastFullSync;
    let total = 0;
    yield {
      rows: (async function* () {
        for await (const rows of groups) {
          total += rows.length;
          reading.parents.show(name, rows);
          const records = recordsOf(
            rows.filter((row) => changes.has(row)),
            toRecord,
          );
          if (records.length > 0) yield { stream: table, records, ...(version !== undefined && { version }) };
        }
        reading.parents.ended(name);
      })(),
      get complete() {
        return completed(name, version, total);
      },
      get bookmarks() {
        const lastFullSync = changes.full ? asked(reading.startedAt) : since;
        const full = fullPasses && lastFullSync !== undefined ? { lastFullSync } : {};
        return { [name]: { ...changes.newest, ...full, rows: total } };
      },
    };
  }
}

export const LOOKBACK_DAY = DAY;
