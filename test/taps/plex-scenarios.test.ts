import { expect, test } from 'vitest';
import type { Json } from '../../singer/lossless.ts';
import { STREAMS } from '../../taps/plex/streams.ts';
import type { Output } from '../contract/tap/outside.ts';
import { differences, EVERYTHING, Plant, Tables } from './plex-plant.ts';

const NAMES = STREAMS.map(({ declaration }) => declaration.name);
const MOVES = '/container-location-moves$';

function skipped(output: Output): readonly unknown[] {
  return output.events('stream_skipped').map(({ stream }) => stream);
}

function expectWhole(plant: Plant, output: Output, but: readonly string[] = []): void {
  const tables = new Tables();
  tables.load(output);
  for (const stream of NAMES.filter((name) => !but.includes(name)))
    expect(differences(plant, tables, stream).slice(0, 1)).toEqual([]);
}

/** Nothing that is logged or kept may hold a secret or a person. */
async function expectNoSecrets(plant: Plant, output: Output): Promise<void> {
  const { api_key: key, ds_password: password } = plant.simulator.config;
  const token = Buffer.from(`${plant.simulator.config.ds_username}:${password}`).toString('base64');
  const texts = output.stderr + JSON.stringify(await plant.state().catch(() => ''));
  for (const secret of [String(key), String(password), token, 'Sample, Operator'])
    expect(texts.includes(secret)).toBe(false);
}

test('demo tenant: movements and data sources are skipped and told, all else is whole, exit 0', async () => {
  const plant = await Plant.open({ scenario: 'demo_tenant' });
  plant.simulator.site.configure({ clock: 'stands', calls_per_minute: 0 });
  const output = await plant.run();
  expect(output.code, output.summary).toBe(0);
  const left = ['container_movements', 'checksheets', 'oee_metrics'];
  expect(skipped(output)).toEqual(left);
  expect(output.summary).toContain(`skipped: ${left.join(', ')}`);
  expectWhole(plant, output, left);
  expect(Object.keys((await plant.state()).bookmarks)).not.toContain('container_movements');
  await expectNoSecrets(plant, output);
});

test.each(['throttled', 'throttled_silent'])('%s: no minute sees more calls than are allowed', async (scenario) => {
  const plant = await Plant.open({ scenario, stands: false });
  // One at a time: while one waits in virtual time, the clock runs away from what is on its way beside it.
  const output = await plant.run({ requests_per_minute: 60, concurrent_requests: 1 });
  expect(output.code, output.summary).toBe(0);
  const { busiest_minute, refused, too_early } = plant.simulator.site.conduct;
  expect([busiest_minute <= 60, refused, too_early]).toEqual([true, 0, 0]);
});

test('throttled beyond the limit: waits honour Retry-After, and without one it is a minute', async () => {
  const plant = await Plant.open({ scenario: 'throttled', stands: false });
  const output = await plant.run({ requests_per_minute: 150, concurrent_requests: 1 });
  expect(output.code, output.summary).toBe(0);
  const { refused, too_early } = plant.simulator.site.conduct;
  expect(refused).toBeGreaterThan(0);
  expect(too_early).toBe(0);
  const silent = await Plant.open({ scenario: 'throttled_silent', stands: false });
  expect((await silent.run({ requests_per_minute: 150, concurrent_requests: 1 })).code).toBe(0);
  expect(silent.clock.sleeps.filter((ms) => ms === 60_000).length).toBeGreaterThan(0);
});

test('flaky: 500, 502, 503, 504, closed and cut answers cost no row, and nothing personal is logged', async () => {
  const plant = await Plant.open({ scenario: 'flaky' });
  const output = await plant.run();
  expect(output.code, output.summary).toBe(0);
  expectWhole(plant, output);
  expect(output.events('request_failed').length).toBeGreaterThan(3);
  await expectNoSecrets(plant, output);
});

