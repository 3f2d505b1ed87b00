/** Places in a table: how rows are asked for from a place on, and how the place is kept in a state. */
import type { SqliteValue } from '../../profiles/grammar.ts';
import { quoted, type SourceTable } from '../../profiles/tables.ts';
import type { Cursor, CursorValue } from './state.ts';

/** The columns by which a table is read in an order that lasts; none for views, which are read in one go. */
export function orderOf(table: SourceTable): readonly string[] {
  if (table.rowid !== undefined) return [table.rowid];
  return table.columns
    .filter(({ keyPlace }) => keyPlace > 0)
    .sort((a, b) => a.keyPlace - b.keyPlace)
    .map(({ name }) => quoted(name));
}

/** `WHERE` and `ORDER BY` for the rows behind a place; from the first row on without one. */
export function from(order: readonly string[], hasPlace: boolean): string {
  if (order.length === 0) return '';
  const names = order.join(', ');
  const where = hasPlace ? `WHERE (${names}) > (${order.map(() => '?').join(', ')}) ` : '';
  return `${where}ORDER BY ${names}`;
}

/** Undefined for a place that would not be found again: bytes that are no UTF-8 come as U+FFFD. */
export function toCursor(values: readonly SqliteValue[]): Cursor | undefined {
  const cursor = values.map(toValue);
  return cursor.every((value) => value !== undefined) ? cursor : undefined;
}

function toValue(value: SqliteValue): CursorValue | undefined {
  if (value === null) return undefined;
  if (typeof value === 'bigint') return { integer: String(value) };
  // JSON has no infinity.
  if (typeof value === 'number') return Number.isFinite(value) ? { real: value } : undefined;
  if (typeof value === 'string') return value.includes('\ufffd') ? undefined : { text: value };
  return { blob: Buffer.from(value).toString('base64') };
}

/** The values to bind for a place. */
export function fromCursor(cursor: Cursor): SqliteValue[] {
  return cursor.map((value) => {
    if ('integer' in value) return BigInt(value.integer);
    if ('real' in value) return value.real;
    return 'text' in value ? value.text : Buffer.from(value.blob, 'base64');
  });
}
