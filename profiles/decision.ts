/** Which type a column has, judged by its values; what its label says counts only when there are none. */
import { type ColumnType, EVIDENCE, NOTHING, NUMBERED_DATES, takes } from './classes.ts';
import type { ColumnScan, Tally } from './column-scan.ts';
import { isAccepted, wilsonLow } from './confidence.ts';
import { declaredType, type ExpectedColumn, isDateDeclared, isNumberDeclared } from './expected.ts';
import type { ValueClass } from './grammar.ts';
import { type SlashOrder, type SlashVote, vote } from './slash-dates.ts';

/**
 * - `expected`: the type that was expected, and the values fit. `detected`: nobody expected anything; the values say it.
 * - `manual_review`: too few values fit the type that the column should or seems to have; it is kept as text.
 * - `no_values`: nothing to judge by; the expected type, else the declared one.
 */
export const DECISIONS = ['expected', 'detected', 'manual_review', 'no_values'] as const;

export interface Decision {
  readonly decision: (typeof DECISIONS)[number];
  /** What the column is loaded as. */
  readonly type: ColumnType;
  /** What its values were judged as. Other than `type` only when a person has to look. */
  readonly candidate: ColumnType;
  /** Values that say something. */
  readonly values: number;
  /** Of these, how many become values of the candidate. */
  readonly fitting: number;
  /** Share of values that fit the candidate; `undefined` without values. */
  readonly confidence: number | undefined;
  readonly wilsonLow: number | undefined;
  /** The column's classes, read as the candidate reads them. */
  readonly classes: ReadonlyMap<ValueClass, Tally>;
  /** How its ambiguous slash dates are read; only for timestamps. */
  readonly slash: SlashVote | undefined;
  /** False when every timestamp of the column names its distance from UTC. */
  readonly naive: boolean;
  readonly spelling: readonly [yes: string, no: string] | undefined;
}

/** Less than this share of values does not even suggest a type. */
const SUGGESTED_SHARE = 0.5;

const SPELLINGS: readonly (readonly [yes: string, no: string])[] = [
  ['yes', 'no'],
  ['Yes', 'No'],
  ['YES', 'NO'],
  ['Y', 'N'],
  ['y', 'n'],
  ['true', 'false'],
  ['True', 'False'],
  ['TRUE', 'FALSE'],
  ['T', 'F'],
  ['t', 'f'],
];

/**
 * The decision for one column. `assumed` is the order of its slash dates when nothing in the column proves one. A key that
 * nobody expected to have a type keeps its texts, because two of them may mean the same time or number, and gets one of
 * numbers only if all its values fit: a row whose key does not is lost to whoever reads it.
 */
export function decide(
  scan: ColumnScan,
  declared: string,
  expected: ExpectedColumn | undefined,
  assumed: SlashOrder,
  isKey = false,
): Decision {
  const values = sum(scan.classes, (found) => !NOTHING.has(found));
  const isTextKey = isKey && scan.storage.text > 0;
  const candidate =
    expected?.type ??
    (isTextKey ? 'text' : values === 0 ? (declaredType(declared) ?? 'text') : suggested(scan, declared, values));
  const classes = candidate === 'timestamp' ? scan.asDates : scan.classes;
  const slash =
    candidate === 'timestamp'
      ? vote(countOf(classes, 'slash_dmy_certain'), countOf(classes, 'slash_mdy_certain'), assumed)
      : undefined;
  const fitting = sum(classes, (found) => !NOTHING.has(found) && takes(candidate, found, slash?.order === 'conflict'));
  const accepted = values === 0 || (isKey && expected === undefined ? fitting === values : isAccepted(fitting, values));
  return {
    decision: values === 0 ? 'no_values' : !accepted ? 'manual_review' : expected ? 'expected' : 'detected',
    type: accepted ? candidate : 'text',
    candidate,
    values,
    fitting,
    confidence: values === 0 ? undefined : fitting / values,
    wilsonLow: values === 0 ? undefined : wilsonLow(fitting, values),
    classes,
    slash,
    naive: !isAllInstants(classes, fitting),
    spelling: candidate === 'yes_no' ? (expected?.spelling ?? spellingOf(scan)) : undefined,
  };
}

