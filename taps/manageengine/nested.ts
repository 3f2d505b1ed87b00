/**
 * Endpoints whose rows hold a list of further records, e.g. systems with their patches. One request fills two streams;
 * pages, totals, gaps and coverage are those of the outer rows, and what is nested is counted as their weight.
 */
import type { NumberedEndpoint } from '../../http/page-reader.ts';
import { SWEEP_STATE_SCHEMA, type SweepState } from '../../http/sweep-state.ts';
import { isObject, type Json, type Row } from '../../singer/lossless.ts';
import type { JsonSchema } from '../../singer/messages.ts';
import type { Run } from '../../singer/stream.ts';
import {
  type Declaration,
  declared,
  driftTeller,
  type EndpointStream,
  limitsOf,
  numbered,
  type PagedDeclaration,
  type Reading,
  readerFor,
} from './streams.ts';

/** The records nested in the rows of an endpoint. */
interface Nested {
  readonly name: string;
  readonly schema: JsonSchema;
  readonly key: readonly string[];
  /** Key of their list in an outer row. */
  readonly list: string;
  /** What they are called in log fields. */
  readonly noun: string;
}

/** What a page brings: an outer record and what is nested in it. Pages hand it on as one row. */
interface Pair {
  readonly outer: Row;
  readonly inner: readonly Row[];
}

const asPair = (row: Row) => row as unknown as Pair;

/** Records that came by themselves, as one row of an endpoint that nests them. */
export const asNested = (records: readonly Row[]): Row =>
  ({ outer: {}, inner: records }) satisfies Pair as unknown as Row;

/** The property of nested records that names the row they were in. It has the same name there. */
const OUTER_KEY = 'resource_id';

type VendorRow = { readonly [key: string]: Json };

/**
 * A stream whose rows feed a second one. The outer record gets the number of its nested ones as `count`; rows that have
 * none are counted and told once per run.
 */
export function nestedStream(outer: PagedDeclaration, nested: Nested & { readonly count: string }): EndpointStream {
  const fed = declared({ ...nested, path: outer.path, data: nested.list });
  return {
    ...declared(outer),
    measuresCoverage: outer.measuresCoverage ?? false,
    versioned: true,
    checkpoint: SWEEP_STATE_SCHEMA,
    feeds: [fed],
    split: (rows) => [
      { stream: outer.name, records: rows.map((row) => asPair(row).outer) },
      { stream: nested.name, records: rows.flatMap((row) => asPair(row).inner) },
    ],
    async *read(reading, since) {
      const { run } = reading;
      const empty = new Set<string>();
      const inner = new NestedReader(nested, outer, reading, since === undefined);
      const outerRecord = readerFor(outer, reading);
      const record = (row: VendorRow) => {
        const made = outerRecord(row);
        if (made === undefined) return undefined;
        const found = inner.read(row, made);
        if (found.length === 0) empty.add(String(made[OUTER_KEY]));
        return { outer: Object.assign(made, { [nested.count]: found.length }), inner: found };
      };
      // The count is ours: no server sends it.
      const tell = driftTeller(outer, run);
      try {
        yield* nestedPages(outer, nested, reading, since, record, (fields) => {
          tell(new Set([...fields, nested.count]));
          inner.tellFields();
        });
      } finally {
        inner.tellBadRows();
        if (empty.size > 0)
          run.log.warn('systems_without_patches', `${outer.name}: ${empty.size} systems have no ${nested.noun}`, {
            stream: outer.name,
            systems: empty.size,
          });
      }
    },
  };
}

/** A stream of the nested records alone; of the outer rows only the key is wanted. */
export function explodedStream(
  declaration: Omit<PagedDeclaration, 'measuresCoverage'> & Pick<Nested, 'list'> & { readonly nestedNoun: string },
): EndpointStream {
  const { name, schema, list, nestedNoun } = declaration;
  const property = schema.properties?.[OUTER_KEY] ?? {};
  const outer = { ...declaration, schema: { ...schema, properties: { [OUTER_KEY]: property } }, key: [OUTER_KEY] };
  const nested = { ...declaration, list, noun: nestedNoun };
  return {
    ...declared(declaration),
    measuresCoverage: false,
    versioned: true,
    checkpoint: SWEEP_STATE_SCHEMA,
    exploded: true,
    split: (rows) => [{ stream: name, records: rows.flatMap((row) => asPair(row).inner) }],
    async *read(reading, since) {
      const inner = new NestedReader(nested, outer, reading, since === undefined);
      const outerRecord = readerFor(outer, reading);
      const record = (row: VendorRow) => {
        const made = outerRecord(row);
        return made === undefined ? undefined : { outer: made, inner: inner.read(row, made) };
      };
      try {
        yield* nestedPages(outer, nested, reading, since, record, () => inner.tellFields());
      } finally {
        inner.tellBadRows();
      }
    },
  };
}

