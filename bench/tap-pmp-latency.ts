/**
 * How many systems a second tap-pmp brings from a server that takes a second for each answer. Pages are read one after
 * the other, so the wished pace of 20 systems a second leaves 250 ms of a 25-row page for everything that is ours.
 *
 * 2026-11-21, 2 cores, Node 26.10, medians of 5: 23.2 systems/s, whole process with sign-in and start. Loses: with the
 * default page_delay_ms of 250, 19 systems/s; a batch of 50 pages then takes 66 s.
 */
import { join } from 'node:path';
import { type Bench, type Figure, median, middle, secondsOf } from './report.ts';
import { startSimulator } from './simulator.ts';
import { executable, interleave } from './trial.ts';

const PAGES = 20;
const ROWS_PER_PAGE = 25;
/** Pages of a run, by default. */
const BATCH_PAGES = 50;
/** Each trial waits 21 seconds, and nothing else than the wait decides it. */
const MOST_ROUNDS = 5;

export const bench: Bench = {
  name: 'tap-pmp-latency',
  long: true,
  question: 'how many systems a second come from a server that takes 1 s for each answer?',
  async run({ folder, rounds }): Promise<readonly Figure[]> {
    const simulator = await startSimulator();
    try {
      const settings = { streams: ['systems'], pages_per_run: PAGES };
      const atOnce = simulator.config(join(folder, 'at-once.json'), { ...settings, page_delay_ms: 0 });
      const usual = simulator.config(join(folder, 'usual.json'), settings);
      await simulator.configure({ latency_ms: 1_000 });
      const trials = await interleave(
        {
          atOnce: executable('tap-pmp', '--config', atOnce),
          usual: executable('tap-pmp', '--config', usual),
        },
        Math.min(rounds, MOST_ROUNDS),
      );
      const rate = (values: readonly number[]) => values.map((value) => (PAGES * ROWS_PER_PAGE) / value);
      const perPage = median(secondsOf(trials.usual)) / PAGES;
      return [
        middle(`${PAGES} pages, page_delay_ms 0, whole process`, 'systems/s', rate(secondsOf(trials.atOnce)), {
          budget: { limit: 20, keep: 'at least' },
        }),
        middle(`${PAGES} pages, default page_delay_ms, whole process`, 'systems/s', rate(secondsOf(trials.usual))),
        {
          what: `batch of ${BATCH_PAGES} pages, default page_delay_ms, projected`,
          value: BATCH_PAGES * perPage,
          unit: 's',
        },
      ];
    } finally {
      await simulator.close();
    }
  },
};
