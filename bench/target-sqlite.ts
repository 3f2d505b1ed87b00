/**
 * How long target-sqlite takes for 165,850 records from a file, with its defaults, into an empty file and once more.
 * Baseline: `sqlite3 .import` of the same rows as CSV into the same empty table, with the same journal and durability. It
 * reads 26 MB of CSV where the target reads 64 MB of JSON, and a null is an empty text to it.
 *
 * 2026-11-21, 2 cores, Node 26.10, SQLite 3.40 command line, medians of 5: first run 1.70 × (1.39 s against 0.82 s), second run
 * 1.48 ×; processor time 1.97 and 1.86 ×. Peak memory 115 MB, with ten times the rows 124 MB, in 8.0 times the time. One record
 * set aside among 50,000 costs nothing that can be told from noise.
 */
import { execFileSync, spawnSync } from 'node:child_process';
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import Sqlite from 'better-sqlite3';
import { MAPPINGS, STREAM, writeMappings } from './mappings.ts';
import {
  type Bench,
  compared,
  comparedCpu,
  type Figure,
  middle,
  peak,
  type Setting,
  seconds,
  secondsOf,
} from './report.ts';
import { type Command, executable, interleave, type Trial, trial } from './trial.ts';

const TENFOLD = 10;
const LONG_ROUNDS = 3;
const FEW = 50_000;

export const bench: Bench = {
  name: 'target-sqlite',
  question: `how much longer than sqlite3 .import does target-sqlite take for ${MAPPINGS} records?`,
  async run(setting): Promise<readonly Figure[]> {
    const { folder, rounds, long } = setting;
    const [messages, csv] = [join(folder, 'messages.jsonl'), join(folder, 'rows.csv')];
    writeMappings(MAPPINGS, messages, csv);
    const load = loader(folder, messages);
    await trial(load.command);
    load.expect(MAPPINGS);
    const baseline = importer(setting, load.definition(), csv);
    const trials = await interleave(
      {
        first: load.afresh,
        baseline,
        again: load.again,
      },
      rounds,
    );
    load.expect(MAPPINGS);
    return [
      ...(trials.baseline.length === 0 ? [] : ratios(trials.first, trials.again, trials.baseline)),
      seconds('first run', trials.first),
      seconds('second run, every key exists', trials.again),
      middle(
        'first run',
        'rows/s',
        secondsOf(trials.first).map((value) => MAPPINGS / value),
      ),
      ...peak('first run', trials.first, 128),
      ...peak('second run', trials.again, 128),
      ...(await quarantine(folder, rounds)),
      ...(long ? await tenfold(folder, messages) : []),
    ];
  },
};

function ratios(first: readonly Trial[], again: readonly Trial[], baseline: readonly Trial[]): readonly Figure[] {
  const budget = { limit: 2, keep: 'at most' } as const;
  const one = secondsOf(baseline);
  return [
    compared('first run / sqlite3 .import', secondsOf(first), one, { budget }),
    compared('second run / sqlite3 .import into an empty table', secondsOf(again), one, { budget }),
    ...comparedCpu('first run / sqlite3 .import', first, baseline),
    ...comparedCpu('second run / sqlite3 .import', again, baseline),
    seconds('sqlite3 .import', baseline),
  ];
}

interface Loader {
  readonly command: Command;
  /** The command after the database was removed. */
  readonly afresh: () => Command;
  readonly again: () => Command;
  /** CREATE TABLE as the target made it. */
  definition(): string;
  /** @throws Error when the table has another number of rows. */
  expect(rows: number): void;
}

function loader(folder: string, messages: string, settings: object = {}): Loader {
  const database = join(folder, 'ours.db');
  const config = join(folder, 'target.json');
  writeFileSync(config, JSON.stringify({ database, ...settings }));
  const command = executable('target-sqlite', '--config', config, '--input', messages);
  const read = <Value>(sql: string): Value => {
    const db = new Sqlite(database, { readonly: true });
    try {
      return db.prepare(sql).pluck().get() as Value;
    } finally {
      db.close();
    }
  };
  return {
    command,
    afresh() {
      removeDatabase(database);
      return command;
    },
    again: () => command,
    definition: () => read<string>(`SELECT sql FROM sqlite_master WHERE name = '${STREAM}'`),
    expect(rows) {
      const found = read<number>(`SELECT count(*) FROM ${STREAM}`);
      if (found !== rows) throw new Error(`the table has ${found} rows instead of ${rows}`);
    },
  };
}

function removeDatabase(path: string): void {
  for (const file of [path, `${path}-wal`, `${path}-shm`]) rmSync(file, { force: true });
}

function importer({ folder, say }: Setting, definition: string, csv: string): (() => Command) | undefined {
  if (spawnSync('sqlite3', ['--version']).status !== 0) {
    say('sqlite3 is not installed: no baseline, times only');
    return undefined;
  }
  const database = join(folder, 'baseline.db');
  return () => {
    removeDatabase(database);
    execFileSync('sqlite3', [database, 'PRAGMA journal_mode = WAL', definition]);
    return { program: 'sqlite3', args: [database, 'PRAGMA synchronous = FULL', `.import --csv ${csv} ${STREAM}`] };
  };
}

/** What one record that does not fit costs when it is set aside. */
async function quarantine(folder: string, rounds: number): Promise<readonly Figure[]> {
  const [clean, spoilt] = [join(folder, 'clean.jsonl'), join(folder, 'spoilt.jsonl')];
  writeMappings(FEW, clean);
  writeMappings(FEW, spoilt, undefined, FEW / 2);
  const settings = { on_invalid_record: 'quarantine' };
  const [good, bad] = [loader(folder, clean, settings), loader(folder, spoilt, settings)];
  const trials = await interleave(
    { good: good.afresh, bad: () => ({ ...bad.afresh(), exits: [2] }) },
    Math.max(rounds, LONG_ROUNDS),
  );
  bad.expect(FEW - 1);
  const what = `${FEW} records, one set aside / none`;
  const budget = { limit: 1.1, keep: 'at most' } as const;
  return [
    compared(what, secondsOf(trials.bad), secondsOf(trials.good), { budget }),
    ...comparedCpu(what, trials.bad, trials.good),
  ];
}

/** Time and memory as the work grows. */
async function tenfold(folder: string, messages: string): Promise<readonly Figure[]> {
  const more = join(folder, 'more.jsonl');
  writeMappings(MAPPINGS * TENFOLD, more);
  const [one, ten] = [loader(folder, messages), loader(folder, more)];
  const trials = await interleave({ one: one.afresh, ten: ten.afresh }, LONG_ROUNDS);
  ten.expect(MAPPINGS * TENFOLD);
  return [
    compared('ten times the rows / once', secondsOf(trials.ten), secondsOf(trials.one), {
      budget: { limit: 10.5, keep: 'at most' },
    }),
    ...peak('ten times the rows', trials.ten, 128),
  ];
}
