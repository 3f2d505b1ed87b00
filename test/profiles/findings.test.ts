/** What a profile finds, how often, and where. */
import { describe, expect, test } from 'vitest';
import type { ExpectedColumn } from '../../profiles/expected.ts';
import type { SqliteValue } from '../../profiles/grammar.ts';
import type { ProfileOptions } from '../../profiles/profile.ts';
import { addColumn, database, findingsOf, profileOf, times } from './sqlite-file.ts';

const ISO = '2025-07-14 09:12:00';

/** Somebody knows what the column holds. */
function expecting(type: ExpectedColumn['type']): Partial<ProfileOptions> {
  return { expected: { tables: { t: { columns: { v: { type } } } } } };
}

function found(values: readonly SqliteValue[], declared = 'TEXT', options: Partial<ProfileOptions> = {}): object {
  return findingsOf(profileOf(addColumn(database(), 't', declared, values), options), 't');
}

test('a clean column gives no reason to tell anything', () => {
  expect(found(['plain', 'text'])).toEqual({});
  expect(found([1n, 2n], 'INTEGER')).toEqual({});
  expect(found([0.5], 'REAL')).toEqual({});
});

describe('dates', () => {
  test('every form is counted', () => {
    const values = [
      ...times(100, ISO),
      ...['20/05/2025 8:42', '21/05/2025 8:42:30', '22/05/2025 3:15 PM', '23/05/2025'],
      ...['2/07/2025 16:21', '2025/07/01', '2025-07-14T09:12:00Z', ` ${ISO}`],
      ...['0000-00-00', '', '  ', 'NaT'],
      ...['31/02/2025', 'now', '20/05/25', 'soon', '20.05.2025'],
    ];
    expect(found(values)).toEqual({
      type_mismatch: 114,
      slash_dmy_certain: 4,
      slash_ambiguous: 1,
      slash_ymd: 1,
      slash_no_time: 1,
      slash_seconds: 1,
      slash_am_pm: 1,
      iso_ts_tz: 1,
      surrounding_blanks: 1,
      zero_date: 1,
      empty: 1,
      whitespace: 1,
      null_token: 1,
      impossible_date: 1,
      special_word: 1,
      two_digit_year: 1,
      unparseable_date: 2,
    });
  });

  test('numbers in a TIMESTAMP column', () => {
    const values = [...times(60, ISO), 20250520n, 45797.36, 1747730520n, 1747730520000n, 20250231n];
    expect(found(values, 'TIMESTAMP')).toEqual({
      timestamp_as_text: 60,
      compact_date: 1,
      excel_serial: 1,
      epoch_s: 1,
      epoch_ms: 1,
      impossible_date: 1,
    });
  });

  test('both orders proven', () => {
    const values = [...times(60, ISO), '20/05/2025 8:42', '05/20/2025 8:42', '2/07/2025 16:21'];
    expect(found(values)).toMatchObject({ slash_dmy_certain: 1, slash_mdy_certain: 1, slash_conflict: 1 });
  });

  test('an offset is nothing to tell where every value has one', () => {
    expect(found(['2025-07-14T09:12:00Z', '2025-07-14T09:12:00+02:00'], 'TIMESTAMP')).toEqual({ timestamp_as_text: 2 });
  });

  test('too early and too late, by the day of the profile', () => {
    const values = ['2019-12-31', '2020-01-01', '2025-11-16 23:59:59', '2025-11-17', '2026-07-01 00:00:00'];
    expect(found(values, 'TIMESTAMP', { asOf: '2025-10-17' })).toMatchObject({ early_date: 1, future_date: 2 });
    expect(found(values, 'TIMESTAMP')).not.toHaveProperty('future_date');
  });
});

