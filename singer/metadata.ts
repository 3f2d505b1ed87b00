/** The `_sdc_…` columns, which the runner fills for every target. Names and meanings are those of the Singer SDK. */
import { type Clock, timestamp } from './io.ts';
import type { Json, Row } from './lossless.ts';
import type { JsonSchema } from './messages.ts';

/** When the source said that the row is gone, or the target found out. */
export const DELETED_AT = '_sdc_deleted_at';
/** The version of the full-table stream that brought the row last. */
export const TABLE_VERSION = '_sdc_table_version';
/** When the tap read the row; when the target did, if the tap does not say. */
export const EXTRACTED_AT = '_sdc_extracted_at';
/** When the target read the row. */
export const RECEIVED_AT = '_sdc_received_at';
/** When the row was handed to the store. */
export const BATCHED_AT = '_sdc_batched_at';
/** Epoch milliseconds of `_sdc_received_at`. */
export const SEQUENCE = '_sdc_sequence';
/** Epoch milliseconds of the start of the run. */
export const SYNC_STARTED_AT = '_sdc_sync_started_at';

const MOMENT: JsonSchema = { type: ['null', 'string'], format: 'date-time' };
const NUMBER: JsonSchema = { type: ['null', 'integer'] };

/** Every column of this kind with its schema. */
export const METADATA: Readonly<Record<string, JsonSchema>> = {
  [EXTRACTED_AT]: MOMENT,
  [RECEIVED_AT]: MOMENT,
  [BATCHED_AT]: MOMENT,
  [DELETED_AT]: MOMENT,
  [SEQUENCE]: NUMBER,
  [TABLE_VERSION]: NUMBER,
  [SYNC_STARTED_AT]: NUMBER,
};

/** The schema with these columns beside its own; what a tap declares itself under such a name gives way. */
export function withColumns(schema: JsonSchema, columns: Iterable<string>): JsonSchema {
  const added = Object.fromEntries([...columns].map((name) => [name, METADATA[name] as JsonSchema]));
  return { ...schema, properties: { ...schema.properties, ...added } };
}

/** Sets a column of a record that was read for this load alone; a copy per record would cost as much as its parse. */
export function setColumn(record: Row, column: string, value: Json): void {
  (record as Record<string, Json>)[column] = value;
}

/** True for a record that says of itself that it is gone. */
export function saysGone(record: Row): boolean {
  const stamp = record[DELETED_AT];
  return stamp !== undefined && stamp !== null && stamp !== false && stamp !== '';
}

const MOMENT_FORM =
  /^(\d{4}-\d{2}-\d{2})(?:[Tt ](\d{2}:\d{2}):(\d{2})(?:[.,](\d{1,9})\d*)?)?\s*(Z|[+-]\d{2}(?::?\d{2})?)?/i;

/**
 * A point in time as RFC 3339 in UTC, its fraction of a second kept digit for digit. Without an offset it is UTC; an
 * offset that stands twice, as some log-based taps write it, counts once. Undefined for what is no time.
 */
export function inUtc(text: string): string | undefined {
  const match = MOMENT_FORM.exec(text);
  if (match === null) return undefined;
  const [, day = '', minutes = '00:00', seconds = '00', fraction, zone = 'Z'] = match;
  const [, sign = '', hours = '', rest = '00'] = /^([+-])(\d{2}):?(\d{2})?$/.exec(zone) ?? [];
  const offset = sign === '' ? 'Z' : `${sign}${hours}:${rest}`;
  const instant = Date.parse(`${day}T${minutes}:${seconds}${offset}`);
  if (Number.isNaN(instant)) return undefined;
  return timestamp(instant).replace('Z', fraction === undefined ? 'Z' : `.${fraction}Z`);
}

/** The columns of `add_record_metadata`, filled as a record is read. */
export class RecordMetadata {
  readonly #clock: Clock;
  readonly #started: number;
  #at = Number.NaN;
  #text = '';

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#started = clock.now();
  }

  /** Fills them all but the time of the batch. What the tap says itself about its reading is kept. */
  fill(record: Row, extracted: Json | undefined): void {
    const now = this.#clock.now();
    const text = this.#moment(now);
    const own = record[EXTRACTED_AT] ?? extracted;
    setColumn(record, EXTRACTED_AT, (typeof own === 'string' ? inUtc(own) : undefined) ?? text);
    setColumn(record, RECEIVED_AT, text);
    setColumn(record, SEQUENCE, now);
    setColumn(record, SYNC_STARTED_AT, this.#started);
  }

  /** Says when rows were handed to the store. */
  batched(rows: readonly Row[]): void {
    const text = this.#moment(this.#clock.now());
    for (const row of rows) setColumn(row, BATCHED_AT, text);
  }

  /** Thousands of records share a millisecond. */
  #moment(ms: number): string {
    if (ms !== this.#at) {
      this.#at = ms;
      this.#text = timestamp(ms);
    }
    return this.#text;
  }
}
