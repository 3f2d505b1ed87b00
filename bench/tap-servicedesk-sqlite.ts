/**
 * How long tap-servicedesk-sqlite takes for the three large tables of a ServiceDesk file of 260,000 rows, into a pipe
 * whose reader takes everything at once. Baseline: `sqlite3 -json` of the same tables into the same kind of pipe. It writes
 * values as they are stored; the tap decides types by a sample, checks every value against them and names every row.
 *
 * Beside it what the quick way saves: the same tap with every row read the plain way. There is no setting for that; both
 * are parts of this bench and start from the sources. The executable runs without V8's optimising compiler, which the
 * quick way does not need; so the plain way is measured with it too.
 *
 * 2026-11-21, 2 cores shared with other work, Node 26.10, SQLite 3.40 command line, medians of 5: 1.49 × at a load of 2 to 3
 * (2.71 s against 1.82 s), 1.82 × at 3 to 6; processor time 1.40 and 1.54 ×. Peak memory 95 MB, with ten times the rows 95 MB,
 * in 9.1 times the time. The plain way takes four times the processor time of the quick one, compiled 2.4 times. Loses: what
 * is paid before the first row, 0.3 s to start and 0.3 s to decide types.
 */
import { spawnSync } from 'node:child_process';
import { start } from '../bin/start.ts';
import { runTap } from '../singer/run-tap.ts';
import type { RowGroup } from '../singer/stream.ts';
import { planOf } from '../taps/servicedesk-sqlite/plan.ts';
import { Tally } from '../taps/servicedesk-sqlite/reading.ts';
import { DeadLetter } from '../taps/servicedesk-sqlite/rejects.ts';
import { PlainRows } from '../taps/servicedesk-sqlite/rows.ts';
import { readingOf } from '../taps/servicedesk-sqlite/settings.ts';
import { tap } from '../taps/servicedesk-sqlite/tap.ts';
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
import { ROWS, TABLES, tapConfig, tapOf, writeDesk } from './servicedesk-file.ts';
import { NOWHERE, piped } from './shell-pipe.ts';
import { type Command, interleave, part, type Trial, trial } from './trial.ts';

const NAME = 'tap-servicedesk-sqlite';
const TENFOLD = 10;
const LONG_ROUNDS = 3;

export const bench: Bench = {
  name: NAME,
  question: `how much longer than sqlite3 -json does ${NAME} take for ${ROWS} rows, and in how much memory?`,
  async run({ folder, rounds, long, say }): Promise<readonly Figure[]> {
    const { database } = await writeDesk(folder, 'perf');
    const config = tapConfig(database);
    const ours = piped(tapOf(database), NOWHERE);
    await expectRows(tapOf(database), ROWS);
    const ways = {
      quick: part(NAME, 'quick', config),
      plain: part(NAME, 'plain', config),
      compiled: part(NAME, 'compiled', config),
    };
    for (const way of Object.values(ways)) await expectRows(way, ROWS);
    const baseline = commandLine(database, say);
    const trials = await interleave(
      {
        ours,
        baseline,
        quick: piped(ways.quick, NOWHERE),
        plain: piped(ways.plain, NOWHERE),
        compiled: piped(ways.compiled, NOWHERE),
      },
      rounds,
    );
    return [
      ...(trials.baseline.length === 0 ? [] : ratios(trials.ours, trials.baseline)),
      seconds(NAME, trials.ours),
      middle(
        NAME,
        'rows/s',
        secondsOf(trials.ours).map((value) => ROWS / value),
      ),
      ...peak(NAME, trials.ours, 100),
      compared('plain way / quick way', secondsOf(trials.plain), secondsOf(trials.quick)),
      ...comparedCpu('plain way / quick way', trials.plain, trials.quick),
      compared('plain way, compiled / quick way', secondsOf(trials.compiled), secondsOf(trials.quick)),
      ...comparedCpu('plain way, compiled / quick way', trials.compiled, trials.quick),
      ...(long ? await tenfold(folder, ours) : []),
    ];
  },
  parts: {
    quick: (config = '') => run(tap, 'copies', config),
    plain: (config = '') => run(plainTap, 'copies', config),
    compiled: (config = '') => run(plainTap, 'computes', config),
  },
};

function ratios(ours: readonly Trial[], baseline: readonly Trial[]): readonly Figure[] {
  return [
    compared(`${NAME} / sqlite3 -json`, secondsOf(ours), secondsOf(baseline), {
      budget: { limit: 1.5, keep: 'at most' },
    }),
    ...comparedCpu(`${NAME} / sqlite3 -json`, ours, baseline),
    seconds('sqlite3 -json', baseline),
  ];
}

function commandLine(database: string, say: Setting['say']): Command | undefined {
  if (spawnSync('sqlite3', ['--version']).status !== 0) {
    say('sqlite3 is not installed: no baseline, times only');
    return undefined;
  }
  const sql = TABLES.map((table) => `SELECT * FROM ${table}`).join('; ');
  return piped({ program: 'sqlite3', args: ['-readonly', '-json', database, sql] }, NOWHERE);
}

/** @throws Error when a command writes another number of records. */
async function expectRows(command: Command, rows: number): Promise<void> {
  const count = { program: 'grep', args: ['--count', '^{"type":"RECORD"'] };
  const found = Number((await trial(piped(command, count), true)).stdout);
  if (found !== rows) throw new Error(`${command.args.join(' ')} wrote ${found} records instead of ${rows}`);
}

/** Time and memory as the work grows. */
async function tenfold(folder: string, once: Command): Promise<readonly Figure[]> {
  const { database } = await writeDesk(folder, 'perf', ROWS * TENFOLD);
  const trials = await interleave({ once, ten: piped(tapOf(database), NOWHERE) }, LONG_ROUNDS);
  await expectRows(tapOf(database), ROWS * TENFOLD);
  const linear = { budget: { limit: 10.5, keep: 'at most' } } as const;
  return [
    compared('ten times the rows / once', secondsOf(trials.ten), secondsOf(trials.once), linear),
    ...comparedCpu('ten times the rows / once', trials.ten, trials.once),
    seconds('ten times the rows', trials.ten),
    ...peak('ten times the rows', trials.ten, 100),
  ];
}

/** The tap in this process; an executable of kind `copies` does without V8's optimising compiler. */
function run(chosen: typeof tap, kind: 'copies' | 'computes', config: string): Promise<void> {
  return start({
    name: NAME,
    kind,
    plugin: async () => chosen,
    run: (plugin, io) => runTap(plugin, { ...io, argv: ['--config', config] }),
  });
}

/** The tap without its quick way. It keeps no books: it only ever reads whole tables of a clean file. */
const plainTap: typeof tap = {
  ...tap,
  async *read({ source, origins }, { settings, selected }, { clock, log }) {
    const reading = readingOf(settings);
    const version = clock.now();
    const letter = new DeadLetter(version, false, undefined);
    for (const one of selected) {
      const origin = origins.find(({ stream }) => stream === one.declaration.name);
      if (origin === undefined) continue;
      const plan = planOf(source, origin, one, version, { zone: undefined, ...reading }, log);
      const rows = new PlainRows(plan, source, letter, new Tally(), reading);
      yield { rows: groupsOf(rows), state: {} };
    }
    return { exitCode: 0, summary: 'read the plain way' };
  },
};

function* groupsOf(rows: PlainRows): Generator<RowGroup> {
  for (let chunk = rows.next(undefined); chunk.read > 0; chunk = rows.next(chunk.last)) yield* chunk.groups;
}
