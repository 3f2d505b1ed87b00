/** Rows of a partitioned table do not say what became of them; they are merged and counted all the same. */
import { expect, test } from 'vitest';
import { target } from '../../targets/postgres/target.ts';
import { lines, load } from '../contract/target/load.ts';
import { openPostgres } from './postgres.ts';

const HEAD = {
  type: 'SCHEMA',
  stream: 'users',
  key_properties: ['id'],
  schema: { properties: { id: { type: 'integer' }, name: { type: ['null', 'string'] } } },
};
const user = (id: number, name: string, rest: object = {}) => ({
  type: 'RECORD',
  stream: 'users',
  record: { id, name, ...rest },
});

test('a partitioned table is merged into and its rows are told apart', async () => {
  const destination = await openPostgres();
  try {
    await destination.query(
      `CREATE TABLE users (id bigint, name text, PRIMARY KEY (id)) PARTITION BY RANGE (id);
       CREATE TABLE users_low PARTITION OF users FOR VALUES FROM (0) TO (100);
       CREATE TABLE users_high PARTITION OF users FOR VALUES FROM (100) TO (1000)`,
    );
    await load(target, destination, lines(HEAD, user(1, 'a'), user(200, 'b'), user(3, 'c')));
    const { logs } = await load(
      target,
      destination,
      lines(
        HEAD,
        user(1, 'a'),
        user(200, 'new'),
        user(4, 'd'),
        user(4, 'last'),
        user(3, '', { _sdc_deleted_at: '2026-01-31T06:00:00Z' }),
      ),
      // Two batches would count a row of both twice.
      { chunk: 65_536, settings: { batch_rows: 100 } },
    );
    expect(logs.find(({ event_type }) => event_type === 'load_complete')?.streams).toEqual({
      users: { inserted: 1, updated: 1, unchanged: 2, deleted: 1 },
    });
    const rows = await destination.query('SELECT id, name, _sdc_deleted_at IS NOT NULL AS gone FROM users ORDER BY id');
    expect(rows.map((row) => Object.values(row))).toEqual([
      ['1', 'a', 'f'],
      ['3', '', 't'],
      ['4', 'last', 'f'],
      ['200', 'new', 'f'],
    ]);
  } finally {
    await destination.close();
  }
});
