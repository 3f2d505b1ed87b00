/** What a run tells while it goes and when it ends: log lines, gauges, notices, exit code. It decides nothing else. */
import type { Http } from '../../http/exchange.ts';
import { HttpFailure } from '../../http/judge.ts';
import { pagesOf, pagesRead, type SweepState } from '../../http/sweep-state.ts';
import { type ConnectorError, EXIT, textOf } from '../../singer/errors.ts';
import { stopOf } from '../../singer/io.ts';
import type { Ending, ReadRequest, Run } from '../../singer/stream.ts';
import type { Snapshot } from './bookkeeping.ts';
import type { Connection } from './connection.ts';
import { setFigures } from './figures.ts';
import { Notices, type Position } from './notices.ts';
import type { Standing, StreamFailure } from './standing.ts';
import type { EndpointStream } from './streams.ts';

/** Gaps named in the closing warning, as text and as fields. */
const GAPS_IN_TEXT = 20;
const GAPS_IN_FIELDS = 100;

/** Opens the notices of a run; loads what talks to Slack only when somebody listens. */
export async function openNotices(
  title: string,
  { baseUrl }: Connection,
  { settings, probe }: ReadRequest,
  run: Run,
): Promise<Notices> {
  const url = settings.slack_webhook_url as string | undefined;
  if (url === undefined || probe === true) return new Notices(title, '', undefined);
  const { openSlack } = await import('../../http/slack.ts');
  return new Notices(title, 'systems', openSlack({ url }, run), [new URL(baseUrl).hostname]);
}

export class Report {
  readonly #tap: string;
  readonly #settings: ReadRequest['settings'];
  readonly #run: Run;
  readonly #notices: Notices;
  /** Where the streams stood when the run began. */
  readonly #before: Standing;

  constructor(tap: string, settings: ReadRequest['settings'], run: Run, notices: Notices, before: Standing) {
    this.#tap = tap;
    this.#settings = settings;
    this.#run = run;
    this.#notices = notices;
    this.#before = before;
  }

  /** The snapshot is known; no request yet. */
  opened(snapshot: Snapshot, streams: number): void {
    const { log } = this.#run;
    log.always({ snapshot_id: snapshot.id });
    log.info('extractor_init', `${this.#tap}: snapshot ${snapshot.id}, ${streams} streams selected`);
    this.#figures(snapshot, this.#before);
    const { sweep, percent, target } = this.#before;
    if (sweep === undefined) return;
    const asked = Math.round(target * 1000) / 10;
    log.info('coverage_check', `coverage before this run ${percent} %, target ${asked} %`, {
      coverage_pct: percent,
      coverage_target: target,
    });
  }

  /** Requests are about to be made. */
  started(): void {
    const { pages_per_run: pages } = this.#settings;
    const text = `reading up to ${pages === 0 ? 'all' : pages} pages of each stream`;
    this.#run.log.info('batch_start', text, { pages_per_run: pages });
    const { target, targetMet } = this.#before;
    this.#notices.started({ ...positionOf(this.#before), target, targetMet });
  }

