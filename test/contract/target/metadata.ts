/** The columns of add_record_metadata. */
import { expect } from 'vitest';
import type { Cases } from '../target.ts';
import { HOSTILE, messages, type StoredRow, sorted } from './load.ts';

const COLUMNS = [
  '_sdc_extracted_at',
  '_sdc_received_at',
  '_sdc_batched_at',
  '_sdc_deleted_at',
  '_sdc_sequence',
  '_sdc_table_version',
  '_sdc_sync_started_at',
];
const START = Date.UTC(2026, 0, 31, 6);
const moment = (row: StoredRow | undefined, column: string) => new Date(row?.[column] ?? Number.NaN).toISOString();

export const metadataCases: Cases = {
  'no _sdc_ column is made unless asked for': async ({ load, destination }) => {
    await load(await messages('upsert_by_key'));
    expect(await destination.columns('users')).toEqual(['id', 'name']);
  },
  'add_record_metadata adds its columns to every table': async ({ begin, destination }) => {
    const loading = await begin({ settings: { add_record_metadata: true } });
    const [schema = '', ...records] = (await messages('record_metadata')).split('\n');
    await loading.stdin.idle();
    loading.clock.advance(500);
    loading.send(`${schema}\n`);
    await loading.stdin.idle();
    loading.clock.advance(1_000);
    loading.send(records.join('\n'));
    await loading.stdin.idle();
    loading.clock.advance(2_000);
    expect((await loading.finish()).code).toBe(0);
    expect(await destination.columns('users')).toEqual(['id', 'name', ...COLUMNS]);
    const [one, two, three] = sorted(await destination.rows('users'), 'id');
    expect(moment(one, '_sdc_extracted_at')).toBe('2026-01-31T06:00:00.500Z');
    expect(moment(three, '_sdc_extracted_at')).toBe(new Date(START + 1_500).toISOString());
    for (const row of [one, two, three]) {
      expect(moment(row, '_sdc_received_at')).toBe(new Date(START + 1_500).toISOString());
      if (!HOSTILE) expect(moment(row, '_sdc_batched_at')).toBe(new Date(START + 3_500).toISOString());
      expect(row?._sdc_sequence).toBe(String(START + 1_500));
      expect(row?._sdc_sync_started_at).toBe(String(START));
      expect(row?._sdc_deleted_at).toBeNull();
    }
    expect([one?._sdc_table_version, two?._sdc_table_version]).toEqual([null, '7']);
  },
  'columns that are no longer asked for stay as they are': async ({ load, destination }) => {
    await load(await messages('record_metadata'), { settings: { add_record_metadata: true } });
    const before = sorted(await destination.rows('users'), 'id')[0];
    const { code } = await load((await messages('record_metadata')).replace('u1', 'changed'));
    expect(code).toBe(0);
    const after = sorted(await destination.rows('users'), 'id')[0];
    expect(after).toEqual({ ...before, name: 'changed' });
  },
};
