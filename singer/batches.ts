/** Rows that a target has read and not yet written, per stream, and the newest state that waits for them. */
import { type Check, compileRecordCheck } from './check.ts';
import { ConnectorError } from './errors.ts';
import { approximate, holdsRawNumber, type Json, type Row } from './lossless.ts';
import type { RecordMessage, SchemaMessage } from './messages.ts';
import type { Batch, Limits, SinkStream } from './sink.ts';

interface Lane {
  readonly stream: SinkStream;
  /** Text of the SCHEMA message, to recognise an identical one. */
  readonly text: string;
  readonly check: Check | undefined;
  /** Properties of the schema, and those beside it that have been told. A set, because records may hold a `constructor`. */
  readonly known: Set<string>;
  rows: Row[];
}

/** What an accepted record tells the runner. */
export interface Accepted {
  /** Properties that the schema does not have, seen for the first time: they are not stored. */
  readonly unknown: readonly string[];
}

/** Equal schemas are recognised whatever the order of their keys. */
function canonical(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonical).join(',')}]`;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  const sorted = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
  return `{${sorted.map(([key, inner]) => `${JSON.stringify(key)}:${canonical(inner)}`).join(',')}}`;
}

export class Batches {
  readonly #lanes = new Map<string, Lane>();
  readonly #limits: Limits;
  readonly #validate: boolean;
  #rows = 0;
  #bytes = 0;

  constructor(limits: Limits, validate: boolean) {
    this.#limits = limits;
    this.#validate = validate;
  }

  get pending(): number {
    return this.#rows;
  }

  /** True once a limit of rows or bytes is reached. */
  get full(): boolean {
    return this.#rows >= this.#limits.rows || this.#bytes >= this.#limits.bytes;
  }

  /** The stream as its message describes it, or undefined when nothing changed since its last SCHEMA. */
  changed(message: SchemaMessage, line: number): SinkStream | undefined {
    const { stream: name, schema, key_properties: key } = message;
    const text = canonical([schema, key]);
    if (this.#lanes.get(name)?.text === text) return undefined;
    for (const property of key) {
      if (Object.hasOwn(schema.properties ?? {}, property)) continue;
      throw new ConnectorError(
        'schema',
        `line ${line}: key property "${property}" of stream "${name}" is not in its schema`,
        { stream: name, line },
      );
    }
    return { name, key, schema };
  }

  /** Takes up a stream after its table is prepared. Its pending rows must have been written. */
  open(stream: SinkStream): void {
    const text = canonical([stream.schema, stream.key]);
    let check: Check | undefined;
    if (this.#validate) {
      try {
        check = compileRecordCheck(stream.schema);
      } catch (cause) {
        throw new ConnectorError(
          'schema',
          `the schema of stream "${stream.name}" is not a JSON Schema: ${String(cause)}`,
          { stream: stream.name },
          { cause },
        );
      }
    }
    this.#lanes.set(stream.name, {
      stream,
      text,
      check,
      known: new Set(Object.keys(stream.schema.properties ?? {})),
      rows: [],
    });
  }

  /**
   * Takes in one record.
   * @throws ConnectorError `protocol` without a schema, `schema` when it lacks a key or does not fit.
   */
  add(message: RecordMessage, line: number, bytes: number): Accepted {
    const { stream: name, record } = message;
    const lane = this.#lanes.get(name);
    if (lane === undefined) {
      throw new ConnectorError('protocol', `line ${line}: a record of stream "${name}" before its schema`, {
        stream: name,
        line,
      });
    }
    for (const property of lane.stream.key) {
      if (Object.hasOwn(record, property) && record[property] !== null) continue;
      throw new ConnectorError(
        'schema',
        `line ${line}: a record of stream "${name}" has no value for its key "${property}"`,
        { stream: name, line, key: property },
      );
    }
    if (lane.check !== undefined) this.#validateRecord(lane, record, line);
    lane.rows.push(record);
    this.#rows += 1;
    this.#bytes += bytes;
    return { unknown: this.#unknownKeys(lane, record) };
  }

  #validateRecord({ check, stream }: Lane, record: Row, line: number): void {
    let [fault] = check?.(record) ?? [];
    // A number kept as text looks like an object to the checker; only then the record is checked in rounded form.
    if (fault !== undefined && holdsRawNumber(record)) [fault] = check?.(approximate(record as Json)) ?? [];
    if (fault === undefined) return;
    const field = fault.path === '/' ? 'the record' : `"${fault.path.slice(1)}"`;
    throw new ConnectorError(
      'schema',
      `line ${line}: stream "${stream.name}": ${field} ${fault.problem}`,
      { stream: stream.name, line, path: fault.path },
      {
        hint: 'mend the data or the schema at the tap; validate_records: false loads what the table can hold',
      },
    );
  }

  #unknownKeys(lane: Lane, record: Row): readonly string[] {
    let found: string[] | undefined;
    for (const property in record) {
      if (lane.known.has(property)) continue;
      lane.known.add(property);
      found ??= [];
      found.push(property);
    }
    return found ?? NONE;
  }

  /** All pending rows, in the order their streams first appeared. They stay pending until `clear`. */
  take(): readonly Batch[] {
    return [...this.#lanes.values()]
      .filter(({ rows }) => rows.length > 0)
      .map(({ stream, rows }) => ({ stream, rows }));
  }

  /** Forgets the pending rows: they are durable. */
  clear(): void {
    for (const lane of this.#lanes.values()) if (lane.rows.length > 0) lane.rows = [];
    this.#rows = 0;
    this.#bytes = 0;
  }
}

const NONE: readonly string[] = [];
