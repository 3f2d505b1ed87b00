/** Bills of materials, read part by part: of all parts now and then, in between of those that changed. */
import schema from '../../schemas/plex/boms.json' with { type: 'json' };
import type { Json } from '../../singer/lossless.ts';
import type { RowGroup } from '../../singer/stream.ts';
import { Children, idsIn, portions } from './children.ts';
import { asked, earlier, HOUR, instant, later, sortable } from './dates.ts';
import { declarationOf } from './lists.ts';
import { remembered } from './parents.ts';
import type { VendorRow } from './records.ts';
import { list } from './rest.ts';
import {
  type Bookmark,
  checkpointOf,
  isDue,
  type Planning,
  type PlexStream,
  type Reading,
  recordsOf,
  textsOf,
} from './stream.ts';

const NAME = 'boms';
const PATH = '/engineering/v1/boms';
const PARTS = '/mdm/v1/parts';
/** Changes of parts that were written late are seen for so long. */
const LOOKBACK = HOUR;

const DECLARATION = declarationOf({ name: NAME, schema, key: ['id'] });

/** Whether a full pass is open: begun, and not at its end. While parts of it are pending it stays so. */
function isOpen(bookmark: Bookmark): boolean {
  return bookmark.fullSyncSince !== undefined;
}

function fullPassDue(bookmark: Bookmark, { settings, startedAt }: Pick<Planning, 'settings' | 'startedAt'>): boolean {
  const days = settings.full_pass_days as number;
  return isDue(isOpen(bookmark) ? bookmark.fullSyncSince : bookmark.lastFullSync, startedAt, days);
}

/** Which parts have to be asked for. */
class Queue {
  /** Every part, in a full pass: those behind the place that it has come to. */
  readonly #full: boolean;
  readonly #after: string;
  readonly #from: string | undefined;
  readonly #sources: ReadonlySet<string>;
  readonly #statuses: ReadonlySet<string>;
  /** Parts of the full pass. */
  readonly all: string[] = [];
  /** Parts that changed. */
  readonly changed = new Set<string>();
  /** Newest change of any part. */
  newest: string | undefined;
  /** Parts that have a bill of materials to read. */
  parts = 0;

  constructor(reading: Reading) {
    const before = reading.bookmark(NAME);
    const due = fullPassDue(before, reading);
    const since = sortable(before.modifiedDate);
    this.#full = due || isOpen(before);
    this.#after = due || typeof before.fullSyncAfter !== 'string' ? '' : before.fullSyncAfter;
    this.#from = since === undefined ? undefined : earlier(since, LOOKBACK);
    this.newest = since;
    this.#sources = new Set(textsOf(reading.settings, 'bom_part_sources'));
    this.#statuses = new Set(textsOf(reading.settings, 'bom_part_statuses'));
  }

