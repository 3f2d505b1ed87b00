/**
 * The contract of SQL targets: what every one of them must do with Singer messages, whatever the store. The real
 * `runTarget` runs over `test/messages/*.jsonl`, and the tables are read back without the target.
 */
import { describe, it } from 'vitest';
import { batchFileCases } from './target/batch-files.ts';
import { batchCases } from './target/batches.ts';
import { failureCases } from './target/failures.ts';
import { hookCases } from './target/hook.ts';
import {
  ask,
  begin,
  type Destination,
  type Loading,
  type LoadOptions,
  load,
  type Outcome,
  type TargetUnderTest,
} from './target/load.ts';
import { metadataCases } from './target/metadata.ts';
import { nameCases } from './target/names.ts';
import { overwriteCases } from './target/overwrite.ts';
import { randomCases } from './target/random.ts';
import { rejectCases } from './target/rejects.ts';
import { rowCases } from './target/rows.ts';
import { schemaChangeCases } from './target/schema-changes.ts';
import { stateCases } from './target/states.ts';
import { storedStateCases } from './target/stored-state.ts';
import { valueCases } from './target/values.ts';
import { versionCases } from './target/versions.ts';

/** What one case works with: an empty destination, and runs against it. */
export interface Scene {
  readonly destination: Destination;
  load(input: string | readonly unknown[], options?: LoadOptions): Promise<Outcome>;
  begin(options?: LoadOptions): Promise<Loading>;
  /** Runs a command of the target. */
  ask(words: readonly string[], settings?: Readonly<Record<string, unknown>>): Promise<Outcome>;
  /** Another empty destination of the same kind, closed with the first. */
  fresh(): Promise<Scene>;
}

/** Cases by name. */
export type Cases = Readonly<Record<string, (scene: Scene) => Promise<void>>>;

const GROUPS: Readonly<Record<string, Cases>> = {
  states: stateCases,
  rows: rowCases,
  values: valueCases,
  versions: versionCases,
  names: nameCases,
  batches: batchCases,
  failures: failureCases,
  'records set aside': rejectCases,
  'batch files': batchFileCases,
  'record metadata': metadataCases,
  overwrite: overwriteCases,
  'schema changes': schemaChangeCases,
  'state table': storedStateCases,
  post_load_hook: hookCases,
  'random streams': randomCases,
};

/** Runs the whole contract. An excused case must fail: an excuse that is no longer needed is found out. */
export function targetContract(subject: TargetUnderTest): void {
  for (const [group, cases] of Object.entries(GROUPS)) {
    describe(`${subject.name}: ${group}`, () => {
      for (const [name, run] of Object.entries(cases)) {
        const excuse = subject.excuses[name];
        const define = excuse === undefined ? it : it.fails;
        define(excuse === undefined ? name : `${name} (excused: ${excuse})`, () => inScene(subject, run));
      }
    });
  }
}

async function inScene(subject: TargetUnderTest, run: (scene: Scene) => Promise<void>): Promise<void> {
  const opened: Destination[] = [];
  const fresh = async (): Promise<Scene> => {
    const destination = await subject.open();
    opened.push(destination);
    return {
      destination,
      load: (input, options) => load(subject.target, destination, input, options),
      begin: (options) => begin(subject.target, destination, options),
      ask: (words, settings) => ask(subject.target, destination, words, settings),
      fresh,
    };
  };
  try {
    await run(await fresh());
  } finally {
    for (const destination of opened) await destination.close();
  }
}
