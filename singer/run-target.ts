/**
 * Runs a target. One loop, no queue: while rows are written nothing is read, so the pipe itself is the back-pressure.
 * A state goes out only after everything received before it is durable.
 */
import { createReadStream } from 'node:fs';
import { Batches } from './batches.ts';
import { TARGET_FLAGS } from './command-line.ts';
import { loadSettings, type Settings } from './config.ts';
import { ConnectorError, EXIT, textOf } from './errors.ts';
import type { Io } from './io.ts';
import { isObject, type Json } from './lossless.ts';
import { parseMessage, type SchemaMessage } from './messages.ts';
import { NO_PROGRESS, openProgress } from './progress.ts';
import { type Line, LineReader } from './reader.ts';
import { inSession, type Session } from './session.ts';
import type { Sink, Target } from './sink.ts';
import { saveState } from './state-file.ts';
import type { Run } from './stream.ts';
import { LineWriter } from './writer.ts';

/** Runs `target` with the given outside world and returns the exit code. */
export function runTarget(target: Target, io: Io): Promise<number> {
  const usage = `$0 --config FILE [--state-file FILE] < messages\n\n${target.description}`;
  return inSession(target.name, io, TARGET_FLAGS, usage, (session) => targetSession(target, io, session));
}

async function targetSession(target: Target, io: Io, session: Session): Promise<number> {
  const { flags, log, metrics } = session;
  const settings = await loadSettings(
    {
      plugin: target.name,
      schema: target.settings,
      sources: flags.config,
      complete: true,
      ...(target.rules !== undefined && { rules: target.rules }),
    },
    io,
    log,
  );
  const input = flags.get('input');
  const stateFile = flags.get('state-file');
  const file = typeof input === 'string' ? input : undefined;
  // In a pipe the tap draws the bar; two on one terminal would overwrite each other.
  const progress = file === undefined ? NO_PROGRESS : await openProgress(io, log, true);
  const run: Run = { log, clock: io.clock, signal: io.signal, metrics, progress, env: io.env };
  const sink = await target.connect(settings, run);
  try {
    const load = new Load(
      sink,
      settings,
      run,
      new LineWriter(io.stdout),
      typeof stateFile === 'string' ? stateFile : undefined,
    );
    await load.run(chunksOf(file, io));
    return EXIT.complete;
  } finally {
    progress.stop();
    await sink.close();
  }
}

function chunksOf(path: string | undefined, io: Io): AsyncIterable<Uint8Array> {
  return path === undefined ? io.stdin : fileChunks(path);
}

async function* fileChunks(path: string): AsyncGenerator<Uint8Array> {
  try {
    yield* createReadStream(path, { highWaterMark: 256 * 1024 });
  } catch (cause) {
    throw new ConnectorError('config', `cannot read --input ${path}: ${textOf(cause)}`, { path }, { cause });
  }
}

const WAITED = 'waited';

/** One load: from the first byte to the last confirmed state. */
class Load {
  readonly #sink: Sink;
  readonly #run: Run;
  readonly #out: LineWriter;
  readonly #stateFile: string | undefined;
  readonly #batches: Batches;
  readonly #seconds: number;
  readonly #reader = new LineReader();
  readonly #warned = new Set<string>();
  readonly #totals = new Map<string, { inserted: number; updated: number; unchanged: number }>();
  #state: { readonly value: Json } | undefined;
  #emitted = '';
  #pendingSince: number | undefined;
  #writeFailed = false;

  constructor(sink: Sink, settings: Settings, run: Run, out: LineWriter, stateFile: string | undefined) {
    this.#sink = sink;
    this.#run = run;
    this.#out = out;
    this.#stateFile = stateFile;
    const {
      batch_rows: rows,
      batch_bytes: bytes,
      batch_seconds: seconds,
    } = settings as { batch_rows: number; batch_bytes: number; batch_seconds: number };
    this.#seconds = seconds;
    this.#batches = new Batches({ rows, bytes, seconds }, settings.validate_records !== false);
  }

