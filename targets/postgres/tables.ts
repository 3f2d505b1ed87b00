/** Tables of the PostgreSQL target: made, widened, and refused when that would lose data. In the caller's transaction. */
import { ConnectorError } from '../../singer/errors.ts';
import type { Log } from '../../singer/log.ts';
import type { SinkStream } from '../../singer/sink.ts';
import { type ColumnKind, columnsOf, indexGroups, keptColumns } from '../columns.ts';
import { assignNames, columnNameFor, shortened, shortHash, tableNameFor } from '../names.ts';
import { checkKeyColumns, checkWidth, keyTypeChanged, noColumns, typeChanged, type WidthLimit } from '../refusals.ts';
import { exactKind, goesToNewColumn, tellNewColumn, tellWidened } from '../rounding.ts';
import type { SchemaChange } from '../settings.ts';
import type { Session } from './connection.ts';
import { type ColumnInfo, exists, isEmpty, type TableInfo, tableInfo } from './inspection.ts';
import { fold, moveName, readRegistry, rememberNames, storable, tableName } from './registry.ts';
import {
  addColumn,
  changeType,
  createIndex,
  createTable,
  full,
  NAME_BYTES,
  quote,
  type Relation,
  SYSTEM_COLUMNS,
} from './sql.ts';
import {
  conversion,
  declaredType,
  type Holder,
  holderOf,
  holds,
  keyFits,
  unlimitedType,
  widenedType,
} from './types.ts';

/** One property and the column it goes to. */
export interface Column {
  readonly property: string;
  readonly kind: ColumnKind;
  /** A property may move to a new column. */
  name: string;
  declared: string;
  /** What it can hold; widening changes it. */
  holder: Holder;
}

/** A stream's table, ready for rows. */
export interface Table {
  readonly stream: string;
  readonly relation: Relation;
  /** Its name once it has replaced the stream's former table; else the same. */
  readonly final: Relation;
  readonly columns: readonly Column[];
  /** Column names of the key; empty means that rows are appended. */
  readonly key: readonly string[];
  readonly partitioned: boolean;
  /** No row is in it yet. */
  readonly empty: boolean;
  /** It was made in this run, so its indexes are made at the end, or by the next run if this one dies. */
  readonly made: boolean;
}

/** How tables are made and changed. */
export interface TableRules {
  readonly schema: string;
  readonly appendOnly: boolean;
  readonly schemaChange: SchemaChange;
  /** The rows go into a table beside the stream's own, which takes its place when the load is whole. */
  readonly aside: boolean;
  /** The first time in this run: what an earlier one has left aside is removed. */
  readonly fresh: boolean;
  /** This run has made the table. */
  readonly made: boolean;
  /** Table names that belong to somebody else although the schema may not show it yet. */
  readonly reserved: readonly string[];
  /** The table gets its key and indexes later, when all rows are in. */
  readonly bare: boolean;
}

/** PostgreSQL's limit (MaxHeapAttributeNumber), columns that were dropped included. */
const WIDTH: WidthLimit = { most: 1_600, told: 'columns, and a table of PostgreSQL has at most' };

/** Begins the name of a table that is loaded aside; streams get none that begins so. */
const ASIDE = '_tapworks_new_';

/** Creates or widens the table of a stream and returns it. */
export async function prepareTable(session: Session, stream: SinkStream, rules: TableRules): Promise<Table> {
  const { schema, appendOnly } = rules;
  const registry = await readRegistry(session, schema);
  const name = await tableName(session, schema, stream.name, registry.tables, rules.reserved);
  const final = { schema, name };
  const relation = rules.aside ? { schema, name: shortened(`${ASIDE}${name}`, name, NAME_BYTES) } : final;
  if (rules.aside && rules.fresh) await session.query(`DROP TABLE IF EXISTS ${full(relation)}`);
  const existing = await tableInfo(session, relation);
  const columns = columnsIn(stream, existing?.columns ?? [], registry.columns(stream.name));
  const names = [...(existing?.columns ?? []), ...columns].map(({ name: column }) => column);
  checkWidth(stream.name, new Set(names), WIDTH);
  const keyColumns = stream.key.flatMap((property) => columns.filter((column) => column.property === property));
  const key = keyColumns.map((column) => column.name);
  if (existing === undefined) {
    if (columns.length === 0) throw noColumns(stream.name);
    await session.query(createTable(relation, columns, appendOnly || rules.bare ? [] : key));
  } else {
    if (!rules.bare) checkKey(stream.name, relation, existing, columns, keyColumns, appendOnly);
    for (const column of columns) {
      if (existing.columns.some((info) => info.name === column.name)) continue;
      await session.query(addColumn(relation, column));
    }
    for (const column of columns.filter((one) => !keeps(one))) {
      await changeColumn(session, stream.name, relation, column, rules.schemaChange);
    }
  }
  await rememberNames(session, final, stream.name, columns);
  const empty = existing === undefined || (await isEmpty(session, relation));
  const made = rules.made || existing === undefined;
  const table = {
    stream: stream.name,
    relation,
    final,
    columns,
    key: appendOnly ? [] : key,
    empty,
    made,
    partitioned: existing?.partitioned === true,
  };
  // The table that is going to be replaced has its indexes under the same names. A new table gets them when it is full.
  if (!rules.aside && !made) await makeIndexes(session, stream, final, columns);
  return table;
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
  const known = new Map(names.filter((name) => !taken.has(name)).map((name) => [name, name]));
  for (const { property } of wanted) {
    const name = remembered.get(storable(property));
    if (name !== undefined) known.set(property, name);
  }
  const plain = new Map(wanted.map(({ property }) => [property, columnNameFor(property)]));
  const assigned = assignNames(plain, known, [...names, ...taken, ...SYSTEM_COLUMNS, ''], fold, NAME_BYTES);
  return wanted.map(({ property, kind }): Column => {
    const name = assigned.get(property) ?? property;
    const declared = existing.find((info) => info.name === name)?.declared ?? declaredType(kind);
    return { property, kind, name, declared, holder: holderOf(declared) };
  });
}

