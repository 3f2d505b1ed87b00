import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { catalogOf } from '../../singer/catalog.ts';
import type { Json } from '../../singer/lossless.ts';
import { STREAMS } from '../../taps/plex/streams.ts';
import { tap } from '../../taps/plex/tap.ts';
import { differences, EVERYTHING, HOUR, MINUTE, Plant, Tables } from './plex-plant.ts';

const NAMES = STREAMS.map(({ declaration }) => declaration.name);

test('a first run brings every row of every stream, and nothing else', async () => {
  const plant = await Plant.open();
  const output = await plant.run();
  expect(output.code, output.summary).toBe(0);
  const tables = new Tables();
  tables.load(output);
  for (const stream of NAMES) {
    expect(differences(plant, tables, stream).slice(0, 1)).toEqual([]);
    expect([stream, tables.rows(stream).length]).toEqual([stream, plant.truth(stream).length]);
  }
});

test('a second run reads lookbacks only, and changes nothing but _syncedAt', async () => {
  const plant = await Plant.open();
  const tables = new Tables();
  const first = await plant.run();
  tables.load(first);
  const again = await plant.run();
  expect(again.code).toBe(0);
  expect(again.records('production_entries').length).toBeLessThan(first.records('production_entries').length / 4);
  const newest = String((await plant.state()).bookmarks.parts?.modifiedDate);
  for (const { modifiedDate } of again.records('parts'))
    expect(Date.parse(newest) - Date.parse(String(modifiedDate))).toBeLessThanOrEqual(24 * HOUR);
  expect(again.records('workcenter_status')).toEqual([]);
  expect(tables.load(again)).toBe(0);
});

test('two runs with the same clock give the same bytes', async () => {
  const [one, other] = [await Plant.open(), await Plant.open()];
  expect((await one.run()).stdout === (await other.run()).stdout).toBe(true);
});

test('no request carries limit or offset, and every date ends in Z', async () => {
  const plant = await Plant.open({}, { ...EVERYTHING, job_open_statuses: ['Scheduled', 'Running'] });
  await plant.run();
  plant.advance(HOUR);
  await plant.run();
  expect(plant.simulator.site.conduct).toMatchObject({ paging_parameters: 0, dates_without_z: 0 });
  const dates = plant.calls.flatMap(({ query }) => Object.entries(query)).filter(([name]) => /date/i.test(name));
  expect(dates.length).toBeGreaterThan(20);
  for (const [, [value = '']] of dates) expect(value).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/);
});

test('records keep what Plex added since, and all digits of a date', async () => {
  const plant = await Plant.open({}, { ...EVERYTHING, streams: ['parts'] });
  plant.simulator.site.addFault({
    match: { path: '/mdm/v1/parts' },
    action: { type: 'wrongShape', kind: 'extra', field: 'shelfLife' },
  });
  const rows = (await plant.run()).records('parts');
  expect(rows[0]?.shelfLife).toBe('new shelfLife');
  expect(rows.some(({ modifiedDate }) => /\.\d{7}Z$/.test(String(modifiedDate)))).toBe(true);
});

test('names of employees leave Plex only when they are asked for', async () => {
  const plant = await Plant.open({}, { ...EVERYTHING, streams: ['production_entries', 'workcenter_status'] });
  const without = await plant.run();
  expect(without.stdout.includes('"employeeName"')).toBe(false);
  expect(without.stdout.includes('Sample, Operator')).toBe(false);
  const other = await Plant.open({}, { ...EVERYTHING, streams: ['production_entries', 'workcenter_status'] });
  const kept = await other.run({ include_employee_names: true });
  expect(kept.stdout.includes('"employeeName":"Sample, Operator')).toBe(true);
  expect(kept.stdout.includes('"operators":[{"accountID"')).toBe(true);
});

