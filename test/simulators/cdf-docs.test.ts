/** docs/cdf-simulator.md names everything that the simulator has. */
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { ACTION_TYPES, VOCABULARY } from '../../simulators/cdf/actions.ts';
import { CONTROL_CALLS } from '../../simulators/cdf/control.ts';
import { CORE_VIEWS } from '../../simulators/cdf/core-model.ts';
import { PROFILE_NAMES } from '../../simulators/cdf/profiles.ts';
import { ROUTES } from '../../simulators/cdf/routes.ts';
import { SCENARIO_NAMES } from '../../simulators/cdf/scenarios.ts';
import { DEFAULT_SETTINGS } from '../../simulators/cdf/settings.ts';
import { STREAMS } from '../../simulators/cdf/truth.ts';
import { firstColumn, ROOT, read } from '../docs/documents.ts';

const text = read('docs/cdf-simulator.md');
const page = { path: 'docs/cdf-simulator.md', text };

/** Paths that begin a group of endpoints, and those that stand for themselves. */
const paths = [
  ...new Set(
    ROUTES.map(({ name }) => name.split(' ')[1] ?? '').filter(
      (path) => !/\/(list|byids|update|delete|search|aggregate|\{id\}|\{key\})$/.test(path),
    ),
  ),
];

const names: readonly (readonly [string, readonly string[]])[] = [
  ['contents', PROFILE_NAMES],
  ['scenarios', SCENARIO_NAMES],
  ['actions', ACTION_TYPES],
  ['parameters of actions', Object.values(VOCABULARY).flatMap((traits) => traits.parameters)],
  ['settings', Object.keys(DEFAULT_SETTINGS)],
  ['control calls', CONTROL_CALLS],
  ['paths', paths],
  ['views', Object.keys(CORE_VIEWS)],
  ['streams', STREAMS],
];

test.each(names)('names all %s', (_what, known) => {
  expect(known.length).toBeGreaterThan(2);
  expect(known.filter((name) => !text.includes(`\`${name}\``))).toEqual([]);
});

test.each([
  ['Content', PROFILE_NAMES],
  ['Name', [...SCENARIO_NAMES, ...Object.keys(DEFAULT_SETTINGS)]],
  ['Action', ACTION_TYPES],
  ['Call', CONTROL_CALLS],
  ['Path', paths],
])('the tables of %s name nothing else', (heading, known) => {
  const found = firstColumn(page, [heading]);
  expect(found.length).toBeGreaterThan(2);
  expect(found.filter((name) => !known.includes(name))).toEqual([]);
});

test('every flag', () => {
  const help = spawnSync(process.execPath, [join(ROOT, 'bin/tapworks.ts'), 'simulate', 'cdf', '--help'], {
    encoding: 'utf8',
  });
  expect(help.stderr).toBe('');
  for (const flag of ['--port', '--profile', '--seed', '--scenario']) {
    expect(help.stdout).toContain(flag);
    expect(firstColumn(page, ['Flag'])).toContain(flag);
  }
});
