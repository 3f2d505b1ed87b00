/**
 * One load. One loop, no queue: while rows are written nothing is read, so the pipe itself is the back-pressure.
 * A state goes out only after everything received before it is durable.
 */
import { batchRecords } from './batch-files.ts';
import { Batches, InvalidRecord } from './batches.ts';
import type { Settings } from './config.ts';
import { ConnectorError } from './errors.ts';
import { runHook } from './hook.ts';
import { Input, SILENT } from './input.ts';
import { timestamp } from './io.ts';
import { isObject, type Json } from './lossless.ts';
import {
  type ActivateVersionMessage,
  type BatchMessage,
  type Message,
  MessageParser,
  type RecordMessage,
  type SchemaMessage,
} from './messages.ts';
import { RecordMetadata } from './metadata.ts';
import { type Line, LineReader } from './reader.ts';
import type { Batch, Reject, Sink, SinkStream } from './sink.ts';
import { saveState } from './state-file.ts';
import type { Run } from './stream.ts';
import { Tally } from './tally.ts';
import { activate } from './versions.ts';
import type { LineWriter } from './writer.ts';

/**
 * A store may keep others out from the first row it takes until the commit. A source that pauses this long in between
 * would make them wait for nothing, so what there is gets committed.
 */
const PAUSE_MS = 200;

/** The newest state that is not confirmed, and its text as it goes out. */
interface PendingState {
  readonly value: Json;
  readonly text: string;
}

/** A record's line, and the place within it for one that lies in a batch file. */
type Place = Pick<Line, 'number' | 'bytes'> & { readonly within?: string };

/** One load: from the first byte to the last confirmed state. */
export class Load {
  readonly #sink: Sink;
  readonly #settings: Settings;
  readonly #run: Run;
  readonly #out: LineWriter;
  readonly #stateFile: string | undefined;
  readonly #batches: Batches;
  readonly #reader = new LineReader();
  readonly #parser = new MessageParser();
  readonly #tally: Tally;
  readonly #warned = new Set<string>();
  #state: PendingState | undefined;
  #emitted = '';
  /** The type of the last message that counted, and whether any state came. */
  #last: Message['type'] | undefined;
  #stateCame = false;
  #pendingSince: number | undefined;
  /** The sink was given something that is not committed. */
  #handed = false;
  #writeFailed = false;

