/** The SQL of the SQLite target: one builder per statement, every name quoted here. Values are always bound. */
import type { ColumnKind } from '../columns.ts';

/** How SQLite converts what a column is given; it follows from the declared type. */
export type Affinity = 'INTEGER' | 'NUMERIC' | 'REAL' | 'TEXT' | 'NONE';

/** One column of a table as SQLite has it. */
export interface TableColumn {
  readonly name: string;
  readonly declared: string;
  readonly notNull: boolean;
}

/** SQLite's limit of bound values in one statement (SQLITE_MAX_VARIABLE_NUMBER since 3.32). */
const MAX_VARIABLES = 32_766;

/** Measured on 165,850 rows of 14 columns: 10 to 1,000 rows per statement are 1.25 × as fast as one; more than 50 adds nothing. */
const ROWS_PER_STATEMENT = 50;

/** The table of names that are not what their stream or property is called. */
export const REGISTRY = '_tapworks_names';

/** Quotes a name. Inside, only the quote itself means something. */
export function quote(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}

function list(names: readonly string[]): string {
  return names.map(quote).join(', ');
}

/**
 * The declared type of each kind. BIGINT and not INTEGER: a single INTEGER key would become the rowid itself, whose
 * growth then no longer counts inserted rows. JSON is kept as TEXT, since the declared type JSON has numeric affinity.
 */
export function declaredType(kind: ColumnKind): string {
  switch (kind) {
    case 'boolean':
      return 'BOOLEAN';
    case 'integer':
      return 'BIGINT';
    case 'number':
      return 'REAL';
    // INTEGER, REAL and NUMERIC turn long digits into a double; without a type values stay as they are bound.
    case 'big_integer':
    case 'decimal':
      return '';
    default:
      return 'TEXT';
  }
}

/** SQLite's own rules, in its order. */
export function affinityOf(declared: string): Affinity {
  const type = declared.toUpperCase();
  if (type.includes('INT')) return 'INTEGER';
  if (/CHAR|CLOB|TEXT/.test(type)) return 'TEXT';
  if (type === '' || type.includes('BLOB')) return 'NONE';
  return /REAL|FLOA|DOUB/.test(type) ? 'REAL' : 'NUMERIC';
}

/** Rows that go into one statement over this many columns. */
export function rowsPerStatement(columns: number): number {
  return Math.max(1, Math.min(ROWS_PER_STATEMENT, Math.floor(MAX_VARIABLES / Math.max(1, columns))));
}

/** CREATE TABLE; keys are NOT NULL (SQLite would allow null in a primary key) and, if `primary`, the primary key. */
export function createTable(
  table: string,
  columns: readonly TableColumn[],
  key: readonly string[],
  primary: boolean,
): string {
  const parts = columns.map(({ name, declared, notNull }) =>
    [quote(name), declared, ...(notNull ? ['NOT NULL'] : [])].filter((part) => part !== '').join(' '),
  );
  if (primary && key.length > 0) parts.push(`PRIMARY KEY (${list(key)})`);
  return `CREATE TABLE ${quote(table)} (${parts.join(', ')})`;
}

/** DROP TABLE, if it is there. */
export function dropTable(table: string): string {
  return `DROP TABLE IF EXISTS ${quote(table)}`;
}

/** ALTER TABLE … RENAME TO. */
export function renameTable(from: string, to: string): string {
  return `ALTER TABLE ${quote(from)} RENAME TO ${quote(to)}`;
}

/** ALTER TABLE … ADD COLUMN. */
export function addColumn(table: string, name: string, declared: string): string {
  return `ALTER TABLE ${quote(table)} ADD COLUMN ${quote(name)} ${declared}`.trimEnd();
}

/** CREATE INDEX, unless it is there. */
export function createIndex(index: string, table: string, columns: readonly string[]): string {
  return `CREATE INDEX IF NOT EXISTS ${quote(index)} ON ${quote(table)} (${list(columns)})`;
}

