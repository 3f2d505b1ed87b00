/** The bookkeeping streams of a ManageEngine tap: what was read, how far, and what is missing. */
import { asChanges } from '../../http/changes-state.ts';
import { type Gap, pagesOf, pagesRead, type SweepState } from '../../http/sweep-state.ts';
import endpointRuns from '../../schemas/pmp/endpoint_runs.json' with { type: 'json' };
import checkpoints from '../../schemas/pmp/extraction_checkpoints.json' with { type: 'json' };
import gaps from '../../schemas/pmp/extraction_gaps.json' with { type: 'json' };
import snapshots from '../../schemas/pmp/snapshots.json' with { type: 'json' };
import type { Json, Row } from '../../singer/lossless.ts';
import type { JsonSchema } from '../../singer/messages.ts';
import type { RowGroup, StreamDeclaration } from '../../singer/stream.ts';
import type { Customer } from './families.ts';
import { publishedSchema } from './records.ts';
import { asSweep, coveragePercent, type EndpointStream } from './streams.ts';

function bookkeeping(name: string, schema: JsonSchema, key: readonly string[]): StreamDeclaration {
  return {
    name,
    key,
    schema: publishedSchema(schema),
    replication: 'FULL_TABLE',
    selectedByDefault: true,
    automatic: true,
  };
}

/** The books of one product's tap. */
export interface Books {
  readonly checkpoints: string;
  readonly gaps: string;
  /** Declarations of all books; they are always selected. */
  readonly streams: readonly StreamDeclaration[];
}

/**
 * `snapshots` and `endpoint_runs`, which all products share, and tables of the product's own for checkpoints and gaps,
 * whose names begin with `prefix`.
 */
export function booksOf(prefix: string): Books {
  const names = { checkpoints: `${prefix}extraction_checkpoints`, gaps: `${prefix}extraction_gaps` };
  return {
    ...names,
    streams: [
      bookkeeping('snapshots', snapshots as JsonSchema, ['snapshot_id', 'tap']),
      bookkeeping('endpoint_runs', endpointRuns as JsonSchema, ['snapshot_id', 'stream']),
      bookkeeping(names.checkpoints, checkpoints as JsonSchema, ['snapshot_id', 'stream']),
      bookkeeping(names.gaps, gaps as JsonSchema, ['snapshot_id', 'stream', 'page_num']),
    ],
  };
}

/** Always selected: `snapshots`, `endpoint_runs`, `extraction_checkpoints`, `extraction_gaps`. */
export const BOOKS = booksOf('');
export const BOOKKEEPING: readonly StreamDeclaration[] = BOOKS.streams;

export type SnapshotStatus = 'running' | 'complete' | 'partial' | 'failed';
export type EndpointStatus = 'ok' | 'partial' | 'failed' | 'unavailable' | 'skipped';

/** The snapshot as the state keeps it. Times are RFC 3339, UTC. */
export interface Snapshot {
  readonly id: number;
  readonly started_at: string;
  readonly status: SnapshotStatus;
  readonly updated_at: string;
  /** First checkpoint of the stream that coverage is measured on. */
  readonly first_checkpoint_at?: string;
  /** Coverage in percent of the sweep before this snapshot, if it was finished. */
  readonly coverage_pct_before?: number;
  /** The customers that the snapshot is read of, on an MSP server that is read whole. */
  readonly customer_list?: readonly Customer[];
}

/** What the state file must hold of a snapshot. */
export const SNAPSHOT_SCHEMA: JsonSchema = {
  type: 'object',
  required: ['id', 'started_at', 'status'],
  properties: {
    id: { type: 'integer' },
    started_at: { type: 'string', format: 'date-time' },
    status: { enum: ['running', 'complete', 'partial', 'failed'] },
    customer_list: {
      type: 'array',
      items: {
        type: 'object',
        required: ['id', 'name'],
        properties: { id: { type: 'string' }, name: { type: 'string' } },
      },
    },
  },
};