  constructor(sink: Sink, settings: Settings, run: Run, out: LineWriter, stateFile: string | undefined) {
    this.#sink = sink;
    this.#settings = settings;
    this.#run = run;
    this.#out = out;
    this.#stateFile = stateFile;
    this.#tally = new Tally(run);
    const { batch_rows: rows, batch_bytes: bytes } = settings as { batch_rows: number; batch_bytes: number };
    this.#batches = new Batches(
      { rows, bytes },
      {
        validate: settings.validate_records !== false,
        hardDelete: settings.hard_delete === true,
        metadata: settings.add_record_metadata === true ? new RecordMetadata(run.clock) : undefined,
        now: () => this.#now(),
      },
    );
  }

  /**
   * Reads to the end. Whatever ends it, rows received in order before it are written and their state confirmed.
   * @returns true when nothing was set aside and no hook failed.
   */
  async run(chunks: AsyncIterable<Uint8Array>): Promise<boolean> {
    let failure: unknown;
    try {
      await this.#readAll(new Input(chunks, this.#run));
    } catch (thrown) {
      // A destination that failed would fail again; anything else leaves good rows to put away first.
      if (this.#writeFailed) throw thrown;
      failure = thrown;
    }
    await this.#flush();
    if (failure === undefined) await this.#finish();
    await this.#out.flush();
    this.#tally.tell(failure === undefined, this.#reader.count);
    if (failure !== undefined) throw failure;
    const hooked = await this.#hook();
    return hooked && this.#tally.rejected === 0;
  }

  async #readAll(input: Input): Promise<void> {
    for (;;) {
      const chunk = await input.next(this.#patience());
      if (chunk === SILENT) {
        await this.#flush();
        continue;
      }
      if (chunk === undefined) break;
      for (const line of this.#reader.push(chunk)) {
        // A promise per record would cost more than the record.
        const working = this.#line(line);
        if (working !== undefined) await working;
      }
      this.#run.signal.throwIfAborted();
      if (this.#patience() === 0) await this.#flush();
    }
    const last = this.#reader.end();
    if (last !== undefined) await this.#line(last);
  }

  /** Milliseconds for which the source may stay silent before pending work is written. */
  #patience(): number | undefined {
    if (this.#pendingSince === undefined) return undefined;
    const due = this.#pendingSince + (this.#settings.batch_seconds as number) * 1000;
    const left = Math.max(0, due - this.#run.clock.now());
    return this.#handed ? Math.min(left, PAUSE_MS) : left;
  }

  #line(line: Line): Promise<void> | undefined {
    if (this.#batches.match(line)) {
      this.#last = 'RECORD';
      return this.#taken();
    }
    const message = this.#parser.parse(line.text, line.number);
    switch (message.type) {
      case 'RECORD':
        this.#last = 'RECORD';
        this.#batches.learn(message, line.text);
        return this.#record(message, line);
      case 'SCHEMA':
        return this.#schema(message, line.number);
      case 'STATE':
        return this.#stateMessage(message.value);
      case 'ACTIVATE_VERSION':
        this.#last = 'ACTIVATE_VERSION';
        return this.#activate(message);
      case 'BATCH':
        this.#last = 'BATCH';
        return this.#batch(message, line.number);
      default:
        this.#warnOnce(message.name, `messages of type ${message.name} are not known and are skipped`);
        return;
    }
  }

  #stateMessage(value: Json): Promise<void> | undefined {
    // An empty state passed on would wipe what the runner keeps.
    if (value === null || (isObject(value) && Object.keys(value).length === 0)) return;
    this.#last = 'STATE';
    this.#stateCame = true;
    this.#state = { value, text: JSON.stringify(value) };
    if (this.#pendingSince === undefined) return this.#flush();
    return;
  }

  #record(message: RecordMessage, place: Place): Promise<void> | undefined {
    try {
      const { unknown, lacks } = this.#batches.add(message, place.number, place.bytes);
      if (lacks !== undefined) return this.#widen(lacks).then(() => this.#record(message, place));
      for (const property of unknown) {
        this.#run.log.warn(
          'unknown_property',
          `stream "${message.stream}" sends "${property}", which its schema does not have; it is not stored`,
          { stream: message.stream },
        );
      }
    } catch (thrown) {
      return this.#invalid(thrown, message, place);
    }
    return this.#taken();
  }

  #taken(): Promise<void> | undefined {
    this.#wait();
    if (this.#batches.full) return this.#flush();
    if (this.#batches.due) return this.#hand();
    return;
  }

  async #invalid(thrown: unknown, { stream, record }: RecordMessage, place: Place): Promise<void> {
    if (!(thrown instanceof InvalidRecord)) throw thrown;
    const within = place.within === undefined ? '' : ` (${place.within})`;
    if (!this.#quarantines) {
      if (within === '') throw thrown;
      throw new InvalidRecord(`${thrown.message}${within}`, thrown.reason, thrown.where, thrown.hint);
    }
    await this.#reject({ stream, line: place.number, reason: `${thrown.reason}${within}`, record });
  }

  get #quarantines(): boolean {
    return this.#settings.on_invalid_record === 'quarantine';
  }

  async #reject(reject: Reject): Promise<void> {
    this.#wait();
    this.#handed = true;
    await this.#writing(() => this.#sink.reject([reject]));
    this.#tally.reject(reject);
  }

  async #schema(message: SchemaMessage, line: number): Promise<void> {
    const stream = this.#batches.changed(message, line);
    if (stream === undefined) return;
    // Behind the schema of a new stream its rows were to come.
    if (this.#batches.stream(message.stream) === undefined) this.#last = 'SCHEMA';
    await this.#flush();
    await this.#sink.prepare(stream);
    this.#batches.open(stream, message);
  }

  async #widen(stream: SinkStream): Promise<void> {
    await this.#flush();
    await this.#sink.prepare(stream);
    this.#batches.widen(stream);
  }

  async #batch(message: BatchMessage, line: number): Promise<void> {
    const { stream, version } = message;
    for await (const { record, place, bytes } of batchRecords(message, line)) {
      const working = this.#record(
        { type: 'RECORD', stream, record, version: version ?? null },
        { number: line, bytes, within: place },
      );
      if (working !== undefined) await working;
      this.#run.signal.throwIfAborted();
    }
  }

  /** Rows before the message are in; a state behind it goes out only after the rows that vanished are dealt with. */
  async #activate({ stream: name, version }: ActivateVersionMessage): Promise<void> {
    const stream = this.#batches.stream(name);
    if (stream === undefined) {
      this.#warnOnce(
        `ACTIVATE_VERSION ${name}`,
        `ACTIVATE_VERSION of stream "${name}" before its schema is ignored; no row is deleted`,
      );
      return;
    }
    const unversioned = this.#batches.activated(name, version);
    await this.#hand();
    this.#handed = true;
    const number = BigInt(typeof version === 'number' ? version : version.rawJSON);
    const how = { version: number, unversioned, hard: this.#settings.hard_delete === true, at: this.#now() };
    await this.#writing(() => activate(this.#sink, stream, how, this.#run.log));
    await this.#flush();
  }

  #warnOnce(subject: string, text: string): void {
    if (this.#warned.has(subject)) return;
    this.#warned.add(subject);
    this.#run.log.warn('message_skipped', text);
  }

  #now(): string {
    return timestamp(this.#run.clock.now());
  }

  #wait(): void {
    this.#pendingSince ??= this.#run.clock.now();
  }

  /** Hands the rows that wait to the sink, which takes them into its open transaction. */
  async #hand(): Promise<void> {
    const batches = this.#batches.take();
    if (batches.length === 0) return;
    this.#handed = true;
    for (const batch of batches) await this.#add(batch);
  }

  async #add(batch: Batch): Promise<void> {
    for (let from = 0; from < batch.lines.length; ) {
      const misfit = await this.#writing(() => this.#sink.add(batch, from));
      if (misfit === undefined) return;
      const { index, property, problem } = misfit;
      const [row = {}, line = 0] = [batch.rows[index], batch.lines[index]];
      const { name } = batch.stream;
      if (!this.#quarantines) {
        // Behind this row there may be states, so the rows before it are not committed either.
        this.#writeFailed = true;
        throw new ConnectorError(
          'schema',
          `line ${line}: stream "${name}": a record has ${problem}`,
          { stream: name, line, key: property },
          { hint: 'nothing of this batch was written; mend the data or the type of the property in the schema' },
        );
      }
      await this.#reject({ stream: name, line, reason: `has ${problem}`, record: row });
      from = index + 1;
    }
  }

  /** Whatever fails in `body` leaves a transaction that must not be committed. */
  async #writing<Result>(body: () => Promise<Result>): Promise<Result> {
    this.#writeFailed = true;
    const result = await body();
    this.#writeFailed = false;
    return result;
  }

  /** Commits all pending rows of all streams, then lets the newest state go. */
  async #flush(): Promise<void> {
    await this.#hand();
    this.#pendingSince = undefined;
    // Where a load stays aside until it is whole, a state before that would be ahead of its rows.
    const state = this.#sink.finish === undefined ? this.#state : undefined;
    if (this.#handed || state !== undefined) {
      for (const written of await this.#writing(() => this.#sink.commit(state?.text))) this.#tally.add(written);
      this.#handed = false;
      this.#batches.committed();
    }
    if (state !== undefined) await this.#confirm(state);
  }

  /** State file first: a runner that reads our stdout may stop us as soon as it has the line. */
  async #confirm({ value, text }: PendingState): Promise<void> {
    if (text !== this.#emitted) {
      if (this.#stateFile !== undefined) await saveState(this.#stateFile, value);
      await this.#out.line(text);
      this.#emitted = text;
    }
    this.#state = undefined;
  }

  /** Shows a load that was kept aside, unless the tap seems to have died: half a stream must not replace a whole one. */
  async #finish(): Promise<void> {
    if (this.#sink.finish === undefined) return;
    if (this.#stateCame && this.#last !== 'STATE') {
      throw new ConnectorError(
        'protocol',
        'the input ended behind its last state, as if the tap had died; the former content was left in place',
        { line: this.#reader.count },
        { hint: 'look at the log of the tap, then run again' },
      );
    }
    const state = this.#state;
    await this.#writing(async () => this.#sink.finish?.(state?.text));
    if (state !== undefined) await this.#confirm(state);
  }

  async #hook(): Promise<boolean> {
    const { post_load_hook: command } = this.#settings;
    if (typeof command !== 'string' || this.#last !== 'STATE') return true;
    const good = await runHook('post_load_hook', command, this.#run);
    this.#run.signal.throwIfAborted();
    return good;
  }
}
