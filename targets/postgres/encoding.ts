/** Record values to the text of COPY, exact to the digit and the character. */

import type { Log } from '../../singer/log.ts';
import { isRawNumber, type Json, wholeDigits } from '../../singer/lossless.ts';
import type { ColumnKind } from '../columns.ts';
import type { Holder } from './types.ts';

/** NULL in COPY's text format. */
export const NULL = '\\N';

/** Returned instead of a text when the column's type would damage the value: the column has to be widened first. */
export const TOO_NARROW = Symbol('too narrow');
/** Returned instead of a text when the column can hold no form of the value. */
export const UNFIT = Symbol('unfit');
/** Returned instead of a text that holds U+0000, which PostgreSQL cannot store, where that is an error. */
export const NUL = Symbol('NUL');

type Encoded = string | typeof TOO_NARROW | typeof UNFIT | typeof NUL;

/** What had to be changed to be storable, for one line about it at the end. */
export interface Mended {
  /** Texts with half of a character (a lone surrogate), stored as U+FFFD. */
  surrogates: number;
  /** Texts with U+0000, stored as U+FFFD where `null_byte` says so. */
  nulls: number;
  /** Times cut to the microsecond. */
  fractions: number;
}

/** Tells at the end of a load what had to be changed. */
export function tellMended(log: Log, { surrogates, nulls, fractions }: Mended): void {
  const tell = (event: string, count: number, text: string) => {
    if (count > 0) log.warn(event, `${count} ${text}`, { count });
  };
  tell('surrogates_replaced', surrogates, 'texts had half of a character (a lone surrogate), stored as U+FFFD');
  tell('nulls_replaced', nulls, 'texts had U+0000, stored as U+FFFD');
  tell('fractions_cut', fractions, 'times were finer than a microsecond and were cut to it');
}

/** Turns values into texts, and keeps count of what it had to change. */
export class Encoder {
  readonly mended: Mended = { surrogates: 0, nulls: 0, fractions: 0 };
  readonly #replaceNull: boolean;

  /** @param replaceNull store U+FFFD for U+0000 instead of refusing the record. */
  constructor(replaceNull: boolean) {
    this.#replaceNull = replaceNull;
  }

  /** The text of a value that is not null, for a column that is `holder` to a property of this kind. */
  encode(value: Exclude<Json, null>, holder: Holder, kind: ColumnKind): Encoded {
    switch (holder) {
      case 'text':
        if (typeof value === 'string' && kind !== 'json') return this.#text(value);
        return typeof value === 'object' || kind === 'json' ? this.#json(value, false) : scalarText(value, kind);
      case 'json':
        return this.#json(value, true);
      case 'boolean':
        return booleanText(value);
      case 'int2':
      case 'int4':
      case 'int8':
        return integerText(value, INTEGER_LIMITS[holder]);
      case 'float8':
        return doubleText(value);
      case 'numeric':
        return numericText(value, kind);
      case 'timestamptz':
      case 'timestamp':
        return typeof value === 'string' ? this.#moment(value, holder) : UNFIT;
      case 'date':
        return typeof value === 'string' ? dayText(value) : UNFIT;
      case 'time':
        return typeof value === 'string' ? this.#timeOfDay(value) : UNFIT;
      case 'other':
        return this.#text(typeof value === 'string' ? value : JSON.stringify(value));
    }
  }

  #text(value: string): Encoded {
    let text = value;
    if (!text.isWellFormed()) {
      this.mended.surrogates += 1;
      text = text.toWellFormed();
    }
    if (!SPECIAL.test(text)) return text;
    if (text.includes('\0')) {
      if (!this.#replaceNull) return NUL;
      this.mended.nulls += 1;
      text = text.replaceAll('\0', '\ufffd');
    }
    return text.replace(SPECIALS, (character) => ESCAPES[character] ?? character);
  }

  /** JSON text. `JSON.stringify` spells half characters and U+0000 as escapes, which jsonb refuses. */
  #json(value: Json, strict: boolean): Encoded {
    let text = JSON.stringify(value);
    if (text.includes('\\u')) {
      let nul = false;
      text = text.replace(/\\(?:u(d[89a-f][0-9a-f]{2}|0000)|.)/g, (spelling, code: string | undefined) => {
        if (code === undefined || (code === '0000' && !strict)) return spelling;
        if (code === '0000') {
          nul = true;
          return this.#replaceNull ? '\ufffd' : spelling;
        }
        this.mended.surrogates += 1;
        return '\ufffd';
      });
      if (nul && !this.#replaceNull) return NUL;
      if (nul) this.mended.nulls += 1;
    }
    return text.replaceAll('\\', '\\\\');
  }

  #moment(value: string, holder: 'timestamptz' | 'timestamp'): Encoded {
    const form = DATE_TIME.exec(value);
    if (form === null) return DAY.test(value) ? dayText(value) : UNFIT;
    if (!isDay(value)) return UNFIT;
    const zone = form[2];
    // Only a zone that changes nothing may be left out of a wall clock's time.
    if (holder === 'timestamp' && zone !== undefined && !UTC.test(zone)) return UNFIT;
    return this.#cut(value, form[1]);
  }

  #timeOfDay(value: string): Encoded {
    const form = TIME.exec(value);
    if (form === null || (form[2] !== undefined && !UTC.test(form[2]))) return UNFIT;
    return this.#cut(form[2] === undefined ? value : value.slice(0, -form[2].length), form[1]);
  }

  /** PostgreSQL keeps microseconds and would round what is finer, perhaps into the future; it is cut instead. */
  #cut(value: string, fraction: string | undefined): string {
    if (fraction === undefined || fraction.length <= 7) return value;
    if (/[1-9]/.test(fraction.slice(7))) this.mended.fractions += 1;
    return value.replace(fraction, fraction.slice(0, 7));
  }
}

