import { expect, test } from 'vitest';
import { liveThrough } from './plex-day.ts';

test('after two hours of a living plant, with a run every five minutes, tables are what the plant has', async () => {
  const report = await liveThrough(120, 4);
  expect(report).toMatchObject({ runs: 25 });
  expect(report.mutations).toBeGreaterThan(15);
});