async function* nestedPages(
  outer: PagedDeclaration,
  { noun }: Nested,
  reading: Reading,
  since: Json | undefined,
  record: (row: VendorRow) => Pair | undefined,
  firstFields: NonNullable<NumberedEndpoint['firstFields']>,
): ReturnType<EndpointStream['read']> {
  const { sweepPages } = await import('../../http/numbered-pages.ts');
  const { connection, settings, run } = reading;
  const pages = numbered(outer, reading, (row) => record(row) as unknown as Row | undefined);
  const endpoint: NumberedEndpoint = {
    ...pages,
    keyOf: (row) => pages.keyOf(asPair(row).outer),
    weight: { noun, of: (row) => asPair(row).inner.length },
    ...(since === undefined && { firstFields }),
    ...(outer.optional === true && { probe: true }),
  };
  yield* sweepPages(endpoint, connection.http, since as SweepState | undefined, limitsOf(settings), run);
}

/** Reads the records nested in outer rows. */
class NestedReader {
  readonly #nested: Nested;
  readonly #run: Run;
  readonly #record: (row: VendorRow) => Row | undefined;
  readonly #lastKey: string;
  readonly #tellDrift: (fields: ReadonlySet<string>) => void;
  /** Fields that the nested rows of the first page have together; undefined when nobody asks. */
  #fields: Set<string> | undefined;
  #badRows = 0;

  /** `isNew`: a sweep begins, so what the server sends is compared with what is declared. */
  constructor(nested: Nested, { path, data }: PagedDeclaration, reading: Reading, isNew: boolean) {
    // The outer key is put in afterwards: it stands once for all of them.
    const key = nested.key.filter((name) => name !== OUTER_KEY);
    const declaration: Declaration = { ...nested, key, path, data };
    this.#nested = nested;
    this.#run = reading.run;
    this.#record = readerFor(declaration, reading);
    this.#lastKey = key[0] ?? OUTER_KEY;
    this.#tellDrift = driftTeller(declaration, reading.run);
    this.#fields = isNew ? new Set([OUTER_KEY]) : undefined;
  }

  /** The records in the list of a row, whose own record is `outer`; a list that is missing or null is empty. Of records with one key the last stays. */
  read(row: VendorRow, outer: Row): readonly Row[] {
    const list = row[this.#nested.list];
    if (!Array.isArray(list)) {
      if (list !== undefined && list !== null && list !== '' && list !== '--') this.#badRows += 1;
      return [];
    }
    const id = outer[OUTER_KEY] ?? null;
    const records: Row[] = [];
    const keys = new Set<unknown>();
    for (const each of list as readonly Json[]) {
      const made = isObject(each) ? (this.#record(each) as Record<string, Json> | undefined) : undefined;
      if (made === undefined) {
        this.#badRows += 1;
        continue;
      }
      made[OUTER_KEY] = id;
      if (this.#fields !== undefined) for (const field of Object.keys(each as VendorRow)) this.#fields.add(field);
      keys.add(made[this.#lastKey]);
      records.push(made);
    }
    return keys.size === records.length ? records : lastOfEach(records, this.#lastKey);
  }

  /** Tells once by which fields the first page differs from the declaration. */
  tellFields(): void {
    if (this.#fields !== undefined && this.#fields.size > 1) this.#tellDrift(this.#fields);
    this.#fields = undefined;
  }

  tellBadRows(): void {
    if (this.#badRows === 0) return;
    const { name: stream } = this.#nested;
    const rows = this.#badRows;
    this.#run.log.warn('bad_rows', `${stream}: ${rows} rows were no records of this stream and were left out`, {
      stream,
      rows,
    });
  }
}

function lastOfEach(records: readonly Row[], key: string): readonly Row[] {
  return [...new Map(records.map((record) => [record[key], record])).values()];
}
