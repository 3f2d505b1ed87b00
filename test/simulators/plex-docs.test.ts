/** docs/plex-simulator.md names everything that the simulator has. */
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { ACTION_TYPES, vocabularyFor } from '../../simulators/plex/actions.ts';
import { CONTROL_CALLS } from '../../simulators/plex/control.ts';
import { DATA_SOURCES } from '../../simulators/plex/data-sources.ts';
import { PROFILE_NAMES } from '../../simulators/plex/profiles.ts';
import { REST_ENDPOINTS } from '../../simulators/plex/rest-endpoints.ts';
import { HISTORIES, MASTERS } from '../../simulators/plex/row-sets.ts';
import { SCENARIO_NAMES } from '../../simulators/plex/scenarios.ts';
import { DEFAULT_SETTINGS, FLAG_SPELLINGS, PRODUCTS } from '../../simulators/plex/settings.ts';
import { STREAMS } from '../../simulators/plex/truth.ts';
import { firstColumn, ROOT, read } from '../docs/documents.ts';

const text = read('docs/plex-simulator.md');
const page = { path: 'docs/plex-simulator.md', text };

const endpoints = Object.entries(REST_ENDPOINTS);
const parameters = endpoints.flatMap(([, endpoint]) =>
  endpoint.kind === 'list' ? Object.keys(endpoint.parameters) : [],
);

const names: readonly (readonly [string, readonly string[]])[] = [
  ['sizes', PROFILE_NAMES],
  ['scenarios', SCENARIO_NAMES],
  ['actions', ACTION_TYPES],
  ['parameters of actions', Object.values(vocabularyFor(() => 0)).flatMap((traits) => traits.parameters)],
  ['settings', Object.keys(DEFAULT_SETTINGS)],
  ['spellings', FLAG_SPELLINGS],
  ['products', PRODUCTS],
  ['control calls', CONTROL_CALLS],
  ['paths', endpoints.map(([path]) => path)],
  ['parameters', parameters],
  ['data sources', [...DATA_SOURCES.keys()].map(String)],
  ['streams', STREAMS],
  ['sets of rows', [...Object.keys(MASTERS), ...Object.keys(HISTORIES)]],
];

test.each(names)('names all %s', (_what, known) => {
  expect(known.length).toBeGreaterThan(2);
  expect(known.filter((name) => !text.includes(`\`${name}\``))).toEqual([]);
});

test.each([
  ['Size', PROFILE_NAMES],
  ['Name', [...SCENARIO_NAMES, ...Object.keys(DEFAULT_SETTINGS)]],
  ['Action', ACTION_TYPES],
  ['Call', CONTROL_CALLS],
  ['Stream', STREAMS],
])('the tables of %s name nothing else', (heading, known) => {
  const found = firstColumn(page, [heading]);
  expect(found.length).toBeGreaterThan(2);
  expect(found.filter((name) => !known.includes(name))).toEqual([]);
});

test('every flag', () => {
  const help = spawnSync(process.execPath, [join(ROOT, 'bin/tapworks.ts'), 'simulate', 'plex', '--help'], {
    encoding: 'utf8',
  });
  expect(help.stderr).toBe('');
  for (const flag of ['--port', '--profile', '--seed', '--scenario']) {
    expect(help.stdout).toContain(flag);
    expect(firstColumn(page, ['Flag'])).toContain(flag);
  }
});
