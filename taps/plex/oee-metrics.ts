/** OEE by workcenter and UTC day. The report has no date column: the window that was asked for is the only time. */
import schema from '../../schemas/plex/oee_metrics.json' with { type: 'json' };
import { asked, DAY, instant } from './dates.ts';
import { declarationOf } from './lists.ts';
import { oeeOf, type TimeUnit } from './oee.ts';
import type { VendorRow } from './records.ts';
import { wholeList } from './rest.ts';
import { DataSource } from './sources.ts';
import { checkpointOf, type Planning, type PlexStream, type Reading, recordsOf, startOf } from './stream.ts';
import type { Slice } from './windows.ts';

const NAME = 'oee_metrics';
const WORKCENTERS = '/production/v1/production-definitions/workcenters';
/** Days that are read again: production is corrected late. */
const LOOKBACK_DAYS = 7;
const FIRST_DAYS = 7;
/** Names of the window's inputs, as the data source has them. */
const WINDOW = { Start_Date: '{begin}', End_Date: '{end}' };

const DECLARATION = declarationOf(
  { name: NAME, schema, key: ['workcenterCode', 'windowStart', 'windowEnd'] },
  'windowStart',
);

/** The UTC days of a run, the running one last. */
function daysOf({
  settings,
  startedAt,
  bookmark,
}: Pick<Planning, 'settings' | 'startedAt' | 'bookmark'>): readonly Slice[] {
  const before = instant(bookmark(NAME).windowStart);
  const start = Math.floor(startOf(settings, startedAt, FIRST_DAYS) / DAY);
  const from = before === undefined ? start : Math.max(start, before / DAY - LOOKBACK_DAYS);
  const today = Math.floor(startedAt / DAY);
  const last = Math.min(today, from + (settings.max_catchup_days as number));
  const days: Slice[] = [];
  for (let day = from; day <= last; day += 1) days.push({ begin: day * DAY, end: (day + 1) * DAY });
  return days;
}

export const oeeMetrics: PlexStream = {
  declaration: DECLARATION,
  group: 'performance',
  source: 'data source 18765',
  product: 'Data Source API',
  manner: 'one request per UTC day; the last 7 days again',
  mandatory: false,
  checkpoint: checkpointOf(['windowStart']),
  async *read(reading) {
    const days = daysOf({ ...planningOf(reading), settings: reading.settings });
    if (days.length === 0) return;
    const source = await DataSource.open(reading, NAME, 'daily');
    const toRecord = reading.recordReader(DECLARATION);
    for (const day of days) {
      const rows = await rowsOfDay(reading, source, day);
      const metrics = metricsOf(rows, day, reading.settings.oee_time_unit as TimeUnit);
      for (const row of metrics) tellOutOfRange(reading, row);
      const records = recordsOf(metrics, toRecord);
      yield {
        rows: [{ stream: NAME, records }],
        bookmarks: { [NAME]: { windowStart: asked(day.begin) } },
      };
    }
  },
  plan: (planning) => ({ calls: 1 + daysOf(planning).length, assumed: false }),
};

function planningOf(reading: Reading): Pick<Planning, 'startedAt' | 'bookmark'> {
  return { startedAt: reading.startedAt, bookmark: (stream) => reading.bookmark(stream) };
}

/** The rows of a day; where the answer was cut, workcenter by workcenter. */
async function rowsOfDay(reading: Reading, source: DataSource, day: Slice): Promise<readonly VendorRow[]> {
  const window = source.hasWindow ? {} : windowOf(day);
  const { rows, cut } = await source.run(day, window);
  if (!cut) return rows;
  const workcenters = await wholeList(reading.connection.rest, { stream: NAME, path: WORKCENTERS });
  const all: VendorRow[] = [];
  for (const { workcenterCode } of workcenters) {
    if (typeof workcenterCode !== 'string') continue;
    const own = await source.run(day, { ...window, Workcenter_Code: workcenterCode });
    if (own.cut) throw source.tooLong(day);
    all.push(...own.rows);
  }
  return all;
}

function windowOf({ begin, end }: Slice): Readonly<Record<string, string>> {
  const place = (text: string) => asked(text === '{begin}' ? begin : end);
  return Object.fromEntries(Object.entries(WINDOW).map(([name, text]) => [name, place(text)]));
}

/** One row per workcenter, stamped with the begin of its window, so that a second reading overwrites the first. */
function metricsOf(rows: readonly VendorRow[], { begin, end }: Slice, unit: TimeUnit): readonly VendorRow[] {
  const byCode = new Map<string, VendorRow[]>();
  for (const row of rows) {
    const code = row.Workcenter_Code;
    if (typeof code === 'string') byCode.set(code, [...(byCode.get(code) ?? []), row]);
  }
  return [...byCode].map(([workcenterCode, own]) => ({
    workcenterCode,
    windowStart: asked(begin),
    windowEnd: asked(end),
    workcenterKey: own[0]?.Workcenter_Key ?? null,
    ...oeeOf(own, unit),
  }));
}

function tellOutOfRange({ run }: Reading, { workcenterCode, windowStart, outOfRange }: VendorRow): void {
  if (outOfRange !== true) return;
  const text = `${String(workcenterCode)} on ${String(windowStart)}: availability or quality is outside 0 to 1; check oee_time_unit`;
  run.log.warn('oee_out_of_range', text, { stream: NAME });
}