/** The type that the values suggest when nobody has said what the column is. */
function suggested(scan: ColumnScan, declared: string, values: number): ColumnType {
  const { classes } = scan;
  const dates = isDateDeclared(declared)
    ? sum(scan.asDates, (found) => EVIDENCE.timestamp.has(found) || NUMBERED_DATES.includes(found))
    : speakingFor('timestamp', classes);
  const numbers = speakingFor('numeric', classes);
  if (dates > 0 && dates >= numbers) return dates / values >= SUGGESTED_SHARE ? 'timestamp' : 'text';
  if (numbers / values >= SUGGESTED_SHARE) {
    const isLabelled = isNumberDeclared(declared);
    if (numbers < values ? !isLabelled || isCoded(scan) : !isPlain(scan, isLabelled)) return 'text';
    // Under REAL the next value may have decimals.
    const isWhole = numbers === speakingFor('integer', classes) && declaredType(declared) !== 'numeric';
    return isWhole ? 'integer' : 'numeric';
  }
  // What is not yes or no would be lost, so a single other value makes it text.
  if (speakingFor('yes_no', classes) === values && isSpelledBothWays(scan)) return 'yes_no';
  return isAccepted(speakingFor('blob', classes), values) ? 'blob' : 'text';
}

/** Zeros at the beginning of a text of digits, or at the end of 1.10, are part of a code, which a number would lose. */
function isCoded({ classes, observed }: ColumnScan): boolean {
  return countOf(classes, 'padded_int') + countOf(observed, 'trailing_zero') > 0;
}

/**
 * Whether numbers print what is stored. If the label does not say that the column holds numbers, nothing else may be in it:
 * texts that only happen to be numbers are often codes, and the next one may have letters.
 */
function isPlain(scan: ColumnScan, isLabelled: boolean): boolean {
  if (isCoded(scan)) return false;
  if (isLabelled || scan.storage.text === 0) return true;
  const changed = sum(scan.classes, (found) => found !== 'null' && found !== 'int' && found !== 'decimal');
  return changed === 0 && countOf(scan.observed, 'surrounding_blanks') === 0;
}

function speakingFor(type: Exclude<ColumnType, 'text'>, classes: ReadonlyMap<ValueClass, Tally>): number {
  return sum(classes, (found) => EVIDENCE[type].has(found));
}

function isAllInstants(classes: ReadonlyMap<ValueClass, Tally>, fitting: number): boolean {
  const instants = countOf(classes, 'iso_ts_tz');
  return instants > 0 && instants + countOf(classes, 'zero_date') === fitting;
}

/** The pair of words that most of the column's values belong to; the first of the list when none does. */
function spellingOf(scan: ColumnScan): readonly [yes: string, no: string] {
  const used = ([yes, no]: readonly [string, string]) => countOf(scan.spellings, yes) + countOf(scan.spellings, no);
  return SPELLINGS.reduce((best, pair) => (used(pair) > used(best) ? pair : best));
}

/** A column that only ever says N may as well hold a code. */
function isSpelledBothWays(scan: ColumnScan): boolean {
  return spellingOf(scan).every((word) => scan.spellings.has(word));
}

/** How many values have a class that passes. */
export function sum(classes: ReadonlyMap<ValueClass, Tally>, passes: (found: ValueClass) => boolean): number {
  let count = 0;
  for (const [found, tally] of classes) if (passes(found)) count += tally.count;
  return count;
}

export function countOf<Name>(tallies: ReadonlyMap<Name, Tally>, name: Name): number {
  return tallies.get(name)?.count ?? 0;
}
