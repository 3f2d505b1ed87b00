/** When pending rows are written, and how a run ends early. */
import { expect } from 'vitest';
import type { Cases } from '../target.ts';
import { lines, messages } from './load.ts';

const USERS = {
  type: 'SCHEMA',
  stream: 'users',
  schema: { properties: { id: { type: 'integer' }, name: { type: ['null', 'string'] } } },
  key_properties: ['id'],
};
const user = (id: number, name = `u${id}`) => ({ type: 'RECORD', stream: 'users', record: { id, name } });
const state = (n: number) => ({ type: 'STATE', value: { n } });
const LARGE = { batch_rows: 1_000, batch_bytes: 1_000_000, batch_seconds: 10 };

export const batchCases: Cases = {
  'batch_rows writes the rows of all streams': async ({ begin, destination }) => {
    const loading = await begin({ settings: { ...LARGE, batch_rows: 3 } });
    const other = { ...USERS, stream: 'others' };
    loading.send(lines(USERS, other, user(1), { ...user(2), stream: 'others' }));
    await loading.stdin.idle();
    expect(await destination.rows('users')).toEqual([]);
    loading.send(lines(user(3)));
    await loading.stdin.idle();
    expect(await destination.rows('users')).toHaveLength(2);
    expect(await destination.rows('others')).toHaveLength(1);
    await loading.finish();
  },
  'batch_bytes writes rows before there are many': async ({ begin, destination }) => {
    const loading = await begin({ settings: { ...LARGE, batch_bytes: 500 } });
    loading.send(lines(USERS, user(1)));
    await loading.stdin.idle();
    expect(await destination.rows('users')).toEqual([]);
    loading.send(lines(user(2, 'x'.repeat(500))));
    await loading.stdin.idle();
    expect(await destination.rows('users')).toHaveLength(2);
    await loading.finish();
  },
  'batch_seconds writes what waits although nothing more comes': async ({ begin, destination }) => {
    const loading = await begin({ settings: LARGE });
    loading.send(lines(USERS, user(1), state(1)));
    await loading.stdin.idle();
    loading.clock.advance(9_999);
    await loading.stdin.idle();
    expect(await destination.rows('users')).toEqual([]);
    loading.clock.advance(1);
    await loading.stdout.until((text) => text.includes('"n":1'));
    expect(await destination.rows('users')).toHaveLength(1);
    await loading.finish();
  },
  'batch_seconds counts from the first waiting row': async ({ begin, destination }) => {
    const loading = await begin({ settings: LARGE });
    loading.send(lines(USERS, user(1)));
    await loading.stdin.idle();
    loading.clock.advance(6_000);
    loading.send(lines(user(2), state(2)));
    await loading.stdin.idle();
    expect(await destination.rows('users')).toEqual([]);
    loading.clock.advance(4_000);
    await loading.stdout.until((text) => text.includes('"n":2'));
    expect(await destination.rows('users')).toHaveLength(2);
    await loading.finish();
  },
  'SIGTERM writes what came and confirms it': async ({ begin, destination }) => {
    const loading = await begin({ settings: LARGE });
    loading.send(lines(USERS, user(1), state(1), user(2), state(2), user(3)));
    await loading.stdin.idle();
    expect(await destination.rows('users')).toEqual([]);
    loading.stop('SIGTERM');
    const { code, states } = await loading.ended();
    expect([code, states]).toEqual([143, ['{"n":2}']]);
    expect(await destination.rows('users')).toHaveLength(3);
  },
  'SIGINT ends with 130 when nothing is pending': async ({ begin }) => {
    const loading = await begin();
    loading.send(lines(USERS));
    await loading.stdin.idle();
    loading.stop('SIGINT');
    expect(await loading.ended()).toMatchObject({ code: 130, states: [] });
  },
  'a closed stdout does not lose rows, and the run does not look good': async ({ begin, destination }) => {
    const loading = await begin({ settings: { batch_rows: 2 }, stdoutFailsAfter: 0 });
    loading.send(lines(USERS, user(1), user(2), state(2)));
    await loading.stdin.idle();
    loading.send(lines(user(3), user(4), state(4)));
    const { code, states } = await loading.finish();
    expect([code, states]).toEqual([1, []]);
    expect(await destination.rows('users')).not.toHaveLength(0);
  },
  'blank lines and CRLF are no trouble': async ({ load, destination }) => {
    const { code, states } = await load(await messages('blank_lines_crlf'));
    expect([code, states]).toEqual([0, ['{"n":1}']]);
    expect(await destination.rows('users')).toEqual([{ id: '1', name: 'a' }]);
  },
  'a last line without its end counts': async ({ load, destination }) => {
    expect((await load(await messages('complete_last_line'))).code).toBe(0);
    expect(await destination.rows('users')).toHaveLength(3);
  },
  'an empty input is a good run': async ({ load, destination }) => {
    expect(await load('')).toMatchObject({ code: 0, states: [] });
    expect(await destination.tables()).toEqual([]);
  },
  'messages of unknown types are skipped with one warning each': async ({ load, destination }) => {
    const { code, states, logs } = await load(await messages('unknown_message_type'));
    expect([code, states]).toEqual([0, ['{"n":1}']]);
    expect(await destination.rows('users')).toHaveLength(1);
    const skipped = logs.filter(({ event_type }) => event_type === 'message_skipped').map(({ message }) => message);
    expect(skipped).toHaveLength(2);
    expect(skipped.join()).toMatch(/TRACE.*LOG/s);
  },
  'rows behind a change of their stream are stored, however many': async ({ fresh }) => {
    const many = (from: number, rest: object = {}) =>
      Array.from({ length: 1_300 }, (_, id) => ({ ...user(from + id), ...rest }));
    const email = { type: ['null', 'string'] };
    const wider = { ...USERS, schema: { properties: { ...USERS.schema.properties, email } } };
    const gone = { ...user(1), record: { id: 1, _sdc_deleted_at: '2026-01-31T06:00:00Z' } };
    const changes: readonly (readonly [unknown[], object])[] = [
      [[wider], {}],
      [[], { version: 5 }],
      [[gone], {}],
    ];
    for (const [change, rest] of changes) {
      const { load, destination } = await fresh();
      const { code, states } = await load(
        lines(USERS, ...many(0), ...change, ...many(10_000, rest), ...many(20_000, rest), state(1)),
        { settings: LARGE, chunk: 65_536 },
      );
      expect([code, states.at(-1)]).toEqual([0, '{"n":1}']);
      expect(await destination.rows('users')).toHaveLength(3 * 1_300);
    }
  },
  'a record that its column refuses ends the load at once, also of a new table with indexes': async ({ fresh }) => {
    const properties = { ...USERS.schema.properties, n: { type: ['null', 'integer'] } };
    const indexed = { ...USERS, schema: { properties, 'x-indexes': [['n']] } };
    const refused = { ...user(9), record: { id: 9, name: null, n: 'many' } };
    for (const name of ['short', 'long '.repeat(80_000)]) {
      const { load, destination } = await fresh();
      const { code, states, critical } = await load(
        lines(indexed, user(1, name), user(2, name), user(3, name), refused, state(1)),
        { settings: { ...LARGE, batch_bytes: 100_000_000, validate_records: false }, chunk: 65_536 },
      );
      expect([code, states]).toEqual([1, []]);
      expect(critical[0]?.message).toMatch(/line 5.*"n"/);
      expect(await destination.rows('users')).toEqual([]);
    }
  },
};
