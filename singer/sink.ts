/** What a target author writes. */
import type { SettingFault, Settings, SettingsSchema } from './config.ts';
import type { Row } from './lossless.ts';
import type { JsonSchema } from './messages.ts';
import type { Closing, Run } from './stream.ts';

/** One stream as its SCHEMA message describes it. */
export interface SinkStream {
  readonly name: string;
  readonly key: readonly string[];
  readonly schema: JsonSchema;
}

/** Rows of one stream in the order they came. */
export interface Batch {
  readonly stream: SinkStream;
  readonly rows: readonly Row[];
}

/** What became of the rows of one stream. A wrong key hides as quiet overwriting unless both are told apart. */
export interface Written {
  readonly stream: string;
  readonly inserted: number;
  readonly updated: number;
  readonly unchanged: number;
}

/** One destination. `write` takes the batches of all streams and is all-or-nothing where the store allows it. */
export interface Sink extends Closing {
  /** Creates or widens the table. Refuses, before anything is written, what would lose data. */
  prepare(stream: SinkStream): Promise<void>;
  /** Resolves once every row is durable; rejects with nothing written. */
  write(batches: readonly Batch[]): Promise<readonly Written[]>;
}

/** When pending rows are written: whichever limit is reached first. */
export interface Limits {
  readonly rows: number;
  readonly bytes: number;
  readonly seconds: number;
}

export interface Target {
  readonly name: string;
  readonly description: string;
  readonly settings: SettingsSchema;
  readonly rules?: (settings: Settings) => readonly SettingFault[];
  readonly capabilities: readonly string[];
  connect(settings: Settings, run: Run): Promise<Sink>;
}

/** Settings every target has, with their defaults. */
export const LOADING_SETTINGS: SettingsSchema['properties'] = {
  batch_rows: {
    type: 'integer',
    minimum: 1,
    default: 10_000,
    description: 'Rows after which pending rows of all streams are written in one transaction.',
  },
  batch_bytes: {
    type: 'integer',
    minimum: 1,
    default: 16_777_216,
    description: 'Bytes of input after which pending rows are written.',
  },
  batch_seconds: {
    type: 'number',
    exclusiveMinimum: 0,
    default: 10,
    description: 'Seconds after which pending rows are written, so that a slow source still sees its states committed.',
  },
  validate_records: {
    type: 'boolean',
    default: true,
    description: 'Check each record against the schema of its stream: types and required properties.',
  },
};
