/** What a target author writes. */
import type { SettingFault, Settings, SettingsSchema } from './config.ts';
import type { RawNumber, Row } from './lossless.ts';
import type { JsonSchema } from './messages.ts';
import type { RecordPattern, Spellings } from './record-pattern.ts';
import type { Closing, Run } from './stream.ts';

/** One stream as its SCHEMA message describes it, with the `_sdc_…` columns that the runner fills. */
export interface SinkStream {
  readonly name: string;
  readonly key: readonly string[];
  readonly schema: JsonSchema;
}

/** Rows whose values stand as they were spelled in their lines. */
export interface SpelledRows {
  readonly pattern: RecordPattern;
  readonly values: readonly Spellings[];
  /** The version of all these rows, for the column `_sdc_table_version`. */
  readonly version: number | RawNumber | undefined;
}

/** Records of one stream in the order they came. */
export interface Batch {
  readonly stream: SinkStream;
  readonly rows: readonly Row[];
  /** The same rows in the form that costs less; `rows` is made of it when it is asked for. */
  readonly spelled?: SpelledRows;
  /** True for rows that are gone from the source (`_sdc_deleted_at`): what they do not say stays as it is. */
  readonly gone: boolean;
  /** Line of the input for each row. */
  readonly lines: readonly number[];
}

/** A record that is set aside instead of ending the load. */
export interface Reject {
  readonly stream: string;
  /** Line of the input, blank ones counted. */
  readonly line: number;
  /** What is wrong with it. Names properties, never values. */
  readonly reason: string;
  readonly record: Row;
}

/** The first record of a batch that a column cannot hold. `problem` completes "a record has …" and names no value. */
export interface Misfit {
  readonly index: number;
  readonly property: string;
  readonly problem: string;
}

/** What became of the rows of one stream. A wrong key hides as quiet overwriting unless all are told apart. */
export interface Written {
  readonly stream: string;
  readonly inserted: number;
  readonly updated: number;
  readonly unchanged: number;
  /** Marked as gone, or deleted. */
  readonly deleted: number;
}

/** Rows that vanished from their source: those with one of these versions (null: without one). */
export interface Retirement {
  readonly versions: readonly (bigint | null)[];
  /** Delete them; else stamp those that have no stamp yet with `at` (RFC 3339, UTC). */
  readonly hard: boolean;
  readonly at: string;
}

/**
 * One destination. Whatever `add`, `retire` and `reject` were given since the last `commit` becomes durable with the next,
 * in that order and all or nothing where the store allows it. A call that rejects takes back everything since the last
 * commit.
 */
export interface Sink extends Closing {
  /** Creates or widens the table. Refuses, before anything is written, what would lose data. Called between commits. */
  prepare(stream: SinkStream): Promise<void>;
  /** Takes the rows from `from` on, up to the first that does not fit, which is returned; undefined means all. */
  add(batch: Batch, from: number): Promise<Misfit | undefined>;
  /** The versions that rows of the stream have, rows not committed yet included; empty when none ever had one. */
  versions(stream: SinkStream): Promise<readonly (bigint | null)[]>;
  /** Marks or deletes rows. */
  retire(stream: SinkStream, rows: Retirement): Promise<void>;
  /** Keeps records that are set aside. */
  reject(records: readonly Reject[]): Promise<void>;
  /**
   * Resolves once everything taken since the last commit is durable, with what became of it. `state` (JSON text) is the
   * newest that is true then; a store that was asked to keeps it in the same transaction.
   */
  commit(state: string | undefined): Promise<readonly Written[]>;
  /**
   * Only where a load stays aside until it is whole: shows it, with the newest state, after the last commit of a good run.
   * States then go out after this and not before.
   */
  finish?(state: string | undefined): Promise<void>;
  /** Takes back what is not committed, and what is not shown. */
  close(): Promise<void>;
}

/** When pending rows are committed: whichever limit is reached first. */
export interface Limits {
  readonly rows: number;
  readonly bytes: number;
}

export interface Target {
  readonly name: string;
  readonly description: string;
  readonly settings: SettingsSchema;
  readonly rules?: (settings: Settings) => readonly SettingFault[];
  readonly capabilities: readonly string[];
  connect(settings: Settings, run: Run): Promise<Sink>;
  /** The state that the store itself keeps, as JSON text; undefined when there is none. For the command `state`. */
  readState?(settings: Settings): Promise<string | undefined>;
  /** Further commands by name. */
  readonly commands?: Readonly<Record<string, TargetCommand>>;
}

/** Something else that a target does with its store than to load: `target-name command --config FILE`. */
export interface TargetCommand {
  /** One sentence for `--help`. */
  readonly description: string;
  /** What may be named behind the command, as `--help` writes it (`RELEASE`). */
  readonly operand?: string;
  run(settings: Settings, context: CommandContext): Promise<void>;
}

/** What a command gets. */
export interface CommandContext extends Run {
  /** What was named behind the command. */
  readonly operand: string | undefined;
  /** The answer is for a program: one line of JSON. */
  readonly json: boolean;
  /** Tells this run apart from others. */
  readonly id: string;
  /** Prints one line on stdout. */
  print(line: string): Promise<void>;
}

/** Settings every target has, with their defaults. */
export const LOADING_SETTINGS: SettingsSchema['properties'] = {
  batch_rows: {
    type: 'integer',
    minimum: 1,
    default: 10_000,
    description: 'Rows after which pending rows of all streams are committed in one transaction.',
  },
  batch_bytes: {
    type: 'integer',
    minimum: 1,
    default: 16_777_216,
    description: 'Bytes of input after which pending rows are committed.',
  },
  batch_seconds: {
    type: 'number',
    exclusiveMinimum: 0,
    default: 10,
    description:
      'Seconds after which pending rows are committed, so that a slow source still sees its states committed.',
  },
  validate_records: {
    type: 'boolean',
    default: true,
    description: 'Check each record against the schema of its stream: types and required properties.',
  },
  on_invalid_record: {
    enum: ['fail', 'quarantine'],
    default: 'fail',
    description:
      'What happens to a record that does not fit its schema or has no key: fail ends the load; quarantine keeps it aside with stream, line and reason, and the load goes on and ends with exit code 2.',
  },
  add_record_metadata: {
    type: 'boolean',
    default: false,
    description:
      'Add the columns _sdc_extracted_at, _sdc_received_at, _sdc_batched_at, _sdc_deleted_at, _sdc_sequence, _sdc_table_version and _sdc_sync_started_at to every table.',
  },
  hard_delete: {
    type: 'boolean',
    default: false,
    description:
      'Delete rows that are gone from the source (ACTIVATE_VERSION, or a record with _sdc_deleted_at) instead of marking them in the column _sdc_deleted_at.',
  },
  post_load_hook: {
    type: 'string',
    minLength: 1,
    'x-env': ['POST_EXTRACTION_HOOK'],
    examples: ['./refresh-report.sh'],
    description:
      'A command for the shell, run once after the last state is durable, and only if the last message was a state. When it fails the exit code is 2.',
  },
};
