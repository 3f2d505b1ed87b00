/** Everything a profile may find, how bad it is, and what becomes of it. docs/profiles.md shows this table. */

export const SEVERITIES = ['CRITICAL', 'HIGH', 'MEDIUM', 'LOW'] as const;

export interface FindingClass {
  readonly severity: (typeof SEVERITIES)[number];
  /** True when a rule of conversion.ts makes it right; false when somebody has to look, or the value is set aside. */
  readonly fixable: boolean;
  /** What happens to these values, or what to do. */
  readonly action: string;
}

function fixed(severity: FindingClass['severity'], action: string): FindingClass {
  return { severity, fixable: true, action };
}

function open(severity: FindingClass['severity'], action: string): FindingClass {
  return { severity, fixable: false, action };
}

export const FINDING_CLASSES = {
  // Dates.
  slash_dmy_certain: fixed('MEDIUM', 'read with the day first, which the value proves'),
  slash_mdy_certain: fixed('HIGH', 'read with the month first, which the value proves'),
  slash_ambiguous: fixed('MEDIUM', 'read in the order of the column, or in the assumed one'),
  slash_conflict: open('HIGH', 'set aside: the column proves both orders'),
  slash_ymd: fixed('LOW', 'read with the year first'),
  slash_no_time: fixed('LOW', 'read as midnight'),
  slash_seconds: fixed('LOW', 'the seconds are kept'),
  slash_am_pm: fixed('LOW', 'read on the 12-hour clock'),
  iso_ts_tz: fixed('LOW', 'the offset is dropped, or applied when the time zone of the source is set'),
  compact_date: fixed('MEDIUM', 'read as YYYYMMDD'),
  excel_serial: fixed('MEDIUM', 'read as a day number of a spreadsheet'),
  epoch_s: fixed('MEDIUM', 'read as seconds since 1970 in UTC'),
  epoch_ms: fixed('MEDIUM', 'read as milliseconds since 1970 in UTC'),
  zero_date: fixed('MEDIUM', 'becomes null'),
  impossible_date: open('HIGH', 'set aside: no calendar or clock has it'),
  two_digit_year: open('HIGH', 'set aside: nothing tells the century'),
  unparseable_date: open('HIGH', 'set aside: it is no date'),
  early_date: open('LOW', 'loaded; look whether dates before 2020 are right'),
  future_date: open('LOW', 'loaded; look whether dates more than 30 days ahead are right'),
  // Numbers.
  integral_decimal: fixed('LOW', 'read as a whole number'),
  decimal_comma: fixed('MEDIUM', 'the comma is read as the decimal point'),
  scientific: fixed('LOW', 'read as a number'),
  padded_int: fixed('MEDIUM', 'the leading zeros are dropped'),
  bigint_overflow: open('HIGH', 'set aside: it does not fit 64 bits'),
  not_a_number: open('HIGH', 'set aside: it is no number of this kind'),
  // Any typed column.
  special_word: open('HIGH', 'set aside: PostgreSQL would read the word as a time or a number'),
  empty: fixed('LOW', 'becomes null'),
  whitespace: fixed('LOW', 'becomes null'),
  null_token: fixed('LOW', 'becomes null; in a text column it is kept'),
  surrounding_blanks: fixed('LOW', 'the blanks are cut off'),
  blob_in_text: open('HIGH', 'set aside: bytes in a column that holds none'),
  schema_mismatch: open('HIGH', 'set aside: it is no value of this column'),
  // Texts.
  yes_no_variant: fixed('LOW', 'written as the column mostly writes it'),
  nul_byte: fixed('MEDIUM', 'NUL characters are removed; a typed value is set aside'),
  invalid_utf8: open('HIGH', 'set aside unless a repair is chosen: it is no UTF-8'),
  too_long: open('LOW', 'loaded whole; it is longer than 100,000 characters'),
  newline_run: open('LOW', 'loaded whole; it has 100 or more empty lines in a row'),
  // Keys.
  null_key: open('CRITICAL', 'the row is set aside: nothing names it'),
  bad_key: open('CRITICAL', 'the row is set aside: its key does not convert'),
  // Columns and tables.
  timestamp_as_text: fixed('LOW', 'the label says date, the values are texts; loaded as timestamps'),
  type_mismatch: fixed('LOW', 'loaded as the values say, not as the label does'),
  manual_review: open('MEDIUM', 'kept as text: too few values fit one type; look at the counts of the column'),
  untyped_key: open('CRITICAL', 'a key or bookmark column whose values do not fit its type: correct the source'),
  missing_table: open('CRITICAL', 'the source lacks an expected table'),
  missing_column: open('HIGH', 'the table lacks an expected column'),
  new_column: open('LOW', 'loaded; nobody expected it'),
  empty_table: open('HIGH', 'the table has no rows'),
} as const satisfies { readonly [name: string]: FindingClass };

export type FindingName = keyof typeof FINDING_CLASSES;
