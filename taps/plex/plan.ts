/** `--plan`: what a run would cost in calls and minutes, told without a request. */
import { select } from '../../singer/catalog.ts';
import type { Settings } from '../../singer/config.ts';
import type { Json } from '../../singer/lossless.ts';
import { isObject } from '../../singer/lossless.ts';
import type { ActionContext } from '../../singer/stream.ts';
import { streamsToRead } from './read.ts';
import { bookmarkIn, type Calls, type Planning } from './stream.ts';
import { STREAMS } from './streams.ts';

/** Counts of the one tenant that sizes are known of; better ones come from the state or from `plan_assumptions`. */
const USUAL: Readonly<Record<string, number>> = {
  parts: 17_000,
  changed_parts: 50,
  jobs: 5_000,
  workcenters: 143,
  checksheets: 1_000,
};

export interface Plan {
  readonly streams: Readonly<Record<string, Cost>>;
  readonly calls: number;
  readonly minutes: number;
}

interface Cost {
  readonly calls: number;
  readonly minutes: number;
  readonly assumed?: true;
}

/** The Data Source API gets half of the calls. */
function perMinute(settings: Settings, product: string): number {
  const rate = settings.requests_per_minute as number;
  return product === 'Data Source API' ? Math.max(1, Math.floor(rate / 2)) : rate;
}

function minutesOf(calls: number, rate: number): number {
  return Math.round((calls / rate) * 10) / 10;
}

/** The cost of the next run, stream by stream. */
export function planOf(settings: Settings, bookmarks: Readonly<Record<string, Json>>, startedAt: number): Plan {
  const selected = select(
    STREAMS.map(({ declaration }) => declaration),
    undefined,
    settings.streams as readonly string[] | undefined,
  );
  const { names } = streamsToRead(new Set(selected.map(({ declaration }) => declaration.name)), settings);
  const given = isObject(settings.plan_assumptions) ? settings.plan_assumptions : {};
  const assumption = (name: string): number => {
    const value = given[name];
    if (typeof value === 'number') return value;
    // Bills of materials are asked for per part, open jobs are jobs.
    return name === 'bom_parts' ? assumption('parts') : (USUAL[name] ?? 0);
  };
  const planning: Planning = {
    settings,
    startedAt,
    bookmark: (stream) => bookmarkIn(bookmarks, stream),
    wants: (stream) => names.has(stream),
    assumption,
  };
  const streams: Record<string, Cost> = {};
  let [calls, minutes] = [0, 0];
  for (const stream of STREAMS) {
    const { name } = stream.declaration;
    if (!names.has(name)) continue;
    const cost: Calls = stream.plan(planning);
    const rate = perMinute(settings, stream.product);
    streams[name] = {
      calls: cost.calls,
      minutes: minutesOf(cost.calls, rate),
      ...(cost.assumed && { assumed: true as const }),
    };
    calls += cost.calls;
    minutes += cost.calls / rate;
  }
  return { streams, calls, minutes: Math.round(minutes * 10) / 10 };
}

/** Prints the plan of the next run as one JSON line. */
export async function printPlan({ settings, state, clock, print }: ActionContext): Promise<void> {
  const { bookmarks = {} } = await state();
  print(JSON.stringify(planOf(settings, bookmarks, clock.now())));
}
