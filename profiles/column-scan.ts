/** What one column holds, value by value: counts and the first places of each kind, never the values themselves. */
import { createHash } from 'node:crypto';
import { classifyAsDate, NOTHING } from './classes.ts';
import { isLongerThan } from './conversion.ts';
import { classify, type SqliteValue, trimmed, type ValueClass } from './grammar.ts';
import { readSlashDate } from './slash-dates.ts';

/** How many there are, and where the first are. */
export interface Tally {
  count: number;
  readonly rowids: (bigint | number)[];
  /** Prints of a few values, to see whether two profiles mean the same ones. */
  readonly prints: Set<string>;
}

/** Things that are counted beside the class of a value. */
export const OBSERVATIONS = [
  'surrounding_blanks',
  'float_text',
  'trailing_zero',
  'slash_no_time',
  'slash_minutes',
  'slash_seconds',
  'slash_am_pm',
  'nul',
  'too_long',
  'newline_run',
  'early_date',
  'future_date',
] as const;

export type Observation = (typeof OBSERVATIONS)[number];

export type StorageClass = 'null' | 'integer' | 'real' | 'text' | 'blob';

/** Bounds as `YYYY-MM-DD`, both still in range. */
export interface DateLimits {
  readonly from: string;
  readonly to: string | undefined;
}

export const ROWIDS_KEPT = 20;
const PRINTS_KEPT = 3;
export const DISTINCT_KEPT = 200;
/** Longer values are told apart by their hash, so that a few of them do not fill the memory. */
const LONGEST_KEY = 256;
export const LONGEST_TEXT = 100_000;
const NEWLINES = 100;
const RUNS = ['\n'.repeat(NEWLINES), '\r\n'.repeat(NEWLINES)];
const SLASH_TIMES = {
  none: 'slash_no_time',
  minutes: 'slash_minutes',
  seconds: 'slash_seconds',
  am_pm: 'slash_am_pm',
} as const;

/** Classes that a column of dates may read as something else. */
const NUMBERS: ReadonlySet<ValueClass> = new Set(['int', 'integral_decimal', 'decimal']);

type Rowid = bigint | number | undefined;

/** Takes the values of one column one after the other. Its memory does not grow with their number. */
export class ColumnScan {
  readonly storage: Record<StorageClass, number> = { null: 0, integer: 0, real: 0, text: 0, blob: 0 };
  /** By class. */
  readonly classes = new Map<ValueClass, Tally>();
  /** By class when the column is one of dates: bare numbers may be dates then. */
  readonly asDates = new Map<ValueClass, Tally>();
  readonly observed = new Map<Observation, Tally>();
  /** Words for yes and no, as they are spelled. */
  readonly spellings = new Map<string, Tally>();
  minBytes: number | undefined;
  maxBytes = 0;
  /** First and last of the year-first dates, as `YYYY-MM-DD HH:MM:SS` with what they lack left out. */
  earliest: string | undefined;
  latest: string | undefined;
  /** The driver may have replaced bytes that are no UTF-8; only the bytes can tell. */
  suspicious = false;
  readonly invalidUtf8: Tally = emptyTally();
  readonly #limits: DateLimits;
  readonly #nulls = tallyIn(this.classes, 'null');
  /** The tallies that a value counts in, by value: most columns of text hold few different ones. */
  #distinct: Map<string | number | bigint, readonly Tally[]> | undefined = new Map();