/** Copies all rows with their row numbers, so that counting by max(rowid) stays right. */
export function copyRows(from: string, to: string, columns: readonly string[], rowid: string | undefined): string {
  const names = list(columns);
  const all = rowid === undefined ? names : `${rowid}, ${names}`;
  return `INSERT INTO ${quote(to)} (${all}) SELECT ${all} FROM ${quote(from)}`;
}

/**
 * INSERT of `rows` rows, or with a key the upsert. An existing row is touched only if something differs: unchanged
 * rows cost no write and are not counted as updates. The values of the columns in `shared` come first and once, for all
 * rows; at least one column must not be shared.
 */
export function insertRows(
  table: string,
  columns: readonly string[],
  key: readonly string[],
  rows: number,
  shared: ReadonlySet<string> = new Set(),
): string {
  const insert = `INSERT INTO ${quote(table)} (${list(columns)}) ${rowSource(columns, rows, shared)}`;
  if (key.length === 0) return insert;
  const rest = columns.filter((name) => !key.includes(name));
  const conflict = `${insert} ON CONFLICT (${list(key)}) DO`;
  if (rest.length === 0) return `${conflict} NOTHING`;
  const set = rest.map((name) => `${quote(name)} = excluded.${quote(name)}`).join(', ');
  const differs = rest.map((name) => `${quote(table)}.${quote(name)} IS NOT excluded.${quote(name)}`);
  return `${conflict} UPDATE SET ${set} WHERE ${either(differs)}`;
}

function rowSource(columns: readonly string[], rows: number, shared: ReadonlySet<string>): string {
  const own = columns.filter((name) => !shared.has(name));
  const one = `(${own.map(() => '?').join(', ')})`;
  const values = `VALUES ${new Array<string>(rows).fill(one).join(', ')}`;
  if (own.length === columns.length) return values;
  const common = columns.filter((name) => shared.has(name));
  const sources = columns.map((name) =>
    shared.has(name) ? `s.c${common.indexOf(name)}` : `v.column${own.indexOf(name) + 1}`,
  );
  const once = common.map((_name, index) => `? AS c${index}`).join(', ');
  // A CROSS JOIN keeps the order of the rows. The WHERE tells the parser that ON belongs to the upsert.
  return `SELECT ${sources.join(', ')} FROM (SELECT ${once}) s CROSS JOIN (${values}) v WHERE true`;
}

/** The upsert of one row that is gone: columns that its record leaves out, or sends as null, stay as they are. */
export function mergeRow(table: string, columns: readonly string[], key: readonly string[]): string {
  const insert = insertRows(table, columns, [], 1);
  const rest = columns.filter((name) => !key.includes(name));
  const kept = (name: string) => `coalesce(excluded.${quote(name)}, ${quote(table)}.${quote(name)})`;
  const set = rest.map((name) => `${quote(name)} = ${kept(name)}`).join(', ');
  const differs = rest.map((name) => `${quote(table)}.${quote(name)} IS NOT ${kept(name)}`);
  return `${insert} ON CONFLICT (${list(key)}) DO UPDATE SET ${set} WHERE ${either(differs)}`;
}

/** DELETE of the row of a key. */
export function deleteRow(table: string, key: readonly string[]): string {
  return `DELETE FROM ${quote(table)} WHERE ${key.map((name) => `${quote(name)} = ?`).join(' AND ')}`;
}

/** The versions that rows have. */
export function distinctVersions(table: string, version: string): string {
  return `SELECT DISTINCT ${quote(version)} FROM ${quote(table)}`;
}

/** Rows by the version in `column`: one of so many, or, if `unversioned`, none. */
export interface OfVersions {
  readonly column: string;
  readonly versions: number;
  readonly unversioned: boolean;
}

function ofVersions({ column, versions, unversioned }: OfVersions): string {
  const listed = `${quote(column)} IN (${new Array<string>(versions).fill('?').join(', ')})`;
  return unversioned ? `(${listed} OR ${quote(column)} IS NULL)` : listed;
}

/** DELETE of the rows of some versions. */
export function deleteVersions(table: string, which: OfVersions): string {
  return `DELETE FROM ${quote(table)} WHERE ${ofVersions(which)}`;
}

