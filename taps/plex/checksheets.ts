/** Checksheets: by date from a data source, or number by number from REST, which has no list of them. */
import { HttpFailure } from '../../http/judge.ts';
import schema from '../../schemas/plex/checksheets.json' with { type: 'json' };
import type { RowGroup } from '../../singer/stream.ts';
import { renamed } from './data-source.ts';
import { asked, DAY, later, MINUTE, sortable } from './dates.ts';
import { kindOf } from './failures.ts';
import { declarationOf } from './lists.ts';
import type { VendorRow } from './records.ts';
import { record } from './rest.ts';
import { DataSource } from './sources.ts';
import { checkpointOf, type PlexStream, type Reading, recordsOf, type StreamPage } from './stream.ts';
import { HISTORY_LOOKBACK, type Slice, sliceCount, sliceEnd, spanOf, tellCatchUp } from './windows.ts';

const NAME = 'checksheets';
const PATH = '/quality/v1/checksheets';
/** Days of history in a first run without `start_date`. */
const FIRST_DAYS = 30;
/** A window is never asked for in smaller parts. */
const SHORTEST = MINUTE;
/** So many numbers in a row without a checksheet are the end of them. */
const GAP = 20;
/** Numbers below the last one that are read again: checksheets are corrected and approved later. */
const NUMBERS_AGAIN = 50;

const ROWS_PER_GROUP = 100;

const DECLARATION = declarationOf({ name: NAME, schema, key: ['checksheetNumber'] }, 'inspectionDate');

export const checksheets: PlexStream = {
  declaration: DECLARATION,
  group: 'quality',
  source: 'data source 4142',
  product: 'Data Source API',
  manner: 'slices of a day; a lookback of 24 h by inspectionDate',
  mandatory: false,
  checkpoint: checkpointOf(['windowEnd', 'inspectionDate'], ['number', 'asked']),
  read: (reading) => (reading.settings.quality_source === 'rest' ? byNumber(reading) : byDate(reading)),
  plan(planning) {
    const before = planning.bookmark(NAME);
    if (planning.settings.quality_source === 'rest') {
      const first = typeof before.number !== 'number';
      const calls = first ? planning.assumption('checksheets') : NUMBERS_AGAIN;
      return { calls: calls + GAP, assumed: true };
    }
    const span = spanOf(planning, before.windowEnd, HISTORY_LOOKBACK, FIRST_DAYS);
    // One more for the description of the data source.
    return { calls: span === undefined ? 0 : 1 + sliceCount(span), assumed: false };
  },
};

async function* byDate(reading: Reading): AsyncGenerator<StreamPage> {
  const before = reading.bookmark(NAME);
  const span = spanOf(reading, before.windowEnd, HISTORY_LOOKBACK, FIRST_DAYS);
  if (span === undefined) return;
  tellCatchUp(reading, NAME, span);
  const source = await DataSource.open(reading, NAME, 'checksheets');
  const toRecord = reading.recordReader(DECLARATION);
  let newest = sortable(before.inspectionDate);
  for (let { begin } = span; begin < span.end; ) {
    // Without inputs for a window the answer is the same for all of them.
    const end = source.hasWindow ? sliceEnd(begin, span.end, DAY) : span.end;
    yield {
      rows: groupsOf(await wholeWindow(source, { begin, end })),
      get bookmarks() {
        return { [NAME]: { ...(newest !== undefined && { inspectionDate: newest }), windowEnd: asked(end) } };
      },
    };
    begin = end;
  }

  /** Records are made a few at a time, so that a window is not held twice. */
  function* groupsOf(rows: readonly VendorRow[]): Generator<RowGroup> {
    for (let at = 0; at < rows.length; at += ROWS_PER_GROUP) {
      const records = recordsOf(rows.slice(at, at + ROWS_PER_GROUP).map(renamed), toRecord);
      for (const { inspectionDate } of records) newest = later(newest, sortable(inspectionDate));
      yield { stream: NAME, records };
    }
  }
}

/** The rows of a window: an answer that was cut at the row limit is never taken for complete, but asked for in halves. */
async function wholeWindow(source: DataSource, window: Slice): Promise<readonly VendorRow[]> {
  const { rows, cut } = await source.run(window);
  if (!cut) return rows;
  const { begin, end } = window;
  const middle = Math.floor((begin + end) / 2000) * 1000;
  if (!source.hasWindow || end - begin <= SHORTEST) throw source.tooLong(window);
  // The halves share their border, since nobody knows whether a window includes its ends; equal rows have equal keys.
  const halves = [await wholeWindow(source, { begin, end: middle }), await wholeWindow(source, { begin: middle, end })];
  return halves.flat();
}

/** REST calls these fields otherwise than the data source. */
const REST_NAMES: Readonly<Record<string, string>> = {
  inspectionDateTime: 'inspectionDate',
  outOfSpecification: 'outOfSpec',
  partNumber: 'partNo',
  partRevision: 'revision',
};

function fromRest(row: VendorRow): VendorRow {
  return Object.fromEntries(Object.entries(row).map(([name, value]) => [REST_NAMES[name] ?? name, value]));
}

async function* byNumber(reading: Reading): AsyncGenerator<StreamPage> {
  const last = reading.bookmark(NAME).number;
  const toRecord = reading.recordReader(DECLARATION);
  let number = typeof last === 'number' ? Math.max(1, last - NUMBERS_AGAIN + 1) : 1;
  let highest = typeof last === 'number' ? last : 0;
  for (let absent = 0; absent < GAP; ) {
    const rows: RowGroup[] = [];
    for (let at = 0; at < NUMBERS_AGAIN && absent < GAP; at += 1, number += 1) {
      const row = await checksheet(reading, number);
      // Gaps among the known numbers say nothing of the end.
      if (row === undefined) absent += number > highest ? 1 : 0;
      else {
        absent = 0;
        highest = Math.max(highest, number);
        rows.push({ stream: NAME, records: recordsOf([fromRest(row)], toRecord) });
      }
    }
    yield { rows, bookmarks: { [NAME]: { number: highest } } };
  }
}

async function checksheet(reading: Reading, number: number): Promise<VendorRow | undefined> {
  const parent = String(number);
  try {
    return await record(reading.connection.rest, { stream: NAME, path: `${PATH}/${number}`, parent });
  } catch (thrown) {
    if (thrown instanceof HttpFailure && kindOf(thrown) === 'absent') return undefined;
    throw thrown;
  }
}
