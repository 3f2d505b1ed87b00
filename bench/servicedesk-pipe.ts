/**
 * How long `tap-servicedesk-sqlite | target-postgres` takes for the three large tables of a ServiceDesk file of 260,000
 * rows into an empty database, all settings by default. Beside it what else there is for the same file: `sqlite3 -csv`
 * into `psql \copy`, table after table into tables made beforehand; and pgloader, which makes its tables itself.
 *
 * Then the same with a file whose values have what such files have: which rows each way loaded, what it said of the
 * others, and how many values came out as something else without a word.
 *
 * 2026-11-21, 2 cores shared with other work (load 3 to 7), Node 26.10, PostgreSQL 15, pgloader 3.6.7, medians of 3: 7.9 s, of
 * which the tap takes 3.2 s of processor time, the target 3.2 s and PostgreSQL 4.2 s. Bad rows: none lost, no value changed
 * unsaid; the other two load no row at all, pgloader with exit code 0. Loses: 2.34 × the time of the shell where 1.5 is
 * wanted, and pgloader takes 1.19 × where 1.5 is; three processes share two cores that are not free.
 */
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import Sqlite from 'better-sqlite3';
import { startServer, type TestServer } from '../test/postgres/server.ts';
import {
  type Bench,
  compared,
  comparedCpu,
  type Figure,
  middle,
  peak,
  rounded,
  type Setting,
  seconds,
  secondsOf,
} from './report.ts';
import { type DeskFile, ROWS, TABLES, writeDesk } from './servicedesk-file.ts';
import {
  countRows,
  type Loader,
  loadedRows,
  ourPipe,
  PGLOADER,
  pgloader,
  shellPipe,
  shellTables,
} from './servicedesk-loaders.ts';
import { type Outcome, outcomeOf, TOLD_NOTHING } from './servicedesk-outcome.ts';
import { reportIn, type Share, shareFrom } from './shell-pipe.ts';
import { runToEnd, type Trial, trial } from './trial.ts';

export const bench: Bench = {
  name: 'servicedesk-pipe',
  question: `how long does the pipe take from SQLite into PostgreSQL for ${ROWS} rows, and what becomes of bad ones?`,
  async run(setting): Promise<readonly Figure[]> {
    const server = await startServer({ fsync: true });
    try {
      return await figures(setting, server);
    } finally {
      await server.stop();
    }
  },
};

async function figures({ folder, rounds, say }: Setting, server: TestServer): Promise<readonly Figure[]> {
  const place = { folder, url: server.url };
  const clean = await writeDesk(folder, 'perf');
  const ours = ourPipe(place);
  await ours.empty();
  await trial(ours.command(clean.database));
  const others = await otherLoaders(place, ours, clean, say);
  const loaders = [ours, ...others];
  const measured = await measure(loaders, clean, rounds, server, folder);
  for (const loader of loaders) await expectAll(loader);
  return [...timed(measured, loaders), ...(await damaged(loaders, folder, say))];
}

async function otherLoaders(
  place: { readonly folder: string; readonly url: string },
  ours: Loader,
  { database }: DeskFile,
  say: Setting['say'],
): Promise<readonly Loader[]> {
  const others: Loader[] = [];
  const missing = ['sqlite3', 'psql'].filter((program) => spawnSync(program, ['--version']).status !== 0);
  if (missing.length === 0) others.push(shellPipe(place, await shellTables(ours.url, database)));
  else say(`${missing.join(' and ')} not installed: no baseline by hand`);
  const other = pgloader(place);
  if (other === undefined) say('pgloader is not installed: not compared with it');
  else others.push(other);
  return others;
}

/** A load, and what of it the server and both sides of our pipe took. */
interface Load extends Trial {
  readonly server: number | undefined;
  readonly sides: readonly (Share | undefined)[];
}

type Measured = ReadonlyMap<Loader, readonly Load[]>;

/** Every way in turn, round after round. */
async function measure(
  loaders: readonly Loader[],
  { database }: DeskFile,
  rounds: number,
  server: TestServer,
  folder: string,
): Promise<Measured> {
  const loads = new Map<Loader, Load[]>(loaders.map((loader) => [loader, []]));
  for (let round = 0; round < rounds; round += 1) {
    for (const [loader, done] of loads) {
      await loader.empty();
      const before = serverCpu(server.pid);
      const load = await trial(loader.command(database));
      const after = serverCpu(server.pid);
      const sides = loader === loaders[0] ? ['tap', 'target'].map((side) => shareFrom(reportIn(folder, side))) : [];
      done.push({ ...load, sides, server: before === undefined || after === undefined ? undefined : after - before });
    }
  }
  return loads;
}

/** Linux tells processor time in hundredths of a second, whatever the clock of the kernel. */
const TICKS = 100;

/** Processor time of a server so far, in seconds: its own, that of its children, and of those that have ended. */
function serverCpu(pid: number): number | undefined {
  try {
    const times = (id: string | number) =>
      readFileSync(`/proc/${id}/stat`, 'utf8')
        .replace(/^.*\) /s, '')
        .split(' ')
        .slice(11, 15)
        .map(Number);
    const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(' ').filter(Boolean);
    const ticks = [...times(pid), ...children.flatMap((child) => times(child).slice(0, 2))];
    return ticks.reduce((sum, count) => sum + count, 0) / TICKS;
  } catch {
    // No /proc here.
    return undefined;
  }
}

