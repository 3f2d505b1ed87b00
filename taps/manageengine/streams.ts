/** How a ManageEngine endpoint becomes a stream. Adding one is a declaration here or in a tap and a schema file. */
import { answer } from '../../http/exchange.ts';
import type { PagingLimits } from '../../http/numbered-pages.ts';
import type { NumberedEndpoint } from '../../http/page-reader.ts';
import { coverage, isComplete, SWEEP_STATE_SCHEMA, type SweepState } from '../../http/sweep-state.ts';
import type { Settings } from '../../singer/config.ts';
import { timestamp } from '../../singer/io.ts';
import { isObject, type Json, type Row } from '../../singer/lossless.ts';
import type { JsonSchema } from '../../singer/messages.ts';
import type { Run, StreamDeclaration } from '../../singer/stream.ts';
import type { Connection } from './connection.ts';
import { tellDrift } from './drift.ts';
import { publishedSchema, recordReader, type SnapshotFields } from './records.ts';

/** The bookmark of a stream that is read with one request per snapshot. */
export interface SingletonState {
  readonly finished: boolean;
  readonly read_at: string;
}

/** The bookmark of a probed stream that this server does not offer: it is asked again with the next snapshot. */
export interface UnavailableState {
  readonly finished: true;
  readonly unavailable: true;
}

export type Bookmark = SweepState | SingletonState | UnavailableState;

const SINGLETON_SCHEMA: JsonSchema = {
  type: 'object',
  required: ['finished'],
  properties: { finished: { type: 'boolean' } },
};

/** Groups of records and the bookmark that covers them. */
export interface StreamPage {
  readonly rows: AsyncIterable<readonly Row[]> | Iterable<readonly Row[]>;
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
  /** Many editions of the product lack the endpoint: its absence is noted and is no failure. */
  readonly optional: boolean;
  /** Its records carry the snapshot as version, and rows that vanish are told when a sweep is complete. */
  readonly versioned: boolean;
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
  readonly optional?: boolean;
}

/** A stream whose rows come in numbered pages. */
interface PagedDeclaration extends Declaration {
  /** What its rows are called in log fields, e.g. `systems`. */
  readonly noun: string;
  readonly measuresCoverage?: boolean;
}

