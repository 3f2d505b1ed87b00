/** What SQL targets do about a number that its column would round: refuse it, or make room that keeps every digit. */
import type { Log } from '../singer/log.ts';
import type { ColumnKind } from './columns.ts';
import type { SchemaChange } from './settings.ts';

/** A column that is too narrow for a number of its property. */
export interface NarrowColumn {
  readonly property: string;
  readonly kind: ColumnKind;
  readonly name: string;
}

/** What is wrong with a record that has such a number where `schema_change` is `fail`; completes "a record has …". */
export function wouldRound(property: string): string {
  return `a number in "${property}" that its column would round, and schema_change is fail`;
}

/** Whether the property goes on in a new column. A key stays in its column: equal keys must meet. */
export function goesToNewColumn({ name }: NarrowColumn, key: readonly string[], schemaChange: SchemaChange): boolean {
  return schemaChange === 'new_column' && !key.includes(name);
}

/** The kind that holds every value of a property whose column turned out too narrow for one of them. */
export function exactKind(kind: ColumnKind): ColumnKind {
  return kind === 'integer' || kind === 'big_integer' ? 'big_integer' : 'decimal';
}

/** Tells that the property goes on in the new column `name`. */
export function tellNewColumn(log: Log, stream: string, { property, name }: NarrowColumn): void {
  log.info(
    'column_added',
    `stream "${stream}": property "${property}" goes to the new column "${name}", to keep every digit`,
    { stream },
  );
}

/** Tells that the column was widened. `how` completes "column … was …". */
export function tellWidened(log: Log, stream: string, { name }: NarrowColumn, how: string): void {
  log.info('column_widened', `stream "${stream}": column "${name}" was ${how}, to keep every digit`, { stream });
}
