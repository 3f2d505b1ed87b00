/** The rows of the team's roster and of the books that the spreadsheet import kept. */
import { DAY, dayText, type Period, timeText } from './calendar.ts';
import { agentLogin, agentName, ROSTER_SIZE } from './population.ts';
import type { CleanRow } from './rows.ts';
import type { BigTable } from './schema.ts';

export function rosterRows(): readonly CleanRow[] {
  return Array.from({ length: ROSTER_SIZE }, (_, index) => {
    const login = agentLogin(index + 1);
    return { Name: agentName(index + 1), Email: `${login}@example.test`, username: login };
  });
}

const IMPORTS = 16;
const SOURCES = ['comments', 'tickets', 'timesheets'] as const;

/** The last import of each table brought the rows that are in the file; earlier ones brought fewer. */
export function importRows(rows: Readonly<Record<BigTable, number>>, period: Period): readonly CleanRow[] {
  const isoDay = (seconds: number) => `${dayText(seconds)}T00:00:00`;
  return Array.from({ length: IMPORTS }, (_, index) => {
    // Counted from the end, so that the three newest are comments, tickets, timesheets.
    const back = IMPORTS - 1 - index;
    const source = SOURCES[2 - (back % SOURCES.length)] ?? 'tickets';
    const round = Math.floor(back / SOURCES.length);
    return {
      import_id: index + 1,
      source_type: source,
      import_timestamp: timeText(period.asOf - round * 7 * DAY + 18 * 3600 + 131 - 60 * (back % SOURCES.length)),
      file_name: `${source}.xlsx`,
      records_imported: Math.round(rows[source] * (1 - 0.15 * round)),
      date_range_start: round === 0 ? isoDay(period.firstTimesheet) : null,
      date_range_end: round === 0 ? isoDay(source === 'timesheets' ? period.future : period.asOf) : null,
      filter_applied: 'since cut-off',
      notes: null,
    };
  });
}
