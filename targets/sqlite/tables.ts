/** Tables of the SQLite target: made, widened, and refused when that would lose data. Everything runs in the caller's transaction. */
import { randomBytes } from 'node:crypto';
import { kill } from 'node:process';
import type { Database } from 'better-sqlite3';
import { systemCode } from '../../singer/errors.ts';
import type { SinkStream } from '../../singer/sink.ts';
import { type ColumnKind, columnsOf, indexGroups, keptColumns, TEXTUAL } from '../columns.ts';
import { assignNames, columnNameFor, shortHash, tableNameFor } from '../names.ts';
import { checkWidth, noColumns, typeChanged, type WidthLimit } from '../refusals.ts';
import type { SchemaChange } from '../settings.ts';
import { type ColumnInfo, columnInfo, countingRowid } from './inspection.ts';
import { checkKey } from './keys.ts';
import { fold, readRegistry, rememberNames, tableName } from './registry.ts';
import {
  type Affinity,
  addColumn,
  affinityOf,
  createIndex,
  createTable,
  declaredType,
  dropTable,
  TAKEN_NAMES,
} from './sql.ts';
import { newColumn, widenColumns } from './widening.ts';

/** One property and the column it goes to. */
export interface Column {
  readonly property: string;
  readonly kind: ColumnKind;
  /** Text is stored as it comes. */
  readonly textual: boolean;
  /** A property may move to a new column. */
  name: string;
  /** Widening takes it to NONE. */
  affinity: Affinity;
}

/** A stream's table, ready for rows. */
export interface Table {
  readonly stream: string;
  readonly name: string;
  /** Its name once it has replaced the stream's former table; else the same. */
  readonly final: string;
  readonly columns: readonly Column[];
  /** Column names of the key; empty means that rows are appended. */
  readonly key: readonly string[];
  /** Name by which rows are counted (`rowid` or an alias that no column hides), if growth of its maximum counts inserts. */
  readonly rowid: string | undefined;
  /**
   * It was made in this run, so its indexes are made at the end: a load of 165,850 rows that keeps three of them up to date
   * takes twice the processor time. After a crash the next run makes them before it loads.
   */
  readonly made: boolean;
}

/** How tables are made and changed. */
export interface TableRules {
  readonly appendOnly: boolean;
  readonly schemaChange: SchemaChange;
  /** The rows go into a table beside the stream's own, which `replaceTables` puts in its place. */
  readonly aside: string | undefined;
  /** The first time in this run: what an earlier one has left aside is removed. */
  readonly fresh: boolean;
  /** This run has made the table. */
  readonly made: boolean;
  /** Table names that belong to somebody else although nothing in the file may tell yet. */
  readonly reserved: readonly string[];
}

/** SQLite's limit (SQLITE_MAX_COLUMN), which cannot be raised at run time. */
const WIDTH: WidthLimit = { most: 2_000, told: 'columns, and a table of SQLite has at most' };

/** Begins the names of tables that are loaded aside; streams get none that begins so. */
const ASIDE = '_tapworks_new_';

/** Begins the names of the tables that one load keeps aside. Another load of the same file has its own. */
export function asideOf(process: number): string {
  return `${ASIDE}${process}_${randomBytes(4).toString('hex')}_`;
}

/** Removes what loads have left aside whose process is gone. */
function dropAbandoned(db: Database): void {
  for (const { name } of db.prepare(TAKEN_NAMES).all() as { readonly name: string }[]) {
    const [, process] = new RegExp(`^${ASIDE}(\\d+)_[0-9a-f]{8}_`).exec(name) ?? [];
    if (process !== undefined && !isAlive(Number(process))) db.exec(dropTable(name));
  }
}

function isAlive(process: number): boolean {
  try {
    return kill(process, 0);
  } catch (cause) {
    // Whoever may not be signalled is there.
    return systemCode(cause) === 'EPERM';
  }
}

