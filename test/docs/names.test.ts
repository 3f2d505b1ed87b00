/** Everything a user can write or read stands in docs/, and the tables there name nothing that does not exist. */
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { SMALL_BODY_BYTES } from '../../http/body.ts';
import { FAILURE_TYPES } from '../../http/judge.ts';
import { SWEEP_STATE_SCHEMA } from '../../http/sweep-state.ts';
import { ACTION_TYPES } from '../../simulators/manageengine/actions.ts';
import { PROFILE_NAMES } from '../../simulators/manageengine/dataset.ts';
import { SCENARIO_NAMES } from '../../simulators/manageengine/scenarios.ts';
import { DEFAULT_SETTINGS } from '../../simulators/manageengine/settings.ts';
import { TAP_FLAGS, TARGET_FLAGS } from '../../singer/command-line.ts';
import { ERROR_CODES, EXIT } from '../../singer/errors.ts';
import { tap as dcapi } from '../../taps/dcapi/tap.ts';
import { SNAPSHOT_SCHEMA } from '../../taps/manageengine/bookkeeping.ts';
import { tap as plex } from '../../taps/plex/tap.ts';
import { tap as pmp } from '../../taps/pmp/tap.ts';
import { tap as servicedesk } from '../../taps/servicedesk-sqlite/tap.ts';
import { target as postgres } from '../../targets/postgres/target.ts';
import { target as sqlite } from '../../targets/sqlite/target.ts';
import { DOCS, DOCUMENTS, type Document, firstColumn, ROOT, SOURCES } from './documents.ts';

const whole = DOCS.map(({ text }) => text).join('\n');

function page(path: string): Document {
  const found = DOCUMENTS.find((document) => document.path === path);
  if (found === undefined) throw new Error(`${path} is missing`);
  return found;
}

/** Names that stand nowhere as a word between backquotes. */
function missing(names: readonly string[], text: string): readonly string[] {
  return names.filter((name) => !text.includes(`\`${name}\``));
}

/** Flags as the help of a command prints them. */
function flagsInHelp(...args: readonly string[]): readonly string[] {
  const { stdout, stderr } = spawnSync(process.execPath, [join(ROOT, 'bin/tapworks.ts'), ...args, '--help'], {
    encoding: 'utf8',
  });
  expect(stderr).toBe('');
  return [...new Set([...stdout.matchAll(/--[a-z][a-z-]*/g)].map(([flag]) => flag))];
}

const flags = [
  ...Object.keys({
    ...TAP_FLAGS,
    ...TARGET_FLAGS,
    ...pmp.actions,
    ...dcapi.actions,
    ...plex.actions,
    help: 0,
    version: 0,
  }).map((name) => `--${name}`),
  ...flagsInHelp('simulate', 'pmp'),
  ...flagsInHelp('simulate', 'servicedesk'),
];
const settings = [pmp, dcapi, plex, servicedesk, sqlite, postgres].flatMap((plugin) =>
  Object.keys(plugin.settings.properties),
);

/** The first argument of every call of a log, and the names that clients give to their events. */
const events = [
  ...new Set(
    SOURCES.flatMap(({ text }) => [
      ...[...text.matchAll(/\b[lL]og(?:\.(?:debug|info|warn|error|critical)|\[[^\]]*\])\(\s*([^,]+),/g)].flatMap(
        ([, argument = '']) => [...argument.matchAll(/'([a-z][a-z_]+)'/g)].map(([, name = '']) => name),
      ),
      ...[...text.matchAll(/failureEvent(?::| =) '([a-z_]+)'/g)].map(([, name = '']) => name),
    ]),
  ),
].sort();

