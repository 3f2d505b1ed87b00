/** Which states go out, when, and in which bytes. */
import { mkdtemp, readdir, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'vitest';
import type { Cases } from '../target.ts';
import { HOSTILE, lines, messages, sorted } from './load.ts';

const USERS = {
  type: 'SCHEMA',
  stream: 'users',
  schema: { properties: { id: { type: 'integer' }, name: { type: ['null', 'string'] } } },
  key_properties: ['id'],
};
const user = (id: number) => ({ type: 'RECORD', stream: 'users', record: { id, name: `u${id}` } });
const state = (n: number) => ({ type: 'STATE', value: { n } });

export const stateCases: Cases = {
  'the last state goes out after all rows': async ({ load, destination }) => {
    const { code, states } = await load(await messages('state_after_rows'));
    expect(code).toBe(0);
    expect(states.at(-1)).toBe('{"n":3}');
    if (!HOSTILE) expect(states).toEqual(['{"n":2}', '{"n":3}']);
    expect(sorted(await destination.rows('users'), 'id').map(({ id }) => id)).toEqual(['1', '2', '3']);
    expect(await destination.rows('orders')).toEqual([{ id: '7' }]);
  },
  'numbers in a state keep their spelling': async ({ load }) => {
    const { states } = await load(await messages('state_verbatim'));
    expect(states).toEqual([
      '{"lsn":12345678901234567890,"ratio":1.0,"small":1e-7,"exp":1E2,"nested":[0.10,{"id":900719925474099312}]}',
    ]);
  },
  'no state comes out when none came in': async ({ load, destination }) => {
    const { code, states } = await load(await messages('state_none'));
    expect([code, states]).toEqual([0, []]);
    expect(await destination.rows('users')).toHaveLength(1);
  },
  'rows after the last state are written': async ({ load, destination }) => {
    const { states } = await load(await messages('rows_after_last_state'));
    expect(states).toEqual(['{"n":1}']);
    expect(await destination.rows('users')).toHaveLength(2);
  },
  'a state without pending rows goes out at once, and an equal one not again': async ({ begin }) => {
    const loading = await begin();
    loading.send(lines({ type: 'STATE', value: { first: 1 } }));
    await loading.stdout.until((text) => text.includes('first'));
    loading.send(lines(USERS, state(2), state(2)));
    const { states } = await loading.finish();
    expect(states).toEqual(['{"first":1}', '{"n":2}']);
  },
  'a state is withheld while rows before it are pending': async ({ begin, destination }) => {
    const loading = await begin({ settings: { batch_rows: 3 } });
    loading.send(lines(USERS, user(1), state(1), user(2), state(2)));
    await loading.stdin.idle();
    expect(loading.stdout.text).toBe('');
    loading.send(lines(user(3), state(3)));
    await loading.stdout.until((text) => text.includes('"n":3'));
    expect(await destination.rows('users')).toHaveLength(3);
    expect((await loading.finish()).states.at(-1)).toBe('{"n":3}');
  },
  'a state that goes out is covered by rows that anybody can read': async ({ begin, destination }) => {
    const loading = await begin({ settings: { batch_rows: 2 } });
    for (let id = 1; id <= 6; id += 2) {
      loading.send(lines(user(id), state(id), user(id + 1), state(id + 1)).replace(/^/, id === 1 ? lines(USERS) : ''));
      await loading.stdout.until((text) => text.includes(`"n":${id + 1}`));
      expect(await destination.rows('users')).toHaveLength(id + 1);
    }
    await loading.finish();
  },
  'the state file is the last line of stdout, replaced whole and private': async ({ load }) => {
    const folder = await mkdtemp(join(tmpdir(), 'tapworks-state-'));
    const path = join(folder, 'state.json');
    try {
      for (const input of ['state_verbatim', 'state_after_rows']) {
        const { states } = await load(await messages(input), { argv: ['--state-file', path] });
        expect(await readFile(path, 'utf8')).toBe(`${states.at(-1)}\n`);
      }
      expect((await stat(path)).mode & 0o777).toBe(0o600);
      expect(await readdir(folder)).toEqual(['state.json']);
    } finally {
      await rm(folder, { recursive: true });
    }
  },
  'the state file is written before the line goes out': async ({ begin }) => {
    const folder = await mkdtemp(join(tmpdir(), 'tapworks-state-'));
    const path = join(folder, 'state.json');
    try {
      const loading = await begin({ argv: ['--state-file', path], settings: { batch_rows: 1 } });
      let read: Promise<string> | undefined;
      const seen = loading.stdout
        .until((text) => text !== '')
        .then(() => {
          read = readFile(path, 'utf8');
        });
      loading.send(lines(USERS, user(1), state(1)));
      await seen;
      expect(await read).toBe('{"n":1}\n');
      await loading.finish();
    } finally {
      await rm(folder, { recursive: true });
    }
  },
};
