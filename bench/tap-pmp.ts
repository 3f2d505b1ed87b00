/**
 * How fast tap-pmp reads pages from a server that answers at once, and how much memory it takes. Baseline: a loop of
 * bare undici requests over the same pages, bodies read and thrown away.
 *
 * The budget is on the rate of reading: the time of the same process without any page is taken off both sides, since a
 * real sweep has more and slower pages and start-up has a bench of its own. The ratio with process start stands beside it.
 *
 * 2026-11-21, 2 cores shared with other work (load about 1.4), Node 26.10, medians of 5, two benches: 458 and 475 pages/s against
 * 891 and 1,101, 0.51 and 0.43 of the bare rate (0.36 before records were made with fewer objects and the next page was
 * asked for in advance). What is left is processor time: 2.6 ms a page against 1.1, of which parsing, converting and
 * writing 25 rows of 45 fields take 0.9. Peak memory 90 to 97 MB where 100 are allowed.
 */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
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
import { type Simulator, startSimulator } from './simulator.ts';
import { type Command, executable, interleave, trial } from './trial.ts';

/** `systems` of the full profile in pages of 25. */
const PAGES = 135;
const ROWS = 3_362;

/** All pages, no waiting. */
const AT_ONCE = { page_delay_ms: 0, pages_per_run: 0 };

export const bench: Bench = {
  name: 'tap-pmp',
  question: `at which share of the rate of a bare undici loop does tap-pmp read ${PAGES} pages?`,
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
  const systems = simulator.config(join(folder, 'systems.json'), { ...AT_ONCE, streams: ['systems'] });
  const whole = simulator.config(join(folder, 'whole.json'), AT_ONCE);
  const state = join(folder, 'finished.json');
  const token = await simulator.token();
  const bare = (pages: number): Command => ({
    args: [join('bench', 'bare-loop.mjs'), `${simulator.url}/api/1.4/patch/scandetails`, String(pages), token],
  });
  // The simulator makes a page when it is first asked for; and the finished state lets a run end without a request.
  const { stdout } = await trial(executable('tap-pmp', '--config', systems), true);
  writeFileSync(state, lastState(stdout));
  const rows = stdout.split('{"type":"RECORD","stream":"systems"').length - 1;
  if (rows !== ROWS) throw new Error(`tap-pmp brought ${rows} systems instead of ${ROWS}`);

  const trials = await interleave(
    {
      tap: executable('tap-pmp', '--config', systems),
      loop: bare(PAGES),
      idleTap: executable('tap-pmp', '--config', systems, '--state', state),
      idleLoop: bare(0),
      whole: executable('tap-pmp', '--config', whole),
    },
    rounds,
  );
  const time = (name: keyof typeof trials) => secondsOf(trials[name]);
  const net = (name: 'tap' | 'loop') => {
    const start = time(name === 'tap' ? 'idleTap' : 'idleLoop');
    return time(name).map((value, round) => value - (start[round] ?? 0));
  };
  return [
    compared('rate of tap-pmp / rate of the bare loop, without process start', net('loop'), net('tap'), {
      budget: { limit: 0.6, keep: 'at least' },
    }),
    compared('rate of tap-pmp / rate of the bare loop, with process start', time('loop'), time('tap')),
    ...comparedCpu('tap-pmp / bare loop, with process start', trials.tap, trials.loop),
    ...comparedCpu('tap-pmp without a page / bare loop without a page', trials.idleTap, trials.idleLoop),
    middle(
      'tap-pmp, without process start',
      'pages/s',
      net('tap').map((value) => PAGES / value),
    ),
    middle(
      'bare loop, without process start',
      'pages/s',
      net('loop').map((value) => PAGES / value),
    ),
    seconds('tap-pmp, 135 pages, whole process', trials.tap),
    seconds('tap-pmp, no page, whole process', trials.idleTap),
    seconds('tap-pmp, default selection, whole process', trials.whole),
    ...peak('tap-pmp, 135 pages', trials.tap, 100),
    ...peak('tap-pmp, default selection', trials.whole, 100),
    ...peak('bare loop, 135 pages', trials.loop),
  ];
}

function lastState(messages: string): string {
  const line = messages
    .trimEnd()
    .split('\n')
    .findLast((text) => text.startsWith('{"type":"STATE"'));
  if (line === undefined) throw new Error('tap-pmp wrote no state');
  return JSON.stringify((JSON.parse(line) as { readonly value: unknown }).value);
}
