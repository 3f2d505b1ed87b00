/** `tap-plex | target-sqlite` on the demo plant, as a user runs it. */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { executable } from '../../dist/runner/pipe.js';
import { PlexWorkshop, RUN_NOW } from './plex-workshop.ts';

const EVERYTHING = {
  enable_quality: true,
  enable_performance: true,
  streams: ['*'],
  plan_assumptions: { parts: 200, jobs: 150, workcenters: 12 },
};

let shop: PlexWorkshop;
beforeAll(async () => {
  shop = await PlexWorkshop.open('demo', EVERYTHING);
});
afterAll(() => shop.close());

/** Tables by name and number of rows. */
function counts(): Readonly<Record<string, unknown>> {
  const tables = shop.query("SELECT name FROM sqlite_master WHERE type = 'table'").map(({ name }) => String(name));
  return Object.fromEntries(
    tables.map((name) => [name, shop.query(`SELECT count(*) AS rows FROM "${name}"`)[0]?.rows]),
  );
}

test('a first run makes as many calls as its plan says, and the tables have what the plant has', async () => {
  const env = { ...process.env, TAPWORKS_NOW: RUN_NOW };
  const { stdout } = await promisify(execFile)(
    process.execPath,
    [executable('tap-plex'), '--config', shop.tapConfig, '--plan'],
    { env },
  );
  const { exitCode, lines } = await shop.run();
  expect(exitCode, lines.at(-1)).toBe(0);
  expect((await shop.calls()).length).toBe((JSON.parse(stdout) as { calls: number }).calls);
  const manifest = await shop.manifest();
  expect(counts()).toEqual(Object.fromEntries(Object.entries(manifest).map(([stream, { rows }]) => [stream, rows])));
});

test('a second run changes nothing but _syncedAt', async () => {
  const before = shop.tables();
  const { exitCode, lines } = await shop.run();
  expect(exitCode, lines.at(-1)).toBe(0);
  const after = shop.tables();
  for (const [table, rows] of Object.entries(before))
    expect([table, after[table]?.length]).toEqual([table, rows.length]);
  expect(JSON.stringify(after) === JSON.stringify(before)).toBe(true);
  expect(counts()).toEqual(
    Object.fromEntries(Object.entries(await shop.manifest()).map(([stream, { rows }]) => [stream, rows])),
  );
});