describe('numbers', () => {
  test('whole ones', () => {
    const values = [...times(60, '12'), '3700421.0', ' 7 ', '', 'none', 'C-77x', '2,5', '99999999999999999999'];
    expect(found(values, 'TEXT', expecting('integer'))).toEqual({
      type_mismatch: 65,
      integral_decimal: 1,
      surrounding_blanks: 1,
      empty: 1,
      null_token: 1,
      not_a_number: 2,
      bigint_overflow: 1,
    });
  });
  test('doubles that hold whole numbers are as they should be', () => {
    expect(found([...times(20, 3700398.0), 9.3e18], 'REAL', expecting('integer'))).toEqual({
      type_mismatch: 21,
      bigint_overflow: 1,
    });
  });
  test('a whole decimal among decimals is as it should be', () => {
    expect(found(['0.5', '2.0'], 'TEXT', expecting('numeric'))).toEqual({ type_mismatch: 2 });
  });
  test('decimals', () => {
    expect(found([...times(60, 0.75), '7,5', '', 'half a day', Number.POSITIVE_INFINITY], 'REAL')).toEqual({
      decimal_comma: 1,
      empty: 1,
      not_a_number: 1,
      special_word: 1,
    });
  });
});

describe('texts', () => {
  test('what PostgreSQL would not take, and what is strange', () => {
    const db = addColumn(database(), 't', 'TEXT', [
      ...times(60, 'plain'),
      'a\0b',
      new Uint8Array([1]),
      'nan',
      '😀'.repeat(100_000),
      'x'.repeat(100_001),
      `a${'\n'.repeat(100)}b`,
      `a${'\n'.repeat(99)}b`,
      `a${'\r\n'.repeat(100)}b`,
      'ok \ufffd',
    ]);
    db.exec(`INSERT INTO t VALUES (CAST(x'63e9' AS TEXT)), (CAST(x'63e9' AS TEXT))`);
    expect(findingsOf(profileOf(db), 't')).toEqual({
      nul_byte: 1,
      blob_in_text: 1,
      null_token: 1,
      too_long: 1,
      newline_run: 2,
      invalid_utf8: 2,
    });
  });
  test('yes and no', () => {
    expect(found([...times(30, 'yes'), ...times(9, 'no'), 'Y', ' yes ', 'TRUE'])).toEqual({
      yes_no_variant: 3,
      surrounding_blanks: 1,
    });
  });
});

test('a finding names rows, never values', () => {
  const db = database('CREATE TABLE t (id INTEGER PRIMARY KEY, v TEXT)');
  const insert = db.prepare('INSERT INTO t VALUES (?, ?)');
  for (let row = 1; row <= 30; row += 1) insert.run(row * 10, `secret ${row}`);
  for (let row = 1; row <= 600; row += 1) insert.run(1000 + row, '12');
  insert.run(9007199254740993n, 'secret last');
  const profile = profileOf(db, { expected: { tables: { t: { columns: { v: { type: 'integer' } } } } } });
  const misfits = profile.findings.find((finding) => finding.class === 'not_a_number');
  expect(misfits).toMatchObject({
    id: 't/v/not_a_number',
    severity: 'HIGH',
    fixable: false,
    count: 31,
    rowids_sample: Array.from({ length: 20 }, (_, index) => (index + 1) * 10),
  });
  expect(JSON.stringify(profile)).not.toContain('secret');
  expect(profile.tables.t?.columns.v?.examples_hash).toHaveLength(3);
});

test('of any number of rows the first twenty are named', () => {
  const db = addColumn(database(), 't', 'TEXT', times(500, 'a\0b'));
  const [nul] = profileOf(db).findings;
  expect(nul).toMatchObject({ class: 'nul_byte', count: 500 });
  expect(nul?.rowids_sample).toEqual(Array.from({ length: 20 }, (_, index) => index + 1));
});

test('of several classes under one finding the first rows are named', () => {
  const values = [...times(500, ISO), ...times(5, '20.05.2025'), 'soon', 'x', 7n];
  const profile = profileOf(addColumn(database(), 't', '', [...values.slice(-1), ...values.slice(0, -1)]));
  const misfits = profile.findings.find((finding) => finding.class === 'unparseable_date');
  expect(misfits).toMatchObject({ count: 8, rowids_sample: [1, 502, 503, 504, 505, 506, 507, 508] });
});

test('a row number beyond a double keeps its digits', () => {
  const db = database(`CREATE TABLE t (id INTEGER PRIMARY KEY, v TEXT); INSERT INTO t VALUES (9007199254740993, 'a')`);
  db.exec('UPDATE t SET v = char(97, 0, 98)');
  const [nul] = profileOf(db).findings;
  expect(JSON.stringify(nul?.rowids_sample)).toBe('[9007199254740993]');
});

