/** What somebody who knows the source says of its tables. Without it, the values alone decide. */
import type { ColumnType } from './classes.ts';

export interface ExpectedColumn {
  readonly type: ColumnType;
  /** For `yes_no`; without it the spelling that the column mostly uses. */
  readonly spelling?: readonly [yes: string, no: string];
}

export interface ExpectedTable {
  readonly columns: { readonly [column: string]: ExpectedColumn };
  /** Columns that name a row: they must convert. */
  readonly key?: readonly string[];
  /** Columns that a later run goes on from: they must convert as well. */
  readonly bookmarks?: readonly string[];
  /** Columns without which the table is worth nothing; the breaker judges each of them. */
  readonly required?: readonly string[];
}

export interface ExpectedSchema {
  readonly tables: { readonly [table: string]: ExpectedTable };
}

/** The type that a declaration means, by SQLite's own rules for type names plus those for dates, which SQLite lacks. */
export function declaredType(declared: string): ColumnType | undefined {
  const name = declared.toUpperCase();
  if (isDateDeclared(declared)) return 'timestamp';
  if (name.includes('INT')) return 'integer';
  if (/CHAR|CLOB|TEXT/.test(name)) return 'text';
  if (name.includes('BLOB')) return 'blob';
  return /REAL|FLOA|DOUB|NUMERIC|DECIMAL/.test(name) ? 'numeric' : undefined;
}

/** True for TIMESTAMP, DATE, DATETIME: bare numbers in such a column may be dates. */
export function isDateDeclared(declared: string): boolean {
  return /^\s*(?:timestamp|date)/i.test(declared);
}

/** True for INTEGER, REAL, DECIMAL(10,2) and the like; INTEGER_OR_TEXT, which SQLite takes for INTEGER, means both. */
export function isNumberDeclared(declared: string): boolean {
  const type = declaredType(declared);
  return (type === 'integer' || type === 'numeric') && !/CHAR|CLOB|TEXT/i.test(declared);
}
