/** Defects of whole rows: duplicates, orphans, ids that are none, values in the wrong columns. */
import { secondsOf, timeText } from './calendar.ts';
import type { RowDefect } from './defect.ts';
import type { CleanRow } from './rows.ts';

/** Far below any ticket of the file and of the other departments. */
const FIRST_LOST_TICKET = 1_000_001;
/** Few distinct ones, so that a file with all its orphans still keeps below the tolerated share of distinct ids. */
const LOST_TICKETS = 100;

/** By which time the newest of several rows with one key is found. */
const NEWEST_BY = { tickets: 'TKT-Modified Time', comments: 'created_time' } as const;
const TEXT_OF = { tickets: 'TKT-Title', comments: 'comment_text' } as const;

/** Moves the values of a row one column to the left; the last column stays empty. */
function shiftedLeft(row: CleanRow): CleanRow {
  const names = Object.keys(row);
  return Object.fromEntries(names.map((name, index) => [name, row[names[index + 1] ?? ''] ?? null]));
}

export const ROW_DEFECTS: readonly RowDefect[] = [
  {
    id: 'D20',
    name: 'exact_duplicate',
    phase1: 0,
    dirty: 250,
    tables: ['comments', 'timesheets'],
    injure: (row) => ({ twin: row, goes: 'twin', reason: 'exact_duplicate' }),
  },
  {
    id: 'D21',
    name: 'duplicate_key',
    phase1: 0,
    dirty: 60,
    tables: ['comments', 'tickets'],
    injure: (row, { table, stream }) => {
      if (table === 'timesheets') throw new Error('timesheets have no key');
      const column = NEWEST_BY[table];
      const isNewer = stream.chance(0.5);
      const time = timeText((secondsOf(String(row[column])) ?? 0) + (isNewer ? 30 : -30));
      const twin = { ...row, [TEXT_OF[table]]: `${row[TEXT_OF[table]] ?? ''} (changed)`, [column]: time };
      return { twin, goes: isNewer ? 'row' : 'twin', reason: 'duplicate_key' };
    },
  },
  {
    id: 'D22',
    name: 'orphan_comment',
    phase1: 0,
    dirty: 500,
    tables: ['comments'],
    injure: (_row, { nth }) => ({
      values: { ticket_id: String(FIRST_LOST_TICKET + (nth % LOST_TICKETS)) },
      column: 'ticket_id',
    }),
  },
  {
    id: 'D23',
    name: 'null_key',
    phase1: 0,
    dirty: 30,
    tables: ['comments'],
    injure: () => ({ values: { comment_id: null }, column: 'comment_id', goes: 'row', reason: 'null_key' }),
  },
  {
    id: 'D24',
    name: 'bad_key',
    phase1: 0,
    dirty: 30,
    tables: ['comments'],
    injure: (_row, { nth }) => ({
      values: { comment_id: `C-${nth + 1}x` },
      column: 'comment_id',
      goes: 'row',
      reason: 'bad_key',
    }),
  },
  {
    id: 'D35',
    name: 'shifted_row',
    phase1: 0,
    dirty: 10,
    tables: ['comments'],
    // Only text in the place of the ticket's id shows that the row has moved.
    suits: ({ comment_text }) => comment_text !== null,
    injure: (row) => ({ values: shiftedLeft(row), goes: 'row', reason: 'shifted_row' }),
  },
];
