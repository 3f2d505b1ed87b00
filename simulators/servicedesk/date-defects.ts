/** Defects of dates: spellings, impossible days, gaps, times that cannot be. Each is in the cells of one to eight columns. */
import { DAY, secondsOf, timeText } from './calendar.ts';
import { type CellDefect, changed, kept, type Place, rejected } from './defect.ts';
import type { Clean } from './rows.ts';

const RESPONSE: Place = { table: 'tickets', column: 'TKT-Actual Response Date' };
const RESOLUTION: Place = { table: 'tickets', column: 'TKT-Actual Resolution Date' };
const CLOSURE: Place = { table: 'tickets', column: 'TKT-Closure Date' };
const SLA_CLOSURE: Place = { table: 'tickets', column: 'TKT-SLA Closure Date' };
const CREATED: Place = { table: 'tickets', column: 'TKT-Created Time' };
const MODIFIED: Place = { table: 'tickets', column: 'TKT-Modified Time' };
const [PLANNED_START, PLANNED_END, ACTUAL_START, ACTUAL_END]: readonly [Place, Place, Place, Place] = [
  { table: 'tickets', column: 'Chg-Planned Start Date' },
  { table: 'tickets', column: 'Chg-Planned End Date' },
  { table: 'tickets', column: 'Chg-Actual Start Date' },
  { table: 'tickets', column: 'Chg-Actual End Date' },
];
const COMMENTED: Place = { table: 'comments', column: 'created_time' };
/** Admin time is left alone: two such entries moved to one day could become the same. */
const WORKED: Place = { table: 'timesheets', column: 'TS-Date', beside: 'TS-Crm ID' };

/** Date columns of tickets that are NULL in some rows. The other two, creation and last change, are always filled. */
export const DATES_WITH_GAPS: readonly Place[] = [
  RESPONSE,
  RESOLUTION,
  CLOSURE,
  SLA_CLOSURE,
  PLANNED_START,
  PLANNED_END,
  ACTUAL_START,
  ACTUAL_END,
];

interface Parts {
  readonly year: string;
  readonly month: number;
  readonly day: number;
  readonly hour: number;
  readonly minute: string;
  readonly clock: string;
}

/** The parts of a clean time. */
function partsOf(clean: Clean): Parts {
  const text = String(clean);
  return {
    year: text.slice(0, 4),
    month: Number(text.slice(5, 7)),
    day: Number(text.slice(8, 10)),
    hour: Number(text.slice(11, 13)),
    minute: text.slice(14, 16),
    clock: text.slice(11),
  };
}

const two = (value: number) => String(value).padStart(2, '0');
const midnightOf = (clean: Clean) => `${String(clean).slice(0, 10)} 00:00:00`;

/** As the spreadsheet writes it: `20/05/2025`, `2/07/2025`. */
const slashDay = ({ day, month, year }: Parts) => `${day}/${two(month)}/${year}`;

const isCertain = (clean: Clean) => partsOf(clean).day > 12;
const isAmbiguous = (clean: Clean) => partsOf(clean).day <= 12 && partsOf(clean).day !== partsOf(clean).month;
const isTicketWork = (_clean: Clean, beside: Clean) => beside !== 0;

function slashTime(clean: Clean): string {
  const parts = partsOf(clean);
  return `${slashDay(parts)} ${parts.hour}:${parts.minute}`;
}

/** One of the texts in turn, so that each occurs about equally often. */
const turn = (texts: readonly string[], nth: number) => texts[nth % texts.length] ?? '';