  constructor(limits: DateLimits) {
    this.#limits = limits;
    this.asDates.set('null', this.#nulls);
  }

  add(value: SqliteValue, rowid: Rowid): void {
    this.storage[storageOf(value)] += 1;
    if (value === null) {
      note(this.#nulls, rowid, value);
      return;
    }
    const distinct = this.#distinct;
    const key = distinct === undefined ? undefined : keyOf(value);
    const seen = key === undefined ? undefined : distinct?.get(key);
    if (seen !== undefined) {
      for (const tally of seen) note(tally, rowid, value);
      return;
    }
    const tallies = this.#talliesOf(value);
    for (const tally of tallies) note(tally, rowid, value);
    if (distinct === undefined || key === undefined) return;
    if (distinct.size < DISTINCT_KEPT) distinct.set(key, tallies);
    else this.#distinct = undefined;
  }

  /** How many different values there are, null not counted; `undefined` for more than are kept. */
  get distinct(): number | undefined {
    return this.#distinct?.size;
  }

  #talliesOf(value: Exclude<SqliteValue, null>): Tally[] {
    const found = classify(value);
    const tally = tallyIn(this.classes, found);
    const tallies = [tally];
    if (NUMBERS.has(found)) tallies.push(tallyIn(this.asDates, classifyAsDate(value, found)));
    else this.asDates.set(found, tally);
    if (typeof value === 'string') this.#lookAt(value, found, tallies);
    else if (value instanceof Uint8Array) this.#measure(value.byteLength);
    return tallies;
  }

  #lookAt(text: string, found: ValueClass, tallies: Tally[]): void {
    // A character takes one to three bytes per unit, so most texts need not be measured.
    if (text.length * 3 > this.maxBytes || this.minBytes === undefined || text.length < this.minBytes) {
      this.#measure(Buffer.byteLength(text));
    }
    const observe = (name: Observation) => tallies.push(tallyIn(this.observed, name));
    if (found === 'text') {
      if (text.includes('\ufffd')) this.suspicious = true;
      if (text.includes('\0')) observe('nul');
      if (isLongerThan(text, LONGEST_TEXT)) observe('too_long');
      if (text.length >= NEWLINES && RUNS.some((run) => text.includes(run))) observe('newline_run');
      return;
    }
    if (NOTHING.has(found)) return;
    if (found === 'bool_token') {
      // Blanks around them make any number of spellings; the usual ones come early.
      if (this.spellings.size < DISTINCT_KEPT || this.spellings.has(text)) tallies.push(tallyIn(this.spellings, text));
    }
    const value = trimmed(text);
    if (value.length !== text.length) observe('surrounding_blanks');
    if (found === 'integral_decimal') observe('float_text');
    if (found === 'decimal' && /\.\d+0$/.test(value)) observe('trailing_zero');
    if (found === 'iso_ts' || found === 'iso_date' || found === 'iso_ts_tz') this.#place(value.slice(0, 19), observe);
    if (found === 'slash_dmy_certain' || found === 'slash_mdy_certain' || found === 'slash_ambiguous') {
      const date = readSlashDate(value);
      if (typeof date === 'object') observe(SLASH_TIMES[date.written]);
    }
  }

  #place(date: string, observe: (name: Observation) => void): void {
    if (this.earliest === undefined || date < this.earliest) this.earliest = date;
    if (this.latest === undefined || date > this.latest) this.latest = date;
    const day = date.slice(0, 10);
    if (day < this.#limits.from) observe('early_date');
    if (this.#limits.to !== undefined && day > this.#limits.to) observe('future_date');
  }

  #measure(bytes: number): void {
    if (bytes > this.maxBytes) this.maxBytes = bytes;
    if (this.minBytes === undefined || bytes < this.minBytes) this.minBytes = bytes;
  }
}

export function emptyTally(): Tally {
  return { count: 0, rowids: [], prints: new Set() };
}

/** Counts one more. */
export function note(tally: Tally, rowid: Rowid, value: SqliteValue): void {
  tally.count += 1;
  if (rowid !== undefined && tally.rowids.length < ROWIDS_KEPT) tally.rowids.push(rowid);
  if (tally.count <= PRINTS_KEPT && value !== null) tally.prints.add(printOf(value));
}

function tallyIn<Name>(tallies: Map<Name, Tally>, name: Name): Tally {
  const known = tallies.get(name);
  if (known !== undefined) return known;
  const fresh = emptyTally();
  tallies.set(name, fresh);
  return fresh;
}

function storageOf(value: SqliteValue): StorageClass {
  switch (typeof value) {
    case 'string':
      return 'text';
    case 'bigint':
      return 'integer';
    case 'number':
      return 'real';
    default:
      return value === null ? 'null' : 'blob';
  }
}

/** Equal for equal values of the same storage class, and for no others: beyond 64 bits there is no integer of SQLite's. */
function keyOf(value: Exclude<SqliteValue, null>): string | number | bigint {
  if (value instanceof Uint8Array) return BigInt(`0xb${printOf(value, 40)}`);
  return typeof value === 'string' && value.length > LONGEST_KEY ? BigInt(`0xc${printOf(value, 40)}`) : value;
}

/** The beginning of a SHA-256, enough to tell values apart and not the value itself. */
function printOf(value: Exclude<SqliteValue, null>, digits = 16): string {
  const bytes = value instanceof Uint8Array ? value : String(value);
  return createHash('sha256').update(bytes).digest('hex').slice(0, digits);
}
