/**
 * How long target-postgres takes for 260,000 records of a service desk from a file, with its defaults (checked, upserted by
 * key), into empty tables and once more. Baseline: `psql \copy` of the same rows in COPY's text format into the same
 * empty tables with their keys, in one transaction. It reads 190 MB of text where the target reads 250 MB of JSON.
 *
 * 2026-11-21, 2 cores, Node 26.10, PostgreSQL 15, medians of 5: first run 1.46 × (5.5 s against 3.75 s), second run 1.57 ×. Peak
 * memory 109 MB, with ten times 165,850 rows 118 MB, in 7.5 times the time. One record set aside among 50,000 costs nothing.
 */
import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import pg from 'pg';
import { startServer } from '../test/postgres/server.ts';
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
import { copyFile, DESK, TICKET_ROWS, writeTickets } from './tickets.ts';
import { type Command, executable, interleave, type Trial } from './trial.ts';

const TENFOLD = 10;
const LONG_ROUNDS = 3;
const FEW = 50_000;

export const bench: Bench = {
  name: 'target-postgres',
  question: `how much longer than psql \\copy does target-postgres take for ${TICKET_ROWS} records in three tables?`,
  async run(setting): Promise<readonly Figure[]> {
    const server = await startServer({ fsync: true });
    try {
      return await figures(setting, server.url);
    } finally {
      await server.stop();
    }
  },
};

async function figures({ folder, rounds, long, say }: Setting, url: string): Promise<readonly Figure[]> {
  const messages = join(folder, 'messages.jsonl');
  writeTickets(messages, 1, folder);
  const ours = loader(folder, url, 'ours', messages);
  await ours.once();
  await ours.expect(Object.fromEntries(DESK.map(({ stream, rows }) => [stream, rows])));
  const baseline = await copier(folder, url, say);
  const trials = await interleave({ first: ours.afresh, baseline, again: ours.again }, rounds);
  return [
    ...(trials.baseline.length === 0 ? [] : ratios(trials.first, trials.again, trials.baseline)),
    seconds('first run', trials.first),
    seconds('second run, every key exists', trials.again),
    middle(
      'first run',
      'rows/s',
      secondsOf(trials.first).map((value) => TICKET_ROWS / value),
    ),
    ...peak('first run', trials.first, 128),
    ...peak('second run', trials.again, 128),
    ...(await quarantine(folder, url, rounds)),
    ...(long ? await tenfold(folder, url) : []),
  ];
}

function ratios(first: readonly Trial[], again: readonly Trial[], baseline: readonly Trial[]): readonly Figure[] {
  const budget = { limit: 2, keep: 'at most' } as const;
  const one = secondsOf(baseline);
  return [
    compared('first run / psql \\copy', secondsOf(first), one, { budget }),
    compared('second run / psql \\copy into empty tables', secondsOf(again), one),
    ...comparedCpu('first run / psql, client alone', first, baseline),
    seconds('psql \\copy', baseline),
  ];
}

interface Loader {
  /** Loads and looks that it ends well. */
  once(): Promise<void>;
  readonly afresh: () => Promise<Command>;
  readonly again: () => Command;
  expect(rows: Readonly<Record<string, number>>): Promise<void>;
}

async function ask(url: string, sql: string): Promise<readonly Record<string, string>[]> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    const result: pg.QueryResult | readonly pg.QueryResult[] = await client.query(sql);
    return (Array.isArray(result) ? [] : (result as pg.QueryResult).rows) as Record<string, string>[];
  } finally {
    await client.end();
  }
}

function loader(folder: string, url: string, schema: string, messages: string, settings: object = {}): Loader {
  const config = join(folder, `${schema}.json`);
  writeFileSync(config, JSON.stringify({ url, default_target_schema: schema, ...settings }));
  const command = executable('target-postgres', '--config', config, '--input', messages);
  return {
    async once() {
      const { status, stderr } = spawnSync(process.execPath, command.args, { encoding: 'utf8' });
      if (status !== 0) throw new Error(`target-postgres ended with ${status}: ${stderr.slice(-500)}`);
    },
    async afresh() {
      await ask(url, `DROP SCHEMA IF EXISTS ${schema} CASCADE; CHECKPOINT`);
      return command;
    },
    again: () => command,
    async expect(rows) {
      for (const [table, count] of Object.entries(rows)) {
        const [found] = await ask(url, `SELECT count(*) AS count FROM ${schema}.${table}`);
        if (Number(found?.count) !== count) throw new Error(`${table} has ${found?.count} rows instead of ${count}`);
      }
    },
  };
}

/** psql into tables like those that the target has made. */
async function copier(
  folder: string,
  url: string,
  say: (text: string) => void,
): Promise<(() => Promise<Command>) | undefined> {
  if (spawnSync('psql', ['--version']).status !== 0) {
    say('psql is not installed: no baseline, times only');
    return undefined;
  }
  const copies = DESK.flatMap((desk) => ['-c', `\\copy plain.${desk.stream} FROM '${copyFile(folder, desk)}'`]);
  return async () => {
    const tables = DESK.map(({ stream }) => `CREATE TABLE plain.${stream} (LIKE ours.${stream} INCLUDING ALL)`);
    await ask(url, `DROP SCHEMA IF EXISTS plain CASCADE; CREATE SCHEMA plain; ${tables.join('; ')}; CHECKPOINT`);
    return { program: 'psql', args: ['--no-psqlrc', '--quiet', '--single-transaction', url, ...copies] };
  };
}

/** What one record that does not fit costs when it is set aside. */
async function quarantine(folder: string, url: string, rounds: number): Promise<readonly Figure[]> {
  const [clean, spoilt] = [join(folder, 'clean.jsonl'), join(folder, 'spoilt.jsonl')];
  writeMappings(FEW, clean);
  writeMappings(FEW, spoilt, undefined, FEW / 2);
  const settings = { on_invalid_record: 'quarantine' };
  const [good, bad] = [loader(folder, url, 'good', clean, settings), loader(folder, url, 'bad', spoilt, settings)];
  const trials = await interleave(
    { good: good.afresh, bad: async () => ({ ...(await bad.afresh()), exits: [2] }) },
    Math.max(rounds, LONG_ROUNDS),
  );
  await bad.expect({ [STREAM]: FEW - 1 });
  const what = `${FEW} records, one set aside / none`;
  return [
    compared(what, secondsOf(trials.bad), secondsOf(trials.good), { budget: { limit: 1.1, keep: 'at most' } }),
    ...comparedCpu(what, trials.bad, trials.good),
  ];
}

/** Time and memory as the work grows. */
async function tenfold(folder: string, url: string): Promise<readonly Figure[]> {
  const [few, many] = [join(folder, 'few.jsonl'), join(folder, 'many.jsonl')];
  writeMappings(MAPPINGS, few);
  writeMappings(MAPPINGS * TENFOLD, many);
  const [one, ten] = [loader(folder, url, 'one', few), loader(folder, url, 'ten', many)];
  const trials = await interleave({ one: one.afresh, ten: ten.afresh }, LONG_ROUNDS);
  await ten.expect({ [STREAM]: MAPPINGS * TENFOLD });
  return [
    compared('ten times the rows / once', secondsOf(trials.ten), secondsOf(trials.one), {
      budget: { limit: 10.5, keep: 'at most' },
    }),
    ...peak('ten times the rows', trials.ten, 128),
  ];
}
