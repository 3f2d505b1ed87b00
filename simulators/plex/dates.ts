/** Dates as Plex writes and takes them: UTC, `Z`, up to seven digits of a second. */
import { hash } from '../draw.ts';

export const HOUR = 3_600_000;
export const DAY = 24 * HOUR;

/** A moment with the text that stands for it. */
export interface Moment {
  /** Epoch milliseconds; a text of seven digits says up to a millisecond more. */
  readonly ms: number;
  readonly text: string;
}

/** Epoch milliseconds as a date without a fraction. */
export function secondsText(ms: number): string {
  return `${new Date(ms).toISOString().slice(0, 19)}Z`;
}

/** A moment written with 0, 3 or 7 digits of a second, as `draw` decides; with 0 digits it begins its second. */
export function momentOf(ms: number, draw: number): Moment {
  const digits = draw % 3;
  if (digits === 0) {
    const second = Math.floor(ms / 1_000) * 1_000;
    return { ms: second, text: secondsText(second) };
  }
  const text = new Date(ms).toISOString();
  if (digits === 1) return { ms, text };
  const ticks = String(Math.floor(draw / 3) % 10_000).padStart(4, '0');
  return { ms, text: `${text.slice(0, 23)}${ticks}Z` };
}

/** The text of a moment, drawn for a purpose and an index. */
export function dateOf(seed: number, purpose: string, index: number, ms: number): string {
  return momentOf(Math.floor(ms), hash(seed, 'digits', purpose, index)).text;
}

/** A date with all seven digits: as texts, such dates sort by time. */
export function sortable(text: string): string {
  return `${text.slice(0, 19)}.${text.slice(20, -1).padEnd(7, '0')}Z`;
}

const DATE = /^(\d{4}-\d{2}-\d{2}T\d{2}:\d{2})(?::(\d{2})(?:\.(\d{1,7}))?)?Z$/;

/**
 * Reads a date that a client sent. Plex documents `YYYY-MM-DDThh:mm[:ss[.fffffff]]Z` and nothing else.
 * Returns it with all seven digits, or undefined when it is not one.
 */
export function readDate(text: string): string | undefined {
  const [, minute, second = '00', fraction = ''] = DATE.exec(text) ?? [];
  if (minute === undefined) return undefined;
  const seconds = `${minute}:${second}`;
  const read = new Date(`${seconds}Z`);
  // JavaScript takes 30 February for 2 March.
  if (Number.isNaN(read.getTime()) || !read.toISOString().startsWith(seconds)) return undefined;
  return `${seconds}.${fraction.padEnd(7, '0')}Z`;
}

/** Epoch milliseconds of a date with seven digits, rounded down. */
export function msOf(sortableDate: string): number {
  return Date.parse(`${sortableDate.slice(0, 23)}Z`);
}

/** Epoch milliseconds as a date with all seven digits, that of the end of the millisecond when `last`. */
export function sortableOf(ms: number, last = false): string {
  return `${new Date(Math.floor(ms)).toISOString().slice(0, 23)}${last ? '9999' : '0000'}Z`;
}
