/** What a run leaves for `--metrics-file` beside its rows: where the snapshot stands. Alert rules are written on these. */
import { coverage } from '../../http/sweep-state.ts';
import type { Metrics } from '../../singer/metrics.ts';
import type { Snapshot, SnapshotStatus } from './bookkeeping.ts';
import type { Standing } from './standing.ts';

const STATUSES: readonly SnapshotStatus[] = ['running', 'complete', 'partial', 'failed'];

/** Sets the gauges of a snapshot; called as the run goes on, so that a run that dies has told how far it came. */
export function setFigures(metrics: Metrics, snapshot: Snapshot, standing: Standing): void {
  const { program } = metrics;
  metrics.gauge(
    'tapworks_snapshot_started_timestamp_seconds',
    'Start of the snapshot, epoch seconds.',
    { program },
    Date.parse(snapshot.started_at) / 1000,
  );
  for (const status of STATUSES) {
    const now = snapshot.status === status ? 1 : 0;
    metrics.gauge('tapworks_snapshot_status', '1 for the status the snapshot has.', { status, program }, now);
  }
  for (const [stream, gaps] of standing.gapCounts()) {
    metrics.gauge('tapworks_gaps_open', 'Pages that stayed unreadable and are tried again.', { stream, program }, gaps);
  }
  const stream = standing.measured?.name;
  if (stream === undefined) return;
  const share = standing.sweep === undefined ? 0 : coverage(standing.sweep);
  metrics.gauge(
    'tapworks_coverage_ratio',
    'Share of the reported rows that the sweep has brought.',
    { stream, program },
    share,
  );
  metrics.gauge('tapworks_coverage_target_ratio', 'Share that is asked for.', { stream, program }, standing.target);
  const met = standing.targetMet ? 1 : 0;
  metrics.gauge('tapworks_target_met', '1 when a finished sweep has reached its target.', { stream, program }, met);
}
