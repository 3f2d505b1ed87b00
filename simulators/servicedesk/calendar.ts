/**
 * Times as the source writes them: text without a zone. Inside the generator a time is a number of seconds since
 * 1970-01-01 00:00:00 of that nameless zone, so no clock, no locale and no daylight saving has a say.
 */

export const DAY = 86_400;

const two = (value: number) => (value < 10 ? `0${value}` : String(value));

const days = new Map<number, string>();

/** `YYYY-MM-DD`. */
export function dayText(seconds: number): string {
  const day = Math.floor(seconds / DAY);
  let text = days.get(day);
  if (text === undefined) {
    text = new Date(day * DAY * 1000).toISOString().slice(0, 10);
    days.set(day, text);
  }
  return text;
}

/** `HH:MM`, of the day that the time falls on. */
export function clockText(seconds: number): string {
  const minutes = Math.floor((seconds % DAY) / 60);
  return `${two(Math.floor(minutes / 60))}:${two(minutes % 60)}`;
}

/** `YYYY-MM-DD HH:MM:SS`. */
export function timeText(seconds: number): string {
  return `${dayText(seconds)} ${clockText(seconds)}:${two(seconds % 60)}`;
}

/** `YYYY-MM`. */
export function monthText(seconds: number): string {
  return dayText(seconds).slice(0, 7);
}

/** Seconds of `YYYY-MM-DD` or `YYYY-MM-DD HH:MM:SS`; undefined for anything else and for days that do not exist. */
export function secondsOf(text: string): number | undefined {
  const match = /^(\d{4}-\d{2}-\d{2})(?: (\d{2}:\d{2}:\d{2}))?$/.exec(text);
  if (match === null) return undefined;
  const [, day = '', time = '00:00:00'] = match;
  const instant = Date.parse(`${day}T${time}Z`);
  // Date.parse takes 30 February for 2 March.
  return Number.isNaN(instant) || !new Date(instant).toISOString().startsWith(day) ? undefined : instant / 1000;
}

/** Saturday or Sunday. */
export function isWeekend(seconds: number): boolean {
  // 1970-01-01 was a Thursday.
  const weekday = (Math.floor(seconds / DAY) + 4) % 7;
  return weekday === 0 || weekday === 6;
}

/** The period that a file covers, drawn from the day on which it is taken. */
export interface Period {
  /** The day on which the file is taken, at midnight; nothing in a clean file is later. */
  readonly asOf: number;
  /** The first day with tickets and the day after the last one. */
  readonly firstTicket: number;
  readonly endOfTickets: number;
  /** The first day with timesheets. */
  readonly firstTimesheet: number;
  /** The day on which entries of the future lie (D17). */
  readonly future: number;
}

/** The days of the original file, moved along with `asOf`: 2025-10-17 gives tickets from 2025-07-03 to 2025-10-13. */
export function periodOf(asOf: number): Period {
  return {
    asOf,
    firstTicket: asOf - 106 * DAY,
    endOfTickets: asOf - 3 * DAY,
    firstTimesheet: asOf - 108 * DAY,
    future: asOf + 257 * DAY,
  };
}
