/** Dates as Plex sends and takes them: UTC with `Z`, up to seven digits of a second. Comparisons are of text. */

export const MINUTE = 60_000;
export const HOUR = 60 * MINUTE;
export const DAY = 24 * HOUR;

const DATE = /^(\d{4}-\d{2}-\d{2}T\d{2}:\d{2})(?::(\d{2})(?:\.(\d{1,7}))?)?Z$/;

/**
 * A date of Plex with all seven digits, so that texts sort by time: JavaScript's `Date` keeps three of them. Undefined for
 * anything else.
 */
export function sortable(value: unknown): string | undefined {
  if (typeof value !== 'string') return undefined;
  const [, minute, second = '00', fraction = ''] = DATE.exec(value) ?? [];
  return minute === undefined ? undefined : `${minute}:${second}.${fraction.padEnd(7, '0')}Z`;
}

/** Epoch milliseconds as a date that Plex takes: whole seconds and `Z`. Plex answers 400 to every other form. */
export function asked(ms: number): string {
  return `${new Date(ms).toISOString().slice(0, 19)}Z`;
}

/** Epoch milliseconds of a date with `Z`, rounded down; undefined when it is none. */
export function instant(value: unknown): number | undefined {
  const text = sortable(value);
  if (text === undefined) return undefined;
  const ms = Date.parse(`${text.slice(0, 23)}Z`);
  return Number.isNaN(ms) ? undefined : ms;
}

/** The sortable date `ms` milliseconds before a sortable date. */
export function earlier(date: string, ms: number): string {
  const before = new Date((instant(date) ?? 0) - ms).toISOString();
  return `${before.slice(0, 23)}${date.slice(23)}`;
}

/** The later of two sortable dates, of which either may be missing. */
export function later(a: string | undefined, b: string | undefined): string | undefined {
  if (a === undefined || b === undefined) return a ?? b;
  return a > b ? a : b;
}
