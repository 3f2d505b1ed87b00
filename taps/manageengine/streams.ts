/** How a ManageEngine endpoint becomes a stream. Adding one is a declaration here or in a tap and a schema file. */
import { asChanges, broughtAll, type ChangesState } from '../../http/changes-state.ts';
import { answer } from '../../http/exchange.ts';
import type { PagingLimits } from '../../http/numbered-pages.ts';
import type { NumberedEndpoint } from '../../http/page-reader.ts';
import { coverage, isComplete, SWEEP_STATE_SCHEMA, type SweepState } from '../../http/sweep-state.ts';
import type { Settings } from '../../singer/config.ts';
import { timestamp } from '../../singer/io.ts';
import { isObject, type Json, type Row } from '../../singer/lossless.ts';
import type { JsonSchema } from '../../singer/messages.ts';
import type { RowGroup, Run, StreamDeclaration } from '../../singer/stream.ts';
import type { Connection } from './connection.ts';
import { tellDrift } from './drift.ts';
import { type Family, LISTS } from './families.ts';
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

export type Bookmark = SweepState | ChangesState | SingletonState | UnavailableState;

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
  /** Where it is read by its changes, on a server that offers that. */
  readonly changesPath?: string;
  /** Coverage is measured on the one stream that says so. */
  readonly measuresCoverage: boolean;
  /** Many editions of the product lack the endpoint: its absence is noted and is no failure. */
  readonly optional: boolean;
  /** Its records carry the snapshot as version, and rows that vanish are told when a sweep is complete. */
  readonly versioned: boolean;
  /** Streams that its requests fill as well. It is read when any of them is selected. */
  readonly feeds: readonly StreamDeclaration[];
  /** True when its records are nested in the rows of its pages: they are counted as the weight of these. */
  readonly exploded: boolean;
  /** The records of each stream in what a page has brought; without it the page's rows are the records. */
  split?(rows: readonly Row[]): readonly RowGroup[];
  /** What the next snapshot begins with, of the bookmark of an earlier one; nothing without it. */
  carried?(bookmark: Json): Json | undefined;
  read(reading: Reading, since: Json | undefined): AsyncIterable<StreamPage>;
}

export interface Declaration {
  readonly name: string;
  readonly path: string;
  readonly schema: JsonSchema;
  readonly key: readonly string[];
  /** Key of the data in the answer. */
  readonly data: string;
  readonly selectedByDefault?: boolean;
  readonly optional?: boolean;
}

/** A stream whose rows come in numbered pages. */
export interface PagedDeclaration extends Declaration {
  /** What its rows are called in log fields, e.g. `systems`. */
  readonly noun: string;
  readonly measuresCoverage?: boolean;
  /** How its endpoint is paged; `LISTS` without it. */
  readonly family?: Family;
}

/** A stream that is read once per row of a paged one. */
interface ChildDeclaration extends PagedDeclaration {
  /** The declaration whose rows are followed up. */
  readonly parent: PagedDeclaration;
  /** Query parameter that takes the parent's key, and the property of the record that keeps it. */
  readonly parameter: string;
  readonly parentKey: string;
}

export function readerFor(
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

/** The pages of an endpoint, for the customer that is read. */
export function numbered(
  { name, path, data, key, noun, family = LISTS }: PagedDeclaration,
  { connection, settings }: Reading,
  record: NumberedEndpoint['record'],
): NumberedEndpoint {
  const size = settings.page_size as number | undefined;
  const scope = scopeIn(connection, family);
  return {
    stream: name,
    url: new URL(path, connection.baseUrl).href,
    rows: family.rows(data),
    envelope: family.envelope,
    query: (page, limit) => ({ ...family.page(page, limit), ...scope }),
    record,
    keyOf: (record) => key.map((property) => String(record[property])).join('\u0000'),
    ...(size !== undefined && { size }),
    usualSize: family.usualSize,
    ...(family.totalMayLack === true && { totalMayLack: true }),
    noun,
  };
}

/** What limits requests to the customer that is read; nothing where there are no customers. */
function scopeIn({ customer }: Connection, family: Family): ReturnType<Family['customer']> {
  return customer === undefined ? {} : family.customer(customer);
}

/** What every stream of this vendor says about itself. */
export function declared(
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
    feeds: [],
    exploded: false,
  };
}

/** Tells once what the first page of a new sweep has beside the declared fields, or lacks of them. */
export function driftTeller({ schema, name }: Declaration, run: Run): (fields: ReadonlySet<string>) => void {
  let told = false;
  return (fields) => {
    if (told) return;
    told = true;
    tellDrift(name, schema, [Object.fromEntries([...fields].map((field) => [field, null]))], run);
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
        ...(since === undefined && { firstFields: driftTeller(declaration, run) }),
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
      const firstFields: NumberedEndpoint['firstFields'] = (fields) => tell(new Set([...fields, parentKey]));
      const ofParent = (row: Row): NumberedEndpoint => {
        const id = String(row[parentKey]);
        const pages = numbered(declaration, reading, (child) => record({ ...child, [parentKey]: id }));
        return {
          ...pages,
          query: (page, limit) => ({ ...pages.query(page, limit), [parameter]: id }),
          parent: id,
          ...(since === undefined && { firstFields }),
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

export function limitsOf(settings: Settings): PagingLimits {
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
        query: scopeIn(connection, LISTS),
      });
      driftTeller(keyed, run)(new Set(Object.keys(value)));
      const record = readerFor(keyed, reading)(value);
      run.log.info('extraction_progress', `${name}: read`, { stream: name });
      yield {
        rows: record === undefined ? [] : [[record]],
        state: { finished: true, read_at: timestamp(run.clock.now()) },
      };
    },
  };
}

/** Everything that the taps of these streams declare, the fed ones behind those that feed them. */
export function declarationsOf(streams: readonly EndpointStream[]): readonly StreamDeclaration[] {
  return streams.flatMap((stream) => [stream, ...stream.feeds]);
}

/** The stream and those that it feeds. */
export function namesOf({ name, feeds }: EndpointStream): readonly string[] {
  return [name, ...feeds.map((fed) => fed.name)];
}

/** True for the bookmark of a probed stream that this server does not offer. */
export function isAbsent(bookmark: Json | undefined): boolean {
  return isObject(bookmark) && bookmark.unavailable === true;
}

/** True for a bookmark with nothing left to read. */
export function isDone(bookmark: Json | undefined): boolean {
  if (!isObject(bookmark)) return false;
  return 'gaps' in bookmark ? isComplete(bookmark as unknown as SweepState) : bookmark.finished === true;
}

/** True for a reading that brought every row the server reports: what it did not bring is gone. */
export function isWhole(bookmark: Json | undefined): boolean {
  const changes = asChanges(bookmark);
  if (changes !== undefined) return broughtAll(changes);
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