/** Stamps the rows of some versions that have no stamp yet; the stamp is the first value. */
export function stampVersions(table: string, stamp: string, which: OfVersions): string {
  return `UPDATE ${quote(table)} SET ${quote(stamp)} = ? WHERE ${quote(stamp)} IS NULL AND ${ofVersions(which)}`;
}

/** OR over any number of conditions, halved: a flat chain of more than 1,000 is too deep for SQLite. */
function either(conditions: readonly string[]): string {
  if (conditions.length <= 500) return conditions.join(' OR ');
  const half = Math.ceil(conditions.length / 2);
  return `(${either(conditions.slice(0, half))}) OR (${either(conditions.slice(half))})`;
}

/** The registry of names; `property` is empty for the name of the table itself. */
export const CREATE_REGISTRY = `CREATE TABLE IF NOT EXISTS ${quote(REGISTRY)} (
  kind TEXT NOT NULL CHECK (kind IN ('table', 'column')),
  stream TEXT NOT NULL,
  property TEXT NOT NULL,
  name TEXT NOT NULL,
  PRIMARY KEY (kind, stream, property)
)`;

export const READ_REGISTRY = `SELECT kind, stream, property, name FROM ${quote(REGISTRY)}`;

export const REMEMBER_NAME = `INSERT INTO ${quote(REGISTRY)} (kind, stream, property, name) VALUES (?, ?, ?, ?)
  ON CONFLICT DO NOTHING`;

export const MOVE_NAME = `INSERT INTO ${quote(REGISTRY)} (kind, stream, property, name) VALUES (?, ?, ?, ?)
  ON CONFLICT DO UPDATE SET name = excluded.name`;

/** Records that were set aside. */
export const REJECTS = '_tapworks_rejects';

export const CREATE_REJECTS = `CREATE TABLE IF NOT EXISTS ${quote(REJECTS)} (
  stream TEXT NOT NULL,
  line BIGINT NOT NULL,
  reason TEXT NOT NULL,
  record TEXT NOT NULL,
  rejected_at TEXT NOT NULL
)`;

export const ADD_REJECT = `INSERT INTO ${quote(REJECTS)} (stream, line, reason, record, rejected_at) VALUES (?, ?, ?, ?, ?)`;

/** The table of states, one row per pipe. */
export function createStates(table: string): string {
  return `CREATE TABLE IF NOT EXISTS ${quote(table)} (
  state_key TEXT NOT NULL PRIMARY KEY,
  state TEXT NOT NULL,
  updated_at TEXT NOT NULL
)`;
}

export function saveState(table: string): string {
  return `INSERT INTO ${quote(table)} (state_key, state, updated_at) VALUES (?, ?, ?)
  ON CONFLICT (state_key) DO UPDATE SET state = excluded.state, updated_at = excluded.updated_at`;
}

export function readState(table: string): string {
  return `SELECT state FROM ${quote(table)} WHERE state_key = ?`;
}

/** Everything whose name a new table may not take. */
export const TAKEN_NAMES = 'SELECT name, type FROM sqlite_master';

export const OBJECT_SQL = 'SELECT type, sql FROM sqlite_master WHERE name = ? COLLATE NOCASE';

/** Indexes and triggers that go with a table and must be made again after a rebuild. */
export const DEPENDENT_SQL = `SELECT name, sql FROM sqlite_master
  WHERE tbl_name = ? COLLATE NOCASE AND type IN ('index', 'trigger') AND sql IS NOT NULL`;

/** Columns with their declared types; `pk` is the place in the primary key, from 1. */
export const TABLE_COLUMNS = 'SELECT name, type, "notnull", pk, hidden FROM pragma_table_xinfo(?) ORDER BY cid';

/** Columns of each unique index that covers all rows. */
export const UNIQUE_KEYS = `SELECT l.name AS "index", i.name AS "column"
  FROM pragma_index_list(?) AS l, pragma_index_info(l.name) AS i WHERE l."unique" AND NOT l.partial ORDER BY l.name, i.seqno`;
