/** What every SQL target refuses, in the same words. */
import { ConnectorError } from '../singer/errors.ts';
import { isRawNumber, type Json } from '../singer/lossless.ts';
import type { ColumnKind } from './columns.ts';

/** The key of a stream against what its table has. Names are those of columns. */
export interface KeyFacts {
  readonly stream: string;
  readonly table: string;
  /** The table's primary key and its further unique keys. */
  readonly primary: readonly string[];
  readonly unique: readonly (readonly string[])[];
  /** The key that the stream wants, and all of its columns. */
  readonly wanted: readonly string[];
  readonly columns: readonly string[];
  readonly appendOnly: boolean;
  /** Names that are one to the store fold to one text. */
  readonly fold: (name: string) => string;
}

/**
 * Refuses a stream whose key is not that of its table: equal keys must meet, today and in every later run.
 * @throws ConnectorError `destination`, naming both keys and what to do.
 */
export function checkKeyColumns(facts: KeyFacts): void {
  const { stream, table, primary, wanted, appendOnly, fold } = facts;
  const refuse = (problem: string, hint: string) =>
    new ConnectorError('destination', `stream "${stream}": table "${table}" ${problem}`, { stream }, { hint });
  const named = (names: readonly string[]) => (names.length === 0 ? 'no key' : `the key (${names.join(', ')})`);
  if (appendOnly || wanted.length === 0) {
    const own = new Set(facts.columns.map(fold));
    if (!primary.some((name) => own.has(fold(name)))) return;
    throw appendOnly
      ? refuse(
          `has ${named(primary)}, so load_method append-only would fail on the second row of a key`,
          'load with load_method upsert, or into a new table',
        )
      : refuse(
          `has ${named(primary)}, but the stream now has no key`,
          'give the stream its key back, or rename the table to begin a new one',
        );
  }
  const same = (names: readonly string[]) =>
    names.length === wanted.length && names.every((name) => wanted.some((other) => fold(other) === fold(name)));
  if (same(primary) || facts.unique.some(same)) return;
  throw refuse(
    `has ${named(primary)}, but the stream now has ${named(wanted)}`,
    'give the stream its former key back, or rename the table to begin a new one',
  );
}

/** A key column whose type cannot hold the values that the stream sends now. */
export function keyTypeChanged(
  stream: string,
  table: string,
  column: string,
  declared: string | undefined,
  kind: ColumnKind,
): ConnectorError {
  return new ConnectorError(
    'destination',
    `stream "${stream}": table "${table}" has the key column "${column}" as ${declared}, but the stream now sends it as ${kind}`,
    { stream },
    { hint: 'a key must keep its type: equal keys would no longer meet; rename the table to begin a new one' },
  );
}

/** A property whose type has changed while `schema_change` is `fail`. */
export function typeChanged(
  stream: string,
  property: string,
  declared: string | undefined,
  kind: ColumnKind,
): ConnectorError {
  return new ConnectorError(
    'schema',
    `stream "${stream}": property "${property}" is now ${kind}, but its column is ${declared} and schema_change is fail`,
    { stream, key: property },
    { hint: 'mend the type at the tap, or set schema_change to widen or new_column' },
  );
}

/** A stream without properties. */
export function noColumns(stream: string): ConnectorError {
  return new ConnectorError(
    'schema',
    `the schema of stream "${stream}" has no properties, so its table would have no columns`,
    { stream },
    { hint: 'select at least one property of the stream' },
  );
}

/** How many columns a table of a store may have, and the words in which a stream with more is told. */
export interface WidthLimit {
  readonly most: number;
  readonly told: string;
}

/** @throws ConnectorError `schema` when there are more names than a table of the store may have columns. */
export function checkWidth(stream: string, names: ReadonlySet<string>, { most, told }: WidthLimit): void {
  if (names.size <= most) return;
  throw new ConnectorError(
    'schema',
    `stream "${stream}" needs ${names.size} ${told} ${most}`,
    { stream },
    { hint: 'deselect properties of the stream at the tap' },
  );
}

/** What is wrong with a record whose value a column can hold in no form; completes "a record has …". Names no value. */
export function cannotHold(property: string, value: Exclude<Json, null>, column: string): string {
  return `${inWords(value)} in "${property}", which its column (${column}) cannot hold`;
}

function inWords(value: Exclude<Json, null>): string {
  if (Array.isArray(value)) return 'an array';
  if (isRawNumber(value)) return 'a number';
  return typeof value === 'object' ? 'an object' : `a ${typeof value}`;
}
