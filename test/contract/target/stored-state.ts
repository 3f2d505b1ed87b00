/** state_table: the state in the database, as new as the rows and never newer. */
import { expect } from 'vitest';
import type { Cases } from '../target.ts';
import { lines, messages } from './load.ts';

const settings = { state_table: 'tap_states', state_key: 'users' };
const USERS = {
  type: 'SCHEMA',
  stream: 'users',
  schema: { properties: { id: { type: 'integer' } } },
  key_properties: ['id'],
};
const user = (id: number) => ({ type: 'RECORD', stream: 'users', record: { id } });
const state = (n: number) => ({ type: 'STATE', value: { n } });

export const storedStateCases: Cases = {
  'the command state prints {} when there is none': async ({ ask, load }) => {
    expect(await ask(['state'], settings)).toMatchObject({ code: 0, states: ['{}'] });
    await load(await messages('upsert_by_key'));
    expect(await ask(['state'], settings)).toMatchObject({ code: 0, states: ['{}'] });
  },
  'the command state prints the last state byte for byte': async ({ ask, load }) => {
    const { states } = await load(await messages('state_verbatim'), { settings });
    expect(await ask(['state'], settings)).toMatchObject({ code: 0, states });
  },
  'each pipe has its own state': async ({ ask, load }) => {
    await load(lines(state(1)), { settings });
    await load(lines(state(2)), { settings: { ...settings, state_key: 'other' } });
    expect((await ask(['state'], settings)).states).toEqual(['{"n":1}']);
    expect((await ask(['state'], { ...settings, state_key: 'other' })).states).toEqual(['{"n":2}']);
    expect((await ask(['state'], { ...settings, state_key: 'third' })).states).toEqual(['{}']);
  },
  'the stored state goes with its rows: both are there or neither': async ({ begin, destination }) => {
    const loading = await begin({ settings: { ...settings, batch_rows: 2 } });
    const stored = async () =>
      (await destination.tables()).includes('tap_states')
        ? (await destination.rows('tap_states')).map((row) => row.state)
        : [];
    loading.send(lines(USERS, user(1), state(1)));
    await loading.stdin.idle();
    expect([await stored(), await destination.rows('users')]).toEqual([[], []]);
    loading.send(lines(user(2), state(2), user(3), state(3)));
    await loading.stdin.idle();
    expect([await stored(), (await destination.rows('users')).length]).toEqual([['{"n":2}'], 2]);
    await loading.finish();
    expect([await stored(), (await destination.rows('users')).length]).toEqual([['{"n":3}'], 3]);
  },
  'an overwriting load stores its state when it is shown': async ({ begin, ask }) => {
    const loading = await begin({ settings: { ...settings, load_method: 'overwrite', batch_rows: 1 } });
    loading.send(lines(USERS, user(1), state(1)));
    await loading.stdin.idle();
    expect((await ask(['state'], settings)).states).toEqual(['{}']);
    await loading.finish();
    expect((await ask(['state'], settings)).states).toEqual(['{"n":1}']);
  },
  'a stream of the same name gets another table': async ({ load, ask, destination }) => {
    const stream = 'tap_states';
    const input = lines({ ...USERS, stream }, { ...user(1), stream }, state(5));
    for (const _run of [1, 2]) expect((await load(input, { settings })).code).toBe(0);
    expect((await ask(['state'], settings)).states).toEqual(['{"n":5}']);
    const other = (await destination.tables()).find((table) => table !== stream) ?? '';
    expect(await destination.rows(other)).toEqual([{ id: '1' }]);
  },
  'one setting without the other is refused': async ({ load, ask }) => {
    for (const half of [{ state_table: 'tap_states' }, { state_key: 'users' }]) {
      const { code, critical } = await load('', { settings: half });
      expect(code).toBe(1);
      expect(critical[0]?.message).toMatch(/is missing/);
    }
    const { code, critical } = await ask(['state']);
    expect([code, critical[0]?.message]).toEqual([1, expect.stringMatching(/state_table is missing/)]);
  },
};
