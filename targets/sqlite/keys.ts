/** The key of a table against the key of its stream: equal keys must meet, today and in every later run. */
import type { Database } from 'better-sqlite3';
import { ConnectorError } from '../../singer/errors.ts';
import type { ColumnKind } from '../columns.ts';
import type { ColumnInfo } from './inspection.ts';
import { fold } from './registry.ts';
import { type Affinity, affinityOf, declaredType, UNIQUE_KEYS } from './sql.ts';
import type { Column } from './tables.ts';

/**
 * Refuses a stream whose key is not that of its table.
 * @throws ConnectorError `destination`, naming both keys and what to do.
 */
export function checkKey(
  db: Database,
  stream: string,
  table: string,
  existing: readonly ColumnInfo[],
  columns: readonly Column[],
  key: readonly Column[],
  appendOnly: boolean,
): void {
  const refuse = (problem: string, hint: string) =>
    new ConnectorError('destination', `stream "${stream}": table "${table}" ${problem}`, { stream }, { hint });
  const named = (names: readonly string[]) => (names.length === 0 ? 'no key' : `the key (${names.join(', ')})`);
  const primary = existing.filter(({ pk }) => pk > 0).map(({ name }) => name);
  if (appendOnly || key.length === 0) {
    const own = new Set(columns.map(({ name }) => fold(name)));
    if (!primary.some((name) => own.has(fold(name)))) return;
    throw appendOnly
      ? refuse(
          `has ${named(primary)}, so load_method append-only would fail on the second row of a key`,
          'load with load_method upsert, or into a new file',
        )
      : refuse(
          `has ${named(primary)}, but the stream now has no key`,
          'give the stream its key back, or rename the table to begin a new one',
        );
  }
  const wanted = key.map(({ name }) => name);
  const same = (names: readonly string[]) =>
    names.length === wanted.length && names.every((name) => wanted.some((other) => fold(other) === fold(name)));
  const indexes = new Map<string, string[]>();
  for (const { index, column } of db.prepare(UNIQUE_KEYS).all(table) as { index: string; column: string }[]) {
    indexes.set(index, [...(indexes.get(index) ?? []), column]);
  }
  if (!same(primary) && ![...indexes.values()].some(same)) {
    throw refuse(
      `has ${named(primary)}, but the stream now has ${named(wanted)}`,
      'give the stream its former key back, or rename the table to begin a new one',
    );
  }
  for (const { name, kind, affinity } of key) {
    if (affinity === 'NONE' || keyFits(affinity, kind)) continue;
    const declared = existing.find((info) => fold(info.name) === fold(name))?.type;
    throw refuse(
      `has the key column "${name}" as ${declared}, but the stream now sends it as ${kind}`,
      'a key must keep its type: equal keys would no longer meet; rename the table to begin a new one',
    );
  }
}

function keyFits(affinity: Affinity, kind: ColumnKind): boolean {
  if (kind === 'big_integer') return affinity === 'INTEGER' || affinity === 'NUMERIC';
  const wanted = affinityOf(declaredType(kind));
  if (wanted === affinity) return true;
  return affinity === 'NUMERIC'
    ? wanted === 'INTEGER' || wanted === 'REAL'
    : affinity === 'INTEGER' && wanted === 'NUMERIC';
}
