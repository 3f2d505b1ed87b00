import { expect, test } from 'vitest';
import { twoDaysOfCron } from './cron.ts';

test.each(['s0-resilient', 'hostile'])('two days of cron, %s: done within the first, quiet after', async (scenario) => {
  const runs = await twoDaysOfCron({ profile: 'small', scenario, seed: 1, pagesPerRun: 3 });
  expect(
    Math.max(...runs.filter(({ hour }) => hour < 24).map(({ coveragePct }) => coveragePct)),
  ).toBeGreaterThanOrEqual(95);
  const done = runs.findIndex(({ finished, gaps }) => finished && gaps === 0);
  expect(done).toBeGreaterThan(0);
  const after = runs.slice(done + 1);
  expect(after.length).toBeGreaterThan(0);
  for (const run of after) expect(run).toMatchObject({ requests: 0, exitCode: 0 });
  expect(runs.map(({ exitCode }) => exitCode)).not.toContain(1);
});
