/** Dates with the year first: the form that SQLite and pandas write, and its relatives. */
import { isDay, isTime, type Moment } from './calendar.ts';

/** A year-first date taken apart. */
export interface IsoDate {
  readonly moment: Moment;
  /** Minutes that the clock is ahead of UTC, when the text says so. */
  readonly offset: number | undefined;
  readonly hasTime: boolean;
  /** Day parts joined by `/` instead of `-`; the year first leaves no doubt about the order. */
  readonly slashes: boolean;
}

const SHAPE =
  /^(\d{4})([-/])(\d{2})\2(\d{2})(?:[ Tt](\d{2}):(\d{2})(?::(\d{2})(?:\.(\d+))?)?(?: ?([Zz]|[+-]\d{2}(?::?\d{2})?))?)?$/;

/**
 * Takes a text apart that has the shape of a year-first date, without surrounding blanks.
 * @returns `zero` for 0000-00-00, `impossible` when no calendar or clock has such a value, `undefined` for any other text.
 */
export function readIsoDate(text: string): IsoDate | 'impossible' | 'zero' | undefined {
  const match = SHAPE.exec(text);
  if (match === null) return undefined;
  const [, year = '', separator, month = '', day = '', hour, minute = '0', second = '0', fraction = '', zone] = match;
  const moment = {
    year: Number(year),
    month: Number(month),
    day: Number(day),
    hour: Number(hour ?? 0),
    minute: Number(minute),
    second: Number(second),
    fraction,
  };
  const midnight = moment.hour + moment.minute + moment.second === 0;
  if (moment.year + moment.month + moment.day === 0 && midnight) return 'zero';
  const offset = zone === undefined ? undefined : minutesOf(zone);
  if (!isDay(moment.year, moment.month, moment.day) || offset === 'impossible') return 'impossible';
  if (!isTime(moment.hour, moment.minute, moment.second, fraction)) return 'impossible';
  return { moment, offset, hasTime: hour !== undefined, slashes: separator === '/' };
}

/** No place on earth is further than 14 hours from UTC; PostgreSQL accepts less than 16. */
function minutesOf(zone: string): number | 'impossible' {
  if (zone.length === 1) return 0;
  const [hours, minutes] = [Number(zone.slice(1, 3)), Number(zone.slice(3).replace(':', '') || 0)];
  if (hours > 15 || minutes > 59) return 'impossible';
  return (zone.startsWith('-') ? -1 : 1) * (hours * 60 + minutes);
}