test('a deselected property is in no schema and in no record', async () => {
  const plant = await Plant.open();
  const catalog = JSON.parse(JSON.stringify(catalogOf(tap.streams))) as {
    streams: { tap_stream_id: string; metadata: { breadcrumb: string[]; metadata: Record<string, Json> }[] }[];
  };
  for (const { tap_stream_id, metadata } of catalog.streams) {
    for (const entry of metadata) {
      const [, property] = entry.breadcrumb;
      if (entry.breadcrumb.length === 0) entry.metadata.selected = tap_stream_id === 'scrap_entries';
      if (property === 'scrapReason' || property === 'transactionDate') entry.metadata.selected = false;
    }
  }
  const path = join(plant.folder, 'catalog.json');
  await writeFile(path, JSON.stringify(catalog));
  const output = await plant.run({}, ['--catalog', path]);
  expect(output.code, output.summary).toBe(0);
  const rows = output.records('scrap_entries');
  expect(rows.length).toBeGreaterThan(0);
  for (const row of rows) {
    expect(row).not.toHaveProperty('scrapReason');
    // It orders the stream, so it stays.
    expect(row).toHaveProperty('transactionDate');
  }
});

test('a group that is off is never read, whatever is selected', async () => {
  const plant = await Plant.open({}, { streams: ['parts', 'specifications', 'locations'], enable_inventory: false });
  const output = await plant.run();
  expect(output.code).toBe(0);
  expect(plant.calls.map(({ path }) => path)).toEqual(['/mdm/v1/parts']);
  expect(output.events('group_off')).toMatchObject([{ streams: ['locations', 'specifications'] }]);
});

test('jobs: two passes with open statuses, all of them once a day, each job once a run', async () => {
  const plant = await Plant.open({}, { streams: ['jobs'], job_open_statuses: ['Scheduled', 'Running'] });
  await plant.run();
  plant.advance(HOUR);
  const second = await plant.run();
  plant.advance(24 * HOUR);
  await plant.run();
  expect(plant.calls.map(({ query }) => Object.keys(query))).toEqual([
    [],
    ['jobStatuses'],
    ['completedDateBegin', 'completedDateEnd'],
    [],
  ]);
  expect(plant.calls[1]?.query.jobStatuses).toEqual(['Scheduled', 'Running']);
  const ids = second.records('jobs').map(({ id }) => id);
  expect(new Set(ids).size).toBe(ids.length);
  expect(ids.length).toBeGreaterThan(0);
});

test('operations of all jobs come in their first run, also when the jobs themselves are further on', async () => {
  const plant = await Plant.open({}, { streams: ['jobs'], job_open_statuses: ['Scheduled', 'Running'] });
  await plant.run();
  plant.advance(HOUR);
  const output = await plant.run({ streams: ['jobs', 'job_operations'] });
  expect(output.records('job_operations').length).toBe(plant.truth('job_operations').length);
});

test('containers and work in progress come from one request', async () => {
  const plant = await Plant.open({}, { streams: ['containers', 'wip'] });
  const output = await plant.run();
  expect(plant.calls).toHaveLength(1);
  expect(output.records('wip').length).toBeGreaterThan(0);
  const alone = await Plant.open({}, { streams: ['wip'], wip_statuses: ['Hold'] });
  const held = (await alone.run()).records('wip');
  expect(held.length).toBeGreaterThan(0);
  expect(new Set(held.map(({ containerStatus }) => containerStatus))).toEqual(new Set(['Hold']));
});