export const DATE_DEFECTS: readonly CellDefect[] = [
  {
    id: 'D01',
    name: 'slash_dmy_certain',
    phase1: 7,
    dirty: 400,
    places: [RESPONSE],
    strikes: 'filled',
    suits: isCertain,
    injure: (clean) => changed('slash_date', slashTime(clean), clean),
  },
  {
    id: 'D02',
    name: 'slash_ambiguous',
    phase1: 2,
    dirty: 120,
    places: [RESPONSE],
    strikes: 'filled',
    suits: isAmbiguous,
    injure: (clean) => changed('slash_date', slashTime(clean), clean),
  },
  {
    id: 'D03',
    name: 'slash_seconds',
    phase1: 0,
    dirty: 60,
    places: [CLOSURE],
    strikes: 'filled',
    injure: (clean, { stream }) => {
      const seconds = two(1 + stream.whole(59));
      return changed('slash_date', `${slashTime(clean)}:${seconds}`, `${String(clean).slice(0, 17)}${seconds}`);
    },
  },
  {
    id: 'D04',
    name: 'slash_am_pm',
    phase1: 0,
    dirty: 60,
    places: [CLOSURE],
    strikes: 'filled',
    // The first two are the hours that a twelve-hour clock is misread at: 12 AM and 12 PM.
    suits: (clean, _beside, nth) => nth > 1 || partsOf(clean).hour === 12 * nth,
    injure: (clean) => {
      const parts = partsOf(clean);
      const half = parts.hour < 12 ? 'AM' : 'PM';
      return changed('slash_date', `${slashDay(parts)} ${parts.hour % 12 || 12}:${parts.minute} ${half}`, clean);
    },
  },
  {
    id: 'D05',
    name: 'slash_date_only',
    phase1: 0,
    dirty: 20,
    places: [PLANNED_START],
    strikes: 'filled',
    injure: (clean) => changed('slash_date', slashDay(partsOf(clean)), midnightOf(clean)),
  },
  {
    id: 'D06',
    name: 'impossible_date',
    phase1: 0,
    dirty: 40,
    places: [RESOLUTION],
    strikes: 'filled',
    injure: (clean, { nth }) => {
      const texts = [
        '31/02/2025 10:00',
        '29/02/2025 9:15',
        '2025-02-31 10:00:00',
        `${String(clean).slice(0, 10)} 25:99:00`,
      ];
      return rejected('impossible_date', turn(texts, nth));
    },
  },
  {
    id: 'D07',
    name: 'slash_mdy_certain',
    phase1: 0,
    dirty: 20,
    places: [SLA_CLOSURE],
    strikes: 'filled',
    suits: isCertain,
    injure: (clean, { nth }) => {
      const { month, day, year, clock } = partsOf(clean);
      const date = `${two(month)}/${two(day)}/${year}`;
      return nth % 2 === 0
        ? changed('us_date', date, midnightOf(clean))
        : changed('us_date', `${date} ${clock.slice(0, 5)}`, clean);
    },
  },
  {
    id: 'D08',
    name: 'zero_date',
    phase1: 0,
    dirty: 20,
    places: [PLANNED_END],
    strikes: 'filled',
    injure: (_clean, { nth }) => changed('zero_date', turn(['0000-00-00 00:00:00', '0000-00-00'], nth), null),
  },
  {
    id: 'D09',
    name: 'excel_serial',
    phase1: 0,
    dirty: 15,
    places: [MODIFIED],
    strikes: 'filled',
    // A serial number without a fraction would be stored as an integer.
    suits: (clean) => partsOf(clean).clock !== '00:00:00',
    // Day 25569 of the spreadsheet is 1970-01-01.
    injure: (clean) => changed('excel_serial', (secondsOf(String(clean)) ?? 0) / DAY + 25_569, clean),
  },
  {
    id: 'D10',
    name: 'compact_date',
    phase1: 0,
    dirty: 15,
    places: [CREATED],
    strikes: 'filled',
    injure: (clean) =>
      changed('compact_date', Number(String(clean).slice(0, 10).replaceAll('-', '')), midnightOf(clean)),
  },
  {
    id: 'D12',
    name: 'empty_date',
    phase1: 15,
    dirty: 3000,
    places: DATES_WITH_GAPS,
    strikes: 'empty',
    injure: () => changed('empty', '', null),
  },
  {
    id: 'D14',
    name: 'blank_date',
    phase1: 0,
    dirty: 50,
    places: DATES_WITH_GAPS,
    strikes: 'empty',
    injure: (_clean, { nth }) => changed('whitespace', turn([' ', '   ', '\t'], nth), null),
  },
  {
    id: 'D15',
    name: 'padded_date',
    phase1: 0,
    dirty: 50,
    places: [CREATED, MODIFIED, ...DATES_WITH_GAPS],
    strikes: 'filled',
    injure: (clean, { nth }) => changed('trim', turn([` ${clean}`, `${clean} `, `  ${clean}  `], nth), clean),
  },
  {
    id: 'D16',
    name: 'iso_offset',
    phase1: 0,
    dirty: 100,
    places: [COMMENTED],
    strikes: 'filled',
    injure: (clean, { nth }) => {
      const iso = String(clean).replace(' ', 'T');
      return changed('iso_offset', turn([iso, `${iso}Z`, `${iso}+10:00`], nth), clean);
    },
  },
  {
    id: 'D17',
    name: 'future_date',
    phase1: 5,
    dirty: 150,
    places: [WORKED],
    strikes: 'filled',
    suits: isTicketWork,
    injure: (_clean, { period }) => kept(timeText(period.future)),
  },
  {
    id: 'D18',
    name: 'past_date',
    phase1: 0,
    dirty: 20,
    places: [WORKED],
    strikes: 'filled',
    suits: isTicketWork,
    injure: (_clean, { stream }) => kept(timeText((secondsOf('2019-01-01') ?? 0) + stream.whole(365) * DAY)),
  },
  {
    id: 'D19',
    name: 'special_word',
    phase1: 0,
    dirty: 4,
    places: [CLOSURE],
    strikes: 'filled',
    injure: (_clean, { nth }) => rejected('special_word', turn(['now', 'infinity', 'today', '-infinity'], nth)),
  },
  {
    id: 'D33',
    name: 'temporal_inversion',
    phase1: 0,
    dirty: 60,
    places: [{ ...RESOLUTION, beside: 'TKT-Created Time' }],
    strikes: 'filled',
    injure: (_clean, { beside, stream }) =>
      kept(timeText((secondsOf(String(beside)) ?? 0) - (1 + stream.whole(5)) * DAY)),
  },
];
