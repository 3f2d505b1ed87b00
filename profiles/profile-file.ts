/** `profile.json` as text: written, and read back with everything checked that its readers rely on. */
import { ConnectorError } from '../singer/errors.ts';
import { isObject, type Json, jsonProblem, parseLossless, withoutBom } from '../singer/lossless.ts';
import { type ColumnProfile, PROFILE_VERSION, type Profile } from './artifact.ts';
import { COLUMN_TYPES } from './classes.ts';
import { DECISIONS } from './decision.ts';
import { SEVERITIES } from './finding-classes.ts';
import { VALUE_CLASSES } from './grammar.ts';
import { pgType } from './json-schema.ts';

/** The text of `profile.json`. */
export function printProfile(profile: Profile): string {
  return `${JSON.stringify(profile, undefined, 2)}\n`;
}

/**
 * Reads the text of a `profile.json`. `path` only names it in errors.
 * @throws ConnectorError `config` for a file that is damaged, no profile, or one of another version.
 */
export function parseProfile(text: string, path: string): Profile {
  const fail = (problem: string, cause?: unknown): never => {
    throw new ConnectorError('config', `${path}: ${problem}`, { path }, { cause, hint: 'profile the source again' });
  };
  let profile: Json;
  try {
    profile = parseLossless(withoutBom(text));
  } catch (cause) {
    return fail(`the profile is damaged: ${jsonProblem(cause)}`, cause);
  }
  if (!isObject(profile) || !('profile_version' in profile)) return fail('this is no profile of a database');
  if (profile.profile_version !== PROFILE_VERSION) {
    return fail(`profile_version is ${JSON.stringify(profile.profile_version)}, this program reads ${PROFILE_VERSION}`);
  }
  const wrong = PROFILE(profile, 'profile');
  if (wrong !== undefined) return fail(`the profile is damaged: ${wrong}`);
  return profile as unknown as Profile;
}

/** Says what is wrong with the value at a place, if anything. */
type Check = (value: Json | undefined, place: string) => string | undefined;

function that(passes: (value: Json | undefined) => boolean, wanted: string): Check {
  return (value, place) => (passes(value) ? undefined : `${place} is not ${wanted}`);
}

const aText = that((value) => typeof value === 'string', 'a text');
const aFlag = that((value) => typeof value === 'boolean', 'true or false');
const aCount = that((value) => Number.isSafeInteger(value) && Number(value) >= 0, 'a count');
const aShare = that((value) => typeof value === 'number' && value >= 0 && value <= 1, 'a share from 0 to 1');
const aList = that(Array.isArray, 'a list');
const anObject = that((value) => value !== undefined && isObject(value), 'an object');

function oneOf(words: readonly (string | null)[]): Check {
  return that((value) => words.some((word) => word === value), `one of ${words.join(', ')}`);
}

function orNull(check: Check): Check {
  return (value, place) => (value === null ? undefined : check(value, place));
}

/** An object that has all these properties. */
function having(checks: { readonly [property: string]: Check }): Check {
  return (value, place) => {
    if (value === undefined || !isObject(value)) return anObject(value, place);
    return first(Object.entries(checks), ([name, check]) => check(value[name], `${place}.${name}`));
  };
}

/** An object whose property names are free, or among `names`, and whose values all pass one check. */
function each(check: Check, names?: readonly string[]): Check {
  return (value, place) => {
    if (value === undefined || !isObject(value)) return anObject(value, place);
    return first(Object.entries(value), ([name, inner]) => {
      if (names !== undefined && !names.includes(name)) return `${place} has ${name}, which this program does not know`;
      return check(inner, `${place}.${name}`);
    });
  };
}

function eachOf(check: Check): Check {
  return (value, place) => {
    if (!Array.isArray(value)) return aList(value, place);
    return first([...value.entries()], ([index, inner]) => check(inner as Json, `${place}[${index}]`));
  };
}

function first<Item>(items: readonly Item[], problem: (item: Item) => string | undefined): string | undefined {
  for (const item of items) {
    const found = problem(item);
    if (found !== undefined) return found;
  }
  return undefined;
}

const COLUMN = having({
  declared: aText,
  storage_classes: having({ null: aCount, integer: aCount, real: aCount, text: aCount, blob: aCount }),
  decision: oneOf(DECISIONS),
  decided_type: oneOf(COLUMN_TYPES),
  candidate_type: oneOf(COLUMN_TYPES),
  pg_type: aText,
  json_schema: having({ 'x-sd': anObject }),
  key: aFlag,
  values: aCount,
  fitting: aCount,
  confidence: orNull(aShare),
  wilson_low: orNull(aShare),
  classes: each(aCount, VALUE_CLASSES),
  empty: aCount,
  whitespace: aCount,
  null_tokens: aCount,
  min_bytes: orNull(aCount),
  max_bytes: aCount,
  nul_rows: aCount,
  bad_utf8_rows: orNull(aCount),
  distinct: orNull(aCount),
  date_order: oneOf(['DMY', 'MDY', 'conflict', null]),
  date_order_basis: oneOf(['column', 'assumed', null]),
  naive: aFlag,
  spelling: orNull(eachOf(aText)),
  earliest: orNull(aText),
  latest: orNull(aText),
  examples_hash: eachOf(aText),
});

const CORRUPT = { corrupt: aCount, values: aCount, ratio: aShare };

const PROFILE = having({
  run_id: aText,
  source: anObject,
  slash_date_order: oneOf(['DMY', 'MDY']),
  tables: each(having({ rows: aCount, scanned: aCount, columns: each(whole(COLUMN)) })),
  findings: eachOf(
    having({
      id: aText,
      class: aText,
      severity: oneOf(SEVERITIES),
      fixable: aFlag,
      action: aText,
      table: aText,
      column: orNull(aText),
      count: aCount,
      rowids_sample: aList,
    }),
  ),
  breaker: having({
    run: having(CORRUPT),
    required: eachOf(having({ table: aText, column: aText, ...CORRUPT })),
    typed_columns: aCount,
    low_confidence_columns: aCount,
    empty_tables: eachOf(aText),
  }),
});

/** A column whose parts agree: whoever edits a decision by hand has to edit what follows from it. */
function whole(check: Check): Check {
  return (value, place) => {
    const problem = check(value, place);
    if (problem !== undefined) return problem;
    const column = value as unknown as ColumnProfile;
    const travels = column.json_schema['x-sd'] as { readonly pg?: Json };
    const wanted = pgType(column.decided_type, column.naive);
    if (column.pg_type !== wanted || travels.pg !== wanted) {
      return `${place}: decided_type ${column.decided_type} means ${wanted}, but pg_type or json_schema says otherwise`;
    }
    return column.fitting > column.values ? `${place}: more values fit than there are` : undefined;
  };
}
