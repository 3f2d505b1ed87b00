/** Which rows a table holds after a load. */
import { expect } from 'vitest';
import type { Cases } from '../target.ts';
import { lines, messages, sorted } from './load.ts';

export const rowCases: Cases = {
  'rows are inserted or replaced by key': async ({ load, destination }) => {
    expect((await load(await messages('upsert_by_key'))).code).toBe(0);
    expect(sorted(await destination.rows('users'), 'id')).toEqual([
      { id: '1', name: 'new' },
      { id: '2', name: 'kept' },
      { id: '3', name: null },
      { id: '4', name: 'd' },
    ]);
  },
  'loading the same again changes nothing': async ({ load, destination }) => {
    const input = await messages('composite_key');
    await load(input);
    const once = sorted(await destination.rows('pairs'), 'patch');
    expect((await load(input)).code).toBe(0);
    expect(sorted(await destination.rows('pairs'), 'patch')).toEqual(once);
    expect(once).toHaveLength(3);
  },
  'the last record of a key wins within a batch': async ({ load, destination }) => {
    await load(await messages('last_of_key_wins'));
    expect(sorted(await destination.rows('users'), 'id')).toEqual([
      { id: '0', name: 'v147' },
      { id: '1', name: 'v148' },
      { id: '2', name: 'v149' },
    ]);
  },
  'a key of several columns in any order': async ({ load, destination }) => {
    await load(await messages('composite_key'));
    const rows = (await destination.rows('pairs')).map(({ host, patch, state }) => `${host}${patch}${state}`);
    expect(rows.sort()).toEqual(['a1y', 'a2x', 'b1x']);
  },
  'a table of key columns only': async ({ load, destination }) => {
    const { code } = await load(await messages('key_columns_only'));
    expect(code).toBe(0);
    expect(sorted(await destination.rows('tags'), 'b')).toEqual([
      { a: '1', b: 'x' },
      { a: '1', b: 'y' },
    ]);
  },
  'rows of a stream without key are appended': async ({ load, destination }) => {
    const input = await messages('append_without_key');
    await load(input);
    await load(input);
    expect(await destination.rows('events')).toHaveLength(6);
  },
  'keys that are absent or null mean no key': async ({ load, destination }) => {
    expect((await load(await messages('keys_absent_or_null'))).code).toBe(0);
    expect(await destination.rows('a')).toEqual([{ x: '1' }, { x: '1' }]);
    expect(await destination.rows('b')).toEqual([{ x: '1' }]);
  },
  'append-only keeps every record of a key': async ({ load, destination }) => {
    const input = await messages('upsert_by_key');
    const settings = { load_method: 'append-only' };
    await load(input, { settings });
    expect(await destination.rows('users')).toHaveLength(6);
    expect((await load(input, { settings })).code).toBe(0);
    expect(await destination.rows('users')).toHaveLength(12);
  },
  'a table made by upsert refuses append-only, and the other way round': async ({ load, destination, fresh }) => {
    const input = await messages('upsert_by_key');
    await load(input);
    const before = await destination.rows('users');
    const refused = await load(input, { settings: { load_method: 'append-only' } });
    expect([refused.code, refused.states]).toEqual([1, []]);
    expect(refused.critical[0]?.message).toMatch(/"users".*append-only/);
    expect(await destination.rows('users')).toEqual(before);
    const other = await fresh();
    await other.load(input, { settings: { load_method: 'append-only' } });
    const second = await other.load(input);
    expect([second.code, second.states]).toEqual([1, []]);
    expect(second.critical[0]?.message).toMatch(/"users" has no key/);
  },
  'columns are added when the schema grows': async ({ load, destination }) => {
    await load(await messages('added_columns'));
    expect(await destination.columns('users')).toEqual(['id', 'name', 'email', 'age']);
    expect(sorted(await destination.rows('users'), 'id')).toEqual([
      { id: '1', name: 'a2', email: null, age: null },
      { id: '2', name: 'b', email: 'b@x.example', age: '3' },
    ]);
  },
  'columns that leave the schema keep what they have': async ({ load, destination }) => {
    await load(await messages('removed_columns'));
    expect(sorted(await destination.rows('users'), 'id')).toEqual([
      { id: '1', name: 'new', email: 'kept' },
      { id: '2', name: 'b', email: 'kept too' },
      { id: '3', name: 'c', email: null },
    ]);
  },
  'a property that a record lacks becomes null': async ({ load, destination }) => {
    await load(await messages('absent_properties'));
    expect(await destination.rows('users')).toEqual([{ id: '1', name: 'a', email: null }]);
  },
  'a schema without rows makes the table': async ({ load, destination }) => {
    const { states } = await load(await messages('schema_without_rows'));
    expect(await destination.tables()).toEqual(['empty']);
    expect(await destination.columns('empty')).toEqual(['id', 'name']);
    expect(await destination.rows('empty')).toEqual([]);
    expect(states).toEqual(['{"n":1}']);
  },
  'a repeated schema does not end the batch': async ({ begin, load, destination }) => {
    const input = await messages('schema_repeated');
    const loading = await begin({ settings: { batch_rows: 100 } });
    loading.send(input);
    await loading.stdin.idle();
    expect(await destination.rows('users')).toEqual([]);
    await loading.finish();
    expect(await destination.rows('users')).toHaveLength(3);
    expect((await load(input)).code).toBe(0);
  },
  'an indexed column has its index, once': async ({ load, destination }) => {
    const input = await messages('indexes');
    await load(input);
    expect((await load(input)).code).toBe(0);
    const indexes = (await destination.indexes('pairs')).map((columns) => columns.join());
    expect(indexes.sort()).toEqual(['patch', 'state,host']);
  },
  'a load that was stopped leaves its indexes to the next': async ({ begin, load, destination }) => {
    const input = await messages('indexes');
    const loading = await begin();
    loading.send(input);
    await loading.stdin.idle();
    loading.stop('SIGTERM');
    await loading.ended();
    expect(await destination.indexes('pairs')).toEqual([]);
    await load(input);
    expect(await destination.indexes('pairs')).toHaveLength(2);
  },
  'streams are written side by side': async ({ load, destination }) => {
    await load(await messages('several_streams'), { settings: { batch_rows: 7 } });
    for (const stream of ['s0', 's1', 's2']) expect(await destination.rows(stream)).toHaveLength(10);
  },
  'unknown properties are left out with one warning each': async ({ load, destination }) => {
    const { code, logs } = await load(await messages('unknown_properties'));
    expect(code).toBe(0);
    expect(await destination.columns('users')).toEqual(['id', 'name']);
    expect(await destination.rows('users')).toHaveLength(3);
    const warned = logs.filter(({ event_type }) => event_type === 'unknown_property').map(({ message }) => message);
    expect(warned).toHaveLength(2);
    expect(warned.join()).toMatch(/"extra".*"other"/s);
  },
  'the summary tells new, changed and unchanged rows apart': async ({ load }) => {
    const input = await messages('upsert_by_key');
    await load(input, { settings: { batch_rows: 100 } });
    const again = lines(
      ...input.trim().split('\n').slice(0, 1),
      { type: 'RECORD', stream: 'users', record: { id: 1, name: 'new' } },
      { type: 'RECORD', stream: 'users', record: { id: 2, name: 'other' } },
      { type: 'RECORD', stream: 'users', record: { id: 9, name: 'nine' } },
      { type: 'RECORD', stream: 'users', record: { id: 10, name: null } },
      { type: 'RECORD', stream: 'users', record: { id: 3, name: null } },
    );
    const { logs } = await load(again);
    expect(logs.find(({ event_type }) => event_type === 'load_complete')?.streams).toEqual({
      users: { inserted: 2, updated: 1, unchanged: 2, deleted: 0 },
    });
  },
};
