/**
 * How fast tap-dcapi turns DCAPI's pages into messages, and how much memory it takes. 3,317 systems with 165,850 patches
 * on 111 pages, from a server that answers at once; the messages go to /dev/null. Beside it a loop of bare undici
 * requests over the same pages, which shows what the server itself takes.
 *
 * Two further sweeps: one whose pages take a second each, because the requirement is in systems per second of a slow
 * server; and one with a page of 30 systems of 1,200 patches each (7 MB), which is larger than what is parsed at once.
 *
 * The whole pipe into target-sqlite is timed as a user would run it, both processes started and an empty database at first.
 *
 * 2026-11-21, 2 cores, Node 26.10, medians of 5: 102,000 patches/s (85,000 to 113,000), start included; the pipe 53,700
 * (50,200 to 59,200); 22 systems/s where a page takes a second; 93 MB, with the heavy page 96 MB. Loses nothing, but the pipe's
 * margin is thin: tap, target and simulator share two cores.
 */
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import Sqlite from 'better-sqlite3';
import { type Bench, type Figure, middle, peak, type Setting, seconds, secondsOf } from './report.ts';
import { type Simulator, startSimulator } from './simulator.ts';
import { type Command, executable, interleave, trial } from './trial.ts';

const ROWS = 165_850;
const PAGES = 111;
/** Pages of the slow sweep, 30 systems each. */
const SLOW_PAGES = 10;
const HEAVY_PAGE = 2;

const STREAMS = { streams: ['dcapi_systems', 'patch_system_mapping'] };
const AT_ONCE = { ...STREAMS, page_delay_ms: 0, pages_per_run: 0 };

export const bench: Bench = {
  name: 'tap-dcapi',
  question: `how fast does tap-dcapi read ${ROWS} patches of 3,317 systems, and in how much memory?`,
  async run(setting): Promise<readonly Figure[]> {
    const simulator = await startSimulator();
    try {
      return await measure(setting, simulator);
    } finally {
      await simulator.close();
    }
  },
};

async function measure({ folder, rounds }: Setting, simulator: Simulator): Promise<readonly Figure[]> {
  const whole = simulator.config(join(folder, 'whole.json'), AT_ONCE);
  const slow = simulator.config(join(folder, 'slow.json'), { ...STREAMS, pages_per_run: SLOW_PAGES });
  const tap = executable('tap-dcapi', '--config', whole);
  // The simulator makes a page when it is first asked for.
  const { stdout } = await trial(tap, true);
  const rows = stdout.split('{"type":"RECORD","stream":"patch_system_mapping"').length - 1;
  if (rows !== ROWS) throw new Error(`tap-dcapi brought ${rows} patches instead of ${ROWS}`);
  const token = await simulator.token();
  const path = '/dcapi/threats/systemreport/patches';
  const loop = { args: [join('bench', 'bare-loop.mjs'), `${simulator.url}${path}`, String(PAGES), token] };
  const pipe = pipeInto(join(folder, 'dcapi.db'), whole, folder);
  const trials = await interleave({ tap, loop, pipe: pipe.afresh }, rounds);
  pipe.expect(ROWS);
  await simulator.configure({ latency_ms: 1_000 });
  const slowly = await interleave({ tap: executable('tap-dcapi', '--config', slow) }, 1);
  await simulator.configure({ latency_ms: 0, dcapi_heavy_page: HEAVY_PAGE });
  await trial(tap);
  const heavy = await interleave({ tap }, rounds);
  return [
    middle(
      'tap-dcapi, whole process',
      'patches/s',
      secondsOf(trials.tap).map((value) => ROWS / value),
      { budget: { limit: 60_000, keep: 'at least' } },
    ),
    seconds('tap-dcapi, 111 pages, whole process', trials.tap),
    middle(
      'tap-dcapi, processor time',
      's',
      trials.tap.flatMap(({ cpu }) => (cpu === undefined ? [] : [cpu])),
    ),
    seconds('bare loop, 111 pages', trials.loop),
    middle(
      'tap-dcapi | target-sqlite, both processes',
      'patches/s',
      secondsOf(trials.pipe).map((value) => ROWS / value),
      { budget: { limit: 50_000, keep: 'at least' } },
    ),
    seconds('tap-dcapi | target-sqlite, 111 pages', trials.pipe),
    middle(
      'tap-dcapi, pages that take a second, default delay',
      'systems/s',
      secondsOf(slowly.tap).map((value) => (SLOW_PAGES * 30) / value),
      { budget: { limit: 10, keep: 'at least' } },
    ),
    ...peak('tap-dcapi, 111 pages', trials.tap, 100),
    seconds('tap-dcapi, with a page of 36,000 patches', heavy.tap),
    ...peak('tap-dcapi, with a page of 36,000 patches', heavy.tap, 100),
  ];
}

/** The real pipe into a database that is not there yet, by way of a shell as a user would have it. */
function pipeInto(
  database: string,
  tapConfig: string,
  folder: string,
): { afresh(): Command; expect(rows: number): void } {
  const config = join(folder, 'target.json');
  writeFileSync(config, JSON.stringify({ database }));
  const line = ({ args }: Command) => [process.execPath, ...args].map((word) => `'${word}'`).join(' ');
  const tap = line(executable('tap-dcapi', '--config', tapConfig));
  const target = line(executable('target-sqlite', '--config', config));
  return {
    afresh() {
      for (const file of [database, `${database}-wal`, `${database}-shm`]) rmSync(file, { force: true });
      return { program: 'bash', args: ['-c', `set -o pipefail; ${tap} | ${target}`] };
    },
    expect(rows) {
      const db = new Sqlite(database, { readonly: true });
      try {
        const found = db.prepare('SELECT count(*) FROM patch_system_mapping').pluck().get();
        if (found !== rows) throw new Error(`the table has ${found} rows instead of ${rows}`);
      } finally {
        db.close();
      }
    },
  };
}
