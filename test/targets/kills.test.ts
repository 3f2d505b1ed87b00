import { expect, test } from 'vitest';
import { killTarget } from './killing.ts';

test('a load that is killed and started again ends as if nothing had happened', async () => {
  const report = await killTarget(3, 20260301);
  process.stdout.write(`kills of target-sqlite ${JSON.stringify(report)}\n`);
  expect(report.kills).toBeGreaterThanOrEqual(3);
}, 120_000);