describe('docs/ names', () => {
  test('every flag', () => expect(missing(flags, whole)).toEqual([]));
  test('every setting', () => expect(missing(settings, page('docs/settings.md').text)).toEqual([]));
  test('every error code', () => expect(missing(ERROR_CODES, page('docs/errors.md').text)).toEqual([]));
  test('every exit code', () => {
    expect(missing(Object.values(EXIT).map(String), page('docs/errors.md').text)).toEqual([]);
  });
  test('every error type of a gap', () => expect(missing(FAILURE_TYPES, page('docs/errors.md').text)).toEqual([]));
  test('every field of a state', () => {
    const fields = firstColumn(page('docs/state.md'), ['Field']).map((field) => field.replace(/^.*\./, ''));
    const known = [SWEEP_STATE_SCHEMA, SNAPSHOT_SCHEMA].flatMap(({ properties = {} }) => Object.keys(properties));
    expect(known.filter((name) => !fields.includes(name))).toEqual([]);
  });
  test('the size up to which a body is parsed at once', () => {
    for (const path of ['docs/connectors.md', 'docs/decisions/0002-small-bodies-at-once.md', 'docs/tap-dcapi.md'])
      expect(page(path).text, path).toMatch(new RegExp(`\\b${SMALL_BODY_BYTES / 1024} KB\\b`));
  });
  test('every scenario and profile', () => {
    expect(missing([...SCENARIO_NAMES, ...PROFILE_NAMES], page('docs/simulator.md').text)).toEqual([]);
  });
  test('every fault and setting of the simulator', () => {
    const names = [...ACTION_TYPES, ...Object.keys(DEFAULT_SETTINGS)];
    expect(missing(names, page('docs/simulator.md').text)).toEqual([]);
  });
  test('every log event', () => {
    expect(events.length).toBeGreaterThan(35);
    expect(missing(events, whole)).toEqual([]);
  });
});

/** Texts of failures without their numbers and names, in the sources and in the tables of failures. */
const plain = (text: string) => text.replaceAll(/\$\{[^}]*\}|\\?"…\\?"|\d+/g, '…');
const sources = plain(SOURCES.map(({ text }) => text).join('\n'));
/** Words of the JSON Schema validator and of SQLite. */
const BORROWED = ['must be integer', 'database is locked'];
const failures = DOCS.flatMap((document) =>
  firstColumn(document, ['What the line says']).map((text) => [document.path, text] as const),
);

describe('texts of failures are those of the code', () => {
  test.each(failures)('%s: %s', (_path, text) => {
    const parts = plain(text)
      .split(/[":…()]+/)
      .map((part) => part.trim())
      .filter((part) => part.length > 5 && !BORROWED.includes(part));
    expect(parts).not.toEqual([]);
    expect(parts.filter((part) => !sources.includes(part))).toEqual([]);
  });
});

/** What the ManageEngine taps may say when something fails, as the sources write it. */
const said = [
  ...new Set(
    SOURCES.filter(({ path }) => /^(taps|http)\//.test(path)).flatMap(({ text }) =>
      [...text.matchAll(/(?:new ConnectorError\(\s*'[a-z]+',|\b(?:message|problem)(?::| =))\s*(['`])(.+?)\1,?$/gm)].map(
        ([, , message = '']) => message,
      ),
    ),
  ),
].sort();

describe('texts of failures in the code are in docs/', () => {
  const told = plain(whole);
  test('there are many', () => expect(said.length).toBeGreaterThan(20));
  test.each(said.map((text) => [text]))('%s', (text) => {
    const parts = plain(text)
      .split(/[":…()`]+/)
      .map((part) => part.trim())
      .filter((part) => part.length > 8);
    expect(parts.filter((part) => !told.includes(part))).toEqual([]);
  });
});

describe('tables name nothing else', () => {
  const known: Readonly<Record<string, readonly string[]>> = {
    Flag: flags,
    Setting: [...settings, ...Object.keys(DEFAULT_SETTINGS)],
    'Error code': ERROR_CODES,
    'Exit code': Object.values(EXIT).map(String),
    'Gap error type': FAILURE_TYPES,
    Event: events,
    Scenario: SCENARIO_NAMES,
    Profile: PROFILE_NAMES,
    Fault: ACTION_TYPES,
  };
  const cases = DOCUMENTS.flatMap((document) =>
    Object.entries(known).map(
      ([heading, names]) => [document.path, heading, firstColumn(document, [heading]), names] as const,
    ),
  ).filter(([, , found]) => found.length > 0);
  test.each(cases)('%s: %s', (_path, _heading, found, names) => {
    expect(found.filter((name) => !names.includes(name))).toEqual([]);
  });
  test('each kind of table is there', () => {
    expect(Object.keys(known).filter((heading) => !cases.some(([, other]) => other === heading))).toEqual([]);
  });
});
