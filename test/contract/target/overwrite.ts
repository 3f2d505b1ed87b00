/** load_method overwrite: the new content takes the place of the old one when it is whole, and not before. */
import { expect } from 'vitest';
import type { Cases } from '../target.ts';
import { lines, messages, sorted } from './load.ts';

const settings = { load_method: 'overwrite' };

export const overwriteCases: Cases = {
  'overwrite leaves nothing of the former content': async ({ load, destination }) => {
    await load(await messages('upsert_by_key'));
    const { code, states } = await load(await messages('overwritten'), { settings });
    expect([code, states]).toEqual([0, ['{"n":9}']]);
    expect(sorted(await destination.rows('users'), 'id')).toEqual([
      { id: '2', name: 'newest' },
      { id: '5', name: 'u5' },
    ]);
    expect(await destination.tables()).toEqual(['users']);
  },
  'a stream without rows becomes empty': async ({ load, destination }) => {
    await load(await messages('upsert_by_key'));
    await load(await messages('overwritten_by_none'), { settings });
    expect(await destination.rows('users')).toEqual([]);
  },
  'tables of other streams stay': async ({ load, destination }) => {
    await load(await messages('composite_key'));
    await load(await messages('overwritten'), { settings });
    expect(await destination.rows('pairs')).toHaveLength(3);
  },
  'readers see the former content and no state goes out until it is replaced': async ({ begin, load, destination }) => {
    await load(await messages('upsert_by_key'));
    const before = sorted(await destination.rows('users'), 'id');
    const loading = await begin({ settings: { ...settings, batch_rows: 1 } });
    loading.send(await messages('overwritten'));
    await loading.stdin.idle();
    expect(loading.stdout.text).toBe('');
    expect(sorted(await destination.rows('users'), 'id')).toEqual(before);
    const { states } = await loading.finish();
    expect(states).toEqual(['{"n":9}']);
    expect(await destination.rows('users')).toHaveLength(2);
  },
  'a load that fails leaves the former content': async ({ load, destination }) => {
    await load(await messages('upsert_by_key'));
    const before = await destination.rows('users');
    const { code, states } = await load(await messages('invalid_record'), { settings });
    expect([code, states]).toEqual([1, []]);
    expect(await destination.rows('users')).toEqual(before);
    expect(await destination.tables()).toEqual(['users']);
  },
  'a load whose tap seems to have died leaves the former content': async ({ load, destination }) => {
    await load(await messages('upsert_by_key'));
    const before = await destination.rows('users');
    const { code, states, critical } = await load(await messages('overwrite_cut_short'), { settings });
    expect([code, states]).toEqual([1, []]);
    expect(critical[0]?.message).toMatch(/as if the tap had died/);
    expect(await destination.rows('users')).toEqual(before);
  },
  'a signal leaves the former content': async ({ begin, load, destination }) => {
    await load(await messages('upsert_by_key'));
    const before = await destination.rows('users');
    const loading = await begin({ settings });
    loading.send(await messages('overwritten'));
    await loading.stdin.idle();
    loading.stop('SIGTERM');
    expect(await loading.ended()).toMatchObject({ code: 143, states: [] });
    expect(await destination.rows('users')).toEqual(before);
  },
  'a schema that changes within the run does not begin again': async ({ load, destination }) => {
    await load(await messages('added_columns'), { settings });
    expect(await destination.rows('users')).toHaveLength(2);
    expect(await destination.columns('users')).toEqual(['id', 'name', 'email', 'age']);
  },
  'overwrite takes a new key and new types': async ({ load, destination }) => {
    await load(await messages('upsert_by_key'));
    const schema = {
      type: 'SCHEMA',
      stream: 'users',
      schema: { properties: { id: { type: 'string' }, name: { type: 'integer' } } },
      key_properties: ['name'],
    };
    const record = { type: 'RECORD', stream: 'users', record: { id: 'x', name: 5 } };
    expect((await load(lines(schema, record), { settings })).code).toBe(0);
    expect(await destination.rows('users')).toEqual([{ id: 'x', name: '5' }]);
    expect((await load(lines(schema, record))).code).toBe(0);
    expect(await destination.rows('users')).toHaveLength(1);
  },
  'overwrite makes the indexes of the schema': async ({ load, destination }) => {
    const input = await messages('indexes');
    for (const _run of [1, 2]) await load(input, { settings });
    const indexes = (await destination.indexes('pairs')).map((columns) => columns.join());
    expect(indexes.sort()).toEqual(['patch', 'state,host']);
  },
  'streams whose names clash are replaced each': async ({ load, destination }) => {
    const input = await messages('name_clash_of_streams');
    for (const _run of [1, 2]) expect((await load(input, { settings })).code).toBe(0);
    const tables = await destination.tables();
    const owners = await Promise.all(tables.map(async (table) => (await destination.rows(table)).map(({ of }) => of)));
    expect(owners.flat().sort()).toEqual(['User_Events', 'user-events', 'user_events']);
  },
  'of two loads at once one leaves its rows whole, whichever is last': async ({ begin, load, destination }) => {
    await load(await messages('upsert_by_key'));
    const head = (await messages('upsert_by_key')).split('\n')[0] ?? '';
    const rowsOf = (name: string) =>
      Array.from({ length: 40 }, (_, id) => ({ type: 'RECORD', stream: 'users', record: { id, name } }));
    const loads = await Promise.all(
      ['one', 'two'].map(async (name) => {
        const loading = await begin({ settings: { ...settings, batch_rows: 7 } });
        loading.send([head, ...rowsOf(name), { type: 'STATE', value: { name } }]);
        return loading;
      }),
    );
    const outcomes = await Promise.all(loads.map((loading) => loading.finish()));
    expect(outcomes.map(({ code, critical }) => [code, critical])).toEqual([
      [0, []],
      [0, []],
    ]);
    const rows = await destination.rows('users');
    expect(rows).toHaveLength(40);
    expect(new Set(rows.map(({ name }) => name)).size).toBe(1);
    expect(await destination.tables()).toEqual(['users']);
  },
};
