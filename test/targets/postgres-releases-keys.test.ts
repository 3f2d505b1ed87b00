/** Keys within one load of a release: later rows win over earlier ones, whatever happens to those in between. */
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { target } from '../../targets/postgres/target.ts';
import { lines, load } from '../contract/target/load.ts';
import { openPostgres, type PostgresDestination } from './postgres.ts';

let destination: PostgresDestination;

beforeAll(async () => {
  destination = await openPostgres();
});
afterAll(() => destination?.close());
beforeEach(() => destination.query('DROP SCHEMA IF EXISTS s CASCADE'));

const settings = { release: 'blue_green', default_target_schema: 's' };
const head = (stream: string, properties: object = { v: { type: ['null', 'string'] } }) => ({
  type: 'SCHEMA',
  stream,
  key_properties: ['id'],
  schema: { properties: { id: { type: 'integer' }, ...properties } },
});
const row = (stream: string, id: number, v: string | undefined, version?: number) => ({
  type: 'RECORD',
  stream,
  record: { id, ...(v !== undefined && { v }) },
  ...(version !== undefined && { version }),
});
const STATE = { type: 'STATE', value: { n: 1 } };

test.each([false, true])(
  'rows of a second reading are not taken for those of the first (hard_delete %s)',
  async (hard) => {
    const ids = [0, 1, 2, 3, 4];
    const input = lines(
      head('t'),
      ...ids.map((id) => row('t', id, 'old', 1)),
      ...ids.map((id) => row('t', id, 'new', 2)),
      row('t', 9, 'gone', 1),
      { type: 'ACTIVATE_VERSION', stream: 't', version: 2 },
      STATE,
    );
    const { code, critical } = await load(target, destination, input, { settings: { ...settings, hard_delete: hard } });
    expect([code, critical]).toEqual([0, []]);
    const stamped = hard ? "'f'" : '_sdc_deleted_at IS NOT NULL';
    const rows = await destination.query(`SELECT id, v, ${stamped} AS gone FROM s.t ORDER BY id`);
    expect(rows.map((one) => Object.values(one).join(' '))).toEqual([
      ...ids.map((id) => `${id} new f`),
      ...(hard ? [] : ['9 gone t']),
    ]);
  },
);

test('a stream that is merged by key does not keep another from being copied', async () => {
  const input = lines(
    head('a', { x: { type: 'string' } }),
    { type: 'RECORD', stream: 'a', record: { id: 1, x: 'kept' } },
    head('b'),
    row('b', 1, 'one'),
    head('a', {}),
    row('a', 2, undefined),
    head('c'),
    row('b', 2, 'two'),
    row('c', 1, 'c'),
    STATE,
  );
  const { code, critical } = await load(target, destination, input, { settings });
  expect([code, critical]).toEqual([0, []]);
  expect(await destination.query('SELECT count(*) AS rows FROM s.b')).toEqual([{ rows: '2' }]);
  expect(await destination.query('SELECT id, x FROM s.a ORDER BY id')).toEqual([
    { id: '1', x: 'kept' },
    { id: '2', x: null },
  ]);
});

test('an input that ends behind the schema of a new stream does not go live', async () => {
  const input = lines(head('t'), row('t', 1, 'a'), STATE, head('u'));
  const { code, states, critical } = await load(target, destination, input, { settings });
  expect([code, states]).toEqual([1, []]);
  expect(critical[0]?.message).toMatch(/as if the tap had died/);
});
