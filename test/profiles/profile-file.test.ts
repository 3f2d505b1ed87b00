/** `profile.json` written and read back. */
import { describe, expect, test } from 'vitest';
import type { Profile } from '../../profiles/artifact.ts';
import { columnRules, columnSchema } from '../../profiles/column-rules.ts';
import { convert } from '../../profiles/conversion.ts';
import { parseProfile, printProfile } from '../../profiles/profile-file.ts';
import { timeZone } from '../../profiles/time-zone.ts';
import { database, profileOf } from './sqlite-file.ts';

function sample(): Profile {
  const db = database(`
    CREATE TABLE t (id INTEGER PRIMARY KEY, at TEXT, met TEXT, n REAL, b BLOB, empty TEXT);
    INSERT INTO t VALUES (1, '20/05/2025 8:42', 'yes', 1.5, x'00', NULL), (9007199254740993, '2/07/2025', 'N', 2, x'01', '');
    INSERT INTO t VALUES (3, '2025-05-20', 'no', 2, x'01', char(0))`);
  return profileOf(db, {
    expected: { tables: { t: { columns: { at: { type: 'timestamp' } }, required: ['at'] }, gone: { columns: {} } } },
  });
}

test('it is read as it was written, digit for digit', () => {
  const text = printProfile(sample());
  expect(printProfile(parseProfile(text, 'profile.json'))).toBe(text);
  expect(parseProfile(`\ufeff${text}`, 'profile.json').tables.t?.rows).toBe(3);
});

test('what gates add is kept', () => {
  const text = printProfile({ ...sample(), score: { total: 91.5 }, validation: [{ id: 'V01', passed: true }] });
  expect(parseProfile(text, 'p')).toMatchObject({ score: { total: 91.5 }, validation: [{ id: 'V01', passed: true }] });
});

describe('a file that is no profile', () => {
  const text = printProfile(sample());
  /** The profile with one part replaced; `undefined` takes it away. */
  const edited = (place: string, part: unknown) => {
    const steps = place.split('.');
    const last = steps.pop() ?? '';
    const profile = JSON.parse(text) as object;
    const inner = steps.reduce((object, step) => object[step as never], profile);
    Object.assign(inner, { [last]: part });
    return JSON.stringify(profile);
  };
  test.each([
    ['cut off', text.slice(0, -40), /damaged: .*JSON/],
    ['empty', '', /damaged: /],
    ['something else', '{"streams": []}', /this is no profile of a database/],
    ['a list', '[]', /this is no profile of a database/],
    ['a newer one', edited('profile_version', 2), /profile_version is 2, this program reads 1/],
    ['one without tables', edited('tables', undefined), /profile\.tables is not an object/],
    [
      'a type that nobody knows',
      edited('tables.t.columns.at.decided_type', 'money'),
      /profile\.tables\.t\.columns\.at\.decided_type is not one of integer, numeric/,
    ],
    [
      'a share that is none',
      edited('tables.t.columns.at.confidence', 95),
      /columns\.at\.confidence is not a share from 0 to 1/,
    ],
    ['a class that nobody knows', edited('tables.t.columns.at.classes.runes', 1), /columns\.at\.classes has runes/],
    [
      'a type that its schema contradicts',
      edited('tables.t.columns.at.decided_type', 'integer'),
      /columns\.at: decided_type integer means bigint, but pg_type or json_schema says otherwise/,
    ],
    [
      'more that fit than there are',
      edited('tables.t.columns.at.fitting', 99),
      /columns\.at: more values fit than there are/,
    ],
    ['a finding that is none', edited('findings.0.id', 7), /profile\.findings\[0\]\.id is not a text/],
  ] as const)('%s', (_what, broken, problem) => {
    expect(() => parseProfile(broken, 'work/profile.json')).toThrow(problem);
    expect(() => parseProfile(broken, 'work/profile.json')).toThrow(/^work\/profile\.json: /);
  });
});

describe('reading with what was decided', () => {
  const columns = parseProfile(printProfile(sample()), 'p').tables.t?.columns ?? {};
  const read = (name: string, value: string, zone?: string) => {
    const column = columns[name];
    if (column === undefined) throw new Error(`no column ${name}`);
    return convert(value, columnRules(column, zone === undefined ? {} : { zone: timeZone(zone) }));
  };
  test('the order that the column proves, and its spelling', () => {
    expect(read('at', '3/04/2025')).toEqual({ value: '2025-04-03T00:00:00Z', notes: ['slash_date'] });
    expect(read('met', 'TRUE')).toEqual({ value: 'yes', notes: ['yes_no'] });
  });
  test('a time zone makes instants of clock times, and the schema says so', () => {
    expect(read('at', '3/04/2025 12:00', 'Australia/Perth')).toMatchObject({ value: '2025-04-03T04:00:00Z' });
    const { at } = columns;
    if (at === undefined) throw new Error('no column');
    expect(columnSchema(at)).toMatchObject({ 'x-sd': { pg: 'timestamp', naive: true } });
    expect(columnSchema(at, timeZone('Australia/Perth'))).toEqual({
      type: ['null', 'string'],
      format: 'date-time',
      'x-sd': { pg: 'timestamptz', declared: 'TEXT', confidence: 1, naive: false, date_order: 'DMY' },
    });
  });
});
