/** State files that cannot be used, and runs that are ended from outside. */
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect } from 'vitest';
import { keysOf } from './messages.ts';
import type { Cases } from './scene.ts';

/** Blocks of output after which a run is stopped, one run each. */
const STOPS = 6;

export const stopCases: Cases = {
  async 'a corrupt state file is kept aside and the run starts over'(scene) {
    const output = await scene.run({ state: '{"bookmarks": {"half' });
    expect(output.code).toBe(0);
    expect(output.events('state_corrupt')).toMatchObject([{ level: 'WARNING' }]);
    const kept = (await readdir(scene.folder)).filter((name) => name.includes('.corrupt-'));
    expect(kept).toHaveLength(1);
    expect(await readFile(join(scene.folder, kept[0] ?? ''), 'utf8')).toBe('{"bookmarks": {"half');
    expect(keysOf(scene, output.messages)).toEqual(keysOf(scene, (await scene.run()).messages));
  },

  async 'a missing or empty state file means first run'(scene) {
    const whole = keysOf(scene, (await scene.run()).messages);
    expect(keysOf(scene, (await scene.run({ state: '' })).messages)).toEqual(whole);
    const missing = await scene.run({ argv: ['--state', join(scene.folder, 'not-there.json')] });
    expect(keysOf(scene, missing.messages)).toEqual(whole);
  },

  async 'a state that does not fit is refused with its path, before any request'(scene) {
    const { state, path } = scene.subject.misfit;
    const output = await scene.run({ state });
    expect(output.code).toBe(1);
    expect(output.stdout).toBe('');
    expect(output.summary).toContain(path);
    expect(scene.source.requests()).toBe(0);
  },

  async 'a state of a newer version is refused and left alone'(scene) {
    const path = join(scene.folder, 'newer.json');
    const text = JSON.stringify({ state_version: 99, bookmarks: {} });
    await writeFile(path, text);
    const output = await scene.run({ argv: ['--state', path] });
    expect(output.code).toBe(1);
    expect(output.summary).toContain('newer');
    expect(await readFile(path, 'utf8')).toBe(text);
    expect(scene.source.requests()).toBe(0);
  },

  async 'what the tap does not know in a state is handed on'(scene) {
    const output = await scene.run({ state: { note: { by: 'us' }, bookmarks: { 'another tap': { offset: 3 } } } });
    for (const state of output.states)
      expect(state).toMatchObject({ note: { by: 'us' }, bookmarks: { 'another tap': { offset: 3 } } });
  },

  async 'SIGTERM ends a run with 143 and whole lines; its last state resumes'(scene) {
    const whole = keysOf(scene, (await scene.run()).messages);
    let stopped = 0;
    for (let stopAt = 1; stopAt <= STOPS; stopAt += 1) {
      let blocks = 0;
      const first = await scene.run({
        onOutput: (_text, stop) => {
          blocks += 1;
          if (blocks === stopAt) stop();
        },
      });
      if (first.code === 0) break;
      stopped += 1;
      expect(first.code).toBe(143);
      expect(first.stdout).toMatch(/\n$/);
      const states = first.messages.map(({ type }, index) => ({ type, index })).filter(({ type }) => type === 'STATE');
      const end = states.at(-1)?.index ?? -1;
      const state = first.states.at(-1);
      const rest = await scene.run(state === undefined ? {} : { state });
      expect(rest.code).toBe(0);
      const both = new Set([...keysOf(scene, first.messages.slice(0, end + 1)), ...keysOf(scene, rest.messages)]);
      expect([...whole].filter((key) => !both.has(key))).toEqual([]);
    }
    expect(stopped).toBeGreaterThan(1);
  },
};
