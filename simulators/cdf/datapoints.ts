/** Datapoints: written, read and deleted by time series and timestamp. */
import type { Stored } from './collection.ts';
import { find, flag, identityOf, itemsOf, refuseRepeated } from './identities.ts';
import type { Context, PointValue } from './project.ts';
import { invalid } from './refusal.ts';
import { ok, type Reply } from './resource.ts';
import { bytesOf, checkShape, type Fields, integer, isObject, unknownField } from './shapes.ts';
import { TIME_SERIES } from './time-series.ts';

const MOST_SERIES = 10_000;
const MOST_POINTS = 100_000;
/** From the year 1900 to the end of 2099. */
const FIRST_TIME = -2_208_988_800_000;
const LAST_TIME = 4_102_444_799_999;
const LARGEST = 1e100;
const STRING_BYTES = 1_023;
const MOST_LATEST = 100;

const timestamp = integer(FIRST_TIME, LAST_TIME);
const any = (): undefined => undefined;

/** The identities of items that may also hold these fields. */
export function identitiesOf(items: readonly Fields[], others: readonly string[]): readonly Fields[] {
  const names = ['id', 'externalId', 'instanceId', ...others];
  const shape = { fields: Object.fromEntries(names.map((name) => [name, any])) };
  return items.map((item, index) => {
    const unknown = unknownField(item, shape);
    if (unknown !== undefined) throw invalid(`items[${index}].${unknown}: unknown field`);
    return identityOf(item, TIME_SERIES.identities, `items[${index}]`);
  });
}

/** The series that identities mean, undefined where one is unknown and may be. */
export function seriesOf(
  context: Context,
  identities: readonly Fields[],
  ignoresUnknown = false,
): readonly (Stored | undefined)[] {
  const found = identities.map((identity) => find(context, TIME_SERIES, identity));
  const missing = identities.filter((_identity, index) => found[index] === undefined);
  if (missing.length > 0 && !ignoresUnknown) throw invalid('Time series not found', { missing });
  return found;
}

function checkValue(value: unknown, { isString }: Stored, where: string): void {
  if (isString === true) {
    if (typeof value !== 'string') throw invalid(`Expected string value for datapoint: ${where}`);
    if (bytesOf(value) > STRING_BYTES) throw invalid(`${where}: at most ${STRING_BYTES} bytes are allowed`);
    return;
  }
  if (typeof value !== 'number') throw invalid(`Expected numeric value for datapoint: ${where}`);
  if (!(Math.abs(value) <= LARGEST)) throw invalid(`${where}: must be a number from -1e100 to 1e100`);
}

function checkPoints(item: Fields, series: Stored, where: string): ReadonlyMap<number, PointValue> {
  const points = new Map<number, PointValue>();
  for (const [index, point] of (item.datapoints as readonly unknown[]).entries()) {
    const place = `${where}.datapoints[${index}]`;
    if (isObject(point)) {
      const missingFields = ['timestamp', 'value'].filter((name) => point[name] === undefined);
      if (missingFields.length > 0) throw invalid(`${place}: missing fields`, { missingFields });
    }
    const { timestamp: at, value } = checkShape(point, { fields: { timestamp, value: any } }, place);
    checkValue(value, series, `${place}.value`);
    points.set(at as number, value as PointValue);
  }
  return points;
}

/** How many points a body carries. */
export function countPoints(body: unknown): number {
  const items = isObject(body) && Array.isArray(body.items) ? body.items : [];
  const sizes = items.map((item) => (isObject(item) && Array.isArray(item.datapoints) ? item.datapoints.length : 0));
  return sizes.reduce((sum, size) => sum + size, 0);
}

/** Writes points; a point of the same series and time is replaced. All of them or none. */
export function insertPoints(context: Context, body: Fields): Reply {
  const items = itemsOf(body, MOST_SERIES);
  const identities = identitiesOf(items, ['datapoints']);
  const bare = items.findIndex((item) => !Array.isArray(item.datapoints));
  if (bare >= 0) throw invalid(`items[${bare}]: missing fields`, { missingFields: ['datapoints'] });
  const points = countPoints(body);
  if (points > MOST_POINTS) throw invalid(`at most ${MOST_POINTS} datapoints are allowed, ${points} were given`);
  refuseRepeated(TIME_SERIES, identities);
  const series = seriesOf(context, identities);
  const batches = items.map((item, index) => checkPoints(item, series[index] as Stored, `items[${index}]`));
  for (const [index, batch] of batches.entries()) {
    const id = series[index]?.id ?? 0;
    const stored = context.project.points.get(id) ?? new Map<number, PointValue>();
    for (const [at, value] of batch) stored.set(at, value);
    context.project.points.set(id, stored);
  }
  return ok({});
}

/** What an answer tells of a series beside its points. */
export function header(series: Stored): Fields {
  const { id, externalId, instanceId, isString, isStep, unit } = series;
  const known = Object.entries({ id, externalId, instanceId, isString, isStep, unit });
  return Object.fromEntries(known.filter(([, value]) => value !== undefined));
}

/** Points of a series in the order of time. */
export function sortedPoints({ project }: Context, id: number): readonly (readonly [number, PointValue])[] {
  return [...(project.points.get(id) ?? [])].sort(([a], [b]) => a - b);
}

/** The newest point of each series, or the newest before an instant. */
export function latestPoints(context: Context, body: Fields, instant: (text: unknown) => number): Reply {
  const items = itemsOf(body, MOST_LATEST, ['ignoreUnknownIds']);
  const identities = identitiesOf(items, ['before']);
  const series = seriesOf(context, identities, flag(body, 'ignoreUnknownIds'));
  const answers = items.flatMap(({ before }, index) => {
    const own = series[index];
    if (own === undefined) return [];
    const limit = before === undefined ? Infinity : instant(before);
    const last = sortedPoints(context, own.id).findLast(([at]) => at < limit);
    return [{ ...header(own), datapoints: last ? [{ timestamp: last[0], value: last[1] }] : [] }];
  });
  return ok({ items: answers });
}

/** Deletes points of ranges: from `inclusiveBegin` up to before `exclusiveEnd`, one millisecond when that is absent. */
export function deletePoints(context: Context, body: Fields): Reply {
  const items = itemsOf(body, MOST_SERIES);
  const identities = identitiesOf(items, ['inclusiveBegin', 'exclusiveEnd']);
  const series = seriesOf(context, identities);
  const ranges = items.map(({ inclusiveBegin: begin, exclusiveEnd: end }, index) => {
    const problem = timestamp(begin) ?? (end === undefined ? undefined : timestamp(end));
    if (problem !== undefined) throw invalid(`items[${index}]: ${problem}`);
    return [begin as number, (end ?? Number(begin) + 1) as number] as const;
  });
  for (const [index, [begin, end]] of ranges.entries()) {
    const points = context.project.points.get(series[index]?.id ?? 0);
    for (const at of [...(points?.keys() ?? [])]) if (at >= begin && at < end) points?.delete(at);
  }
  return ok({});
}
