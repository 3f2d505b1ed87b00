/** A stored value of any accepted form to a timestamp. */
import { type Moment, momentAt, secondsOf, written } from './calendar.ts';
import { classifyAsDate, type Reason, refusal } from './classes.ts';
import { type SqliteValue, trimmed, type ValueClass } from './grammar.ts';
import { type IsoDate, readIsoDate } from './iso-dates.ts';
import type { Note } from './notes.ts';
import { type NumberedDateClass, numberedMoment } from './numbered-dates.ts';
import {
  inOrder,
  isSymmetric,
  readSlashDate,
  type SlashDate,
  type SlashHints,
  type SlashVote,
  settledBy,
} from './slash-dates.ts';
import type { TimeZone } from './time-zone.ts';

/** How the timestamps of one column are read. */
export interface TimestampRules {
  readonly slash: SlashVote;
  /** True: the clock on a wall of a place that nobody has named. False: instants, written in UTC. */
  readonly naive: boolean;
  /** Where the clock hangs, for values without an offset in a column that is not naive. */
  readonly zone: TimeZone | undefined;
}

interface Read {
  readonly moment: Moment;
  /** Minutes ahead of UTC, when the value says so. */
  readonly offset: number | undefined;
  /** Counted from an instant: its clock is UTC without anybody saying so. */
  readonly epoch?: true;
  readonly notes: readonly Note[];
}

/**
 * `YYYY-MM-DDTHH:MM:SSZ`, with the fraction but for zeros at its end; of a naive column the Z means nothing.
 * `found` is the class of the value, which is one that says something (see classes.ts).
 */
export function toTimestamp(
  value: SqliteValue,
  found: ValueClass,
  rules: TimestampRules,
  hints: SlashHints,
): { readonly value: string | null; readonly notes: readonly Note[] } | { readonly reason: Reason } {
  const dated = classifyAsDate(value, found);
  if (dated === 'zero_date') return { value: null, notes: ['zero_date'] };
  const read = readAs(value, dated, rules.slash, hints);
  if (typeof read === 'string') return { reason: read };
  const notes: Note[] = [...read.notes];
  if (read.moment.hour === 24) notes.push('hour_24');
  const moment = placed(read, rules, notes);
  if (typeof moment === 'string') return { reason: moment };
  const text = `${written(moment, 'T')}Z`;
  // An offset or an hour 24 at either end of the calendar leaves it.
  return /^\d{4}-/.test(text) && !text.startsWith('0000') ? { value: text, notes } : { reason: 'out_of_range' };
}

function readAs(value: SqliteValue, found: ValueClass, slash: SlashVote, hints: SlashHints): Read | Reason {
  switch (found) {
    case 'compact_date':
    case 'excel_serial':
    case 'epoch_s':
    case 'epoch_ms':
      return numbered(value, found);
    case 'iso_date':
    case 'iso_ts':
    case 'iso_ts_tz':
    case 'slash_ymd': {
      const text = trimmed(String(value));
      const iso = readIsoDate(text);
      if (iso === undefined || typeof iso === 'string') return refusal('timestamp', 'impossible_date');
      return { moment: iso.moment, offset: iso.offset, notes: formNotes(iso, text) };
    }
    case 'slash_dmy_certain':
    case 'slash_mdy_certain':
    case 'slash_ambiguous': {
      const date = readSlashDate(trimmed(String(value)));
      if (date === undefined || typeof date === 'string') return refusal('timestamp', 'impossible_date');
      return ordered(date, slash, hints);
    }
    default:
      return refusal('timestamp', found);
  }
}

/** What differs from the form that timestamps are kept in. An offset and an hour 24 get notes of their own. */
function formNotes({ moment, offset, slashes }: IsoDate, text: string): readonly Note[] {
  if (slashes) return ['slash_date'];
  return offset !== undefined || moment.hour === 24 || text === written(moment) ? [] : ['iso_form'];
}

/** A number as a date. An epoch is an instant; in a naive column its UTC reading is all there is. */
function numbered(value: SqliteValue, found: NumberedDateClass): Read {
  const number = typeof value === 'string' ? Number(trimmed(value)) : Number(value);
  const moment = numberedMoment(number, found);
  if (found !== 'epoch_s' && found !== 'epoch_ms') return { moment, offset: undefined, notes: [found] };
  return { moment, offset: 0, epoch: true, notes: [found] };
}

function ordered(date: SlashDate, slash: SlashVote, hints: SlashHints): Read | Reason {
  const read = (order: 'DMY' | 'MDY', ...notes: Note[]): Read => ({
    moment: inOrder(date, order),
    offset: undefined,
    notes: ['slash_date', ...notes],
  });
  if (date.evidence !== 'ambiguous') return read(date.evidence);
  if (isSymmetric(date)) return read('DMY');
  if (slash.order !== 'conflict') {
    return slash.basis === 'assumed' ? read(slash.order, 'assumed_order') : read(slash.order);
  }
  const settled = settledBy(hints, date);
  return settled === undefined ? 'slash_conflict' : read(settled, 'settled_order');
}

/** The moment on the clock that the column is kept in: its own when naive, UTC when not. */
function placed({ moment, offset, epoch }: Read, rules: TimestampRules, notes: Note[]): Moment | Reason {
  if (rules.naive) {
    if (offset !== undefined && !epoch) notes.push('offset_stripped');
    return moment;
  }
  if (offset !== undefined) {
    if (offset !== 0) notes.push('offset_applied');
    return offset === 0 ? moment : momentAt(secondsOf(moment) - offset * 60, moment.fraction);
  }
  if (rules.zone === undefined) return 'unparseable_date';
  const utc = rules.zone.utcOf(moment);
  if (utc === 'never') return 'impossible_date';
  notes.push('zone_applied', ...(utc.twice ? (['shown_twice'] as const) : []));
  return utc.moment;
}
