/**
 * Keys for rows that Plex gives no id: the first 32 hex digits of SHA-256 over a JSON array of some fields (dates with
 * all seven digits, null kept) and, as its last element, how many equal rows came before.
 */
import { createHash } from 'node:crypto';
import { sortable } from './dates.ts';
import type { Row } from './plant.ts';

/** What the key of a history is made of. */
export interface KeyRule {
  /** The field that says when; the rows come in its order. */
  readonly date: string;
  /** All fields of the key, `date` among them. */
  readonly fields: readonly string[];
}

function dateIn(row: Row, { date }: KeyRule): string {
  return sortable(String(row[date]));
}

function valuesOf(row: Row, rule: KeyRule): readonly unknown[] {
  return rule.fields.map((field) => (field === rule.date ? dateIn(row, rule) : (row[field] ?? null)));
}

/** JSON with the fields in the order of their names, so that equal rows are equal texts. */
function canonical(row: Row): string {
  return JSON.stringify(Object.fromEntries(Object.entries(row).sort(([a], [b]) => (a < b ? -1 : 1))));
}

function* keyedMoment(rows: readonly Row[], rule: KeyRule): Generator<readonly [string, Row]> {
  // Rows of equal fields happen at one moment, so nothing outside of it decides their numbers.
  const ordered = rows.length === 1 ? rows : [...rows].sort((a, b) => (canonical(a) < canonical(b) ? -1 : 1));
  const seen = new Map<string, number>();
  for (const row of ordered) {
    const values = valuesOf(row, rule);
    const tuple = JSON.stringify(values);
    const before = seen.get(tuple) ?? 0;
    seen.set(tuple, before + 1);
    const text = JSON.stringify([...values, before]);
    yield [createHash('sha256').update(text).digest('hex').slice(0, 32), row];
  }
}

/** Each row with its key. The rows must come in the order of their dates. */
export function* keyed(rows: Iterable<Row>, rule: KeyRule): Generator<readonly [string, Row]> {
  let moment: Row[] = [];
  let date = '';
  for (const row of rows) {
    const at = dateIn(row, rule);
    if (at !== date && moment.length > 0) {
      yield* keyedMoment(moment, rule);
      moment = [];
    }
    date = at;
    moment.push(row);
  }
  yield* keyedMoment(moment, rule);
}
