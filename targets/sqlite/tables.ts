/** Tables of the SQLite target: made, widened, and refused when that would lose data. Everything runs in the caller's transaction. */
import type { Database } from 'better-sqlite3';
import { ConnectorError } from '../../singer/errors.ts';
import type { SinkStream } from '../../singer/sink.ts';
import { type ColumnKind, columnsOf } from '../columns.ts';
import { assignNames, columnNameFor, shortHash, tableNameFor } from '../names.ts';
import { fold, readRegistry, rememberNames, tableName } from './registry.ts';
import {
  type Affinity,
  addColumn,
  affinityOf,
  copyRows,
  createIndex,
  createTable,
  DEPENDENT_SQL,
  declaredType,
  OBJECT_SQL,
  quote,
  TABLE_COLUMNS,
  UNIQUE_KEYS,
} from './sql.ts';

/** One property and the column it goes to. */
export interface Column {
  readonly property: string;
  readonly name: string;
  readonly kind: ColumnKind;
  /** Widening takes it to NONE. */
  affinity: Affinity;
}

/** A stream's table, ready for rows. */
export interface Table {
  readonly stream: string;
  readonly name: string;
  readonly columns: readonly Column[];
  /** Column names of the key; empty means that rows are appended. */
  readonly key: readonly string[];
  /** Name by which rows are counted (`rowid` or an alias that no column hides), if growth of its maximum counts inserts. */
  readonly rowid: string | undefined;
}

interface ColumnInfo {
  readonly name: string;
  readonly type: string;
  readonly notnull: number;
  readonly pk: number;
  readonly hidden: number;
}

/** Creates or widens the table of a stream and returns it. */
export function prepareTable(db: Database, stream: SinkStream, appendOnly: boolean): Table {
  const registry = readRegistry(db);
  const name = tableName(db, stream.name, registry.tables);
  const wanted = columnsOf(stream.schema);
  const existing = columnInfo(db, name);
  const taken = new Set(registry.columns(stream.name).values());
  const known = new Map(existing.filter((column) => !taken.has(column.name)).map((c) => [c.name, c.name]));
  for (const [property, column] of registry.columns(stream.name)) known.set(property, column);
  const plain = new Map(wanted.map(({ property }) => [property, columnNameFor(property)]));
  const assigned = assignNames(
    plain,
    known,
    existing.map((column) => column.name),
    fold,
  );
  const columns = wanted.map(({ property, kind }): Column => {
    const column = assigned.get(property) ?? property;
    const found = existing.find((info) => fold(info.name) === fold(column));
    return { property, name: column, kind, affinity: affinityOf(found?.type ?? declaredType(kind)) };
  });
  const keyColumns = columns.filter(({ property }) => stream.key.includes(property));
  const key = keyColumns.map((column) => column.name);
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
    if (narrow.length > 0) widenColumns(db, stream.name, name, narrow);
  }
  rememberNames(db, stream.name, name, columns);
  for (const group of indexGroups(stream, columns)) {
    const index = `ix_${tableNameFor([name, ...group].join('_')).slice(0, 100)}_${shortHash(JSON.stringify([name, group]))}`;
    db.exec(createIndex(index, name, group));
  }
  return {
    stream: stream.name,
    name,
    columns,
    key: appendOnly ? [] : key,
    rowid: countingRowid(db, name, columnInfo(db, name)),
  };
}

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
  db.exec(`DROP TABLE ${quote(table)}`);
  db.exec(`ALTER TABLE ${quote(temporary)} RENAME TO ${quote(table)}`);
  for (const { sql: dependent } of dependents) db.exec(dependent);
  for (const column of columns) column.affinity = 'NONE';
}

/** Rebinds nothing, reads only: the affinities as they are now, after another program changed the schema. */
export function refreshAffinities(db: Database, table: Table): void {
  const found = columnInfo(db, table.name);
  for (const column of table.columns) {
    const info = found.find(({ name }) => fold(name) === fold(column.name));
    if (info !== undefined) column.affinity = affinityOf(info.type);
  }
}

function columnInfo(db: Database, table: string): ColumnInfo[] {
  return db.prepare(TABLE_COLUMNS).all(table) as ColumnInfo[];
}

/** Whether a column of this affinity takes every ordinary value of the kind as it is; rare values widen it later. */
function holds(affinity: Affinity, kind: ColumnKind): boolean {
  if (affinity === 'TEXT' || affinity === 'NONE') return true;
  return kind === 'integer' || kind === 'big_integer' || kind === 'number' || kind === 'boolean';
}

function inKeyOrder(key: readonly string[], columns: readonly Column[]): string[] {
  return key.flatMap((property) => columns.filter((column) => column.property === property).map(({ name }) => name));
}

function noColumns(stream: string): ConnectorError {
  return new ConnectorError(
    'schema',
    `the schema of stream "${stream}" has no properties, so its table would have no columns`,
    { stream },
    { hint: 'select at least one property of the stream' },
  );
}

function checkKey(
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

/** Column lists of `x-indexes`; an index over a deselected property has nothing to index. */
function indexGroups(stream: SinkStream, columns: readonly Column[]): readonly string[][] {
  const wanted = stream.schema['x-indexes'];
  if (!Array.isArray(wanted)) return [];
  return wanted.flatMap((group: unknown) => {
    if (!Array.isArray(group) || group.length === 0) return [];
    const names = group.map((property) => columns.find((column) => column.property === property)?.name);
    return names.every((name) => name !== undefined) ? [names] : [];
  });
}

/** A name of the row number that no column hides. */
function rowidName(existing: readonly ColumnInfo[]): string | undefined {
  return ['rowid', '_rowid_', 'oid'].find((name) => !existing.some((info) => fold(info.name) === name));
}

/** In tables made by hand the row number may be the key itself, or not exist; then its growth counts nothing. */
function countingRowid(db: Database, table: string, existing: readonly ColumnInfo[]): string | undefined {
  const primary = existing.filter(({ pk }) => pk > 0);
  if (primary.length === 1 && /^integer$/i.test(primary[0]?.type ?? '')) return undefined;
  const { sql } = db.prepare(OBJECT_SQL).get(table) as { readonly sql: string };
  return /\bWITHOUT\s+ROWID\b/i.test(sql) ? undefined : rowidName(existing);
}
