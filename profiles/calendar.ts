/**
 * Dates and times as plain numbers in the Gregorian calendar. `Date` is not used anywhere in this room: it moves
 * impossible days into the next month and reads a slash date as the American one.
 */

/** A moment as a clock on a wall shows it. `fraction` holds the digits after the second's point, possibly none. */
export interface Moment {
  readonly year: number;
  readonly month: number;
  readonly day: number;
  readonly hour: number;
  readonly minute: number;
  readonly second: number;
  readonly fraction: string;
}

const DAYS = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
const SECONDS_PER_DAY = 86_400;
/** Days from 0000-03-01 to 1970-01-01. */
const EPOCH_SHIFT = 719_468;
const DAYS_PER_ERA = 146_097;

/** True for a day that the calendar has, in the years 1 to 9999. */
export function isDay(year: number, month: number, day: number): boolean {
  if (year < 1 || year > 9999 || month < 1 || month > 12 || day < 1) return false;
  const leap = month === 2 && year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0);
  return day <= (DAYS[month - 1] ?? 0) + (leap ? 1 : 0);
}

/** True for a time of day; 24:00:00 is one as well and means the midnight that ends the day. */
export function isTime(hour: number, minute: number, second: number, fraction: string): boolean {
  if (hour === 24) return minute === 0 && second === 0 && !/[1-9]/.test(fraction);
  return hour < 24 && minute < 60 && second < 60;
}

/** Seconds since 1970-01-01 00:00:00 on the same clock; 24:00:00 is counted into the next day. */
export function secondsOf({ year, month, day, hour, minute, second }: Moment): number {
  return daysBefore(year, month, day) * SECONDS_PER_DAY + hour * 3600 + minute * 60 + second;
}

/** The moment that lies so many seconds after 1970-01-01 00:00:00. */
export function momentAt(seconds: number, fraction = ''): Moment {
  const days = Math.floor(seconds / SECONDS_PER_DAY);
  const rest = seconds - days * SECONDS_PER_DAY;
  const [hour, minute] = [Math.floor(rest / 3600), Math.floor(rest / 60) % 60];
  return { ...dayAt(days), hour, minute, second: rest % 60, fraction };
}

/** Days since 1970-01-01. Years are counted from March, so that the leap day is the last of a year. */
export function daysBefore(year: number, month: number, day: number): number {
  const marchYear = month > 2 ? year : year - 1;
  const era = Math.floor(marchYear / 400);
  const yearOfEra = marchYear - era * 400;
  const dayOfYear = Math.floor((153 * (month > 2 ? month - 3 : month + 9) + 2) / 5) + day - 1;
  const dayOfEra = yearOfEra * 365 + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100) + dayOfYear;
  return era * DAYS_PER_ERA + dayOfEra - EPOCH_SHIFT;
}

function dayAt(days: number): Pick<Moment, 'year' | 'month' | 'day'> {
  const shifted = days + EPOCH_SHIFT;
  const era = Math.floor(shifted / DAYS_PER_ERA);
  const dayOfEra = shifted - era * DAYS_PER_ERA;
  const leapDays = Math.floor(dayOfEra / 1460) - Math.floor(dayOfEra / 36_524) + Math.floor(dayOfEra / 146_096);
  const yearOfEra = Math.floor((dayOfEra - leapDays) / 365);
  const dayOfYear = dayOfEra - (365 * yearOfEra + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100));
  const marchMonth = Math.floor((5 * dayOfYear + 2) / 153);
  const month = marchMonth < 10 ? marchMonth + 3 : marchMonth - 9;
  const year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0);
  return { year, month, day: dayOfYear - Math.floor((153 * marchMonth + 2) / 5) + 1 };
}

/**
 * `YYYY-MM-DD HH:MM:SS`, with all digits of the fraction but the zeros at its end, as PostgreSQL prints it. An hour 24 is
 * written as the next day's midnight.
 */
export function written(moment: Moment, between: ' ' | 'T' = ' '): string {
  const { year, month, day, hour, minute, second, fraction } =
    moment.hour === 24 ? momentAt(secondsOf(moment), moment.fraction) : moment;
  const date = `${String(year).padStart(4, '0')}-${two(month)}-${two(day)}`;
  const rest = fraction.replace(/0+$/, '');
  return `${date}${between}${two(hour)}:${two(minute)}:${two(second)}${rest === '' ? '' : `.${rest}`}`;
}

function two(value: number): string {
  return value < 10 ? `0${value}` : String(value);
}