/** A stream that is read once per row of a paged one. */
interface ChildDeclaration extends PagedDeclaration {
  /** The declaration whose rows are followed up. */
  readonly parent: PagedDeclaration;
  /** Query parameter that takes the parent's key, and the property of the record that keeps it. */
  readonly parameter: string;
  readonly parentKey: string;
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
function numbered(
  { name, path, data, key, noun }: PagedDeclaration,
  { connection, settings }: Reading,
  record: NumberedEndpoint['record'],
): NumberedEndpoint {
  const size = settings.page_size as number | undefined;
  return {
    stream: name,
    url: new URL(path, connection.baseUrl).href,
    rows: ['message_response', data],
    envelope: (value) => {
      const response = isObject(value) && isObject(value.message_response) ? value.message_response : {};
      const limit = count(response.limit);
      return { total: count(response.total), size: limit === 0 ? undefined : limit };
    },
    query: (page, limit) => ({ page, ...(limit !== undefined && { pagelimit: limit }), ...connection.scope }),
    record,
    keyOf: (record) => key.map((property) => String(record[property])).join('\u0000'),
    ...(size !== undefined && { size }),
    usualSize: USUAL_PAGE_SIZE,
    noun,
  };
}

/** What every stream of this vendor says about itself. */
function declared(
  declaration: Declaration,
): Omit<EndpointStream, 'checkpoint' | 'measuresCoverage' | 'versioned' | 'read'> {
  const { name, path, schema, key } = declaration;
  return {
    name,
    path,
    key,
    schema: publishedSchema(schema),
    replication: 'FULL_TABLE',
    selectedByDefault: declaration.selectedByDefault ?? true,
    optional: declaration.optional ?? false,
  };
}

/** Tells once what the first rows of a new sweep have beside the declared fields, or lack of them. */
function driftTeller(
  { schema, name }: Declaration,
  run: Run,
): (rows: readonly { readonly [key: string]: Json }[]) => void {
  let told = false;
  return (rows) => {
    if (told || rows.length === 0) return;
    told = true;
    tellDrift(name, schema, rows, run);
  };
}

/** A stream of numbered pages. */
export function pagedStream(declaration: PagedDeclaration): EndpointStream {
  return {
    ...declared(declaration),
    measuresCoverage: declaration.measuresCoverage ?? false,
    versioned: true,
    checkpoint: SWEEP_STATE_SCHEMA,
    async *read(reading, since) {
      const { sweepPages } = await import('../../http/numbered-pages.ts');
      const { connection, settings, run } = reading;
      const endpoint: NumberedEndpoint = {
        ...numbered(declaration, reading, readerFor(declaration, reading)),
        ...(since === undefined && { firstRows: driftTeller(declaration, run) }),
        ...(declaration.optional === true && { probe: true }),
      };
      yield* sweepPages(endpoint, connection.http, since as SweepState | undefined, limitsOf(settings), run);
    },
  };
}

/**
 * A stream that costs a request per row of another one, e.g. the report of each system. It goes through the pages of
 * that other endpoint by itself and follows up each row, so its progress, its gaps and its total are counted in those
 * pages and rows; the records are the followed-up ones.
 */
export function childStream(declaration: ChildDeclaration): EndpointStream {
  const { parent, parameter, parentKey } = declaration;
  return {
    ...declared({ selectedByDefault: false, ...declaration }),
    measuresCoverage: false,
    versioned: true,
    checkpoint: SWEEP_STATE_SCHEMA,
    async *read(reading, since) {
      const [{ sweepPages }, { childReader }] = await Promise.all([
        import('../../http/numbered-pages.ts'),
        import('../../http/child-pages.ts'),
      ]);
      const { connection, settings, run } = reading;
      const record = readerFor(declaration, reading);
      const tell = driftTeller(declaration, run);
      // The parent's key comes from the request where the answer does not repeat it.
      const firstRows: NumberedEndpoint['firstRows'] = (rows) =>
        tell(rows.map((row) => ({ ...row, [parentKey]: row[parentKey] ?? null })));
      const ofParent = (row: Row): NumberedEndpoint => {
        const id = String(row[parentKey]);
        const pages = numbered(declaration, reading, (child) => record({ ...child, [parentKey]: id }));
        return {
          ...pages,
          query: (page, limit) => ({ ...pages.query(page, limit), [parameter]: id }),
          parent: id,
          ...(since === undefined && { firstRows }),
        };
      };
      // Of the parents nothing but their key is wanted here.
      const keyOnly = { ...parent, name: declaration.name, schema: only(parent.schema, parentKey) };
      const parents: NumberedEndpoint = {
        ...numbered(keyOnly, reading, readerFor(keyOnly, reading)),
        children: childReader(ofParent, connection.http, run),
      };
      // A page of parents is dozens of requests: each is worth a checkpoint.
      const limits = { ...limitsOf(settings), checkpointPages: 1 };
      yield* sweepPages(parents, connection.http, since as SweepState | undefined, limits, run);
    },
  };
}

/** The schema with one property. */
function only(schema: JsonSchema, property: string): JsonSchema {
  return { ...schema, properties: { [property]: schema.properties?.[property] ?? {} } };
}

function limitsOf(settings: Settings): PagingLimits {
  return {
    pagesPerRun: settings.pages_per_run as number,
    checkpointPages: settings.checkpoint_pages as number,
  };
}

/** One object per snapshot, e.g. a policy. Its key is the snapshot. */
export function singletonStream(declaration: Omit<Declaration, 'key'>): EndpointStream {
  const keyed = { ...declaration, key: ['snapshot_id'] };
  const { name, path, data } = keyed;
  return {
    ...declared(keyed),
    measuresCoverage: false,
    // Its rows are one per snapshot: a later one does not make the earlier vanish.
    versioned: false,
    checkpoint: SINGLETON_SCHEMA,
    async *read(reading) {
      const { connection, run } = reading;
      const value = await answer(connection.http.exchange, {
        url: new URL(path, connection.baseUrl).href,
        where: { stream: name },
        object: ['message_response', data],
        query: connection.scope,
      });
      driftTeller(keyed, run)([value]);
      const record = readerFor(keyed, reading)(value);
      run.log.info('extraction_progress', `${name}: read`, { stream: name });
      yield {
        rows: record === undefined ? [] : [[record]],
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

/** True for a sweep that brought every row the server reports: what it did not bring is gone. */
export function isWhole(bookmark: Json | undefined): boolean {
  const sweep = asSweep(bookmark);
  return sweep !== undefined && isComplete(sweep) && sweep.total !== null && sweep.distinct >= sweep.total;
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
