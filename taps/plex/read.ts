/** One run: the selected streams in their order, what their failures mean, and how it ended. */
import { HttpFailure, isUnreachable } from '../../http/judge.ts';
import { ConnectorError, EXIT } from '../../singer/errors.ts';
import { timestamp } from '../../singer/io.ts';
import type { Json } from '../../singer/lossless.ts';
import type { State } from '../../singer/state-file.ts';
import type { Ending, Page, ReadRequest, RowGroup, Run } from '../../singer/stream.ts';
import type { Connection } from './connection.ts';
import { inputsOf } from './data-source.ts';
import { kindOf } from './failures.ts';
import { Parents } from './parents.ts';
import { keyWorks } from './rest.ts';
import { configuredSource } from './sources.ts';
import { type PlexStream, Reading, type StreamPage } from './stream.ts';
import { STREAMS } from './streams.ts';

/** `skipped`: an optional stream that Plex refused; `partial`: some of its rows are still to be read. */
type Outcome = 'skipped' | 'partial' | 'failed';

interface Failure {
  readonly stream: string;
  readonly outcome: Outcome;
  readonly reason: string;
}

/** The streams that a run reads: selected, their group on, and not filled by the reader of another one that is read. */
export function streamsToRead(
  wanted: ReadonlySet<string>,
  settings: ReadRequest['settings'],
): { readonly readers: readonly PlexStream[]; readonly names: ReadonlySet<string> } {
  const on = STREAMS.filter(
    ({ declaration, group }) => wanted.has(declaration.name) && settings[`enable_${group}`] === true,
  );
  const names = new Set(on.map(({ declaration }) => declaration.name));
  return { readers: on.filter(({ fedBy }) => fedBy === undefined || !names.has(fedBy)), names };
}

class PlexRun {
  readonly #connection: Connection;
  readonly #run: Run;
  readonly #state: State;
  readonly #probe: boolean;
  readonly #settings: ReadRequest['settings'];
  readonly #readers: readonly PlexStream[];
  readonly #off: readonly string[];
  readonly #reading: Reading;
  #bookmarks: Readonly<Record<string, Json>>;
  readonly #failures: Failure[] = [];
  readonly #rows = new Map<string, number>();

