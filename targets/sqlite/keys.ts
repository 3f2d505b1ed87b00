/** The key of a table against the key of its stream: equal keys must meet, today and in every later run. */
import type { Database } from 'better-sqlite3';
import type { ColumnKind } from '../columns.ts';
import { checkKeyColumns, keyTypeChanged } from '../refusals.ts';
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
  const unique = new Map<string, string[]>();
  for (const { index, column } of db.prepare(UNIQUE_KEYS).all(table) as { index: string; column: string }[]) {
    unique.set(index, [...(unique.get(index) ?? []), column]);
  }
  checkKeyColumns({
    stream,
    table,
    primary: existing.filter(({ pk }) => pk > 0).map(({ name }) => name),
    unique: [...unique.values()],
    wanted: key.map(({ name }) => name),
    columns: columns.map(({ name }) => name),
    appendOnly,
    fold,
  });
  if (appendOnly) return;
  for (const { name, kind, affinity } of key) {
    if (affinity === 'NONE' || keyFits(affinity, kind)) continue;
    throw keyTypeChanged(stream, table, name, existing.find((info) => fold(info.name) === fold(name))?.type, kind);
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