  /** Reads to the end. Whatever ends it, rows received in order before it are written and their state confirmed. */
  async run(chunks: AsyncIterable<Uint8Array>): Promise<void> {
    let failure: unknown;
    try {
      await this.#readAll(chunks);
    } catch (thrown) {
      // A destination that failed would fail again; anything else leaves good rows to put away first.
      if (this.#writeFailed) throw thrown;
      failure = thrown;
    }
    await this.#flush();
    await this.#out.flush();
    this.#summary(failure === undefined);
    if (failure !== undefined) throw failure;
  }

  async #readAll(chunks: AsyncIterable<Uint8Array>): Promise<void> {
    const source = chunks[Symbol.asyncIterator]();
    let next = source.next();
    // A rejection that arrives while rows are being written is handled when the loop comes back to it.
    next.catch(() => undefined);
    for (;;) {
      const got = await this.#nextOrTimer(next);
      if (got === WAITED) {
        await this.#flush();
        continue;
      }
      if (got.done === true) break;
      for (const line of this.#reader.push(got.value)) await this.#line(line);
      this.#run.signal.throwIfAborted();
      if (this.#overdue()) await this.#flush();
      next = source.next();
      next.catch(() => undefined);
    }
    const last = this.#reader.end();
    if (last !== undefined) await this.#line(last);
  }

  /** The next chunk, or `WAITED` when pending work has waited for `batch_seconds`; rejects when asked to stop. */
  async #nextOrTimer(next: Promise<IteratorResult<Uint8Array>>): Promise<IteratorResult<Uint8Array> | typeof WAITED> {
    const { signal, clock } = this.#run;
    signal.throwIfAborted();
    const idle = new AbortController();
    const stop = new Promise<never>((_resolve, reject) => {
      signal.addEventListener('abort', () => reject(signal.reason), { once: true, signal: idle.signal });
    });
    stop.catch(() => undefined);
    const timer =
      this.#pendingSince === undefined
        ? undefined
        : clock.sleep(this.#pendingSince + this.#seconds * 1000 - clock.now(), idle.signal).then(
            () => WAITED as typeof WAITED,
            () => WAITED as typeof WAITED,
          );
    try {
      return await Promise.race([next, stop, ...(timer === undefined ? [] : [timer])]);
    } finally {
      idle.abort();
    }
  }

  #overdue(): boolean {
    return this.#pendingSince !== undefined && this.#run.clock.now() - this.#pendingSince >= this.#seconds * 1000;
  }

  async #line(line: Line): Promise<void> {
    const message = parseMessage(line.text, line.number);
    switch (message.type) {
      case 'RECORD': {
        const { unknown } = this.#batches.add(message, line.number, line.bytes);
        for (const property of unknown) {
          this.#run.log.warn(
            'unknown_property',
            `stream "${message.stream}" sends "${property}", which its schema does not have; it is not stored`,
            { stream: message.stream },
          );
        }
        this.#wait();
        if (this.#batches.full) await this.#flush();
        return;
      }
      case 'SCHEMA':
        return this.#schema(message, line.number);
      case 'STATE':
        // An empty state passed on would wipe what the runner keeps.
        if (message.value === null || (isObject(message.value) && Object.keys(message.value).length === 0)) return;
        this.#state = { value: message.value };
        if (this.#batches.pending === 0) await this.#confirm();
        else this.#wait();
        return;
      case 'ACTIVATE_VERSION':
        return this.#warnOnce(
          'ACTIVATE_VERSION',
          `stream "${message.stream}": ACTIVATE_VERSION is not supported yet and is ignored; no row is deleted`,
        );
      default:
        this.#warnOnce(message.name, `messages of type ${message.name} are not known and are skipped`);
    }
  }

  async #schema(message: SchemaMessage, line: number): Promise<void> {
    const stream = this.#batches.changed(message, line);
    if (stream === undefined) return;
    await this.#flush();
    await this.#sink.prepare(stream);
    this.#batches.open(stream);
  }

  #warnOnce(subject: string, text: string): void {
    if (this.#warned.has(subject)) return;
    this.#warned.add(subject);
    this.#run.log.warn('message_skipped', text);
  }

  #wait(): void {
    this.#pendingSince ??= this.#run.clock.now();
  }

  /** Writes all pending rows of all streams, then lets the newest state go. */
  async #flush(): Promise<void> {
    this.#pendingSince = undefined;
    const batches = this.#batches.take();
    if (batches.length > 0) {
      this.#writeFailed = true;
      const written = await this.#sink.write(batches);
      this.#writeFailed = false;
      for (const { stream, inserted, updated, unchanged } of written) {
        const total = this.#totals.get(stream) ?? { inserted: 0, updated: 0, unchanged: 0 };
        this.#totals.set(stream, {
          inserted: total.inserted + inserted,
          updated: total.updated + updated,
          unchanged: total.unchanged + unchanged,
        });
        this.#run.metrics.rows(stream, 'inserted', inserted);
        this.#run.metrics.rows(stream, 'updated', updated);
        this.#run.metrics.rows(stream, 'unchanged', unchanged);
      }
      this.#batches.clear();
    }
    await this.#confirm();
  }

  /** State file first: a runner that reads our stdout may stop us as soon as it has the line. */
  async #confirm(): Promise<void> {
    if (this.#state === undefined) return;
    const { value } = this.#state;
    const text = JSON.stringify(value);
    if (text !== this.#emitted) {
      if (this.#stateFile !== undefined) await saveState(this.#stateFile, value);
      await this.#out.line(text);
      this.#emitted = text;
    }
    this.#state = undefined;
  }

  #summary(good: boolean): void {
    const streams = Object.fromEntries(this.#totals);
    const rows = [...this.#totals].map(
      ([stream, { inserted, updated, unchanged }]) =>
        `${stream} ${inserted} new, ${updated} changed, ${unchanged} as before`,
    );
    const text = rows.length === 0 ? 'no rows came in' : rows.join('; ');
    this.#run.log.info(
      good ? 'load_complete' : 'load_stopped',
      good ? `loaded: ${text}` : `written before the stop: ${text}`,
      { streams, lines: this.#reader.count },
    );
  }
}