/** @throws Error when a way has not loaded all rows of the clean file: then its time says nothing. */
async function expectAll({ name, url }: Loader): Promise<void> {
  let rows = 0;
  for (const table of TABLES) rows += await countRows(url, table);
  if (rows !== ROWS) throw new Error(`${name} loaded ${rows} rows instead of ${ROWS}`);
}

function timed(measured: Measured, [ours, ...others]: readonly Loader[]): readonly Figure[] {
  const loads = (loader: Loader | undefined) => (loader === undefined ? [] : (measured.get(loader) ?? []));
  const pipe = loads(ours);
  const sides = [
    { name: 'tap', limit: 100 },
    { name: 'target', limit: 128 },
  ].map((side, at) => ({ ...side, shares: pipe.flatMap((load) => load.sides[at] ?? []) }));
  return [
    ...others.flatMap((other) => ratios(other.name, pipe, loads(other))),
    ...[...measured].map(([{ name }, all]) => seconds(name, all)),
    ...sides.flatMap(({ name, shares }) =>
      processorTime(
        name,
        shares.map(({ cpu }) => cpu),
      ),
    ),
    ...[...measured].flatMap(([{ name }, all]) =>
      processorTime(
        `PostgreSQL under ${name}`,
        all.flatMap(({ server }) => server ?? []),
      ),
    ),
    ...sides.flatMap(({ name, shares, limit }) => peakOf(name, shares, limit)),
    ...others.flatMap((other) => (other.name === PGLOADER ? peak(other.name, loads(other)) : [])),
  ];
}

/** Ours against another way: by the clock, and by the processor time of all processes, the server's among them. */
function ratios(name: string, ours: readonly Load[], other: readonly Load[]): readonly Figure[] {
  const all = (loads: readonly Load[]) =>
    loads.map((load) => ({
      ...load,
      cpu: load.cpu === undefined || load.server === undefined ? undefined : load.cpu + load.server,
    }));
  if (name === PGLOADER) {
    const what = `${name} / the pipe`;
    const budget = { limit: 1.5, keep: 'at least' } as const;
    return [
      compared(what, secondsOf(other), secondsOf(ours), { budget }),
      ...comparedCpu(`${what}, all processes`, all(other), all(ours)),
    ];
  }
  const what = `the pipe / ${name}`;
  const budget = { limit: 1.5, keep: 'at most' } as const;
  return [
    compared(what, secondsOf(ours), secondsOf(other), { budget }),
    ...comparedCpu(`${what}, all processes`, all(ours), all(other)),
  ];
}

function processorTime(what: string, values: readonly number[]): readonly Figure[] {
  return values.length === 0 ? [] : [middle(`${what}, processor time`, 's', values)];
}

function peakOf(name: string, shares: readonly Share[], limit: number): readonly Figure[] {
  const trials = shares.map((share) => ({ ...share, seconds: 0, stdout: '' }));
  return peak(name, trials, limit);
}

const HEAD = [
  ...['way', 'exit code', 'errors told', 'table', 'rows', 'rows loaded', 'rows set aside', 'rows merged by key'],
  ...['rows lost', 'values corrected', 'values set aside', 'values changed'],
];

/** What each way does with a file that has bad rows: a table that is shown, and the sums as figures. */
async function damaged(loaders: readonly Loader[], folder: string, say: Setting['say']): Promise<readonly Figure[]> {
  const dirty = await writeDesk(folder, 'dirty');
  say(`| ${HEAD.join(' | ')} |`);
  say(`|${HEAD.map(() => '---|').join('')}`);
  const found: Figure[] = [];
  for (const loader of loaders) {
    await loader.empty();
    const ending = await runToEnd(loader.command(dirty.database), true);
    const outcomes: Outcome[] = [];
    for (const table of TABLES) {
      const rows = loadedRows(loader.url, table, columnsOf(dirty.database, table));
      const outcome = await outcomeOf(dirty, table, rows, (await loader.told?.(table)) ?? TOLD_NOTHING);
      outcomes.push(outcome);
      const { loaded, aside, merged, lost, corrected, asideValues, changed } = outcome;
      const counts = [dirty.manifest.tables[table].rows, loaded, aside, merged, lost, corrected, asideValues, changed];
      const cells = [loader.name, ending.exitCode, loader.errors(ending), table, ...counts.map(rounded)];
      say(`| ${cells.join(' | ')} |`);
    }
    const sum = (of: (outcome: Outcome) => number) => outcomes.reduce((total, outcome) => total + of(outcome), 0);
    const exit = `exit code ${ending.exitCode}`;
    found.push(
      { what: `bad rows, ${loader.name}: lost`, unit: 'rows', value: sum(({ lost }) => lost), note: exit },
      { what: `bad rows, ${loader.name}: loaded`, unit: 'rows', value: sum(({ loaded }) => loaded) },
      {
        what: `bad rows, ${loader.name}: changed without a word`,
        unit: 'values',
        value: sum(({ changed }) => changed),
      },
    );
  }
  return found;
}

function columnsOf(database: string, table: string): number {
  const db = new Sqlite(database, { readonly: true });
  try {
    return db.prepare('SELECT count(*) FROM pragma_table_info(?)').pluck().get(table) as number;
  } finally {
    db.close();
  }
}