  see({ id, source, status, modifiedDate }: VendorRow): void {
    const date = sortable(modifiedDate);
    this.newest = later(this.newest, date);
    if (typeof id !== 'string') return;
    if (this.#sources.size > 0 && !this.#sources.has(String(source))) return;
    if (this.#statuses.size > 0 && !this.#statuses.has(String(status))) return;
    this.parts += 1;
    if (this.#full && id > this.#after) this.all.push(remembered(id));
    else if (date === undefined || this.#from === undefined || date > this.#from) this.changed.add(remembered(id));
  }
}

/** Queues of runs that read parts and bills of materials: the one sees what the other reads. */
const queues = new WeakMap<Reading, Queue>();

export const boms: PlexStream = {
  declaration: DECLARATION,
  group: 'master_data',
  source: PATH,
  product: 'engineering',
  manner: 'one request per part: all after full_pass_days, else those that changed',
  mandatory: false,
  checkpoint: checkpointOf(['modifiedDate', 'lastFullSync', 'fullSyncSince', 'fullSyncAfter'], ['parts'], {
    pendingPartIds: { type: 'array', items: { type: 'string' } },
  }),
  follow(reading) {
    const queue = new Queue(reading);
    queues.set(reading, queue);
    reading.parents.follow('parts', (part) => queue.see(part));
  },
  async *read(reading) {
    const queue = queues.get(reading);
    if (queue === undefined) return;
    if (!reading.parents.whole('parts')) {
      // Nobody else has read them in this run, or not to the end.
      for await (const rows of await list(reading.connection.rest, { stream: NAME, path: PARTS }))
        for (const part of rows) queue.see(part);
    }
    const before = reading.bookmark(NAME);
    const due = fullPassDue(before, reading);
    // What failed or changed comes first. The full pass goes by the order of the ids: to know how far it has come, the
    // state needs one of them and not all that are left.
    const pending = new Set([...(due ? [] : idsIn(before.pendingPartIds)), ...queue.changed]);
    const inFullPass = queue.all.length;
    const work = [...pending, ...queue.all.sort()];
    queue.all.length = 0;
    let after = due ? undefined : before.fullSyncAfter;
    const since = due ? asked(reading.startedAt) : before.fullSyncSince;
    const version = reading.settings.activate_version === true ? versionOf(since ?? before.lastFullSync) : undefined;
    const children = new Children(reading, {
      stream: NAME,
      kind: 'list',
      path: () => PATH,
      query: (partId) => ({ partId }),
    });
    const toRecord = reading.recordReader(DECLARATION);
    let [done, passed] = [0, 0];
    const bookmark = (): Readonly<Record<string, Json>> => {
      const open = since !== undefined && (passed < inFullPass || pending.size > 0);
      const last = since !== undefined && !open ? since : before.lastFullSync;
      return {
        ...(queue.newest !== undefined && { modifiedDate: queue.newest }),
        ...(last !== undefined && { lastFullSync: last }),
        ...(open && { fullSyncSince: since, ...(after !== undefined && { fullSyncAfter: after }) }),
        parts: queue.parts,
        pendingPartIds: [...pending],
      };
    };
    // First of all the list of what is to be done becomes safe.
    yield { rows: [], bookmarks: { [NAME]: bookmark() } };
    for (const portion of portions(work)) {
      yield {
        rows: rowsOf(portion),
        get complete() {
          const whole = since !== undefined && passed === inFullPass && pending.size === 0;
          return whole && version !== undefined ? [{ stream: NAME, version }] : [];
        },
        get bookmarks() {
          return { [NAME]: bookmark() };
        },
      };
      if (children.failure !== undefined) break;
    }
    if (children.incomplete !== undefined) throw children.incomplete;

    async function* rowsOf(portion: readonly string[]): AsyncGenerator<RowGroup> {
      for await (const answer of children.read(portion)) {
        done += 1;
        reading.run.progress.show(NAME, done, work.length);
        if (done > work.length - inFullPass) {
          passed += 1;
          after = answer.parent;
        }
        if (answer.outcome === 'unread') pending.add(answer.parent);
        else pending.delete(answer.parent);
        if (answer.outcome !== 'read' || answer.rows.length === 0) continue;
        const records = recordsOf(answer.rows, toRecord);
        yield { stream: NAME, records, ...(version !== undefined && { version }) };
      }
    }
  },
  plan(planning) {
    const before = planning.bookmark(NAME);
    const parts = planning.wants('parts') ? 0 : 1;
    if (fullPassDue(before, planning)) {
      const known = typeof before.parts === 'number' ? before.parts : undefined;
      return { calls: parts + (known ?? planning.assumption('bom_parts')), assumed: known === undefined };
    }
    const left = idsIn(before.pendingPartIds).length;
    // How many parts a pass has behind it stands nowhere; as if it were half of them.
    const rest = isOpen(before) && typeof before.parts === 'number' ? Math.ceil(before.parts / 2) : 0;
    return { calls: parts + left + rest + planning.assumption('changed_parts'), assumed: true };
  },
};

/** Epoch seconds of the pass that rows belong to. */
function versionOf(since: Json | undefined): number | undefined {
  const at = instant(since);
  return at === undefined ? undefined : Math.floor(at / 1000);
}