test('a key that dies in the middle of a run ends it with 1 and words that help; what was read is safe', async () => {
  const plant = await Plant.open({ scenario: 'rotation' });
  const output = await plant.run();
  expect(output.code).toBe(1);
  expect(output.summary).toContain('make a new key in the developer portal');
  expect(Object.keys((await plant.state()).bookmarks)).toContain('parts');
  plant.simulator.site.engine.remove('key');
  const rest = await plant.run();
  expect(rest.code).toBe(0);
  const tables = new Tables();
  tables.load(output);
  tables.load(rest);
  for (const stream of NAMES) expect(differences(plant, tables, stream).slice(0, 1)).toEqual([]);
});

test('drift: lists inside data, new, missing and misshapen fields lose no row', async () => {
  const plant = await Plant.open({ scenario: 'drift' });
  const output = await plant.run();
  expect(output.code, output.summary).toBe(0);
  expectWhole(plant, output, ['workcenters']);
  expect(output.records('workcenters').every(({ plcName }) => plcName === null)).toBe(true);
});

test('answers that are cut at a row limit are narrowed, never taken for whole', async () => {
  const plant = await Plant.open({ scenario: 'rowlimit' });
  const output = await plant.run();
  expect(output.code, output.summary).toBe(0);
  expectWhole(plant, output);
});

test.each(['rowLimitedExceeded', 'table', 'limitExceeded', 'rowLimitExceeded'])(
  'the row limit in the spelling %s is understood in both forms',
  async (row_limit_flag) => {
    for (const datasource_format of [1, 2]) {
      const plant = await Plant.open({ scenario: 'rowlimit' }, { ...EVERYTHING, streams: ['checksheets'] });
      plant.simulator.site.configure({ row_limit_flag });
      const output = await plant.run({ datasource_format });
      expect(output.records('checksheets').length).toBeGreaterThanOrEqual(plant.truth('checksheets').length);
    }
  },
);

test('a data source that cannot be narrowed is skipped', async () => {
  const plant = await Plant.open({}, { ...EVERYTHING, streams: ['oee_metrics'] });
  plant.simulator.site.addFault({ action: { type: 'rowLimit', rows: 1 } });
  const output = await plant.run();
  expect([output.code, ...skipped(output)]).toEqual([0, 'oee_metrics']);
  expect(output.events('stream_skipped')[0]?.message).toContain('row limit');
});

test('a product that is not subscribed is skipped where the stream is optional and fails it where it is not', async () => {
  const plant = await Plant.open({ scenario: 'unsubscribed' });
  const output = await plant.run();
  expect([output.code, ...skipped(output)]).toEqual([0, 'specifications']);
  expect(output.events('stream_skipped')[0]?.message).toContain('is the app subscribed to the product quality?');
  plant.simulator.site.configure({ products_off: ['scheduling'] });
  const failed = await plant.run();
  expect(failed.code).toBe(1);
  expect(failed.events('stream_failed').map(({ stream }) => stream)).toEqual(['jobs']);
  expect(failed.summary).toContain('product scheduling');
});

test('--test checks both APIs and names what is not subscribed', async () => {
  const plant = await Plant.open({ scenario: 'unsubscribed' });
  const output = await plant.run({}, ['--test']);
  expect(output.code, output.summary).toBe(0);
  expect(output.stdout).toBe('');
  expect(output.events('data_source_login')).toMatchObject([{ level: 'INFO' }]);
  expect(output.events('stream_skipped').map(({ stream }) => stream)).toEqual(['specifications']);
  const wrong = await plant.run({ ds_password: 'wrong', streams: ['parts'] }, ['--test']);
  expect(wrong.events('data_source_login')).toMatchObject([{ level: 'WARNING' }]);
  const key = await plant.run({ api_key: 'wrong', streams: ['parts'] }, ['--test']);
  expect(key.code).toBe(1);
  expect(key.events('test_failed')[0]?.message).toContain('Plex refuses the key');
});

test('a wrong key ends the run at once with 1, before any other stream', async () => {
  const plant = await Plant.open();
  const output = await plant.run({ api_key: 'wrong' });
  expect(output.code).toBe(1);
  // The first list, and the one that every key may read.
  expect(plant.calls.map(({ path }) => path)).toEqual(['/mdm/v1/buildings', '/mdm/v1/tenants']);
});

