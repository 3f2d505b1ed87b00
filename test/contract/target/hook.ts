/** post_load_hook: a command after a load that came to its end. */
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'vitest';
import type { Cases } from '../target.ts';
import { lines, messages } from './load.ts';

/** Runs `body` with a file that hooks append to. */
async function withTrace(body: (path: string, runs: () => Promise<string>) => Promise<void>): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'tapworks-hook-'));
  const path = join(folder, 'trace');
  try {
    await body(path, () => readFile(path, 'utf8').catch(() => ''));
  } finally {
    await rm(folder, { recursive: true });
  }
}

export const hookCases: Cases = {
  'the hook runs once, after the last state is out': ({ begin, destination }) =>
    withTrace(async (trace, runs) => {
      const state = join(trace, '../state.json');
      const loading = await begin({
        settings: { post_load_hook: `cat '${state}' >> '${trace}'; echo printed` },
        argv: ['--state-file', state],
      });
      loading.send(await messages('state_after_rows'));
      const { code, states, logs } = await loading.finish();
      expect([code, states.at(-1)]).toEqual([0, '{"n":3}']);
      expect(await runs()).toBe('{"n":3}\n');
      expect(await destination.rows('users')).toHaveLength(3);
      expect(logs.find(({ event_type }) => event_type === 'hook_output')?.message).toBe('printed');
    }),
  'the hook may come from the environment': ({ load }) =>
    withTrace(async (trace, runs) => {
      await load(lines({ type: 'STATE', value: { n: 1 } }), { env: { POST_EXTRACTION_HOOK: `echo x >> '${trace}'` } });
      expect(await runs()).toBe('x\n');
    }),
  'the hook does not run when the last message was no state': ({ load }) =>
    withTrace(async (trace, runs) => {
      const settings = { post_load_hook: `echo x >> '${trace}'` };
      expect((await load(await messages('rows_after_last_state'), { settings })).code).toBe(0);
      expect((await load('', { settings })).code).toBe(0);
      expect((await load(await messages('not_json'), { settings })).code).toBe(1);
      expect(await runs()).toBe('');
    }),
  'a hook that fails ends the run with exit code 2, and its command is not logged': async ({ load, destination }) => {
    const { code, states, logs } = await load(await messages('state_after_rows'), {
      settings: { post_load_hook: 'TOKEN=hunter2 false' },
    });
    expect([code, states.at(-1)]).toEqual([2, '{"n":3}']);
    expect(logs.find(({ event_type }) => event_type === 'hook_failed')?.message).toMatch(/ended with 1/);
    expect(JSON.stringify(logs)).not.toContain('hunter2');
    expect(await destination.rows('users')).toHaveLength(3);
  },
};