/** Refuses a stream whose key is not that of its table. */
function checkKey(
  stream: string,
  { name: table }: Relation,
  { keys }: TableInfo,
  columns: readonly Column[],
  key: readonly Column[],
  appendOnly: boolean,
): void {
  checkKeyColumns({
    stream,
    table,
    primary: keys.find(({ primary }) => primary)?.columns ?? [],
    unique: keys.map((one) => one.columns),
    wanted: key.map(({ name }) => name),
    columns: columns.map(({ name }) => name),
    appendOnly,
    fold,
  });
  if (appendOnly) return;
  for (const { name, kind, holder, declared } of key) {
    if (unlimitedType(declared, kind) !== undefined) {
      throw new ConnectorError(
        'destination',
        `stream "${stream}": table "${table}" has the key column "${name}" as ${declared}, which may round or cut keys until two become one`,
        { stream },
        { hint: `give the column the type ${declaredType(kind)}, or rename the table to begin a new one` },
      );
    }
    if (!keyFits(holder, kind)) throw keyTypeChanged(stream, table, name, declared, kind);
  }
}

/** Whether a column takes every ordinary value of its property as it is. */
function keeps({ declared, holder, kind }: Column): boolean {
  return holds(holder, kind) && unlimitedType(declared, kind) === undefined;
}

/** Makes room for a kind that its column cannot hold, as `schema_change` says. */
async function changeColumn(
  session: Session,
  stream: string,
  table: Relation,
  column: Column,
  schemaChange: SchemaChange,
): Promise<void> {
  if (schemaChange === 'widen') return widenColumn(session, table, column);
  if (schemaChange === 'new_column') return newColumn(session, stream, table, column, column.kind);
  throw typeChanged(stream, column.property, column.declared, column.kind);
}

/** Gives a column the type that holds its values and those of its property's kind, without loss. */
export async function widenColumn(
  session: Session,
  table: Relation,
  column: Column,
  kind: ColumnKind = column.kind,
): Promise<void> {
  const unlimited = unlimitedType(column.declared, kind);
  let type = unlimited ?? column.declared;
  let values = quote(column.name);
  // By way of its text, because a real turned into a double shows digits that it never had.
  if (unlimited !== undefined) values = `(${values}${column.declared === 'real' ? '::text' : ''}::${unlimited})`;
  if (unlimited === undefined || !holds(holderOf(unlimited), kind)) {
    const holder = holderOf(type);
    type = widenedType(holder, kind);
    values = conversion(values, holder, type);
  }
  await session.query(changeType(table, column.name, type, values));
  column.declared = type;
  column.holder = holderOf(type);
}

/**
 * Gives a property a new column of another kind beside the one it had, which stays as it is with what it holds. From now
 * on, and in every later run, the property goes to the new one.
 */
export async function newColumn(
  session: Session,
  stream: string,
  table: Relation,
  column: Column,
  kind: ColumnKind,
): Promise<void> {
  const wanted = new Map([[column.property, `${column.name}__${kind}`]]);
  const taken = (await tableInfo(session, table))?.columns.map(({ name }) => name) ?? [];
  const name = assignNames(wanted, new Map(), taken, fold, NAME_BYTES).get(column.property) ?? column.name;
  const declared = declaredType(kind);
  await session.query(addColumn(table, { name, declared }));
  await moveName(session, table.schema, stream, column.property, name);
  column.name = name;
  column.declared = declared;
  column.holder = holderOf(declared);
}

/** Makes room for a number that a column would round. */
export async function makeRoom(
  session: Session,
  { stream, relation, key }: Table,
  column: Column,
  schemaChange: SchemaChange,
  log: Log,
): Promise<void> {
  const kind = exactKind(column.kind);
  if (goesToNewColumn(column, key, schemaChange)) {
    await newColumn(session, stream, relation, column, kind);
    tellNewColumn(log, stream, column);
  } else {
    const former = column.declared;
    await widenColumn(session, relation, column, kind);
    tellWidened(log, stream, column, `${former} and is now ${column.declared}`);
  }
}

/** Makes the indexes that the stream's schema asks for. */
export async function makeIndexes(
  session: Session,
  stream: SinkStream,
  table: Relation,
  columns: readonly Column[],
): Promise<void> {
  const nameOf = (property: string) => columns.find((column) => column.property === property)?.name;
  for (const group of indexGroups(stream.schema, nameOf)) {
    const hash = shortHash(JSON.stringify([table.name, group]));
    const readable = shortened(`ix_${tableNameFor([table.name, ...group].join('_'))}`, hash, NAME_BYTES - 9);
    const index = { schema: table.schema, name: `${readable}_${hash}` };
    // Even an index that is there would make the statement wait for whoever writes to the table.
    if (!(await exists(session, index))) await session.query(createIndex(index.name, table, group));
  }
}

/** The column that a property of the stream goes to; undefined without one. */
export function columnFor(table: Table, property: string): string | undefined {
  return table.columns.find((column) => column.property === property)?.name;
}