describe('keys and drift', () => {
  const expected = {
    tables: {
      t: {
        columns: { id: { type: 'integer' }, at: { type: 'timestamp' }, gone: { type: 'text' } },
        key: ['id'],
        bookmarks: ['at'],
      },
      absent: { columns: {} },
      bare: { columns: { v: { type: 'text' } } },
    },
  } as const;
  const filled = () => {
    const db = database('CREATE TABLE t (id TEXT, at TEXT, extra TEXT); CREATE TABLE bare (v TEXT)');
    const insert = db.prepare('INSERT INTO t VALUES (?, ?, ?)');
    for (let row = 0; row < 97; row += 1) insert.run(String(row), row % 2 === 0 ? ISO : 'soon', 'x');
    for (const id of [null, '', 'C-77x']) insert.run(id, null, null);
    return db;
  };
  test('a key without a value, a key that is none, a bookmark that does not convert', () => {
    const profile = profileOf(filled(), { expected });
    expect(findingsOf(profile, 't')).toEqual({
      null_key: 2,
      bad_key: 1,
      empty: 1,
      type_mismatch: 98,
      untyped_key: 48,
      unparseable_date: 48,
      missing_column: 1,
      new_column: 1,
    });
    expect(profile.tables.t?.columns.id?.json_schema).toMatchObject({ type: 'integer' });
  });
  test('a blank text is a key, nothing is none', () => {
    const db = database(`CREATE TABLE k (name TEXT PRIMARY KEY); INSERT INTO k VALUES ('a'), (''), (NULL), (NULL)`);
    expect(findingsOf(profileOf(db), 'k')).toEqual({ null_key: 2 });
  });
  test('tables that are missing or empty', () => {
    const profile = profileOf(filled(), { expected });
    expect(findingsOf(profile, 'absent')).toEqual({ missing_table: 1 });
    expect(findingsOf(profile, 'bare')).toEqual({ empty_table: 1 });
    expect(profile.breaker.empty_tables).toEqual(['absent', 'bare']);
  });
});

describe('the numbers of the breaker', () => {
  const expected = { tables: { t: { columns: { v: { type: 'timestamp' } }, required: ['v'] } } } as const;
  const breaker = (values: readonly SqliteValue[]) =>
    profileOf(addColumn(database(), 't', 'TIMESTAMP', values), { expected }).breaker;
  test('one in five, exactly', () => {
    const corrupt = times(20, 'CORRUPT-1');
    expect(breaker([...times(78, ISO), '20/05/2025', '0000-00-00', ...corrupt, '', null, 'nan', ' '])).toEqual({
      run: { corrupt: 20, values: 100, ratio: 0.2 },
      required: [{ table: 't', column: 'v', corrupt: 20, values: 100, ratio: 0.2 }],
      typed_columns: 1,
      low_confidence_columns: 1,
      empty_tables: [],
    });
  });
  test('what can be repaired is not corrupt', () => {
    expect(breaker(['20/05/2025', '2/07/2025', '0000-00-00', ''])).toMatchObject({
      run: { corrupt: 0, values: 3, ratio: 0 },
      low_confidence_columns: 0,
    });
  });
  test('yes and no are no numbers', () => {
    const db = addColumn(database(), 't', 'TEXT', [...times(19, 'yes'), 'maybe']);
    const { breaker } = profileOf(db, { expected: { tables: { t: { columns: { v: { type: 'yes_no' } } } } } });
    expect(breaker).toMatchObject({ run: { corrupt: 0, values: 0 }, typed_columns: 1, low_confidence_columns: 0 });
  });
  test('texts are not counted, and nothing is no share', () => {
    const db = addColumn(database(), 't', 'TEXT', ['a', new Uint8Array([1])]);
    expect(profileOf(db).breaker.run).toEqual({ corrupt: 0, values: 0, ratio: 0 });
  });
  test('a column whose quarter is corrupt is still one of dates', () => {
    const db = addColumn(database(), 't', 'TEXT', [...times(75, ISO), ...times(25, 'CORRUPT')]);
    expect(profileOf(db).breaker.run).toEqual({ corrupt: 25, values: 100, ratio: 0.25 });
  });
});