  /** A checkpoint of a paged stream was written. `startedAt`: when this run began to read the stream, RFC 3339. */
  saved(stream: EndpointStream, sweep: SweepState, snapshot: Snapshot, standing: Standing, startedAt: string): void {
    const { next_page: next, gaps, distinct, weight, total } = sweep;
    this.#run.log.info('checkpoint_saved', `${stream.name}: checkpoint after page ${next - 1}`, {
      stream: stream.name,
      page: next - 1,
      gaps: gaps.length,
      ...(stream.measuresCoverage && {
        systems_extracted: distinct,
        ...(weight !== undefined && { patches_extracted: weight }),
        coverage_pct: standing.percent,
      }),
    });
    this.#figures(snapshot, standing);
    const pages = pagesOf(sweep);
    if (!stream.measuresCoverage || total === null || pages === null) return;
    const page = pagesRead(sweep);
    const read = page - (this.#before.sweep?.next_page ?? 1) + 1;
    const minutes = (this.#run.clock.now() - Date.parse(startedAt)) / 60_000;
    this.#notices.checkpoint({
      ...positionOf(standing),
      page,
      pages,
      gaps: gaps.map((gap) => gap.page),
      etaMinutes: read > 0 ? (minutes / read) * (pages - page) : 0,
    });
  }

  /** Tells of pages that stayed unreadable for the first time. */
  gaps(stream: string, before: SweepState | undefined, after: SweepState): void {
    const known = new Set(before?.gaps.map(({ page }) => page));
    for (const { page, error_message: message } of after.gaps) {
      if (known.has(page)) continue;
      this.#notices.gap({ stream, page, attempts: this.#settings.max_attempts as number, message });
    }
  }

  /** A probed endpoint is not there, which is no failure. */
  unavailable({ name: stream }: EndpointStream, failure: ConnectorError): void {
    const text = `${stream}: this server does not offer it (${failure.message}); asked again with the next snapshot`;
    this.#run.log.info('endpoint_unavailable', text, { ...failure.where, stream });
  }

  /** A stream could not be read. */
  failed({ name: stream }: EndpointStream, failure: ConnectorError): void {
    this.#notices.failed({ stream, reason: failure.line });
    const unavailable = failure instanceof HttpFailure && failure.reaction === 'unavailable';
    this.#run.log.error(unavailable ? 'endpoint_unavailable' : 'endpoint_failed', `${stream}: ${failure.line}`, {
      ...failure.where,
      stream,
    });
  }

  /** The run ends with a failure that whoever takes the rows gets, and nobody on this side any more. */
  broken(thrown: unknown): void {
    if (stopOf(thrown) === undefined) this.#notices.failed({ reason: textOf(thrown) });
  }

  /** The run ended in order, without a request when there was nothing to do. */
  ended(
    standing: Standing,
    snapshot: Snapshot,
    { stats, answered }: Pick<Http, 'stats' | 'answered'>,
    failures: readonly StreamFailure[],
    nothingToDo: boolean,
  ): Ending {
    const { log } = this.#run;
    this.#figures(snapshot, standing);
    if (!nothingToDo) this.#tellFall(standing, snapshot);
    // Pages were asked for and not one came: the gaps are safe in the state, but this is no batch that ended in order.
    // Gaps of a finished sweep that met its target are another matter: they are only told.
    const silent = !nothingToDo && !standing.targetMet && stats.lost > 0 && !answered;
    const exitCode = standing.exitCode() || (silent ? EXIT.incomplete : EXIT.complete);
    const gaps = standing.gaps();
    if (gaps.length > 0 && exitCode === EXIT.complete) {
      const list = gaps.slice(0, GAPS_IN_TEXT).map(({ stream, page }) => `${stream} page ${page}`);
      const text = `${gaps.length} pages are still missing and are tried first in the next run: ${list.join(', ')}`;
      log.warn('gaps_open', text, { gaps: gaps.slice(0, GAPS_IN_FIELDS) });
    }
    const { requests, retried, recovered, lost } = stats;
    const pages = { pages_retried: retried, pages_recovered: recovered, pages_lost: lost };
    log.info('batch_complete', nothingToDo ? 'no request was needed' : `${requests} requests`, { requests, ...pages });
    const { distinct = 0, weight, finished = false, gaps: open = [] } = standing.sweep ?? {};
    this.#notices.ended({
      ...positionOf(standing),
      targetMet: standing.targetMet,
      finished,
      gaps: open.map(({ page }) => page),
      requests,
      newRows: Math.max(0, distinct - (this.#before.sweep?.distinct ?? 0)),
      ...(weight !== undefined && { newPatches: Math.max(0, weight - (this.#before.sweep?.weight ?? 0)) }),
    });
    const failed = [...new Set(failures.map(({ stream }) => stream))];
    // Whoever sees nothing but the last line must learn from it why nothing could be read.
    const why = exitCode === EXIT.failed ? `; ${failures[0]?.stream}: ${failures[0]?.reason}` : '';
    const unread = failed.length === 0 ? '' : `; not read: ${failed.join(', ')}${why}`;
    const summary = nothingToDo
      ? `nothing to do: ${standing.position()}every selected sweep is finished and no page is missing`
      : `${standing.position()}pages retried ${retried}, recovered ${recovered}, lost ${lost}${unread}`;
    return { exitCode, summary, fields: { ...standing.fields(), ...pages }, failures, absent: standing.absent() };
  }

  /** Coverage that fell: within the sweep, or against the finished sweep before it. */
  #tellFall({ percent, sweep }: Standing, { coverage_pct_before: finished = 0 }: Snapshot): void {
    const before = Math.max(this.#before.percent, sweep?.finished === true ? finished : 0);
    if (percent >= before) return;
    this.#run.log.warn('coverage_fell', `coverage fell from ${before} % to ${percent} %`, {
      coverage_pct: percent,
      coverage_pct_before: before,
    });
  }

  #figures(snapshot: Snapshot, standing: Standing): void {
    setFigures(this.#run.metrics, snapshot, standing);
  }
}

function positionOf({ sweep, percent }: Standing): Position {
  const patches = sweep?.weight;
  return {
    total: sweep?.total ?? null,
    distinct: sweep?.distinct ?? 0,
    percent,
    ...(patches !== undefined && { patches }),
  };
}
