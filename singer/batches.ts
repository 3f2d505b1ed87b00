/** Rows that a target has read and not yet written, per stream. */
import type { Check } from './check.ts';
import { ConnectorError, type Where } from './errors.ts';
import type { RawNumber, Row } from './lossless.ts';
import { type JsonSchema, type RecordMessage, type SchemaMessage, versionOf } from './messages.ts';
import {
  DELETED_AT,
  inUtc,
  METADATA,
  type RecordMetadata,
  saysGone,
  setColumn,
  TABLE_VERSION,
  withColumns,
} from './metadata.ts';
import type { Line } from './reader.ts';
import { compileRecordCheck } from './record-check.ts';
import { RecordPattern, type Spellings } from './record-pattern.ts';
import type { Batch, Limits, SinkStream, SpelledRows } from './sink.ts';

/**
 * Rows of a group that is handed to the sink. Larger ones outlive the collector's young generation: with 10,000 rows kept
 * until the commit a load took twice the processor time.
 */
const GROUP_ROWS = 500;
const GROUP_BYTES = 256 * 1024;

interface Group {
  readonly gone: boolean;
  readonly rows: Row[];
  /** Instead of `rows`. */
  readonly spelled?: { readonly pattern: RecordPattern; readonly values: Spellings[]; readonly version: Version };
  readonly lines: number[];
}

/** Bytes. An expression that looks for the end of a longer text might run out of its stack. */
const LONGEST_MATCHED = 1024 * 1024;

type Version = number | RawNumber | undefined;

/** Records of a stream that are looked at before it is given up to find a pattern for their lines. */
const PATTERN_TRIES = 3;

/** What is remembered of a stream for the whole run, whatever its schema becomes. */
interface History {
  /** Columns that the runner fills. */
  readonly columns: Set<string>;
  /** An ACTIVATE_VERSION ahead of the first record: records without a version belong to it. */
  begun: number | RawNumber | undefined;
  records: boolean;
  unversioned: boolean;
}

interface Lane {
  readonly stream: SinkStream;
  /** Text of the SCHEMA message, to recognise an identical one. */
  readonly text: string;
  readonly check: Check | undefined;
  /** Properties of the schema, and those beside it that have been told. A set, because records may hold a `constructor`. */
  readonly known: Set<string>;
  /** Properties of the schema in its order, which most records keep. */
  readonly order: readonly string[];
  readonly history: History;
  /** The schema as it came. */
  readonly schema: JsonSchema;
  /** That of most of its lines, once one was seen. */
  pattern: RecordPattern | undefined;
  patternTries: number;
  groups: Group[];
}

/** What became of a record that was offered. */
export interface Taken {
  /** Properties that the schema does not have, seen for the first time: they are not stored. */
  readonly unknown: readonly string[];
  /** The stream with a column that it needs first: prepare and open it, then offer the record again. */
  readonly lacks: SinkStream | undefined;
}

const TAKEN: Taken = { unknown: [], lacks: undefined };

