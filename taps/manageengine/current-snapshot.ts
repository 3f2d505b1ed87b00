/** Which snapshot a run belongs to. */
import { HttpFailure, isAbsence } from '../../http/judge.ts';
import { timestamp } from '../../singer/io.ts';
import type { Json } from '../../singer/lossless.ts';
import type { State } from '../../singer/state-file.ts';
import type { ReadRequest, Run } from '../../singer/stream.ts';
import type { Snapshot } from './bookkeeping.ts';
import { Bookmarks, isOf } from './bookmarks.ts';
import type { Connection } from './connection.ts';
import { bookmarkFor, customersOf } from './customers.ts';
import type { Customer } from './families.ts';
import { type EndpointStream, isDone } from './streams.ts';

const HOUR = 3_600_000;

/** True when every one of `streams` has nothing left to read. */
export function allDone(streams: readonly EndpointStream[], state: State): boolean {
  return streams.every(({ name }) => isDone(state.bookmarks?.[name]));
}

/**
 * The snapshot to go on with, or undefined for a new one: none yet, another id asked for, an unfinished one past its
 * age, a finished one older than `snapshot_max_age_hours`.
 */
export function currentSnapshot(
  state: State,
  streams: readonly EndpointStream[],
  settings: ReadRequest['settings'],
  now: number,
): Snapshot | undefined {
  const snapshot = state.snapshot as unknown as Snapshot | undefined;
  if (snapshot === undefined) return undefined;
  if (settings.snapshot_id !== undefined && settings.snapshot_id !== snapshot.id) return undefined;
  const age = (now - Date.parse(snapshot.started_at)) / HOUR;
  const bookmarks = Object.fromEntries(
    Object.entries(state.bookmarks ?? {}).filter(([, bookmark]) => isOf(bookmark, snapshot)),
  );
  const limit = allDone(streams, { bookmarks }) ? settings.snapshot_max_age_hours : settings.sweep_max_age_hours;
  return typeof limit === 'number' && age > limit ? undefined : snapshot;
}

/**
 * The customers of a server that is read whole; undefined when it has none, or when the settings name the one to read.
 * The list belongs to the snapshot: it is asked for when one begins. Only servers of one's own have customers.
 */
export async function customersToRead(
  streams: readonly EndpointStream[],
  connection: Connection,
  { settings, state, probe }: ReadRequest,
  run: Run,
  everyCustomer: boolean,
): Promise<readonly Customer[] | undefined> {
  const own = settings.api_token !== undefined || settings.username !== undefined;
  if (!everyCustomer || !own || settings.customer_name !== undefined) return undefined;
  const snapshot = bookmarkFor(state.snapshot, undefined) as unknown as Snapshot | undefined;
  if (snapshot !== undefined) {
    const { customer_list: known } = snapshot;
    const bookmarks = new Bookmarks(state, known?.map(({ name }) => name) ?? [undefined]).together();
    const given = { bookmarks, snapshot: snapshot as unknown as Json };
    if (currentSnapshot(given, streams, settings, run.clock.now()) !== undefined) return known;
  }
  try {
    const found = await customersOf(connection, true);
    // One is enough to find out whether a stream answers.
    return found.length === 0 ? undefined : probe === true ? found.slice(0, 1) : found;
  } catch (thrown) {
    if (thrown instanceof HttpFailure && isAbsence(thrown)) return undefined;
    throw thrown;
  }
}

/**
 * Snapshots start on a whole second, so that id and start tell the same. `before` is the coverage in percent of the
 * last finished sweep, if there was one.
 */
export function newSnapshot(settings: ReadRequest['settings'], now: number, before: number | undefined): Snapshot {
  const seconds = Math.floor(now / 1000);
  const id = (settings.snapshot_id as number | undefined) ?? seconds;
  return {
    id,
    started_at: timestamp(seconds * 1000),
    status: 'running',
    updated_at: timestamp(now),
    ...(before !== undefined && { coverage_pct_before: before }),
  };
}
