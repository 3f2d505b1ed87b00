/**
 * How long an executable takes that has nothing to do but answer. Baseline: a Node that runs an empty script.
 *
 * 2026-11-21, 2 cores shared with other work (load 3 to 6), Node 26.10, medians of 15: `tap-pmp --version` 1.15 ×, `target-sqlite --about`
 * 1.18 ×. Loses: `tap-pmp --about` 2.56 ×, over the budget, because its streams load the paging code and with it
 * node:crypto.
 */
import { type Bench, compared, type Figure, peak, secondsOf } from './report.ts';
import { executable, interleave } from './trial.ts';

/** A trial takes 50 to 100 ms, so there is time for more of them. */
const ROUNDS_FOLD = 3;

export const bench: Bench = {
  name: 'start-up',
  question: 'how much longer than an empty Node do --version and --about take?',
  async run({ rounds }): Promise<readonly Figure[]> {
    const { node, ...ours } = await interleave(
      {
        node: { args: ['-e', '0'] },
        'tap-pmp --version': executable('tap-pmp', '--version'),
        'tap-pmp --about': executable('tap-pmp', '--about'),
        'target-sqlite --about': executable('target-sqlite', '--about'),
      },
      rounds * ROUNDS_FOLD,
    );
    return [
      ...Object.entries(ours).map(([name, trials]) =>
        compared(`${name} / node -e 0`, secondsOf(trials), secondsOf(node), {
          budget: { limit: 2.5, keep: 'at most' },
        }),
      ),
      ...peak('node -e 0', node),
    ];
  },
};
