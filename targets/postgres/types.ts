/** Column types of PostgreSQL: what is declared for each kind, what a column of a type can hold, and how it gives way. */
import type { ColumnKind } from '../columns.ts';

/**
 * What a column is to an encoder. `other`: a type that somebody chose by hand (uuid, an enum, varchar(20)); it is given
 * text, and PostgreSQL decides.
 */
export type Holder =
  | 'boolean'
  | 'int2'
  | 'int4'
  | 'int8'
  | 'numeric'
  | 'float8'
  | 'text'
  | 'json'
  | 'timestamptz'
  | 'timestamp'
  | 'date'
  | 'time'
  | 'other';

/** By the name that `format_type` prints. */
const HOLDERS: Readonly<Record<string, Holder>> = {
  boolean: 'boolean',
  smallint: 'int2',
  integer: 'int4',
  bigint: 'int8',
  numeric: 'numeric',
  'double precision': 'float8',
  text: 'text',
  'character varying': 'text',
  json: 'json',
  jsonb: 'json',
  'timestamp with time zone': 'timestamptz',
  'timestamp without time zone': 'timestamp',
  date: 'date',
  'time without time zone': 'time',
};

/** What a column declared like this is to an encoder. */
export function holderOf(declared: string): Holder {
  return HOLDERS[declared] ?? 'other';
}

/** The declared type of each kind. Bigint, because a vendor's ids outgrow an integer; numeric keeps every digit. */
export function declaredType(kind: ColumnKind): string {
  switch (kind) {
    case 'boolean':
      return 'boolean';
    case 'integer':
      return 'bigint';
    case 'big_integer':
    case 'decimal':
      return 'numeric';
    case 'number':
      return 'double precision';
    case 'date_time':
      return 'timestamp with time zone';
    case 'local_date_time':
      return 'timestamp without time zone';
    case 'date':
      return 'date';
    case 'time':
      return 'time without time zone';
    case 'json':
      return 'jsonb';
    default:
      return 'text';
  }
}

const NUMERIC_KINDS: readonly ColumnKind[] = ['integer', 'big_integer', 'number', 'decimal'];

const HELD: Readonly<Record<Holder, readonly ColumnKind[] | 'all'>> = {
  boolean: ['boolean'],
  int2: ['integer'],
  int4: ['integer'],
  int8: ['integer', 'big_integer'],
  numeric: NUMERIC_KINDS,
  float8: ['number', 'integer'],
  text: 'all',
  json: 'all',
  timestamptz: ['date_time', 'date'],
  timestamp: ['local_date_time', 'date'],
  date: ['date'],
  time: ['time'],
  other: 'all',
};

/** Whether a column takes every ordinary value of the kind as it is; rare values widen it when they come. */
export function holds(holder: Holder, kind: ColumnKind): boolean {
  const held = HELD[holder];
  return held === 'all' || held.includes(kind);
}

/** Types that round, cut or pad what they are given without a word, and the type of that family that does not. */
const LIMITED: readonly (readonly [form: RegExp, unlimited: string])[] = [
  [/^(?:numeric\(.*|money)$/, 'numeric'],
  [/^real$/, 'double precision'],
  [/^timestamp\(\d\) with time zone$/, 'timestamp with time zone'],
  [/^timestamp\(\d\) without time zone$/, 'timestamp without time zone'],
  [/^time\(\d\) without time zone$/, 'time without time zone'],
  [/^(?:character(?:\(\d+\))?|"char"|name)$/, 'text'],
];
/** Decimal places, but none of them before the point: whole numbers pass or are refused by PostgreSQL. */
const PLACES = /^numeric\(\d+,\d+\)$/;

/**
 * The type that keeps what a column declared like this would round, cut or pad of values of the kind; undefined where
 * it changes nothing. PostgreSQL documents the rounding of numeric(p,s), real, money and times of fewer than six places.
 */
export function unlimitedType(declared: string, kind: ColumnKind): string | undefined {
  if (PLACES.test(declared) && (kind === 'integer' || kind === 'big_integer')) return undefined;
  return LIMITED.find(([form]) => form.test(declared))?.[1];
}

/** Whether equal keys still meet when a key column of this type is given values of the kind. */
export function keyFits(holder: Holder, kind: ColumnKind): boolean {
  if (holder === 'text' || holder === 'json') return holderOf(declaredType(kind)) === holder;
  return holds(holder, kind) || (holder === 'int8' && kind === 'big_integer');
}

const INTEGERS: readonly Holder[] = ['int2', 'int4', 'int8'];

/** The type that holds what a column has and values of the kind, without loss; `text` if nothing closer does. */
export function widenedType(holder: Holder, kind: ColumnKind): string {
  if (NUMERIC_KINDS.includes(kind)) {
    if ((holder === 'int2' || holder === 'int4') && kind === 'integer') return 'bigint';
    if (INTEGERS.includes(holder) || holder === 'float8') return 'numeric';
  }
  if (holder === 'date' && (kind === 'date_time' || kind === 'local_date_time')) return declaredType(kind);
  return 'text';
}

const MICROSECONDS = `'YYYY-MM-DD"T"HH24:MI:SS.US'`;

/**
 * The expression that turns a column's values into those of the wider type. A double becomes numeric by way of its
 * shortest text, because the direct cast keeps 15 digits only; times become RFC 3339 text whatever the session's style.
 */
export function conversion(column: string, holder: Holder, type: string): string {
  if (type === 'numeric' && holder === 'float8') return `${column}::text::numeric`;
  if (type === 'timestamp with time zone') return `${column}::timestamp AT TIME ZONE 'UTC'`;
  if (type !== 'text') return `${column}::${type}`;
  if (holder === 'timestamptz') return `to_char(${column} AT TIME ZONE 'UTC', ${MICROSECONDS}) || 'Z'`;
  return holder === 'timestamp' ? `to_char(${column}, ${MICROSECONDS})` : `${column}::text`;
}
