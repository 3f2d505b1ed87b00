/** docs/profiles.md names everything that a reader of a profile meets. */
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { COLUMN_TYPES, REASONS } from '../../profiles/classes.ts';
import { FINDING_CLASSES } from '../../profiles/finding-classes.ts';
import { addColumn, database, profileOf } from './sqlite-file.ts';

const PAGE = readFileSync('docs/profiles.md', 'utf8');

/** Reasons that only a look at other rows or at PostgreSQL gives. */
const ELSEWHERE = ['duplicate_key', 'exact_duplicate', 'copy_error'];

const missing = (names: readonly string[]) => names.filter((name) => !PAGE.includes(`\`${name}\``));

test('the table of findings is that of the code', () => {
  const rows = Object.entries(FINDING_CLASSES).map(
    ([name, { severity, fixable, action }]) => `| \`${name}\` | ${severity} | ${fixable ? 'yes' : 'no'} | ${action} |`,
  );
  expect(PAGE).toContain(`\n|---|---|---|---|\n${rows.join('\n')}\n\n`);
});

test('types, reasons and the properties of the file are explained', () => {
  expect(missing(COLUMN_TYPES)).toEqual([]);
  expect(missing(REASONS.filter((reason) => !ELSEWHERE.includes(reason)))).toEqual([]);
  const profile = profileOf(addColumn(database(), 't', 'TEXT', ['a']));
  expect(missing(Object.keys(profile))).toEqual([]);
  expect(missing(Object.keys(profile.tables.t?.columns.v ?? {}))).toEqual([]);
});