test('without a web-service user its streams are skipped without a request', async () => {
  const plant = await Plant.open();
  const output = await plant.run({ ds_username: null, ds_password: null, streams: ['checksheets', 'parts'] });
  expect([output.code, ...skipped(output)]).toEqual([0, 'checksheets']);
  expect(plant.calls.filter(({ path }) => path.startsWith('/api/'))).toEqual([]);
});

/** One stream whose path answers with a status for ever: what becomes of the run. */
const POLICY: readonly (readonly [stream: string, path: string, status: number, code: number, event: string])[] = [
  ['production_entries', '/production-entries$', 400, 1, 'stream_failed'],
  ['production_entries', '/production-entries$', 404, 1, 'stream_failed'],
  ['production_entries', '/production-entries$', 503, 1, 'stream_failed'],
  ['locations', '/inventory-definitions/locations$', 403, 1, 'stream_failed'],
  ['container_movements', MOVES, 400, 0, 'stream_skipped'],
  ['container_movements', MOVES, 403, 0, 'stream_skipped'],
  ['container_movements', MOVES, 404, 0, 'stream_skipped'],
  ['container_movements', MOVES, 500, 0, 'stream_skipped'],
  ['part_operations', '/part-operations$', 404, 0, 'stream_skipped'],
];

test.each(POLICY)('%s %s: %i ends a run with %i (%s)', async (stream, path, status, code, event) => {
  const plant = await Plant.open({}, { streams: [stream, 'buildings'] });
  plant.simulator.site.addFault({ match: { path }, action: { type: 'status', status } });
  const output = await plant.run();
  expect([output.code, output.events(event).map((line) => line.stream)]).toEqual([code, [stream]]);
  expect(String(output.events(event)[0]?.message)).toContain(stream);
  // The other stream is read whatever happens.
  expect(output.records('buildings').length).toBeGreaterThan(0);
});

test('a slice that fails is halved down to an hour', async () => {
  const plant = await Plant.open({}, { streams: ['production_entries'], max_attempts: 1 });
  plant.simulator.site.addFault({
    match: { path: '/production-entries$' },
    times: 3,
    action: { type: 'status', status: 504 },
  });
  const output = await plant.run();
  expect(output.code, output.summary).toBe(0);
  expect(output.events('slice_narrowed').map(({ hours }) => hours)).toEqual([12, 6, 3]);
  const tables = new Tables();
  tables.load(output);
  expect(differences(plant, tables, 'production_entries')).toEqual([]);
});

test('an outage in the middle of the bills of materials leaves what is missing in the state, exit 2', async () => {
  const plant = await Plant.open({}, { streams: ['boms'] });
  plant.simulator.site.addFault({
    id: 'out',
    match: { path: '/boms$', nth: 5 },
    times: 1000,
    action: { type: 'status', status: 503 },
  });
  const output = await plant.run({ max_attempts: 2 });
  expect(output.code, output.summary).toBe(2);
  expect(output.summary).toContain('not read to the end: boms');
  const pending = (await plant.state()).bookmarks.boms?.pendingPartIds as readonly string[];
  expect(pending.length).toBe(8);
  // After five failures in a row nobody is asked any more.
  expect(plant.calls.filter(({ path }) => path === '/engineering/v1/boms').length).toBeLessThan(4 + 2 * 8 + 1);
  plant.simulator.site.engine.remove('out');
  plant.advance(120_000);
  const rest = await plant.run();
  expect(rest.code).toBe(0);
  const tables = new Tables();
  tables.load(output);
  tables.load(rest);
  expect(differences(plant, tables, 'boms')).toEqual([]);
  expect((await plant.state()).bookmarks.boms).toMatchObject({ pendingPartIds: [] });
});

test('a server that nobody reaches ends the run with 1 after the first stream', async () => {
  const plant = await Plant.open();
  const output = await plant.run({ base_url: 'http://127.0.0.1:1' as Json, max_attempts: 2 });
  expect(output.code).toBe(1);
  expect(output.summary).toContain('no connection');
  expect(plant.calls).toEqual([]);
});
