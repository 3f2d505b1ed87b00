/** What a table in the file looks like, whoever made it. */
import type { Database } from 'better-sqlite3';
import { fold } from './registry.ts';
import { OBJECT_SQL, TABLE_COLUMNS } from './sql.ts';

export interface ColumnInfo {
  readonly name: string;
  /** As declared. */
  readonly type: string;
  readonly notnull: number;
  /** Place in the primary key, from 1; 0 outside it. */
  readonly pk: number;
  readonly hidden: number;
}

/** The columns of a table in their order; none when it does not exist. */
export function columnInfo(db: Database, table: string): ColumnInfo[] {
  return db.prepare(TABLE_COLUMNS).all(table) as ColumnInfo[];
}

/** A name of the row number that no column hides. */
export function rowidName(existing: readonly ColumnInfo[]): string | undefined {
  return ['rowid', '_rowid_', 'oid'].find((name) => !existing.some((info) => fold(info.name) === name));
}

/** In tables made by hand the row number may be the key itself, or not exist; then its growth counts nothing. */
export function countingRowid(db: Database, table: string, existing: readonly ColumnInfo[]): string | undefined {
  const primary = existing.filter(({ pk }) => pk > 0);
  if (primary.length === 1 && /^integer$/i.test(primary[0]?.type ?? '')) return undefined;
  const { sql } = db.prepare(OBJECT_SQL).get(table) as { readonly sql: string };
  return /\bWITHOUT\s+ROWID\b/i.test(sql) ? undefined : rowidName(existing);
}
