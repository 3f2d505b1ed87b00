/** Jobs in two passes, open and closed ones, with all of them once a day; and the operations of those that still move. */
import operationSchema from '../../schemas/plex/job_operations.json' with { type: 'json' };
import jobSchema from '../../schemas/plex/jobs.json' with { type: 'json' };
import type { Json } from '../../singer/lossless.ts';
import type { RowGroup } from '../../singer/stream.ts';
import { Children, idsIn, portions } from './children.ts';
import { asked, DAY, earlier, instant, sortable } from './dates.ts';
import { declarationOf } from './lists.ts';
import { remembered } from './parents.ts';
import type { VendorRow } from './records.ts';
import { list, type Question } from './rest.ts';
import { checkpointOf, isDue, type Planning, type PlexStream, type Reading, recordsOf, textsOf } from './stream.ts';

const PATH = '/scheduling/v1/jobs';
/** Jobs are closed late, and corrected after that. */
const LOOKBACK = 7 * DAY;
/** Cancelled jobs have no date and renamed statuses no list: only an unfiltered list shows them. */
const FULL_PASS_DAYS = 1;

const JOBS = declarationOf({ name: 'jobs', schema: jobSchema, key: ['id'] }, '_syncedAt');
const OPERATIONS = declarationOf(
  { name: 'job_operations', schema: operationSchema, key: ['jobOperationId'] },
  undefined,
  false,
);

/** Whether a job may still change: it is not completed, or was not long ago. */
function moves(job: VendorRow, since: string | undefined): boolean {
  const completed = sortable(job.completedDate);
  return completed === undefined || since === undefined || completed >= since;
}

/** Completed jobs are read from this date on; undefined in a first run. */
function closedSince(bookmark: Json | undefined): string | undefined {
  const date = sortable(bookmark);
  return date === undefined ? undefined : earlier(date, LOOKBACK);
}

/** The lists of this run: one unfiltered, or the open and the closed jobs. */
function questions({ settings, startedAt, bookmark }: Pick<Planning, 'settings' | 'startedAt' | 'bookmark'>): {
  readonly full: boolean;
  readonly passes: readonly NonNullable<Question['query']>[];
} {
  const { lastFullSync, completedDate } = bookmark('jobs');
  const full = isDue(lastFullSync, startedAt, FULL_PASS_DAYS);
  const open = textsOf(settings, 'job_open_statuses');
  const since = closedSince(completedDate);
  if (full || open.length === 0 || since === undefined) return { full, passes: [{}] };
  const begin = asked(instant(since) ?? 0);
  return {
    full,
    passes: [{ jobStatuses: open }, { completedDateBegin: begin, completedDateEnd: asked(startedAt) }],
  };
}

export const jobs: PlexStream = {
  declaration: JOBS,
  group: 'jobs',
  source: PATH,
  product: 'scheduling',
  manner: 'open jobs, and those completed in the last 7 days; all once a day',
  mandatory: true,
  checkpoint: checkpointOf(['completedDate', 'lastFullSync'], ['rows']),
  async *read(reading) {
    const toRecord = reading.recordReader(JOBS);
    const before = reading.bookmark('jobs');
    const { settings, startedAt } = reading;
    const { full, passes } = questions({ settings, startedAt, bookmark: (stream) => reading.bookmark(stream) });
    const since = full ? undefined : closedSince(before.completedDate);
    const seen = new Set<string>();
    let rows = 0;
    for (const [at, query] of passes.entries()) {
      const groups = await list(reading.connection.rest, { stream: 'jobs', path: PATH, query });
      const last = at === passes.length - 1;
      yield {
        rows: pass(groups, last),
        // The bookmark is that of both passes: after the first one it stays.
        get bookmarks() {
          return { jobs: last ? after() : (before as Json) };
        },
      };
    }

    function after(): Readonly<Record<string, Json>> {
      const count = full ? rows : before.rows;
      const lastFullSync = full ? asked(reading.startedAt) : before.lastFullSync;
      return {
        completedDate: asked(reading.startedAt),
        ...(lastFullSync !== undefined && { lastFullSync }),
        ...(count !== undefined && { rows: count }),
      };
    }

    async function* pass(groups: AsyncGenerator<readonly VendorRow[]>, last: boolean): AsyncGenerator<RowGroup> {
      for await (const group of groups) {
        rows += group.length;
        reading.parents.show('jobs', group);
        const fresh = group.filter((job) => moves(job, since) && isFirst(job));
        if (fresh.length > 0) yield { stream: 'jobs', records: recordsOf(fresh, toRecord) };
      }
      if (last) reading.parents.ended('jobs');
    }

    /** A job that was closed a moment ago stands in both lists. */
    function isFirst({ id }: VendorRow): boolean {
      if (passes.length === 1 || typeof id !== 'string') return true;
      if (seen.has(id)) return false;
      seen.add(remembered(id));
      return true;
    }
  },
  plan: (planning) => ({ calls: questions(planning).passes.length, assumed: false }),
};

