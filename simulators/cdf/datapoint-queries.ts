/** Reading datapoints: raw ones, or how many there are per span of time. */
import type { Stored } from './collection.ts';
import { header, identitiesOf, seriesOf, sortedPoints } from './datapoints.ts';
import { flag, itemsOf } from './identities.ts';
import { cut, pageOf } from './paging.ts';
import type { Context, PointValue } from './project.ts';
import { invalid } from './refusal.ts';
import { ok, type Reply } from './resource.ts';
import type { Fields } from './shapes.ts';

const MOST_QUERIES = 100;
const MOST_RAW = 100_000;
const MOST_AGGREGATES = 10_000;
const DEFAULT_POINTS = 100;

const UNITS: Readonly<Record<string, number>> = {
  s: 1_000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
  w: 604_800_000,
};

/** Reads an instant: milliseconds, `now`, or `2d-ago`. */
export function instantOf(now: number, value: unknown): number {
  if (typeof value === 'number' && Number.isFinite(value)) return value;
  if (value === 'now') return now;
  const [, count, unit = ''] = /^(\d+)([smhdw])-ago$/.exec(String(value)) ?? [];
  const span = UNITS[unit];
  if (span === undefined) throw invalid(`"${String(value)}" is not a time in milliseconds, now, or like 2d-ago`);
  return now - Number(count) * span;
}

function spanOf(granularity: unknown): number {
  const [, count = '1', unit = ''] = /^(\d*)([smhd])$/.exec(String(granularity)) ?? [];
  const span = UNITS[unit];
  if (span === undefined) throw invalid('granularity: must be like 1h');
  return Number(count || 1) * span;
}

/** Parameters that count for all items, and that an item may set for itself. */
const SHARED = ['start', 'end', 'limit', 'aggregates', 'granularity', 'includeOutsidePoints', 'timeZone'] as const;

type Points = readonly (readonly [number, PointValue])[];

interface Shown {
  readonly timestamp: number;
  readonly value?: PointValue;
  readonly count?: number;
}

function counted(points: Points, span: number): readonly Shown[] {
  const counts = new Map<number, number>();
  for (const [at] of points) {
    const begin = Math.floor(at / span) * span;
    counts.set(begin, (counts.get(begin) ?? 0) + 1);
  }
  return [...counts].map(([timestamp, count]) => ({ timestamp, count }));
}

function answered(context: Context, series: Stored, asked: Fields): object {
  const { now } = context;
  const [start, end] = [instantOf(now, asked.start ?? 0), instantOf(now, asked.end ?? 'now')];
  if (start >= end) throw invalid('start must be before end');
  const inside = sortedPoints(context, series.id).filter(([at]) => at >= start && at < end);
  const { aggregates } = asked;
  const wantsCount = Array.isArray(aggregates) && aggregates.length > 0;
  if (wantsCount && aggregates.some((name) => name !== 'count')) {
    throw invalid('aggregates: this simulator knows only count');
  }
  const most = wantsCount ? MOST_AGGREGATES : MOST_RAW;
  const list = `points ${series.id} ${start} ${wantsCount}`;
  const page = pageOf(list, asked, most, DEFAULT_POINTS);
  const points: readonly Shown[] = wantsCount
    ? counted(inside, spanOf(asked.granularity))
    : inside.map(([timestamp, value]) => ({ timestamp, value }));
  const { items, ...next } = cut(list, points, page, ({ timestamp }) => timestamp);
  return { ...header(series), datapoints: items, ...next };
}

/** Points between `start` (included) and `end` (excluded), series by series. */
export function queryPoints(context: Context, body: Fields): Reply {
  const items = itemsOf(body, MOST_QUERIES, [...SHARED, 'ignoreUnknownIds']);
  const identities = identitiesOf(items, [...SHARED, 'cursor']);
  const series = seriesOf(context, identities, flag(body, 'ignoreUnknownIds'));
  const { items: _items, ignoreUnknownIds: _flag, ...shared } = body;
  const answers = items.flatMap((item, index) => {
    const own = series[index];
    return own === undefined ? [] : [answered(context, own, { ...shared, ...item })];
  });
  return ok({ items: answers });
}
