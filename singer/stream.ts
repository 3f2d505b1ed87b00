/**
 * What a tap author writes.
 *
 * Glossary
 * - stream: a named sequence of records with one schema and one key.
 * - catalog: the list of streams with what is selected of them.
 * - bookmark: how far one stream has come; part of the state.
 * - state: all bookmarks and the tap's own notes; the value of a STATE message, kept in a state file (the checkpoint).
 * - page: rows, and the state that is true once these rows are safe.
 * - sweep: one complete reading of a page-numbered endpoint, however many runs it takes.
 * - gap: a page that stayed unreadable; kept in the state and tried again.
 * - version: number of one reading of a full-table stream; once it is complete, rows of earlier ones have vanished.
 * - snapshot: the sweeps of all streams that belong together; records carry its id.
 * - sink: what writes batches of rows to one destination.
 * - upsert: insert, or replace the row that has the same key.
 */
import type { SettingFault, Settings, SettingsSchema } from './config.ts';
import type { Clock } from './io.ts';
import type { Log } from './log.ts';
import type { Json, Row } from './lossless.ts';
import type { JsonSchema } from './messages.ts';
import type { Metrics } from './metrics.ts';
import type { Progress } from './progress.ts';
import type { State, StateDeclaration } from './state-file.ts';

/** The declaration of one stream: everything discovery, `catalog.json` and the docs need, without config or network. */
export interface StreamDeclaration {
  readonly name: string;
  readonly key: readonly string[];
  readonly schema: JsonSchema;
  /** Properties that order the stream for incremental reading; empty for full-table streams. */
  readonly bookmarks?: readonly string[];
  readonly replication: 'FULL_TABLE' | 'INCREMENTAL';
  /** Read when nobody chose: false for streams that cost too many calls. */
  readonly selectedByDefault: boolean;
  /** Always in, whatever the catalog says (bookkeeping). */
  readonly automatic?: boolean;
  /** Properties of which a catalog may choose one, to read the stream incrementally; absent when there is no choice. */
  readonly replicationKeys?: readonly string[];
  /** What discovery knows beside that, for people and other tools; it changes nothing. */
  readonly facts?: {
    readonly stream: { readonly [name: string]: Json };
    readonly properties: { readonly [property: string]: { readonly [name: string]: Json } };
  };
}

/**
 * Records of one stream on their way out, in order. In groups, so that nothing is awaited per record.
 */
export type RowGroup = RecordGroup | LineGroup;

export interface RecordGroup {
  readonly stream: string;
  readonly records: readonly Row[];
  /** Version of the full-table stream that they belong to. */
  readonly version?: number;
}

/** Records that the source has made lines of; whoever makes them sees to it that they fit the stream's schema. */
export interface LineGroup {
  readonly stream: string;
  /** Whole RECORD messages as UTF-8, each with its line end. */
  readonly lines: Uint8Array;
  readonly count: number;
}

/** A full-table stream that was read whole: rows of any earlier version are gone from the source. */
export interface StreamVersion {
  readonly stream: string;
  readonly version: number;
}

/**
 * Rows and the state that covers them, as one value: a checkpoint without its rows cannot be written down. `complete`
 * and `state` are read after `rows` is exhausted, so getters serve what is known only then.
 */
export interface Page {
  readonly rows: Iterable<RowGroup> | AsyncIterable<RowGroup>;
  /** Versions that are complete with these rows; they are told before the state. */
  readonly complete?: readonly StreamVersion[];
  readonly state: State;
}

/** How a run ended, for the exit code and the last line. */
export interface Ending {
  /** 0 complete or batch in order, 1 nothing worked, 2 incomplete but safe. */
  readonly exitCode: 0 | 1 | 2;
  /** One line for a person. */
  readonly summary: string;
  /** Fields of the closing log event. */
  readonly fields?: Readonly<Record<string, unknown>>;
  /** Streams that failed, with the reason; `--test` reports them. */
  readonly failures?: readonly { readonly stream: string; readonly reason: string }[];
  /** Streams that the source does not offer, which is no failure; `--test` reports them. */
  readonly absent?: readonly string[];
}

/** What is handed in to everything that runs. */
export interface Run {
  readonly log: Log;
  readonly clock: Clock;
  readonly signal: AbortSignal;
  readonly metrics: Metrics;
  readonly progress: Progress;
  /** For libraries that read the environment (proxies). */
  readonly env: Readonly<Record<string, string | undefined>>;
}

/** One selected stream: its declaration and the schema that is left after deselected properties are taken out. */
export interface Selected {
  readonly declaration: StreamDeclaration;
  readonly schema: JsonSchema;
  readonly key: readonly string[];
  /** What the settings do to its records, which then fit `schema`. */
  apply?(record: Row): Row;
}

/** What a command beside the extraction (`--status`, `--reset`) gets. */
export interface ActionContext {
  readonly settings: Settings;
  readonly statePath: string | undefined;
  readonly state: () => Promise<State>;
  readonly log: Log;
  readonly clock: Clock;
  /** Prints one line on stdout. */
  print(line: string): void;
}

export interface Closing {
  close(): Promise<void>;
}

/** What every tap of this suite can do, in the words of `--about`. */
export const TAP_CAPABILITIES: readonly string[] = [
  'about',
  'catalog',
  'discover',
  'state',
  'structured-logging',
  'test',
];

/** A tap: constants, a way to connect, and one generator of pages. */
export interface Tap<Client extends Closing> {
  readonly name: string;
  readonly description: string;
  readonly settings: SettingsSchema;
  readonly capabilities: readonly string[];
  readonly rules?: (settings: Settings) => readonly SettingFault[];
  readonly streams: readonly StreamDeclaration[];
  /** Finds the streams that only the source knows, beside `streams`. Those that are not wanted need no exact schema. */
  discover?(client: Client, settings: Settings, wanted: StreamChoice, run: Run): Promise<readonly StreamDeclaration[]>;
  /** What settings change about a stream's schema and records, e.g. leaving out personal fields. */
  adjust?(selected: Selected, settings: Settings): Selected;
  readonly state: StateDeclaration;
  /** Flags of this tap alone, e.g. `--status`: they make no request and extract nothing. */
  readonly actions?: Readonly<
    Record<string, { readonly describe: string; act(context: ActionContext): Promise<void> }>
  >;
  /** Makes the client; no request yet. */
  connect(settings: Settings, run: Run): Promise<Client>;
  /** Yields pages until there is nothing left to do now. Throws what ends the run; failures of one stream go into the `Ending`. */
  read(client: Client, request: ReadRequest, run: Run): AsyncGenerator<Page, Ending>;
}

/** Whether the schema of a stream will be needed: it is selected, or shown, and no catalog brings one. */
export type StreamChoice = (stream: string, selectedByDefault: boolean) => boolean;

export interface ReadRequest {
  readonly settings: Settings;
  readonly selected: readonly Selected[];
  readonly state: State;
  /** True for `--test`: one record is enough, and nobody is told. */
  readonly probe?: boolean;
}
