import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, expect, test } from 'vitest';
import { runTap } from '../../singer/run-tap.ts';
import { dataSourceUrl, restUrl } from '../../taps/plex/connection.ts';
import { withEnvironmentFiles } from '../../taps/plex/environment-file.ts';
import { tap } from '../../taps/plex/tap.ts';
import { memoryIo } from '../contract/memory-io.ts';
import { EVERYTHING, HOUR, Plant } from './plex-plant.ts';

const folders: string[] = [];
afterEach(async () => {
  await Promise.all(folders.splice(0).map((folder) => rm(folder, { recursive: true, force: true })));
});

/** The plan that a run with these variables and files prints. */
async function planWith(env: Readonly<Record<string, string>>, files: Readonly<Record<string, string>> = {}) {
  const folder = await mkdtemp(join(tmpdir(), 'tapworks-plex-'));
  folders.push(folder);
  const sources: string[] = [];
  for (const [name, text] of Object.entries(files)) {
    await writeFile(join(folder, name), text);
    sources.push('--config', join(folder, name));
  }
  const world = memoryIo({ argv: [...sources, '--plan'], env });
  const code = await runTap(tap, withEnvironmentFiles(world.io));
  return { code, plan: code === 0 ? JSON.parse(world.stdout.text) : undefined, logs: world.logs() };
}

test('the environment names of plant extractors switch groups and set the rate', async () => {
  const { plan } = await planWith({
    ENABLE_QUALITY_EXTRACTOR: 'true',
    ENABLE_PRODUCTION_EXTRACTOR: 'false',
    PLEX_API_RATE_LIMIT: '100',
  });
  expect(Object.keys(plan.streams)).toContain('specifications');
  expect(Object.keys(plan.streams)).not.toContain('production_entries');
  expect(plan.streams.boms).toEqual({ calls: 17_000, minutes: 170, assumed: true });
});

const DOT_ENV = `# Plex
PLEX_API_KEY=<key>
PLEX_CUSTOMER_ID=100001
MASTER_DATA_EXTRACTION_INTERVAL=86400  # 24 hours
ENABLE_MASTER_DATA_EXTRACTOR=false
ENABLE_PERFORMANCE_EXTRACTOR="true"
PLEX_DS_USERNAME=reader@example.invalid
PLEX_DS_PASSWORD='a#b'
`;

test('--config .env reads a file of environment variables; a variable that is set wins, a later file wins over it', async () => {
  const { plan } = await planWith({}, { '.env': DOT_ENV });
  expect(Object.keys(plan.streams)).toContain('oee_metrics');
  expect(Object.keys(plan.streams)).not.toContain('parts');
  const set = await planWith({ ENABLE_MASTER_DATA_EXTRACTOR: 'true' }, { 'plant.env': DOT_ENV });
  expect(Object.keys(set.plan.streams)).toContain('parts');
  const later = await planWith({}, { '.env': DOT_ENV, 'more.json': '{"enable_performance": false}' });
  expect(Object.keys(later.plan.streams)).not.toContain('oee_metrics');
});

test('an environment file that cannot be read is told by its name', async () => {
  const world = memoryIo({ argv: ['--config', '/nowhere/.env', '--plan'] });
  expect(await runTap(tap, withEnvironmentFiles(world.io))).toBe(1);
  expect(world.logs().at(-1)?.message).toContain('/nowhere/.env cannot be read');
});

test('addresses follow the environment and the company code', () => {
  expect([restUrl({}), dataSourceUrl({})]).toEqual(['https://connect.plex.com', 'https://cloud.plex.com']);
  expect([restUrl({ use_test: true }), dataSourceUrl({ use_test: true })]).toEqual([
    'https://test.connect.plex.com',
    'https://test.cloud.plex.com',
  ]);
  expect(dataSourceUrl({ pcn_code: 'example-plant' })).toBe('https://example-plant.on.plex.com');
  expect(dataSourceUrl({ pcn_code: 'example-plant', use_test: true })).toBe('https://example-plant.test.on.plex.com');
  expect(restUrl({ base_url: 'http://127.0.0.1:8080/' })).toBe('http://127.0.0.1:8080');
});

test('a web-service user needs its password', async () => {
  const plant = await Plant.open();
  const output = await plant.run({ ds_password: null });
  expect(output.code).toBe(1);
  expect(output.summary).toContain('ds_password is missing');
});

test('a rate above the documented limit and an unusual customer number are warnings', async () => {
  const plant = await Plant.open();
  const output = await plant.run({ requests_per_minute: 60_000, streams: ['buildings'] });
  expect(output.code).toBe(0);
  expect(output.events('rate_above_limit')).toMatchObject([{ level: 'WARNING' }]);
  const other = await plant.run({ customer_id: 'ABC', streams: ['buildings'] });
  expect(other.events('customer_id_unusual')).toMatchObject([{ level: 'WARNING' }]);
});

test('the plan makes no request, and a first run makes as many as it says', async () => {
  const plant = await Plant.open();
  const settings = { plan_assumptions: { parts: 12, jobs: 10, workcenters: 4 } };
  const planned = JSON.parse((await plant.run(settings, ['--plan'])).stdout);
  expect(plant.calls).toEqual([]);
  await plant.run(settings);
  expect(plant.calls.length).toBe(planned.calls);
});

test('later plans go by what the last full pass has counted', async () => {
  const plant = await Plant.open({}, { ...EVERYTHING, streams: ['parts', 'boms', 'workcenters', 'workcenter_status'] });
  await plant.run();
  const before = plant.calls.length;
  const soon = JSON.parse((await plant.run({ plan_assumptions: { changed_parts: 1 } }, ['--plan'])).stdout);
  expect(soon.streams.boms).toMatchObject({ calls: 1, assumed: true });
  expect(soon.streams.workcenter_status).toEqual({ calls: 4, minutes: 0 });
  plant.advance(8 * 24 * HOUR);
  const full = JSON.parse((await plant.run({}, ['--plan'])).stdout);
  expect(full.streams.boms).toEqual({ calls: 12, minutes: 0.1 });
  await plant.run();
  expect(plant.calls.length - before).toBe(full.calls);
});
