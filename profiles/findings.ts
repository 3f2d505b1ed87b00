/** From counts to findings: what of a column is worth telling, with the first rows where it stands. */
import type { Json } from '../singer/lossless.ts';
import { NOTHING, type Reason, refusal, takes } from './classes.ts';
import { type ColumnScan, emptyTally, type Observation, ROWIDS_KEPT, type Tally } from './column-scan.ts';
import type { Decision } from './decision.ts';
import { declaredType } from './expected.ts';
import { FINDING_CLASSES, type FindingClass, type FindingName } from './finding-classes.ts';
import type { ValueClass } from './grammar.ts';

export interface Finding extends FindingClass {
  /** Table, column and class, joined by `/`: the same from profile to profile. */
  readonly id: string;
  readonly class: FindingName;
  readonly table: string;
  /** Null when it concerns the table. */
  readonly column: string | null;
  readonly count: number;
  /** Row numbers of the first ones, 20 at most; none for a table without row numbers. */
  readonly rowids_sample: readonly Json[];
}

export interface ColumnPlace {
  readonly table: string;
  readonly column: string;
  readonly declared: string;
  readonly key: boolean;
  readonly bookmark: boolean;
}

/** One finding. */
export function finding(name: FindingName, table: string, column: string | null, tally: Tally): Finding {
  return {
    id: [table, ...(column === null ? [] : [column]), name].join('/'),
    class: name,
    ...FINDING_CLASSES[name],
    table,
    column,
    count: tally.count,
    rowids_sample: tally.rowids.map((rowid) => {
      const number = Number(rowid);
      return Number.isSafeInteger(number) ? number : JSON.rawJSON(String(rowid));
    }),
  };
}

/** Classes that convert, but not as they stand. Whole doubles (`3700398.0` stored as REAL) stand as they should. */
const CHANGED: readonly (ValueClass & FindingName)[] = [
  'slash_dmy_certain',
  'slash_mdy_certain',
  'slash_ambiguous',
  'slash_ymd',
  'iso_ts_tz',
  'compact_date',
  'excel_serial',
  'epoch_s',
  'epoch_ms',
  'zero_date',
  'decimal_comma',
  'scientific',
  'padded_int',
];

const OBSERVED: readonly (readonly [Observation, FindingName])[] = [
  ['slash_no_time', 'slash_no_time'],
  ['slash_seconds', 'slash_seconds'],
  ['slash_am_pm', 'slash_am_pm'],
  ['surrounding_blanks', 'surrounding_blanks'],
  ['early_date', 'early_date'],
  ['future_date', 'future_date'],
];

/** Everything that a column gives reason to tell, in the order in which a reader needs it. */
export function columnFindings(scan: ColumnScan, decided: Decision, place: ColumnPlace): Finding[] {
  const found: Finding[] = [];
  const tell = (name: FindingName, tally: Tally | undefined) => {
    if (tally !== undefined && tally.count > 0) found.push(finding(name, place.table, place.column, tally));
  };
  aboutTheColumn(decided, place, tell);
  if (decided.candidate !== 'text') misfits(decided, place, tell);
  if (decided.candidate === 'blob') return found;
  if (decided.candidate === 'text') tell('blob_in_text', scan.classes.get('blob'));
  else changes(scan, decided, tell);
  // A blank text is a text, so it may be a key; a blank number is none.
  const keyless = decided.candidate === 'text' ? (['null'] as const) : [...NOTHING];
  if (place.key) tell('null_key', joined(keyless.map((name) => scan.classes.get(name))));
  tell('null_token', scan.classes.get('null_token'));
  tell('nul_byte', scan.observed.get('nul'));
  tell('invalid_utf8', scan.invalidUtf8);
  tell('too_long', scan.observed.get('too_long'));
  tell('newline_run', scan.observed.get('newline_run'));
  return found;
}

type Tell = (name: FindingName, tally: Tally | undefined) => void;

function aboutTheColumn(decided: Decision, { declared, key, bookmark }: ColumnPlace, tell: Tell): void {
  const all = { ...emptyTally(), count: decided.values };
  if (decided.decision === 'manual_review') {
    tell(key || bookmark ? 'untyped_key' : 'manual_review', { ...all, count: decided.values - decided.fitting });
    return;
  }
  const label = declaredType(declared);
  if (label === undefined || decided.decision === 'no_values') return;
  if (label === 'timestamp' && decided.type === 'timestamp') {
    const texts = [...decided.classes].filter(([name]) => name.startsWith('iso_') || name.startsWith('slash_'));
    tell('timestamp_as_text', joined(texts.map(([, tally]) => tally)));
  } else if (label !== decided.type && !(label === 'text' && decided.type === 'yes_no')) {
    tell('type_mismatch', all);
  }
}

/** Values that the candidate refuses, by the reason; a key's misfits take their row with them. */
function misfits(decided: Decision, { key }: ColumnPlace, tell: Tell): void {
  const conflict = decided.slash?.order === 'conflict';
  const refused = new Map<FindingName, Tally[]>();
  for (const [name, tally] of decided.classes) {
    if (NOTHING.has(name) || takes(decided.candidate, name, conflict)) continue;
    const reason = key ? 'bad_key' : name === 'two_digit_year' ? name : nameOf(refusal(decided.candidate, name));
    refused.set(reason, [...(refused.get(reason) ?? []), tally]);
  }
  for (const [name, tallies] of refused) tell(name, joined(tallies));
}

/** A blob column refuses what is no blob as `schema_mismatch`; the other reasons are names of findings. */
function nameOf(reason: Reason): FindingName {
  return reason in FINDING_CLASSES ? (reason as FindingName) : 'schema_mismatch';
}

function changes(scan: ColumnScan, decided: Decision, tell: Tell): void {
  const { candidate, classes, slash } = decided;
  for (const name of CHANGED) {
    // In a column of instants the offset is what it should be.
    if (name === 'iso_ts_tz' && !decided.naive) continue;
    if (takes(candidate, name, slash?.order === 'conflict')) tell(name, classes.get(name));
  }
  if (candidate === 'integer') tell('integral_decimal', scan.observed.get('float_text'));
  if (candidate === 'yes_no') tell('yes_no_variant', variants(scan, decided));
  for (const [name, told] of OBSERVED) {
    if (candidate === 'timestamp' || name === 'surrounding_blanks') tell(told, scan.observed.get(name));
  }
  tell('empty', classes.get('empty'));
  tell('whitespace', classes.get('whitespace'));
}

/** Words for yes and no that are not spelled as the column's. */
function variants(scan: ColumnScan, decided: Decision): Tally {
  const unusual = [...scan.spellings].filter(([text]) => !decided.spelling?.includes(text));
  return joined(unusual.map(([, tally]) => tally));
}

/** One tally of several, with the first rows of all of them. */
function joined(tallies: readonly (Tally | undefined)[]): Tally {
  const all = tallies.filter((tally) => tally !== undefined);
  return {
    count: all.reduce((sum, { count }) => sum + count, 0),
    rowids: all
      .flatMap(({ rowids }) => rowids)
      .sort((a, b) => (a < b ? -1 : a > b ? 1 : 0))
      .slice(0, ROWIDS_KEPT),
    prints: new Set(all.flatMap(({ prints }) => [...prints])),
  };
}
