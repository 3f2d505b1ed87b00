/** Full-table streams that say which rows are still there, and records that say that they are gone. */
import { expect } from 'vitest';
import type { Cases, Scene } from '../target.ts';
import { lines, messages, type Outcome, type StoredRow, sorted } from './load.ts';

const FIRST = '1769839200';
const SECOND = '1769925600';
const DAY = 86_400_000;

/** Where the clock of a run stands; each run of a case begins a day after the one before. */
const at = (run: number) => new Date(Date.UTC(2026, 0, 31, 6) + run * DAY).toISOString().replace('.000Z', 'Z');

/** Loads files one after the other, a day between them. */
async function readings({ begin }: Scene, settings: object, ...files: readonly string[]): Promise<Outcome> {
  let outcome: Outcome | undefined;
  for (const [run, file] of files.entries()) {
    const loading = await begin({ settings: { ...settings } });
    loading.clock.advance(run * DAY);
    loading.send(await messages(file));
    outcome = await loading.finish();
    expect([outcome.code, outcome.critical]).toEqual([0, []]);
  }
  if (outcome === undefined) throw new Error('no file');
  return outcome;
}

const totals = ({ logs }: Outcome) =>
  (logs.find(({ event_type }) => event_type === 'load_complete')?.streams as { users?: object } | undefined)?.users;
const ignored = ({ logs }: Outcome) => logs.filter(({ event_type }) => event_type === 'version_ignored');

const users = async ({ destination }: Scene) => sorted(await destination.rows('users'), 'id');
/** Stored moments may be spelled in any way that means the same. */
const stamps = (rows: readonly StoredRow[]) =>
  rows.map(({ id, _sdc_deleted_at: stamp }) => [
    id,
    stamp == null ? null : new Date(stamp).toISOString().replace('.000Z', 'Z'),
  ]);