test('bills of materials: of the parts that are wanted, then of those that changed, then of all', async () => {
  const plant = await Plant.open({}, { streams: ['boms'], bom_part_sources: ['Manufactured'] });
  const boms = () => plant.calls.filter(({ path }) => path === '/engineering/v1/boms').length;
  const made = plant.truth('parts').filter(({ fields }) => fields.source === 'Manufactured');
  await plant.run();
  expect(boms()).toBe(made.length);
  const lookedBack = boms();
  await plant.run();
  const again = boms() - lookedBack;
  expect(again).toBeLessThanOrEqual(2);
  plant.advance(2 * HOUR);
  plant.simulator.site.records.change('parts', String(made[1]?.key.id), { note: 'changed' });
  const before = boms();
  await plant.run();
  expect(plant.calls.slice(-1)[0]?.query.partId).toEqual([made[1]?.key.id]);
  expect(boms() - before).toBe(1);
  plant.advance(8 * 24 * HOUR);
  const all = boms();
  await plant.run();
  expect(boms() - all).toBe(made.length);
});

test('a workcenter that was never set up is not asked for again until the workcenters are read', async () => {
  const plant = await Plant.open({}, { streams: ['workcenter_status'] });
  const control = () => plant.calls.filter(({ path }) => path.includes('/control/')).length;
  await plant.run();
  expect(control()).toBe(4);
  await plant.run();
  expect(control()).toBe(7);
  await plant.run({ streams: ['workcenters', 'workcenter_status'] });
  expect(control()).toBe(11);
});

test('rows with versions tell what has vanished', async () => {
  const plant = await Plant.open({}, { streams: ['containers', 'boms', 'locations'], activate_version: true });
  const first = await plant.run();
  const versions = first.messages.filter(({ type }) => type === 'ACTIVATE_VERSION');
  expect(versions.map(({ stream }) => stream).sort()).toEqual(['boms', 'containers', 'locations']);
  plant.advance(HOUR);
  const second = await plant.run();
  // The container that left the active list is in no reading of the new version.
  expect(second.records('containers').length).toBe(first.records('containers').length - 1);
  expect(second.messages.filter(({ type }) => type === 'ACTIVATE_VERSION').map(({ stream }) => stream)).not.toContain(
    'boms',
  );
});

test('a history that lies far behind is read in several runs', async () => {
  const plant = await Plant.open({}, { streams: ['scrap_entries'], max_catchup_days: 3 });
  const first = await plant.run();
  expect(first.events('catching_up')).toHaveLength(1);
  const ends = [];
  for (let run = 0; run < 6; run += 1) {
    ends.push((await plant.state()).bookmarks.scrap_entries?.windowEnd);
    await plant.run();
  }
  expect(ends.at(-1)).toBe(new Date(plant.clock.now() - 2 * MINUTE).toISOString().replace('.000', ''));
});

test('checksheets from REST are found number by number', async () => {
  const plant = await Plant.open({}, { ...EVERYTHING, streams: ['checksheets'], quality_source: 'rest' });
  const output = await plant.run();
  expect(output.records('checksheets').length).toBe(plant.truth('checksheets').length);
  plant.advance(24 * HOUR);
  const more = await plant.run();
  const known = new Set(
    [...output.records('checksheets'), ...more.records('checksheets')].map((row) => row.checksheetNumber),
  );
  expect(known.size).toBe(plant.truth('checksheets').length);
});

test('both forms of Data Source answers give the same records', async () => {
  const settings = { ...EVERYTHING, streams: ['checksheets', 'oee_metrics'] };
  const [one, two] = [await Plant.open({}, settings), await Plant.open({}, settings)];
  const apart = await one.run({ datasource_format: 1 });
  expect(apart.records('checksheets').length).toBeGreaterThan(0);
  expect(apart.stdout === (await two.run({ datasource_format: 2 })).stdout).toBe(true);
});

test('inputs for the window are found by their names when none are configured', async () => {
  const plant = await Plant.open({}, { ...EVERYTHING, streams: ['checksheets'], datasources: {} });
  const output = await plant.run();
  expect(output.records('checksheets').length).toBe(plant.truth('checksheets').length);
  const inputs = plant.calls.flatMap((call) => call.inputs ?? []);
  expect(new Set(inputs)).toEqual(new Set(['Inspection_Date_Begin', 'Inspection_Date_End']));
});
