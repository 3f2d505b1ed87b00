/** Names that SQL finds hard. */
import { expect } from 'vitest';
import type { Cases } from '../target.ts';
import { lines, messages, type StoredRow, sorted } from './load.ts';

const values = (row: StoredRow | undefined) => Object.values(row ?? {}).sort();

export const nameCases: Cases = {
  'reserved words, quotes, blanks, emoji and dots are columns': async ({ load, destination }) => {
    const input = await messages('awkward_names');
    const { code, critical } = await load(input);
    expect([code, critical]).toEqual([0, []]);
    const record = (JSON.parse(input.split('\n')[1] ?? '') as { record: Record<string, unknown> }).record;
    const columns = await destination.columns('awkward');
    expect(columns).toHaveLength(Object.keys(record).length);
    expect(columns).toEqual(expect.arrayContaining(['order', 'quo"te', 'two words', '🎉', 'a__b__c', "it's"]));
    const rows = await destination.rows('awkward');
    expect(values(rows.find(({ id }) => id === '1'))).toEqual(Object.values(record).map(String).sort());
    expect(values(rows.find(({ id }) => id === '2')).filter((value) => value !== null)).toEqual(['2']);
  },
  'names that every object inherits are columns like others': async ({ load, destination }) => {
    // Unchecked, because this is about what is stored.
    const { code } = await load(await messages('inherited_names'), { settings: { validate_records: false } });
    expect(code).toBe(0);
    expect(sorted(await destination.rows('inherited'), 'id')).toEqual([
      {
        id: '1',
        constructor: 'value of constructor',
        toString: 'value of toString',
        hasOwnProperty: 'value of hasOwnProperty',
        valueOf: '7',
      },
      { id: '2', constructor: null, toString: null, hasOwnProperty: null, valueOf: null },
    ]);
  },
  'streams get tables of letters, digits and underscores': async ({ load, destination }) => {
    const input = await messages('awkward_stream_names');
    for (const _run of [1, 2]) expect((await load(input)).code).toBe(0);
    const tables = await destination.tables();
    expect(tables).toHaveLength(8);
    expect(tables).toEqual(expect.arrayContaining(['order', 'two_words', 'user_events', 'a_b', 'Grüße', '1st']));
    for (const table of tables) {
      expect(table).toMatch(/^[\p{L}\p{N}_]+$/u);
      expect(await destination.rows(table)).toHaveLength(1);
    }
  },
  'properties whose names clash all have their column, whatever the order': async ({ load, destination }) => {
    await load(await messages('name_clash'));
    const before = await destination.columns('clash');
    expect((await load(await messages('name_clash_reordered'))).code).toBe(0);
    const columns = await destination.columns('clash');
    expect(columns).toEqual(before);
    expect(columns).toHaveLength(6);
    expect(columns).toContain('a__b');
    const rows = await destination.rows('clash');
    const [first, second] = ['1', '2'].map((key) => rows.find(({ id }) => id === key));
    expect({ ...second, id: '1' }).toEqual(first);
    expect(values(first)).toEqual(['1', 'NAME', 'Name', 'a.b', 'a__b', 'name']);
    expect(first?.a__b).toBe('a__b');
  },
  'the same clash gets the same names in another destination': async ({ load, destination, fresh }) => {
    await load(await messages('name_clash'));
    const other = await fresh();
    await other.load(await messages('name_clash_reordered'));
    const [here] = await destination.rows('clash');
    const [there] = await other.destination.rows('clash');
    expect({ ...there, id: '1' }).toEqual(here);
  },
  'a clash that comes later leaves the earlier column alone': async ({ load, destination }) => {
    const schema = (...properties: string[]) => ({
      type: 'SCHEMA',
      stream: 'late',
      key_properties: ['id'],
      schema: {
        properties: Object.fromEntries(['id', ...properties].map((name) => [name, { type: ['null', 'string'] }])),
      },
    });
    const record = (id: string, rest: object) => ({ type: 'RECORD', stream: 'late', record: { id, ...rest } });
    await load([schema('a.b'), record('1', { 'a.b': 'dotted' })]);
    await load([schema('a__b'), record('2', { a__b: 'plain' })]);
    await load([schema('a__b', 'a.b'), record('3', { 'a.b': 'dotted', a__b: 'plain' })]);
    const columns = await destination.columns('late');
    expect(columns).toHaveLength(3);
    const [, dotted = '', plain = ''] = columns;
    const rows = await destination.rows('late');
    expect(rows.map((row) => row[dotted])).toEqual(['dotted', null, 'dotted']);
    expect(rows.map((row) => row[plain])).toEqual([null, 'plain', 'plain']);
  },
  'streams whose names clash have a table each': async ({ load, destination }) => {
    const input = await messages('name_clash_of_streams');
    for (const _run of [1, 2]) await load(input);
    const tables = await destination.tables();
    expect(tables).toHaveLength(3);
    const owners = await Promise.all(tables.map(async (table) => (await destination.rows(table)).map(({ of }) => of)));
    expect(owners.flat().sort()).toEqual(['User_Events', 'user-events', 'user_events']);
  },
  'a stream cannot take the place of bookkeeping': async ({ load, destination }) => {
    const stream = '_tapworks_names';
    const { code } = await load(
      lines(
        { type: 'SCHEMA', stream, schema: { properties: { id: { type: 'integer' } } }, key_properties: ['id'] },
        { type: 'RECORD', stream, record: { id: 1 } },
      ),
    );
    expect(code).toBe(0);
    const [table = ''] = await destination.tables();
    expect(await destination.rows(table)).toEqual([{ id: '1' }]);
  },
};
