import { expect, test } from 'vitest';
import { twoDaysOfCron } from '../taps/cron.ts';

const SEED = Number(process.env.TAPWORKS_SEED ?? Date.now() % 1_000_000);

test.each(['s0-resilient', 'hostile', 'happy'])(
  `two days of cron on the full profile, %s (seed ${SEED})`,
  async (scenario) => {
    const runs = await twoDaysOfCron({ profile: 'full', scenario, seed: SEED });
    process.stdout.write(`cron ${scenario} ${JSON.stringify({ seed: SEED, runs })}\n`);
    const firstDay = runs.filter(({ hour }) => hour < 24);
    expect(Math.max(...firstDay.map(({ coveragePct }) => coveragePct))).toBeGreaterThanOrEqual(95);
    const done = runs.findIndex(({ finished, gaps }) => finished && gaps === 0);
    expect(done).toBeGreaterThan(0);
    for (const run of runs.slice(done + 1)) expect(run).toMatchObject({ requests: 0, exitCode: 0 });
  },
  1_800_000,
);