export const versionCases: Cases = {
  'a record with a version makes the column of versions, and nothing else': async (scene) => {
    await readings(scene, {}, 'version_first_reading');
    expect(await users(scene)).toEqual(
      ['1', '2', '3'].map((id) => ({ id, name: `u${id}`, _sdc_table_version: FIRST })),
    );
  },
  'rows that vanished are marked once the reading is whole': async (scene) => {
    const outcome = await readings(scene, {}, 'version_first_reading', 'version_second_reading');
    const rows = await users(scene);
    expect(stamps(rows)).toEqual([
      ['1', null],
      ['2', at(1)],
      ['3', null],
      ['4', null],
    ]);
    expect(rows.map(({ name, _sdc_table_version }) => [name, _sdc_table_version])).toEqual([
      ['u1', SECOND],
      ['u2', FIRST],
      ['new', SECOND],
      ['u4', SECOND],
    ]);
    expect(totals(outcome)).toEqual({ inserted: 1, updated: 2, unchanged: 0, deleted: 1 });
    expect(outcome.logs.at(-1)?.message).toMatch(/users 1 new, 2 changed, 0 as before, 1 gone/);
  },
  'a reading that was not whole marks nothing': async (scene) => {
    await readings(scene, {}, 'version_first_reading', 'version_partly_loaded');
    expect((await users(scene)).map(({ id, _sdc_deleted_at = null }) => [id, _sdc_deleted_at])).toEqual([
      ['1', null],
      ['2', null],
      ['3', null],
    ]);
  },
  'a row that comes again loses its mark, and an earlier mark is kept': async (scene) => {
    await readings(scene, {}, 'version_first_reading', 'version_second_reading', 'version_third_reading');
    expect(stamps(await users(scene))).toEqual([
      ['1', at(2)],
      ['2', null],
      ['3', at(2)],
      ['4', null],
    ]);
    await readings(scene, {}, 'version_third_reading');
    expect(stamps(await users(scene))[0]).toEqual(['1', at(2)]);
  },
  'hard_delete takes vanished rows out': async (scene) => {
    const outcome = await readings(scene, { hard_delete: true }, 'version_first_reading', 'version_second_reading');
    expect((await users(scene)).map(({ id }) => id)).toEqual(['1', '3', '4']);
    expect(await scene.destination.columns('users')).toEqual(['id', 'name', '_sdc_table_version']);
    expect(totals(outcome)).toEqual({ inserted: 1, updated: 2, unchanged: 0, deleted: 1 });
  },
  'a version activated ahead of its rows marks what does not come again': async (scene) => {
    await readings(scene, {}, 'version_first_reading', 'version_at_start');
    expect(stamps(await users(scene))).toEqual([
      ['1', null],
      ['2', at(1)],
      ['3', null],
    ]);
  },
  'a version before the schema of its stream is ignored': async (scene) => {
    await readings(scene, {}, 'version_first_reading');
    const outcome = await readings(scene, {}, 'version_before_schema');
    expect(await users(scene)).toHaveLength(3);
    expect(await scene.destination.columns('users')).not.toContain('_sdc_deleted_at');
    expect(outcome.logs.filter(({ event_type }) => event_type === 'message_skipped')).toHaveLength(1);
  },
  'a version that is older than the rows is ignored': async (scene) => {
    const outcome = await readings(scene, {}, 'version_late');
    expect(await users(scene)).toHaveLength(2);
    expect(await scene.destination.columns('users')).not.toContain('_sdc_deleted_at');
    expect(ignored(outcome)).toHaveLength(1);
  },
  'a version that jumps between seconds and milliseconds is skipped, both ways': async (scene) => {
    for (const files of [
      ['version_first_reading', 'version_milliseconds'],
      ['version_milliseconds', 'version_second_reading'],
    ]) {
      const fresh = await scene.fresh();
      const outcome = await readings(fresh, {}, ...files);
      expect(ignored(outcome)).toHaveLength(1);
      expect(ignored(outcome)[0]?.message).toMatch(/another unit of time/);
      expect(await fresh.destination.columns('users')).not.toContain('_sdc_deleted_at');
    }
  },
  'a stream that never had versions loses nothing': async (scene) => {
    for (const hard_delete of [false, true]) {
      const fresh = await scene.fresh();
      await readings(fresh, { hard_delete }, 'version_without_versions');
      expect(await users(fresh)).toEqual([
        { id: '1', name: 'a' },
        { id: '2', name: 'u2' },
      ]);
    }
  },
  'rows from before there were versions vanish with the first whole reading': async (scene) => {
    await readings(scene, {}, 'upsert_by_key', 'version_second_reading');
    expect(stamps(await users(scene))).toEqual([
      ['1', null],
      ['2', at(1)],
      ['3', null],
      ['4', null],
    ]);
  },
  'records without a version belong to the one that was activated ahead of them': async (scene) => {
    const head = (await messages('version_first_reading')).split('\n')[0] ?? '';
    const version = (n: number) => ({ type: 'ACTIVATE_VERSION', stream: 'users', version: n });
    const record = (id: number) => ({ type: 'RECORD', stream: 'users', record: { id, name: 'x' } });
    await scene.load(lines(head, version(5), record(1), record(2), version(5)));
    await scene.load(lines(head, version(6), record(2), version(6)));
    expect(
      (await users(scene)).map(({ id, _sdc_table_version: v, _sdc_deleted_at }) => [id, v, _sdc_deleted_at === null]),
    ).toEqual([
      ['1', '5', false],
      ['2', '6', true],
    ]);
  },
  'present rows without a version are not taken for old ones': async (scene) => {
    await readings(scene, {}, 'version_first_reading');
    const head = (await messages('version_first_reading')).split('\n')[0] ?? '';
    await scene.load(
      lines(
        head,
        { type: 'RECORD', stream: 'users', record: { id: 1, name: 'x' } },
        { type: 'ACTIVATE_VERSION', stream: 'users', version: Number(SECOND) },
      ),
    );
    expect((await users(scene)).map(({ id, _sdc_deleted_at: stamp }) => [id, stamp === null])).toEqual([
      ['1', true],
      ['2', false],
      ['3', false],
    ]);
  },
  'a state behind an ACTIVATE_VERSION goes out only when the marks are committed': async ({ begin, destination }) => {
    const loading = await begin({ settings: { batch_rows: 100 } });
    loading.send(await messages('version_first_reading'));
    await loading.stdin.idle();
    const seen = loading.stdout
      .until((text) => text.includes('"n": 2') || text.includes('"n":2'))
      .then(() => destination.rows('users'));
    loading.send((await messages('version_second_reading')).split('\n').slice(1).join('\n'));
    const rows = await seen;
    expect(rows.filter(({ _sdc_deleted_at }) => _sdc_deleted_at !== null).map(({ id }) => id)).toEqual(['2']);
    await loading.finish();
  },
  'streams without a key are marked by version too': async (scene) => {
    const keyless = async (file: string) => (await messages(file)).replace('["id"]', '[]');
    await scene.load(await keyless('version_first_reading'));
    await scene.load(await keyless('version_second_reading'));
    const rows = await scene.destination.rows('users');
    expect(rows.filter(({ _sdc_deleted_at }) => _sdc_deleted_at === null)).toHaveLength(3);
    expect(rows).toHaveLength(6);
  },
  'a record that says it is gone marks its row and leaves the rest of it': async (scene) => {
    const outcome = await readings(scene, {}, 'deleted_records');
    const rows = await users(scene);
    expect(rows.map(({ id, name }) => [id, name])).toEqual([
      ['1', 'u1'],
      ['2', 'u2'],
      ['3', 'u3'],
      ['9', null],
    ]);
    expect(rows.map(({ _sdc_deleted_at: stamp }) => (stamp == null ? null : new Date(stamp).getTime()))).toEqual([
      null,
      Date.parse('2026-01-31T06:00:00.123Z'),
      Date.parse('2026-01-31T06:00:00Z'),
      Date.parse(at(0)),
    ]);
    expect(totals(outcome)).toEqual({ inserted: 3, updated: 0, unchanged: 0, deleted: 3 });
    await readings(scene, {}, 'deleted_record_returns');
    expect((await users(scene))[1]).toEqual({ id: '2', name: 'back', _sdc_deleted_at: null });
  },
  'hard_delete takes the row of such a record out': async (scene) => {
    const outcome = await readings(scene, { hard_delete: true }, 'deleted_records');
    expect(await users(scene)).toEqual([{ id: '1', name: 'u1' }]);
    expect(totals(outcome)).toEqual({ inserted: 3, updated: 0, unchanged: 1, deleted: 2 });
  },
};
