/** Histories: rows that happened at a time, read in slices of time, with keys that the tap makes. */
import { ConnectorError } from '../../singer/errors.ts';
import type { Json } from '../../singer/lossless.ts';
import { asked, DAY, HOUR, instant, later, MINUTE, sortable } from './dates.ts';
import { isOutage } from './failures.ts';
import { type KeyRule, Keyring } from './keys.ts';
import { declarationOf, type ListDeclaration } from './lists.ts';
import type { VendorRow } from './records.ts';
import { list } from './rest.ts';
import { checkpointOf, type Planning, type PlexStream, type Reading, type StreamPage, startOf } from './stream.ts';

/** What is booked may be committed a little later than its date says. */
const SETTLING = 2 * MINUTE;
/** Read again in each run: bookings that were written late, and statuses whose duration has grown. */
export const HISTORY_LOOKBACK = DAY;
const SLICE = DAY;
/** A slice is never shorter, however often it fails. */
const SHORTEST = HOUR;
/** The last slice may be longer by this: a run every few minutes then needs one request for a lookback of a day. */
const STRETCH = 2 * HOUR;
/** Whether Plex includes the ends of a window is not documented, so slices overlap. */
const OVERLAP = 1_000;
/** Days of history in a first run. */
const FIRST_DAYS = 7;

/** A slice of time in epoch milliseconds, whole seconds. */
export interface Slice {
  readonly begin: number;
  readonly end: number;
}

/** What a run reads of a history. */
export interface Span extends Slice {
  /** True when there is more than one run may read. */
  readonly cut: boolean;
}

/** From the bookmark less the lookback to now less the time to settle, at most `max_catchup_days`; undefined for nothing. */
export function spanOf(
  given: Pick<Planning, 'settings' | 'startedAt'>,
  windowEnd: Json | undefined,
  lookback: number,
  firstDays = FIRST_DAYS,
): Span | undefined {
  const start = startOf(given.settings, given.startedAt, firstDays);
  const before = instant(windowEnd);
  const begin = Math.floor(Math.max(before === undefined ? start : before - lookback, start) / 1000) * 1000;
  const now = Math.floor((given.startedAt - SETTLING) / 1000) * 1000;
  const end = Math.min(now, begin + (given.settings.max_catchup_days as number) * DAY);
  return begin < end ? { begin, end, cut: end < now } : undefined;
}

/** Where a slice that begins at `begin` ends. */
export function sliceEnd(begin: number, last: number, length: number): number {
  return last - begin <= length + (length >= SLICE ? STRETCH : 0) ? last : begin + length;
}

/** How many slices a span takes. */
export function sliceCount(span: Slice | undefined): number {
  let slices = 0;
  for (let begin = span?.begin ?? 0; span !== undefined && begin < span.end; slices += 1) {
    begin = sliceEnd(begin, span.end, SLICE);
  }
  return slices;
}

/** Tells that a history is far behind. */
export function tellCatchUp(reading: Reading, stream: string, span: Span): void {
  if (!span.cut) return;
  const text = `${stream}: reads up to ${asked(span.end)} in this run; the next run goes on from there`;
  reading.run.log.info('catching_up', text, { stream, window_end: asked(span.end) });
}

export interface HistoryDeclaration extends Omit<ListDeclaration, 'key'> {
  readonly rule: KeyRule;
}

/** A history with `beginDate` and `endDate`, as Plex documents them. */
export function history(given: HistoryDeclaration): PlexStream {
  const { name, path, rule, mandatory } = given;
  const declaration = declarationOf({ ...given, key: ['_key'] }, rule.date);
  return {
    ...given,
    declaration,
    source: path,
    manner: `slices of a day; a lookback of 24 h by ${rule.date}`,
    checkpoint: checkpointOf(['windowEnd', rule.date]),
    async *read(reading) {
      const span = spanOf(reading, reading.bookmark(name).windowEnd, HISTORY_LOOKBACK);
      if (span === undefined) return;
      tellCatchUp(reading, name, span);
      const toRecord = reading.recordReader(declaration);
      const newest = new Newest(sortable(reading.bookmark(name)[rule.date]));
      let edge: ReadonlySet<string> = new Set();
      let length = SLICE;
      for (let { begin } = span; begin < span.end; ) {
        const end = sliceEnd(begin, span.end, length);
        const from = begin === span.begin ? begin : begin - OVERLAP;
        const query = { beginDate: asked(from), endDate: asked(end) };
        let groups: AsyncGenerator<readonly VendorRow[]>;
        try {
          groups = await list(reading.connection.rest, { stream: name, path, query });
        } catch (thrown) {
          if (!mandatory || !isOutage(thrown) || length <= SHORTEST) throw thrown;
          length = Math.max(SHORTEST, (end - begin) / 2);
          tellNarrowed(reading, name, length, thrown);
          continue;
        }
        const keys = new EdgeKeys(edge, end);
        yield page(groups, keys, end);
        edge = keys.next;
        begin = end;
      }

      function page(groups: AsyncGenerator<readonly VendorRow[]>, keys: EdgeKeys, end: number): StreamPage {
        return {
          rows: (async function* () {
            const ring = new Keyring(rule);
            for await (const rows of groups) yield group(rows.flatMap((row) => ring.add(row)));
            yield group(ring.rest());
          })(),
          get bookmarks() {
            return { [name]: { ...newest.field(rule.date), windowEnd: asked(end) } };
          },
        };

        function group(keyed: ReturnType<Keyring['rest']>) {
          const records = keyed.flatMap(({ key, date, row }) => {
            newest.see(date);
            const record = keys.isNew(key, date) ? toRecord({ _key: key, ...row }) : undefined;
            return record === undefined ? [] : [record];
          });
          return { stream: name, records };
        }
      }
    },
    plan: (planning) => ({
      calls: sliceCount(spanOf(planning, planning.bookmark(name).windowEnd, HISTORY_LOOKBACK)),
      assumed: false,
    }),
  };
}

function tellNarrowed({ run }: Reading, stream: string, length: number, thrown: unknown): void {
  const hours = length / HOUR;
  const reason = thrown instanceof ConnectorError ? thrown.message : '';
  run.log.warn('slice_narrowed', `${stream}: a slice failed (${reason}); going on with slices of ${hours} h`, {
    stream,
    hours,
  });
}

/** The newest date of a history. */
class Newest {
  #date: string | undefined;

  constructor(date: string | undefined) {
    this.#date = date;
  }

  see(date: string | undefined): void {
    this.#date = later(this.#date, date);
  }

  field(name: string): Readonly<Record<string, string>> {
    return this.#date === undefined ? {} : { [name]: this.#date };
  }
}

/** Keys at the end of a slice, which come again at the beginning of the next. */
class EdgeKeys {
  readonly #before: ReadonlySet<string>;
  readonly #from: string;
  readonly next = new Set<string>();

  constructor(before: ReadonlySet<string>, end: number) {
    this.#before = before;
    this.#from = sortable(asked(end - OVERLAP)) ?? '';
  }

  /** Whether the slice before had no such row. */
  isNew(key: string, date: string | undefined): boolean {
    if (date === undefined || date >= this.#from) this.next.add(key);
    return !this.#before.has(key);
  }
}
