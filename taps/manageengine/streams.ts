/** How a ManageEngine endpoint becomes a stream. Adding one is a declaration here or in a tap and a schema file. */
import { answer } from '../../http/exchange.ts';
import type { NumberedEndpoint } from '../../http/numbered-pages.ts';
import { coverage, isComplete, SWEEP_STATE_SCHEMA, type SweepState } from '../../http/sweep-state.ts';
import type { Settings } from '../../singer/config.ts';
import { timestamp } from '../../singer/io.ts';
import { isObject, type Json, type Row } from '../../singer/lossless.ts';
import type { JsonSchema } from '../../singer/messages.ts';
import type { Run, StreamDeclaration } from '../../singer/stream.ts';
import type { Connection } from './connection.ts';
import { publishedSchema, recordReader, type SnapshotFields } from './records.ts';

/** The bookmark of a stream that is read with one request per snapshot. */
export interface SingletonState {
  readonly finished: boolean;
  readonly read_at: string;
}

export type Bookmark = SweepState | SingletonState;

/** Rows and the bookmark that covers them. */
export interface StreamPage {
  readonly rows: AsyncIterable<Row> | Iterable<Row>;
  readonly state: Bookmark;
}

/** What reading a stream needs beside its declaration. */
export interface Reading {
  readonly connection: Connection;
  readonly settings: Settings;
  readonly snapshot: SnapshotFields;
  readonly run: Run;
}

/** A stream of a ManageEngine tap. */
export interface EndpointStream extends StreamDeclaration {
  readonly path: string;
  readonly checkpoint: JsonSchema;
  /** Coverage is measured on the one stream that says so. */
  readonly measuresCoverage: boolean;
  read(reading: Reading, since: Json | undefined): AsyncIterable<StreamPage>;
}

interface Declaration {
  readonly name: string;
  readonly path: string;
  readonly schema: JsonSchema;
  readonly key: readonly string[];
  /** Key of the data in `message_response`. */
  readonly data: string;
  readonly selectedByDefault?: boolean;
}

/** Rows per page that ManageEngine sends when nobody asks for a number. */
const USUAL_PAGE_SIZE = 25;

/** A count that ManageEngine sends as number or text. */
function count(value: Json | undefined): number | undefined {
  const number =
    typeof value === 'number' || (typeof value === 'string' && value.trim() !== '') ? Number(value) : Number.NaN;
  return Number.isInteger(number) && number >= 0 ? number : undefined;
}

function readerFor(
  { schema, key, name }: Declaration,
  { snapshot, run }: Reading,
): (row: { readonly [key: string]: Json }) => Row | undefined {
  const warned = new Set<string>();
  return recordReader(schema, key, snapshot, (property, value) => {
    if (warned.has(property)) return;
    warned.add(property);
    run.log.warn(
      'unreadable_value',
      `${name}: "${property}" holds ${typeof value} values that are no ${String(schema.properties?.[property]?.format ?? schema.properties?.[property]?.type)}; they are stored as null`,
      { stream: name, property },
    );
  });
}

/**
 * A list under `/api/1.4`: pages are numbered from 1 with `page`, their size is `pagelimit`, total and size in force
 * come back in `message_response` (ManageEngine documents both as number, newer builds send text).
 */
export function pagedStream(
  declaration: Declaration & { readonly noun: string; readonly measuresCoverage?: boolean },
): EndpointStream {
  const { name, path, schema, key, data, noun } = declaration;
  return {
    name,
    path,
    key,
    schema: publishedSchema(schema),
    replication: 'FULL_TABLE',
    selectedByDefault: declaration.selectedByDefault ?? true,
    measuresCoverage: declaration.measuresCoverage ?? false,
    checkpoint: SWEEP_STATE_SCHEMA,
    async *read(reading, since) {
      // Loaded by the first page: --about and --discover have no use for it.
      const { sweepPages } = await import('../../http/numbered-pages.ts');
      const { connection, settings, run } = reading;
      const size = settings.page_size as number | undefined;
      const endpoint: NumberedEndpoint = {
        stream: name,
        path,
        rows: ['message_response', data],
        envelope: (value) => {
          const response = isObject(value) && isObject(value.message_response) ? value.message_response : {};
          const limit = count(response.limit);
          return { total: count(response.total), size: limit === 0 ? undefined : limit };
        },
        query: (page, limit) => ({ page, ...(limit !== undefined && { pagelimit: limit }) }),
        record: readerFor(declaration, reading),
        keyOf: (record) => key.map((property) => String(record[property])).join('\u0000'),
        ...(size !== undefined && { size }),
        usualSize: USUAL_PAGE_SIZE,
        noun,
      };
      const limits = {
        pagesPerRun: settings.pages_per_run as number,
        checkpointPages: settings.checkpoint_pages as number,
        baseUrl: connection.baseUrl,
      };
      yield* sweepPages(endpoint, connection.http, since as SweepState | undefined, limits, run);
    },
  };
}

/** One object per snapshot, e.g. a policy. Its key is the snapshot. */
export function singletonStream(declaration: Omit<Declaration, 'key'>): EndpointStream {
  const { name, path, schema, data } = declaration;
  const key = ['snapshot_id'];
  return {
    name,
    path,
    key,
    schema: publishedSchema(schema),
    replication: 'FULL_TABLE',
    selectedByDefault: declaration.selectedByDefault ?? true,
    measuresCoverage: false,
    checkpoint: { type: 'object', required: ['finished'], properties: { finished: { type: 'boolean' } } },
    async *read(reading) {
      const { connection, run } = reading;
      const url = new URL(path, connection.baseUrl).href;
      const value = await answer(connection.http.exchange, {
        url,
        where: { stream: name },
        object: ['message_response', data],
      });
      const record = readerFor({ ...declaration, key }, reading)(value);
      run.log.info('extraction_progress', `${name}: read`, { stream: name });
      yield {
        rows: record === undefined ? [] : [record],
        state: { finished: true, read_at: timestamp(run.clock.now()) },
      };
    },
  };
}

/** True for a bookmark with nothing left to read. */
export function isDone(bookmark: Json | undefined): boolean {
  if (!isObject(bookmark)) return false;
  return 'gaps' in bookmark ? isComplete(bookmark as unknown as SweepState) : bookmark.finished === true;
}

/** True for a bookmark whose sweep reached its last page, with or without gaps. */
export function isEnded(bookmark: Json | undefined): boolean {
  return isObject(bookmark) && bookmark.finished === true;
}

/** The bookmark as a sweep, if it is one. */
export function asSweep(bookmark: Json | undefined): SweepState | undefined {
  return isObject(bookmark) && 'gaps' in bookmark ? (bookmark as unknown as SweepState) : undefined;
}

/** Coverage in percent with one digit; 100 only when nothing is missing. */
export function coveragePercent(sweep: SweepState | undefined): number {
  const share = sweep === undefined ? 0 : coverage(sweep);
  return share === 1 ? 100 : Math.min(99.9, Math.round(share * 1000) / 10);
}