export function snapshotRow(tap: string, snapshot: Snapshot, percent: number | null, target: number): RowGroup {
  const { id, started_at, status, updated_at } = snapshot;
  return {
    stream: 'snapshots',
    records: [
      {
        snapshot_id: id,
        tap,
        status,
        started_at,
        ended_at: status === 'running' ? null : updated_at,
        coverage_pct: percent,
        coverage_target_pct: Math.round(target * 1000) / 10,
        updated_at,
      },
    ],
  };
}

/** How one stream ended in this run. */
export interface EndpointEnding {
  readonly status: EndpointStatus;
  readonly startedAt: string | null;
  readonly endedAt: string;
  readonly error: string | null;
}

/** One row for the stream and one for each that it feeds, as far as they are `wanted`. */
export function endpointRows(
  stream: EndpointStream,
  wanted: ReadonlySet<string>,
  snapshot: Snapshot,
  bookmark: Json | undefined,
  { status, startedAt, endedAt, error }: EndpointEnding,
): RowGroup {
  const sweep = asSweep(bookmark);
  const changes = asChanges(bookmark);
  const single = sweep === undefined && changes === undefined && status === 'ok' ? 1 : null;
  const row = (name: string, nested: boolean): Row => ({
    snapshot_id: snapshot.id,
    stream: name,
    path: changes === undefined ? stream.path : (stream.changesPath ?? stream.path),
    status,
    rows: changes?.rows ?? (nested ? sweep?.weight : sweep?.distinct) ?? single,
    // The server reports how many rows there are, not what is nested in them.
    total: changes !== undefined ? changes.total : nested ? null : (sweep?.total ?? single),
    pages: changes?.pages ?? (sweep === undefined ? single : sweep.next_page - 1 - sweep.gaps.length),
    gaps: sweep?.gaps.length ?? (single === null && changes === undefined ? null : 0),
    started_at: startedAt,
    ended_at: endedAt,
    error,
  });
  const rows = [row(stream.name, stream.exploded), ...stream.feeds.map(({ name }) => row(name, true))];
  return { stream: 'endpoint_runs', records: rows.filter((record) => wanted.has(String(record.stream))) };
}

export function checkpointRow(
  { checkpoints: table }: Books,
  stream: string,
  snapshot: Snapshot,
  sweep: SweepState,
  now: string,
): RowGroup {
  const record: Row = {
    snapshot_id: snapshot.id,
    stream,
    last_page: pagesRead(sweep),
    total_pages: pagesOf(sweep),
    systems_extracted: sweep.distinct,
    patches_extracted: sweep.weight ?? 0,
    total_systems: sweep.total,
    coverage_pct: coveragePercent(sweep),
    created_at: snapshot.first_checkpoint_at ?? now,
    updated_at: now,
  };
  return { stream: table, records: [record] };
}

function gapRow(stream: string, snapshot: Snapshot, gap: Gap, resolvedAt: string | null): Row {
  const { page, error_type, error_message, response_sample, attempts, created_at } = gap;
  return {
    snapshot_id: snapshot.id,
    stream,
    page_num: page,
    error_type,
    error_message: error_message ?? null,
    response_sample: response_sample ?? null,
    attempts,
    created_at,
    resolved_at: resolvedAt,
  };
}

/** One row per gap that appeared, was tried again or was closed between two bookmarks. */
export function gapRows(
  { gaps: table }: Books,
  stream: string,
  snapshot: Snapshot,
  before: readonly Gap[],
  after: readonly Gap[],
  now: string,
): RowGroup {
  const old = new Map(before.map((gap) => [gap.page, gap]));
  const open = new Set(after.map(({ page }) => page));
  return {
    stream: table,
    records: [
      ...after
        .filter((gap) => old.get(gap.page)?.attempts !== gap.attempts)
        .map((gap) => gapRow(stream, snapshot, gap, null)),
      ...before.filter(({ page }) => !open.has(page)).map((gap) => gapRow(stream, snapshot, gap, now)),
    ],
  };
}