/** Whether the lists of the jobs go back far enough: a run that was killed between the two streams left them apart. */
function passesReach(reading: Reading, since: string | undefined): boolean {
  const { settings, startedAt } = reading;
  const { passes } = questions({ settings, startedAt, bookmark: (stream) => reading.bookmark(stream) });
  const reached = closedSince(reading.bookmark('jobs').completedDate);
  return passes.length === 1 || (since !== undefined && reached !== undefined && reached <= since);
}

/** Jobs whose operations are read in a run. */
const followed = new WeakMap<Reading, Set<string>>();

export const jobOperations: PlexStream = {
  declaration: OPERATIONS,
  group: 'jobs',
  source: `${PATH}/{id}/operations`,
  product: 'scheduling',
  manner: 'one request per job that is open or was completed in the last 7 days; per job in a first run',
  mandatory: false,
  checkpoint: checkpointOf(['completedDate'], ['jobs'], {
    pendingJobIds: { type: 'array', items: { type: 'string' } },
  }),
  follow(reading) {
    const ids = new Set<string>();
    const since = closedSince(reading.bookmark('job_operations').completedDate);
    followed.set(reading, ids);
    reading.parents.follow('jobs', (job) => {
      if (typeof job.id === 'string' && moves(job, since)) ids.add(remembered(job.id));
    });
  },
  async *read(reading) {
    const ids = followed.get(reading);
    if (ids === undefined) return;
    const before = reading.bookmark('job_operations');
    const since = closedSince(before.completedDate);
    if (!reading.parents.whole('jobs') || !passesReach(reading, since)) {
      for await (const rows of await list(reading.connection.rest, { stream: 'job_operations', path: PATH })) {
        for (const job of rows) if (typeof job.id === 'string' && moves(job, since)) ids.add(remembered(job.id));
      }
    }
    const pending = new Set([...idsIn(before.pendingJobIds), ...ids]);
    const work = [...pending];
    const children = new Children(reading, {
      stream: 'job_operations',
      kind: 'list',
      path: (job) => `${PATH}/${encodeURIComponent(job)}/operations`,
    });
    const toRecord = reading.recordReader(OPERATIONS);
    let done = 0;
    const bookmark = () => ({
      job_operations: { completedDate: asked(reading.startedAt), jobs: work.length, pendingJobIds: [...pending] },
    });
    yield { rows: [], bookmarks: bookmark() };
    for (const portion of portions(work)) {
      yield {
        rows: (async function* () {
          for await (const answer of children.read(portion)) {
            done += 1;
            reading.run.progress.show('job_operations', done, work.length);
            if (answer.outcome === 'unread') continue;
            pending.delete(answer.parent);
            if (answer.outcome !== 'read' || answer.rows.length === 0) continue;
            yield { stream: 'job_operations', records: recordsOf(answer.rows, toRecord) };
          }
        })(),
        get bookmarks() {
          return bookmark();
        },
      };
      if (children.failure !== undefined) break;
    }
    if (children.incomplete !== undefined) throw children.incomplete;
  },
  plan(planning) {
    const before = planning.bookmark('job_operations');
    const list = planning.wants('jobs') ? 0 : 1;
    const first = before.completedDate === undefined;
    if (!first && typeof before.jobs === 'number') return { calls: list + before.jobs, assumed: true };
    return { calls: list + planning.assumption('jobs'), assumed: true };
  },
};
