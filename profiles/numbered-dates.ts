/** Dates that a column of dates may hold as bare numbers: SQLite turns such texts into numbers in a TIMESTAMP column. */
import { daysBefore, isDay, type Moment, momentAt } from './calendar.ts';

export type NumberedDateClass = 'compact_date' | 'excel_serial' | 'epoch_s' | 'epoch_ms';

/** Day 0 of a spreadsheet, counted so that its days after February 1900 are right. */
const EXCEL_DAY_ZERO = daysBefore(1899, 12, 30);
/** 1954 to 2119: no other number that a date column may hold lies here. */
const EXCEL_DAYS = [20_000, 80_000] as const;
/** 2000-01-01 and 2100-01-01. */
const EPOCH_SECONDS = [946_684_800, 4_102_444_800] as const;
const COMPACT = [19_000_101, 21_001_231] as const;

/** How a number in a column of dates is read; `undefined` when it is no date, `impossible_date` when its day does not exist. */
export function numberedDateClass(value: number): NumberedDateClass | 'impossible_date' | undefined {
  if (within(value, EXCEL_DAYS)) return 'excel_serial';
  if (!Number.isInteger(value)) return undefined;
  if (within(value, COMPACT)) {
    const { year, month, day } = compactParts(value);
    return isDay(year, month, day) ? 'compact_date' : 'impossible_date';
  }
  if (within(value, EPOCH_SECONDS)) return 'epoch_s';
  return within(value / 1000, EPOCH_SECONDS) ? 'epoch_ms' : undefined;
}

/** The moment that such a number means. Epochs count in UTC; the other two show a clock on a wall. */
export function numberedMoment(value: number, read: NumberedDateClass): Moment {
  switch (read) {
    case 'compact_date':
      return { ...compactParts(value), hour: 0, minute: 0, second: 0, fraction: '' };
    case 'excel_serial':
      // A double holds a day of this century to less than a microsecond; spreadsheets show milliseconds at best.
      return atMilliseconds(Math.round((value + EXCEL_DAY_ZERO) * 86_400_000));
    case 'epoch_s':
      return momentAt(value);
    case 'epoch_ms':
      return atMilliseconds(value);
  }
}

function atMilliseconds(milliseconds: number): Moment {
  const seconds = Math.floor(milliseconds / 1000);
  const rest = milliseconds - seconds * 1000;
  return momentAt(seconds, rest === 0 ? '' : String(rest).padStart(3, '0'));
}

function compactParts(value: number): Pick<Moment, 'year' | 'month' | 'day'> {
  return { year: Math.floor(value / 10_000), month: Math.floor(value / 100) % 100, day: value % 100 };
}

function within(value: number, range: readonly [number, number]): boolean {
  return value >= range[0] && value <= range[1];
}