/** Equal schemas are recognised whatever the order of their keys. */
function canonical(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonical).join(',')}]`;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  const sorted = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
  return `{${sorted.map(([key, inner]) => `${JSON.stringify(key)}:${canonical(inner)}`).join(',')}}`;
}

/** What the runner does with records, beside their limits. */
export interface RecordPolicy {
  readonly validate: boolean;
  /** Rows that are gone are deleted, so they need no stamp. */
  readonly hardDelete: boolean;
  /** Fills the columns of `add_record_metadata`, if there are to be any. */
  readonly metadata: RecordMetadata | undefined;
  /** The time as text. */
  now(): string;
}

/** A record that does not fit its stream: set aside or the end of the load, as the user wants. */
export class InvalidRecord extends ConnectorError {
  /** What is wrong, without the place. */
  readonly reason: string;

  constructor(message: string, reason: string, where: Where, hint?: string) {
    super('schema', message, where, hint === undefined ? {} : { hint });
    this.reason = reason;
  }
}

export class Batches {
  readonly #lanes = new Map<string, Lane>();
  readonly #histories = new Map<string, History>();
  readonly #limits: Limits;
  readonly #policy: RecordPolicy;
  /** Name of the stream whose pattern the last line had. */
  #likely = '';
  /** Since the last commit. */
  #rows = 0;
  #bytes = 0;
  /** Not handed over yet. */
  #groupRows = 0;
  #groupBytes = 0;

  constructor(limits: Limits, policy: RecordPolicy) {
    this.#limits = limits;
    this.#policy = policy;
  }

  /** Rows that are not committed. */
  get pending(): number {
    return this.#rows;
  }

  /** True once a limit of rows or bytes is reached: time to commit. */
  get full(): boolean {
    return this.#rows >= this.#limits.rows || this.#bytes >= this.#limits.bytes;
  }

  /** True once enough rows wait to be worth handing over. */
  get due(): boolean {
    return this.#groupRows >= GROUP_ROWS || this.#groupBytes >= GROUP_BYTES;
  }

  /** The stream as its message describes it, or undefined when nothing changed since its last SCHEMA. */
  changed(message: SchemaMessage, line: number): SinkStream | undefined {
    const { stream: name, schema, key_properties: key } = message;
    if (this.#lanes.get(name)?.text === textOf(message)) return undefined;
    for (const property of key) {
      if (Object.hasOwn(schema.properties ?? {}, property)) continue;
      throw new ConnectorError(
        'schema',
        `line ${line}: key property "${property}" of stream "${name}" is not in its schema`,
        { stream: name, line },
      );
    }
    return { name, key, schema: withColumns(schema, this.#history(name).columns) };
  }

  /** Takes up a stream after its table is prepared. Its pending rows must have been written. */
  open(stream: SinkStream, message: SchemaMessage): void {
    let check: Check | undefined;
    if (this.#policy.validate) {
      try {
        check = compileRecordCheck(message.schema);
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
      text: textOf(message),
      check,
      order: Object.keys(message.schema.properties ?? {}),
      known: new Set([...Object.keys(message.schema.properties ?? {}), ...Object.keys(METADATA)]),
      history: this.#history(stream.name),
      schema: message.schema,
      pattern: undefined,
      // Columns that are filled per record need the record.
      patternTries: this.#policy.metadata === undefined ? PATTERN_TRIES : 0,
      groups: [],
    });
  }

  #history(stream: string): History {
    let history = this.#histories.get(stream);
    if (history === undefined) {
      const columns = new Set(this.#policy.metadata === undefined ? [] : Object.keys(METADATA));
      history = { columns, begun: undefined, records: false, unversioned: false };
      this.#histories.set(stream, history);
    }
    return history;
  }

  /** Gives a stream a column that the runner fills, after its table is prepared for it. */
  widen(stream: SinkStream): void {
    const lane = this.#lanes.get(stream.name);
    if (lane === undefined) throw new Error(`columns for "${stream.name}" before its schema`);
    this.#lanes.set(stream.name, { ...lane, stream });
    for (const column of Object.keys(METADATA)) {
      if (Object.hasOwn(stream.schema.properties ?? {}, column)) lane.history.columns.add(column);
    }
  }

  /** The stream as the sink knows it; undefined before its SCHEMA. */
  stream(name: string): SinkStream | undefined {
    return this.#lanes.get(name)?.stream;
  }

  /**
   * Tells of an ACTIVATE_VERSION. Ahead of the stream's first record it says which version records without one belong to.
   * @returns whether this run brought records without a version.
   */
  activated(name: string, version: number | RawNumber): boolean {
    const history = this.#lanes.get(name)?.history;
    if (history === undefined) return false;
    if (!history.records) history.begun = version;
    return history.unversioned;
  }

  /** Looks at a record's line for what most lines of its stream may look like. */
  learn({ stream: name, record }: RecordMessage, text: string): void {
    const lane = this.#lanes.get(name);
    if (lane === undefined || lane.patternTries === 0) return;
    lane.patternTries -= 1;
    lane.pattern = RecordPattern.of(name, lane.schema, lane.stream.key, text, record);
    if (lane.pattern !== undefined) lane.patternTries = 0;
  }

  /** Takes in the record of a line without parsing it, if the line is like others of its stream; else false. */
  match({ text, number, bytes }: Line): boolean {
    const lane = bytes > LONGEST_MATCHED ? undefined : this.#laneOf(text);
    if (lane?.pattern === undefined) return false;
    const matched = lane.pattern.match(text);
    if (matched === undefined) {
      if (lane.pattern.worthless) lane.pattern = undefined;
      return false;
    }
    const { history, pattern } = lane;
    const version = matched.version === undefined ? history.begun : Number(matched.version);
    if (version !== undefined && !history.columns.has(TABLE_VERSION)) return false;
    history.records = true;
    if (version === undefined) history.unversioned = true;
    let group = lane.groups.at(-1);
    if (group?.spelled?.pattern !== pattern || group.spelled.version !== version) {
      group = { gone: false, rows: [], spelled: { pattern, values: [], version }, lines: [] };
      lane.groups.push(group);
    }
    group.spelled?.values.push(matched.values);
    this.#count(group, number, bytes);
    return true;
  }

  /** Lines of several streams may alternate. */
  #laneOf(text: string): Lane | undefined {
    const likely = this.#lanes.get(this.#likely);
    if (likely?.pattern?.begins(text)) return likely;
    for (const [name, lane] of this.#lanes) {
      if (!lane.pattern?.begins(text)) continue;
      this.#likely = name;
      return lane;
    }
    return undefined;
  }

  /**
   * Takes in one record, or says which column it needs first.
   * @throws ConnectorError `protocol` without a schema, `InvalidRecord` when it lacks a key or does not fit.
   */
  add(message: RecordMessage, line: number, bytes: number): Taken {
    const { stream: name, record } = message;
    const lane = this.#lanes.get(name);
    if (lane === undefined) {
      throw new ConnectorError('protocol', `line ${line}: a record of stream "${name}" before its schema`, {
        stream: name,
        line,
      });
    }
    const { history } = lane;
    const version = versionOf(message, line) ?? history.begun;
    const gone = saysGone(record);
    const lacks = lacking(lane, version !== undefined, gone && !this.#deletes(lane));
    if (lacks !== undefined) return { unknown: [], lacks };
    for (const property of lane.stream.key) {
      const value = record[property];
      if (
        value !== undefined &&
        value !== null &&
        (!(property in Object.prototype) || Object.hasOwn(record, property))
      ) {
        continue;
      }
      const reason = `has no value for its key "${property}"`;
      throw new InvalidRecord(`line ${line}: a record of stream "${name}" ${reason}`, reason, {
        stream: name,
        line,
        key: property,
      });
    }
    // A row that is gone may hold its key and its stamp alone.
    if (lane.check !== undefined && !gone) this.#validateRecord(lane, record, line);
    const unknown = this.#unknownKeys(lane, record);
    history.records = true;
    if (version === undefined) history.unversioned = true;
    else setColumn(record, TABLE_VERSION, version);
    if (gone) setColumn(record, DELETED_AT, inUtc(String(record[DELETED_AT])) ?? this.#policy.now());
    this.#policy.metadata?.fill(record, message.time_extracted);
    this.#push(lane, gone, record, line, bytes);
    return unknown === undefined ? TAKEN : { unknown, lacks: undefined };
  }

  /** Without a key there is no row to delete: the record is kept with its stamp. */
  #deletes({ stream }: Lane): boolean {
    return this.#policy.hardDelete && stream.key.length > 0;
  }

  #push(lane: Lane, gone: boolean, record: Row, line: number, bytes: number): void {
    let group = lane.groups.at(-1);
    if (group === undefined || group.gone !== gone || group.spelled !== undefined) {
      group = { gone, rows: [], lines: [] };
      lane.groups.push(group);
    }
    group.rows.push(record);
    this.#count(group, line, bytes);
  }

  #count(group: Group, line: number, bytes: number): void {
    group.lines.push(line);
    this.#rows += 1;
    this.#bytes += bytes;
    this.#groupRows += 1;
    this.#groupBytes += bytes;
  }

  #validateRecord({ check, stream }: Lane, record: Row, line: number): void {
    const [fault] = check?.(record) ?? [];
    if (fault === undefined) return;
    const field = fault.path === '/' ? 'the record' : `"${fault.path.slice(1)}"`;
    const reason = `${field} ${fault.problem}`;
    throw new InvalidRecord(
      `line ${line}: stream "${stream.name}": ${reason}`,
      reason,
      { stream: stream.name, line, path: fault.path },
      'mend the data or the schema at the tap; validate_records: false loads what the table can hold, on_invalid_record: quarantine sets such records aside',
    );
  }

  #unknownKeys(lane: Lane, record: Row): readonly string[] | undefined {
    const { order } = lane;
    let found: string[] | undefined;
    let place = 0;
    for (const property in record) {
      if (property === order[place]) {
        place += 1;
        continue;
      }
      if (lane.known.has(property)) continue;
      lane.known.add(property);
      found ??= [];
      found.push(property);
    }
    return found;
  }

  /** Hands out the rows that wait, in the order their streams first appeared. They stay pending until `committed`. */
  take(): readonly Batch[] {
    const batches: Batch[] = [];
    for (const lane of this.#lanes.values()) {
      for (const group of lane.groups) {
        this.#policy.metadata?.batched(group.rows);
        batches.push(
          group.spelled === undefined
            ? { stream: lane.stream, ...group }
            : new SpelledBatch(lane.stream, group.spelled, group.lines),
        );
      }
      lane.groups = [];
    }
    this.#groupRows = 0;
    this.#groupBytes = 0;
    return batches;
  }

  /** What was taken is durable. */
  committed(): void {
    this.#rows = 0;
    this.#bytes = 0;
  }
}

/** Rows that nobody has parsed. */
class SpelledBatch implements Batch {
  readonly stream: SinkStream;
  readonly gone = false;
  readonly spelled: SpelledRows;
  readonly lines: readonly number[];
  #rows: readonly Row[] | undefined;

  constructor(stream: SinkStream, spelled: SpelledRows, lines: readonly number[]) {
    this.stream = stream;
    this.spelled = spelled;
    this.lines = lines;
  }

  get rows(): readonly Row[] {
    this.#rows ??= this.spelled.values.map((_values, index) => spelledRow(this.spelled, index));
    return this.#rows;
  }
}

/** One of the rows as a record. */
export function spelledRow({ pattern, values, version }: SpelledRows, index: number): Row {
  const record = pattern.record(values[index] ?? []);
  if (version !== undefined) setColumn(record, TABLE_VERSION, version);
  return record;
}

function textOf({ schema, key_properties: key }: SchemaMessage): string {
  return canonical([schema, key]);
}

/** The stream with the columns that a record needs and its table does not have yet. */
function lacking({ stream, history }: Lane, versioned: boolean, stamped: boolean): SinkStream | undefined {
  if (!(versioned && !history.columns.has(TABLE_VERSION)) && !(stamped && !history.columns.has(DELETED_AT))) {
    return undefined;
  }
  const columns = [...history.columns, ...(versioned ? [TABLE_VERSION] : []), ...(stamped ? [DELETED_AT] : [])];
  return { ...stream, schema: withColumns(stream.schema, columns) };
}
