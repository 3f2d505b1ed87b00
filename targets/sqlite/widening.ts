/** A column whose property changed its type: it gives way without losing a value, or is refused. */
import type { Database } from 'better-sqlite3';
import { ConnectorError } from '../../singer/errors.ts';
import type { Log } from '../../singer/log.ts';
import type { ColumnKind } from '../columns.ts';
import { assignNames } from '../names.ts';
import { exactKind, goesToNewColumn, tellNewColumn, tellWidened } from '../rounding.ts';
import type { SchemaChange } from '../settings.ts';
import { columnInfo, rowidName } from './inspection.ts';
import { fold, moveName } from './registry.ts';
import {
  addColumn,
  affinityOf,
  copyRows,
  createTable,
  DEPENDENT_SQL,
  declaredType,
  dropTable,
  OBJECT_SQL,
  renameTable,
} from './sql.ts';
import type { Column, Table } from './tables.ts';

/**
 * Takes away the types of columns, so that every value stays exactly as it is bound. SQLite cannot change a column's
 * type, so the table is written anew under the same name with its row numbers, keys, indexes and triggers.
 */
export function widenColumns(db: Database, stream: string, table: string, columns: readonly Column[]): void {
  const before = columnInfo(db, table);
  const sql = (db.prepare(OBJECT_SQL).get(table) as { sql: string }).sql;
  // Clauses that this target never writes would be lost.
  const clause =
    /\b(CHECK|COLLATE|UNIQUE|REFERENCES|GENERATED|DEFAULT|WITHOUT|STRICT|AUTOINCREMENT|CONSTRAINT)\b/i.exec(
      sql.replace(/"(?:[^"]|"")*"|\[[^\]]*\]|`[^`]*`/g, '""'),
    )?.[1];
  if (clause !== undefined) {
    throw new ConnectorError(
      'destination',
      `column "${columns[0]?.name}" of table "${table}" cannot hold the values that stream "${stream}" sends, and the table cannot be widened because it was made by hand (${clause.toUpperCase()})`,
      { stream },
      { hint: `declare the column without a type yourself, or let the target make the table` },
    );
  }
  const names = new Set(columns.map((column) => fold(column.name)));
  const shape = before.map(({ name, type, notnull }) => ({
    name,
    declared: names.has(fold(name)) ? '' : type,
    notNull: notnull === 1,
  }));
  const key = before.filter(({ pk }) => pk > 0).sort((a, b) => a.pk - b.pk);
  const dependents = db.prepare(DEPENDENT_SQL).all(table) as { readonly sql: string }[];
  const temporary = `${table}__tapworks_rebuild`;
  const keyNames = key.map(({ name }) => name);
  const all = before.map(({ name }) => name);
  db.exec(createTable(temporary, shape, keyNames, true));
  db.exec(copyRows(table, temporary, all, rowidName(before)));
  db.exec(dropTable(table));
  db.exec(renameTable(temporary, table));
  for (const { sql: dependent } of dependents) db.exec(dependent);
  for (const column of columns) column.affinity = 'NONE';
}

/**
 * Gives a property a new column of another kind beside the one it had, which stays as it is with what it holds. From now
 * on, and in every later run, the property goes to the new one.
 */
export function newColumn(db: Database, stream: string, table: string, column: Column, kind: ColumnKind): void {
  const wanted = new Map([[column.property, `${column.name}__${kind}`]]);
  const taken = columnInfo(db, table).map(({ name }) => name);
  const name = assignNames(wanted, new Map(), taken, fold).get(column.property) ?? column.name;
  const declared = declaredType(kind);
  db.exec(addColumn(table, name, declared));
  moveName(db, stream, column.property, name);
  column.name = name;
  column.affinity = affinityOf(declared);
}

/** Makes room for a number that a column would round. */
export function makeRoom(db: Database, table: Table, column: Column, schemaChange: SchemaChange, log: Log): void {
  const { stream, name, key } = table;
  if (goesToNewColumn(column, key, schemaChange)) {
    newColumn(db, stream, name, column, exactKind(column.kind));
    tellNewColumn(log, stream, column);
  } else {
    widenColumns(db, stream, name, [column]);
    tellWidened(log, stream, column, 'rebuilt without a type');
  }
}
