/**
 * Dates with slashes, which say neither whether the day or the month comes first. A value can prove its own order (no
 * month 13), a column can (all its proofs agree), and else a setting decides. The order is never guessed from a locale.
 */
import { isDay, isTime, type Moment, written } from './calendar.ts';

export type SlashOrder = 'DMY' | 'MDY';

/** What one value proves: its own order, or nothing. */
export type SlashEvidence = SlashOrder | 'ambiguous';

/** How the time of day is written. */
export type SlashTime = 'none' | 'minutes' | 'seconds' | 'am_pm';

/** A slash date taken apart. `time` is that of a 24-hour clock; the day is not decided yet. */
export interface SlashDate {
  readonly first: number;
  readonly second: number;
  readonly evidence: SlashEvidence;
  readonly written: SlashTime;
  readonly year: number;
  readonly hour: number;
  readonly minute: number;
  readonly seconds: number;
  readonly fraction: string;
}

/** What is known of a row beside the value, to tell its day from its month. */
export interface SlashHints {
  /** The month that another column states, as `YYYY-MM`. */
  readonly month?: string;
  /** Bounds as `YYYY-MM-DD HH:MM:SS`, for example the times when the ticket was created and closed. */
  readonly notBefore?: string;
  readonly notAfter?: string;
}

const SHAPE =
  /^(\d{1,2})\/(\d{1,2})\/(\d{4}|\d{2})(?:[ T](\d{1,2}):(\d{2})(?::(\d{2})(?:\.(\d+))?)?(?: ?([AaPp])[Mm])?)?$/;

/**
 * Takes a text apart that has the shape of a slash date, without surrounding blanks.
 * @returns `impossible` when the shape is right but no calendar or clock has such a value, `zero` for 00/00/0000,
 * `two_digit_year` when the century is missing, `undefined` for any other text.
 */
export function readSlashDate(text: string): SlashDate | 'impossible' | 'zero' | 'two_digit_year' | undefined {
  const match = SHAPE.exec(text);
  if (match === null) return undefined;
  const [, one = '', two = '', century = '', hours, minutes = '0', secs, fraction = '', half] = match;
  if (century.length === 2) return 'two_digit_year';
  const [first, second, year] = [Number(one), Number(two), Number(century)];
  const time = { hour: hourOf(Number(hours ?? 0), half), minute: Number(minutes), seconds: Number(secs ?? 0) };
  if (first === 0 && second === 0 && year === 0 && time.hour + time.minute + time.seconds === 0) return 'zero';
  if (!isTime(time.hour, time.minute, time.seconds, fraction)) return 'impossible';
  const dayFirst = isDay(year, second, first);
  const monthFirst = isDay(year, first, second);
  if (!dayFirst && !monthFirst) return 'impossible';
  return {
    first,
    second,
    // 29/02/2025 is no American date either; 12/30/2025 is certain, and so is 30/12/2025.
    evidence: dayFirst && monthFirst ? 'ambiguous' : dayFirst ? 'DMY' : 'MDY',
    written: hours === undefined ? 'none' : half !== undefined ? 'am_pm' : secs === undefined ? 'minutes' : 'seconds',
    year,
    fraction,
    ...time,
  };
}

/** The hour on a 24-hour clock: 12 AM is 0, 12 PM is 12; an hour that no 12-hour clock shows becomes none at all. */
function hourOf(hour: number, half: string | undefined): number {
  if (half === undefined) return hour;
  if (hour < 1 || hour > 12) return Number.NaN;
  return (hour % 12) + (half.toLowerCase() === 'p' ? 12 : 0);
}

/** The moment that a slash date means when read in this order. */
export function inOrder(date: SlashDate, order: SlashOrder): Moment {
  const [day, month] = order === 'DMY' ? [date.first, date.second] : [date.second, date.first];
  const { year, hour, minute, seconds: second, fraction } = date;
  return { year, month, day, hour, minute, second, fraction };
}

/** True when both orders mean the same day, as in 5/05/2025. */
export function isSymmetric(date: SlashDate): boolean {
  return date.first === date.second;
}

/** How the ambiguous values of a column are read. */
export interface SlashVote {
  /** `conflict`: values of both orders are proven, so ambiguous ones cannot be read. */
  readonly order: SlashOrder | 'conflict';
  /** `column`: values of this column prove it; `assumed`: only the setting says so. */
  readonly basis: 'column' | 'assumed';
}

/** The vote of a column: the counts of values that prove each order, and the order that a setting assumes. */
export function vote(dmyCertain: number, mdyCertain: number, assumed: SlashOrder): SlashVote {
  if (dmyCertain > 0 && mdyCertain > 0) return { order: 'conflict', basis: 'column' };
  if (dmyCertain > 0) return { order: 'DMY', basis: 'column' };
  if (mdyCertain > 0) return { order: 'MDY', basis: 'column' };
  return { order: assumed, basis: 'assumed' };
}

/** The only order that agrees with what is known of the row, or `undefined` when both or neither do. */
export function settledBy(hints: SlashHints, date: SlashDate): SlashOrder | undefined {
  const agrees = (order: SlashOrder) => {
    const text = written(inOrder(date, order));
    return (
      (hints.month === undefined || text.startsWith(`${hints.month}-`)) &&
      (hints.notBefore === undefined || text >= hints.notBefore) &&
      (hints.notAfter === undefined || text <= hints.notAfter)
    );
  };
  const [dayFirst, monthFirst] = [agrees('DMY'), agrees('MDY')];
  if (dayFirst === monthFirst) return undefined;
  return dayFirst ? 'DMY' : 'MDY';
}
