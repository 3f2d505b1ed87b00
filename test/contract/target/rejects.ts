/** on_invalid_record quarantine: what does not fit is kept aside, and the rest is loaded. */
import { expect } from 'vitest';
import type { Cases } from '../target.ts';
import { messages, sorted } from './load.ts';

const REJECTS = '_tapworks_rejects';
const settings = { on_invalid_record: 'quarantine' };

export const rejectCases: Cases = {
  'records that do not fit are set aside, and the load goes on': async ({ load, destination }) => {
    const input = await messages('records_set_aside');
    const { code, states, logs } = await load(input, { settings });
    expect([code, states.at(-1)]).toEqual([2, '{"n":2}']);
    expect((await destination.rows('users')).map(({ id }) => id).sort()).toEqual(['1', '5', '7']);
    const rejects = sorted(await destination.rows(REJECTS), 'line');
    expect(rejects.map(({ stream, line, reason }) => [stream, line, reason])).toEqual([
      ['users', '4', '"id" must be integer'],
      ['users', '5', 'has no value for its key "id"'],
      ['users', '6', 'has no value for its key "id"'],
      ['users', '9', '"name" must be null,string'],
    ]);
    expect(JSON.parse(rejects[0]?.record ?? '')).toEqual({ id: 'two', name: 'utwo' });
    expect(rejects.map(({ rejected_at: at }) => new Date(at ?? '').getTime())).toEqual(
      rejects.map(() => Date.UTC(2026, 0, 31, 6)),
    );
    expect(logs.filter(({ event_type }) => event_type === 'record_rejected')).toHaveLength(4);
    expect(logs.find(({ event_type }) => event_type === 'load_complete')?.message).toContain(
      '3 new, 0 changed, 0 as before, 4 set aside',
    );
    expect(JSON.stringify(logs)).not.toContain('hunter2');
    expect(JSON.stringify(rejects.map(({ reason }) => reason))).not.toContain('hunter2');
  },
  'a state waits until the records set aside before it are durable': async ({ begin, destination }) => {
    const loading = await begin({ settings: { ...settings, batch_rows: 100 } });
    const seen = loading.stdout.until((text) => text !== '').then(() => destination.rows(REJECTS));
    loading.send(await messages('only_invalid_records'));
    const { code } = await loading.finish();
    expect(code).toBe(2);
    expect(await seen).toHaveLength(1);
  },
  'nothing is set aside unless asked for': async ({ load, destination }) => {
    const { code } = await load(await messages('records_set_aside'));
    expect(code).toBe(1);
    expect(await destination.tables()).toEqual(['users']);
    expect((await destination.rows('users')).map(({ id }) => id)).toEqual(['1']);
  },
  'unchecked values that no column can hold are set aside too': async ({ load, destination }) => {
    const { code, states } = await load(await messages('records_set_aside'), {
      settings: { ...settings, validate_records: false, batch_rows: 100 },
    });
    expect([code, states.at(-1)]).toEqual([2, '{"n":2}']);
    const rejects = sorted(await destination.rows(REJECTS), 'line');
    expect(rejects.map(({ line }) => line)).toEqual(['4', '5', '6']);
    expect(rejects[0]?.reason).toMatch(/"id"/);
    expect((await destination.rows('users')).map(({ id }) => id).sort()).toEqual(['1', '5', '6', '7']);
  },
  'a line that is no message ends the load all the same': async ({ load }) => {
    const { code, critical } = await load(await messages('not_json'), { settings });
    expect(code).toBe(1);
    expect(critical[0]?.message).toMatch(/line 6 is not JSON/);
  },
};
