/** 24 virtual hours of a living plant, a run every five minutes. */
import { expect, test } from 'vitest';
import { liveThrough } from '../taps/plex-day.ts';

const seed = Number(process.env.TAPWORKS_SEED ?? Date.now() % 1_000_000);

test('after a day with a run every five minutes tables are what the plant has', async () => {
  const report = await liveThrough(24 * 60, seed);
  process.stderr.write(`${JSON.stringify(report)}\n`);
  expect(report.runs).toBe(289);
}, 1_800_000);
