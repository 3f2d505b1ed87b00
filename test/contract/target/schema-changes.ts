/** What becomes of a column whose property changes its type, as schema_change says. */
import { expect } from 'vitest';
import type { Cases } from '../target.ts';
import { lines, messages, sorted } from './load.ts';

export const schemaChangeCases: Cases = {
  'new_column leaves the old column and its values': async ({ load, destination }) => {
    const input = await messages('type_changed');
    for (const _run of [1, 2]) {
      const { code, critical } = await load(input, { settings: { schema_change: 'new_column' } });
      expect([code, critical]).toEqual([0, []]);
    }
    const columns = await destination.columns('users');
    expect(columns.filter((name) => name.startsWith('v')).length).toBeGreaterThan(1);
    const rows = sorted(await destination.rows('users'), 'id');
    const [, newest = ''] = columns.filter((name) => name.startsWith('v'));
    expect(rows.map((row) => row[newest])).toEqual(['12345678901', '007', 'text', '1.5']);
  },
  'new_column keeps what was stored under the old type': async ({ load, destination }) => {
    const [schema = '', record = ''] = (await messages('type_changed')).split('\n');
    const settings = { schema_change: 'new_column' };
    await load(`${schema}\n${record}\n`, { settings });
    const [before] = await destination.rows('users');
    const changed = (await messages('type_changed')).split('\n').slice(2);
    await load(changed.filter((line) => !line.includes('"id": 1,')).join('\n'), { settings });
    const after = (await destination.rows('users')).find(({ id }) => id === '1');
    expect(after).toMatchObject({ ...before });
  },
  'fail refuses the change before anything is written': async ({ load, destination }) => {
    const { code, critical } = await load(await messages('type_changed'), { settings: { schema_change: 'fail' } });
    expect(code).toBe(1);
    expect(critical[0]?.message).toMatch(/"users".*"v".*schema_change is fail/);
    expect(await destination.columns('users')).toEqual(['id', 'v']);
    expect((await destination.rows('users')).length).toBeGreaterThan(0);
  },
  'fail lets new columns come': async ({ load, destination }) => {
    const { code } = await load(await messages('added_columns'), { settings: { schema_change: 'fail' } });
    expect(code).toBe(0);
    expect(await destination.columns('users')).toEqual(['id', 'name', 'email', 'age']);
  },
  'a value that its column would round is kept exactly, refused or moved': async ({ fresh }) => {
    const input = await messages('too_wide_numbers');
    const exact = ['1', '99999999999999999999', '3'];
    for (const schema_change of ['widen', 'new_column', 'fail']) {
      const { load, destination } = await fresh();
      const { code, states, logs, critical } = await load(input, { settings: { schema_change, batch_rows: 100 } });
      const rows = sorted(await destination.rows('users'), 'id');
      if (schema_change === 'fail') {
        expect([code, states, rows.length]).toEqual([1, [], 0]);
        expect(critical[0]?.message).toMatch(/a number in "n" that its column would round, and schema_change is fail/);
      } else {
        expect([code, states]).toEqual([0, ['{"n":1}']]);
        const widened = schema_change === 'widen';
        const told = logs.filter(({ message }) => message.endsWith(', to keep every digit'));
        expect(told.map(({ event_type }) => event_type)).toEqual(
          Array(2).fill(widened ? 'column_widened' : 'column_added'),
        );
        expect(await destination.columns('users')).toEqual([
          'id',
          'n',
          'r',
          ...(widened ? [] : ['n__big_integer', 'r__decimal']),
        ]);
        expect(rows.map((row) => Object.values(row).find((value) => exact.slice(1).includes(value ?? '')))).toEqual([
          undefined,
          exact[1],
          exact[2],
        ]);
        expect(Object.values(rows[1] ?? {})).toContain('0.12345678901234567890123');
      }
    }
  },
  'a key that its column would round stays in its column, where equal keys meet': async ({ load, destination }) => {
    const head = {
      type: 'SCHEMA',
      stream: 'users',
      schema: { properties: { id: { type: 'integer' }, n: { type: 'integer' } } },
      key_properties: ['id'],
    };
    const user = (id: number, n: number) => ({ type: 'RECORD', stream: 'users', record: { id, n } });
    for (const n of [1, 2]) {
      const input = lines(head, user(1, n), user(10 ** 20, n), { type: 'STATE', value: { n } });
      const { code, critical } = await load(input, { settings: { schema_change: 'new_column' } });
      expect([code, critical]).toEqual([0, []]);
      expect(sorted(await destination.rows('users'), 'id')).toEqual([
        { id: '1', n: String(n) },
        { id: String(10 ** 20), n: String(n) },
      ]);
    }
  },
};