/** Creates or widens the table of a stream and returns it. */
export function prepareTable(db: Database, stream: SinkStream, rules: TableRules): Table {
  const { appendOnly } = rules;
  const registry = readRegistry(db);
  const final = tableName(db, stream.name, registry.tables, rules.reserved);
  const name = rules.aside === undefined ? final : `${rules.aside}${final}`;
  if (rules.aside !== undefined && rules.fresh) dropAbandoned(db);
  const existing = columnInfo(db, name);
  const columns = columnsIn(stream, existing, registry.columns(stream.name));
  checkWidth(stream.name, new Set([...existing, ...columns].map(({ name: column }) => fold(column))), WIDTH);
  const keyColumns = columns.filter(({ property }) => stream.key.includes(property));
  if (existing.length === 0) {
    const shape = columns.map(({ name: column, kind, property }) => ({
      name: column,
      declared: declaredType(kind),
      notNull: stream.key.includes(property),
    }));
    if (shape.length === 0) throw noColumns(stream.name);
    db.exec(createTable(name, shape, inKeyOrder(stream.key, keyColumns), !appendOnly));
  } else {
    checkKey(db, stream.name, name, existing, columns, keyColumns, appendOnly);
    for (const column of columns) {
      if (existing.some((info) => fold(info.name) === fold(column.name))) continue;
      db.exec(addColumn(name, column.name, declaredType(column.kind)));
    }
    const narrow = columns.filter((column) => !holds(column.affinity, column.kind));
    changeColumns(db, stream.name, name, narrow, rules.schemaChange);
  }
  rememberNames(db, stream.name, final, columns);
  // The table that is going to be replaced has its indexes under the same names. A new table gets them when it is full.
  const made = rules.made || existing.length === 0;
  if (rules.aside === undefined && !made) makeIndexes(db, stream, name, columns);
  return {
    stream: stream.name,
    name,
    final,
    columns,
    key: appendOnly ? [] : keyColumns.map((column) => column.name),
    rowid: countingRowid(db, name, columnInfo(db, name)),
    made,
  };
}

/** The columns that a stream asks for, by the names that they have or get. */
function columnsIn(
  stream: SinkStream,
  existing: readonly ColumnInfo[],
  remembered: ReadonlyMap<string, string>,
): Column[] {
  const names = existing.map((column) => column.name);
  const wanted = [...columnsOf(stream.schema), ...keptColumns(stream.schema, names)];
  const taken = new Set(remembered.values());
  const known = new Map(existing.filter((column) => !taken.has(column.name)).map((c) => [c.name, c.name]));
  for (const [property, column] of remembered) known.set(property, column);
  const plain = new Map(wanted.map(({ property }) => [property, columnNameFor(property)]));
  const assigned = assignNames(plain, known, names, fold);
  return wanted.map(({ property, kind }): Column => {
    const column = assigned.get(property) ?? property;
    const found = existing.find((info) => fold(info.name) === fold(column));
    const affinity = affinityOf(found?.type ?? declaredType(kind));
    return { property, name: column, kind, textual: TEXTUAL.has(kind), affinity };
  });
}

/** Makes room for kinds that their columns cannot hold, as `schema_change` says. */
function changeColumns(
  db: Database,
  stream: string,
  table: string,
  narrow: readonly Column[],
  schemaChange: SchemaChange,
): void {
  const [first] = narrow;
  if (first === undefined) return;
  if (schemaChange === 'widen') {
    widenColumns(db, stream, table, narrow);
    return;
  }
  if (schemaChange === 'new_column') {
    for (const column of narrow) newColumn(db, stream, table, column, column.kind);
    return;
  }
  const declared = columnInfo(db, table).find(({ name }) => fold(name) === fold(first.name))?.type;
  throw typeChanged(stream, first.property, declared, first.kind);
}

/** Makes the indexes that the stream's schema asks for. */
export function makeIndexes(db: Database, stream: SinkStream, table: string, columns: readonly Column[]): void {
  const nameOf = (property: string) => columns.find((column) => column.property === property)?.name;
  for (const group of indexGroups(stream.schema, nameOf)) {
    const index = `ix_${tableNameFor([table, ...group].join('_')).slice(0, 100)}_${shortHash(JSON.stringify([table, group]))}`;
    db.exec(createIndex(index, table, group));
  }
}

/** The column that a property of the stream goes to, by the name that SQLite knows; undefined without one. */
export function columnFor(table: Table, property: string): string | undefined {
  return table.columns.find((column) => column.property === property)?.name;
}

/** Whether a column of this affinity takes every ordinary value of the kind as it is; rare values widen it later. */
function holds(affinity: Affinity, kind: ColumnKind): boolean {
  if (affinity === 'TEXT' || affinity === 'NONE') return true;
  return kind === 'integer' || kind === 'big_integer' || kind === 'number' || kind === 'boolean';
}

function inKeyOrder(key: readonly string[], columns: readonly Column[]): string[] {
  return key.flatMap((property) => columns.filter((column) => column.property === property).map(({ name }) => name));
}