  constructor(connection: Connection, { settings, selected, state, probe = false }: ReadRequest, run: Run) {
    this.#connection = connection;
    this.#run = run;
    this.#state = state;
    this.#probe = probe;
    this.#settings = settings;
    this.#bookmarks = state.bookmarks ?? {};
    const wanted = new Set(selected.map(({ declaration }) => declaration.name));
    const { readers, names } = streamsToRead(wanted, settings);
    this.#readers = readers;
    this.#off = [...wanted].filter((name) => !names.has(name));
    const startedAt = run.clock.now();
    this.#reading = new Reading(
      {
        connection,
        settings,
        startedAt,
        parents: new Parents(),
        bookmarks: this.#bookmarks,
        wanted: names,
        stamp: { _pcn: String(settings.customer_id), _syncedAt: timestamp(startedAt) },
      },
      run,
    );
  }

  async *read(): AsyncGenerator<Page, Ending> {
    const { log } = this.#run;
    if (!this.#probe) log.info('extractor_init', `tap-plex: ${this.#readers.length} streams to read`);
    if (this.#off.length > 0) {
      const text = `not read, because their group is off: ${this.#off.join(', ')}`;
      log.info('group_off', text, { streams: this.#off });
    }
    if (this.#probe) await this.#testDataSourceLogin();
    for (const stream of this.#readers) stream.follow?.(this.#reading);
    for (const stream of this.#readers) {
      if (this.#run.signal.aborted) break;
      yield* this.#stream(stream);
    }
    return this.#ending();
  }

  async *#stream(stream: PlexStream): AsyncGenerator<Page, void> {
    const { name } = stream.declaration;
    const before = this.#connection.rest.stats.requests + (this.#connection.dataSources?.stats.requests ?? 0);
    let failure: ConnectorError | undefined;
    try {
      for await (const page of stream.read(this.#reading)) {
        yield this.#page(page, (thrown) => {
          failure = thrown;
        });
        if (failure !== undefined) break;
      }
    } catch (thrown) {
      failure = ofStream(thrown);
    }
    if (this.#run.signal.aborted) return;
    if (failure !== undefined) await this.#failed(stream, failure);
    else if (!this.#probe) {
      const after = this.#connection.rest.stats.requests + (this.#connection.dataSources?.stats.requests ?? 0);
      const rows = this.#rows.get(name) ?? 0;
      const requests = after - before;
      this.#run.log.info('stream_complete', `${name}: ${rows} rows, ${requests} requests`, {
        stream: name,
        rows,
        requests,
      });
    }
  }

  /** The page as the runner takes it. A failure among its rows is the stream's business and must not reach the runner. */
  #page(page: StreamPage, failed: (thrown: ConnectorError) => void): Page {
    const settle = () => {
      this.#bookmarks = { ...this.#bookmarks, ...page.bookmarks };
    };
    let broken = false;
    const count = (group: RowGroup) => {
      const rows = 'records' in group ? group.records.length : group.count;
      this.#rows.set(group.stream, (this.#rows.get(group.stream) ?? 0) + rows);
    };
    const rows = async function* () {
      try {
        for await (const group of page.rows) {
          count(group);
          yield group;
        }
      } catch (thrown) {
        failed(ofStream(thrown));
        broken = true;
        return;
      }
      settle();
    };
    const state = () => this.#stateNow();
    return {
      rows: rows(),
      get complete() {
        return broken ? [] : (page.complete ?? []);
      },
      get state() {
        return state();
      },
    };
  }

  #stateNow(): State {
    return { ...this.#state, state_version: STATE_VERSION, bookmarks: this.#bookmarks };
  }

  async #failed({ declaration: { name }, mandatory, product }: PlexStream, failure: ConnectorError): Promise<void> {
    if (!(failure instanceof HttpFailure)) {
      const outcome =
        failure.code === 'upstream' && !mandatory ? (this.#isPartial(failure) ? 'partial' : 'skipped') : undefined;
      return this.#note(name, outcome ?? (mandatory ? 'failed' : 'skipped'), failure.line);
    }
    const { rest } = this.#connection;
    if (isUnreachable(failure) && !rest.answered && product !== 'Data Source API') throw failure;
    const kind = kindOf(failure);
    if (kind === 'access' && product !== 'Data Source API') {
      if (!(await keyWorks(rest))) throw refusedKey(failure);
      const text = `${failure.message}: is the app subscribed to the product ${product}?`;
      return this.#note(name, mandatory ? 'failed' : 'skipped', text);
    }
    this.#note(name, mandatory ? 'failed' : 'skipped', told(failure));
  }

  #isPartial({ cause }: ConnectorError): boolean {
    return cause instanceof HttpFailure;
  }

  #note(stream: string, outcome: Outcome, reason: string): void {
    this.#failures.push({ stream, outcome, reason });
    const { log, metrics } = this.#run;
    if (outcome === 'skipped') {
      const help = 'Streams that a run left out because the source refused them.';
      metrics.count('tapworks_streams_skipped_total', help, { stream, program: metrics.program });
      log.warn('stream_skipped', `${stream}: skipped, its bookmark stays: ${reason}`, { stream });
    } else log.error('stream_failed', `${stream}: ${reason}`, { stream });
  }

  #ending(): Ending {
    const of = (outcome: Outcome) => this.#failures.filter((failure) => failure.outcome === outcome);
    const [failed, partial, skipped] = [of('failed'), of('partial'), of('skipped')];
    const exitCode = failed.length > 0 ? EXIT.failed : partial.length > 0 ? EXIT.incomplete : EXIT.complete;
    const rows = [...this.#rows.values()].reduce((sum, count) => sum + count, 0);
    const { rest, dataSources } = this.#connection;
    const requests = rest.stats.requests + (dataSources?.stats.requests ?? 0);
    const names = (failures: readonly Failure[]) => failures.map(({ stream }) => stream).join(', ');
    const first = failed[0];
    const summary = [
      `${this.#readers.length} streams, ${rows} rows, ${requests} requests`,
      ...(skipped.length > 0 ? [`skipped: ${names(skipped)}`] : []),
      ...(partial.length > 0 ? [`not read to the end: ${names(partial)}`] : []),
      ...(first === undefined ? [] : [`failed: ${names(failed)}; ${first.stream}: ${first.reason}`]),
    ].join('; ');
    return {
      exitCode,
      summary,
      fields: { rows, requests, streams_skipped: skipped.map(({ stream }) => stream) },
      failures: [...failed, ...partial],
      absent: skipped.map(({ stream }) => stream),
    };
  }

  /** `--test` says whether the web-service user may sign in, also when none of its streams is selected. */
  async #testDataSourceLogin(): Promise<void> {
    const { dataSources: api } = this.#connection;
    if (api === undefined || this.#connection.dataSourceTested) return;
    this.#connection.dataSourceTested = true;
    const { id } = configuredSource(this.#settings, 'daily');
    const { log } = this.#run;
    try {
      await inputsOf(api, 'data_source', id);
      log.info('data_source_login', 'the Data Source API accepts the web-service user');
    } catch (thrown) {
      const failure = ofStream(thrown);
      log.warn('data_source_login', `the Data Source API does not accept the web-service user: ${failure.line}`);
    }
  }
}

/** The failure if it is one stream's; throws what ends the run. */
function ofStream(thrown: unknown): ConnectorError {
  if (thrown instanceof HttpFailure) return thrown;
  if (thrown instanceof ConnectorError && (thrown.code === 'upstream' || thrown.code === 'config')) return thrown;
  throw thrown;
}

/** What was asked and how it was refused. */
function told({ line, where: { path } }: ConnectorError): string {
  return path === undefined ? line : `${path}: ${line}`;
}

function refusedKey(failure: HttpFailure): ConnectorError {
  return new ConnectorError(
    'auth',
    'Plex refuses the key: it is wrong, it has expired, or it may not act for this customer',
    failure.where,
    {
      cause: failure,
      hint: 'check api_key and customer_id; if they worked before, make a new key in the developer portal',
    },
  );
}

/** Written into every state. */
export const STATE_VERSION = 1;

/** Reads what is selected; see `Tap.read`. */
export function readPlex(connection: Connection, request: ReadRequest, run: Run): AsyncGenerator<Page, Ending> {
  return new PlexRun(connection, request, run).read();
}
