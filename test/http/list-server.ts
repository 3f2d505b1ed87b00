/** A page-numbered list in memory behind the `Http` interface, and sweeps over it in as many runs as it takes. */
import type { Http, HttpRequest, HttpStats } from '../../http/exchange.ts';
import { HttpFailure, type Ruling } from '../../http/judge.ts';
import { sweepPages } from '../../http/numbered-pages.ts';
import type { NumberedEndpoint } from '../../http/page-reader.ts';
import { isComplete, type SweepState } from '../../http/sweep-state.ts';
import { ConnectorError } from '../../singer/errors.ts';
import type { Json } from '../../singer/lossless.ts';
import { memoryRun } from './run.ts';

export const UNREADABLE: Ruling = { reaction: 'retry', type: '5xx_server_error', message: 'the server failed (503)' };

/** One request as the list sees it. `seq` counts from 1 over all runs. */
export interface Asked {
  readonly page: number;
  readonly seq: number;
}

/** The rows as they stand, and what happens at each request. */
export class ListServer implements Http {
  rows: string[];
  size: number;
  readonly stats: HttpStats = { requests: 0, retried: 0, recovered: 0, lost: 0 };
  readonly asked: number[] = [];
  answered = false;
  /** Called before each answer; may change rows and size. Returns a failure to answer with. */
  before: (asked: Asked) => Ruling | undefined = () => undefined;
  /** What the envelope says, if not the truth. */
  report: (asked: Asked) => { total?: number; size?: number } = () => ({});

  constructor(rows: number | readonly string[], size: number) {
    this.rows = typeof rows === 'number' ? Array.from({ length: rows }, (_, index) => `r${index}`) : [...rows];
    this.size = size;
  }

  readonly exchange = async function* (this: ListServer, request: HttpRequest) {
    const page = Number(request.query?.page);
    this.asked.push(page);
    const asked = { page, seq: this.asked.length };
    const ruling = this.before(asked);
    if (ruling !== undefined) throw new HttpFailure(ruling, request.where);
    const size = this.report(asked).size ?? this.size;
    const rows = this.rows.slice((page - 1) * size, page * size).map((id): Json => ({ id }));
    const value = { total: this.report(asked).total ?? this.rows.length, size };
    if (rows.length > 0) yield rows;
    this.answered = true;
    return { value, found: true };
  }.bind(this);

  async close(): Promise<void> {}

  /** Removes rows by position. */
  remove(position: number, count = 1): void {
    this.rows.splice(Math.min(position, Math.max(0, this.rows.length - count)), count);
  }
}

export function endpointOf(server: ListServer): NumberedEndpoint {
  return {
    stream: 'list',
    url: 'http://list.invalid/list',
    rows: ['rows'],
    envelope: (value) => value as unknown as { total: number; size: number },
    query: (page) => ({ page }),
    record: (row) => (typeof row.id === 'string' ? { id: row.id } : undefined),
    keyOf: (record) => String(record.id),
    usualSize: server.size,
    noun: 'rows',
  };
}

export interface SweepOptions {
  readonly pagesPerRun?: number;
  readonly checkpointPages?: number;
  /** The run dies at this request of its own; what came after the last checkpoint never arrives. */
  readonly diesAt?: number;
  /** What is read, if not `endpointOf(server)`. */
  readonly endpoint?: NumberedEndpoint;
}

export interface SweepRun {
  /** The last state that was confirmed. */
  readonly state: SweepState | undefined;
  readonly states: readonly SweepState[];
  /** Rows confirmed by it. */
  readonly rows: readonly string[];
  readonly requests: readonly number[];
  readonly died: boolean;
}

/** One run over the list. */
export async function sweepOnce(
  server: ListServer,
  since: SweepState | undefined,
  {
    pagesPerRun = 0,
    checkpointPages = 1,
    diesAt = Number.POSITIVE_INFINITY,
    endpoint = endpointOf(server),
  }: SweepOptions = {},
): Promise<SweepRun> {
  const run = memoryRun();
  const start = server.asked.length;
  const limits = { pagesPerRun, checkpointPages };
  const rows: string[] = [];
  const states: SweepState[] = [];
  let state = since;
  const died = () => server.asked.length - start >= diesAt;
  const finish = (): SweepRun => ({ state, states, rows, requests: server.asked.slice(start), died: died() });
  try {
    for await (const page of sweepPages(endpoint, server, since, limits, run)) {
      const fresh: string[] = [];
      for await (const group of page.rows) {
        if (died()) return finish();
        fresh.push(...group.map(({ id }) => String(id)));
      }
      if (died()) return finish();
      // As a file would hold it.
      state = JSON.parse(JSON.stringify(page.state)) as SweepState;
      states.push(state);
      rows.push(...fresh);
    }
  } catch (thrown) {
    // The first pages could not be read: such a sweep is begun again.
    if (!(thrown instanceof ConnectorError) || thrown.code !== 'upstream') throw thrown;
    if (state?.total === null) state = undefined;
  }
  return finish();
}

export interface WholeSweep {
  readonly state: SweepState;
  readonly rows: ReadonlySet<string>;
  readonly runs: readonly SweepRun[];
}

/** Runs until nothing is left to do. `options` may differ by run. */
export async function sweepToTheEnd(
  server: ListServer,
  options: (run: number) => SweepOptions = () => ({}),
  between: (run: number) => void = () => undefined,
  limit = 200,
): Promise<WholeSweep> {
  const rows = new Set<string>();
  const runs: SweepRun[] = [];
  let state: SweepState | undefined;
  for (let number = 1; number <= limit; number += 1) {
    const run = await sweepOnce(server, state, options(number));
    runs.push(run);
    state = run.state;
    for (const row of run.rows) rows.add(row);
    if (state !== undefined && isComplete(state)) return { state, rows, runs };
    between(number);
  }
  throw new Error(`not finished after ${limit} runs: ${JSON.stringify({ ...state, keys: undefined })}`);
}