/** What COPY's text format gives a meaning. */
const SPECIAL = /[\\\t\n\r\0]/;
const SPECIALS = /[\\\t\n\r]/g;
const ESCAPES: Readonly<Record<string, string>> = { '\\': '\\\\', '\t': '\\t', '\n': '\\n', '\r': '\\r' };

const INTEGER_LIMITS = { int2: 2n ** 15n, int4: 2n ** 31n, int8: 2n ** 63n } as const;

/** A number and nothing else: no blanks, no leading zeros, no plus sign. */
const PLAIN_NUMBER = /^-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?$/;

function booleanText(value: Exclude<Json, null>): Encoded {
  if (value === true || value === 1 || value === 'true') return 't';
  return value === false || value === 0 || value === 'false' ? 'f' : UNFIT;
}

/** The source text of a number; a text that is a number counts, which matters only for records that nobody checked. */
function digitsOf(value: Exclude<Json, null>): string | undefined {
  if (typeof value === 'number') return String(value);
  if (isRawNumber(value)) return value.rawJSON;
  return typeof value === 'string' && PLAIN_NUMBER.test(value) ? value : undefined;
}

function integerText(value: Exclude<Json, null>, limit: bigint): Encoded {
  if (Number.isSafeInteger(value) && limit === INTEGER_LIMITS.int8) return String(value);
  const whole = integerDigits(value);
  if (whole === undefined) return UNFIT;
  const digits = BigInt(whole);
  return digits < limit && digits >= -limit ? String(digits) : TOO_NARROW;
}

/** The digits of an integer in whatever form, `1e+23` among them. */
function integerDigits(value: Exclude<Json, null>): string | undefined {
  if (typeof value === 'number') return wholeDigits(value);
  const digits = digitsOf(value);
  if (digits === undefined) return undefined;
  if (typeof value === 'string' && /[.eE]/.test(digits)) return undefined;
  return /^(-?\d+)(?:\.0+)?$/.exec(digits)?.[1];
}

function doubleText(value: Exclude<Json, null>): Encoded {
  const digits = digitsOf(value);
  if (digits === undefined) return UNFIT;
  return typeof value === 'number' || String(Number(digits)) === digits ? digits : TOO_NARROW;
}

function numericText(value: Exclude<Json, null>, kind: ColumnKind): Encoded {
  const digits = digitsOf(value);
  if (digits === undefined) return UNFIT;
  if ((kind === 'integer' || kind === 'big_integer') && integerDigits(value) === undefined) return UNFIT;
  return digits;
}

/** A number or boolean in a column of text. */
function scalarText(value: string | number | boolean, kind: ColumnKind): Encoded {
  if (typeof value === 'number' && (kind === 'integer' || kind === 'big_integer')) return integerDigits(value) ?? UNFIT;
  return String(value);
}

const DAY = /^\d{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12]\d|3[01])$/;
const CLOCK = String.raw`(?:(?:[01]\d|2[0-3]):[0-5]\d(?::(?:[0-5]\d(\.\d+)?|60))?|24:00(?::00(?:\.0+)?)?)`;
const ZONE = String.raw` ?([Zz]|[+-](?:0\d|1[0-5])(?::?[0-5]\d)?)?`;
/** RFC 3339, and what is near it: a blank for the T, no seconds, no zone (UTC), offsets without colon. */
const DATE_TIME = new RegExp(`^${DAY.source.slice(1, -1)}[Tt ]${CLOCK}${ZONE}$`);
const TIME = new RegExp(`^${CLOCK}${ZONE}$`);
/** What most moments look like, said so that it is quickly seen; the days that not every month has are looked at closely. */
const PLAIN_MOMENT =
  /^(?!0000)\d{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|1\d|2[0-8])T(?:[01]\d|2[0-3]):[0-5]\d:[0-5]\d(?:\.\d{1,6})?Z$/;

/** Whether a text is a moment in UTC that PostgreSQL takes as it is. False says nothing. */
export function isPlainMoment(text: string): boolean {
  return PLAIN_MOMENT.test(text);
}

const UTC = /^(?:[Zz]|[+-]00:?(?:00)?)$/;
const MIDNIGHT = /^.{10}[Tt ]00:00(?::00(?:\.0+)?)? ?(?:[Zz]|[+-]00:?(?:00)?)?$/;

/** A day, or the midnight that begins it. */
function dayText(value: string): Encoded {
  const day = value.slice(0, 10);
  return DAY.test(day) && isDay(day) && (value.length === 10 || MIDNIGHT.test(value)) ? day : UNFIT;
}

/** Whether the calendar has the day that the text begins with. The form is checked; PostgreSQL has no year 0. */
function isDay(text: string): boolean {
  if (text.startsWith('0000')) return false;
  const day = Number(text.slice(8, 10));
  if (day <= 28) return true;
  const month = Number(text.slice(5, 7));
  if (month !== 2) return day <= 30 || ![4, 6, 9, 11].includes(month);
  const year = Number(text.slice(0, 4));
  return day === 29 && year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0);
}
