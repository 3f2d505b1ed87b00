/** What a schema holds, whoever made it. */
import { ConnectorError } from '../../singer/errors.ts';
import type { Session } from './connection.ts';
import { full, type Relation } from './sql.ts';

export interface ColumnInfo {
  readonly name: string;
  /** As `format_type` prints it. */
  readonly declared: string;
}

/** A unique key of a table; rows can be merged by it. */
export interface UniqueKey {
  readonly primary: boolean;
  readonly columns: readonly string[];
}

/** A table, its columns in order and its keys. */
export interface TableInfo {
  readonly partitioned: boolean;
  readonly columns: readonly ColumnInfo[];
  readonly keys: readonly UniqueKey[];
}

const TABLE = `SELECT c.oid, c.relkind FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = $1 AND c.relname = $2`;

const COLUMNS = `SELECT attname AS name, format_type(atttypid, atttypmod) AS declared FROM pg_attribute
  WHERE attrelid = $1 AND attnum > 0 AND NOT attisdropped ORDER BY attnum`;

/** Keys over plain columns of all rows; an index that is partial or over expressions tells no two rows apart. */
const KEYS = `SELECT i.indisprimary AS primary, json_agg(a.attname ORDER BY k.place) AS columns
  FROM pg_index i CROSS JOIN LATERAL unnest(i.indkey) WITH ORDINALITY AS k (number, place)
  JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = k.number
  WHERE i.indrelid = $1 AND i.indisunique AND i.indpred IS NULL AND i.indexprs IS NULL AND i.indisvalid AND k.place <= i.indnkeyatts
  GROUP BY i.indexrelid, i.indisprimary ORDER BY i.indisprimary DESC, i.indexrelid`;

/** Names that a new table cannot have: those of relations, and of types, since a table is a type too. */
const TAKEN = `SELECT c.relname AS name, c.relkind::text AS kind FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = $1
  UNION ALL SELECT t.typname, 'type' FROM pg_type t JOIN pg_namespace n ON n.oid = t.typnamespace WHERE n.nspname = $1 AND t.typrelid = 0 AND t.typelem = 0`;

/** The table, or undefined when there is none. @throws ConnectorError when the name belongs to something else. */
export async function tableInfo(session: Session, { schema, name }: Relation): Promise<TableInfo | undefined> {
  const [found] = await session.query(TABLE, [schema, name]);
  if (found === undefined) return undefined;
  if (found.relkind !== 'r' && found.relkind !== 'p') {
    throw new ConnectorError(
      'destination',
      `"${schema}"."${name}" is not a table, so no rows can be loaded into it`,
      { path: `${schema}.${name}` },
      { hint: 'rename it, or load into another schema (default_target_schema)' },
    );
  }
  const columns = (await session.query(COLUMNS, [found.oid])) as readonly unknown[] as readonly ColumnInfo[];
  const keys = (await session.query(KEYS, [found.oid])).map(({ primary, columns: names }) => ({
    primary: primary === 't',
    columns: JSON.parse(names ?? '[]') as string[],
  }));
  return { partitioned: found.relkind === 'p', columns, keys };
}

/** Whether a table has no rows; one that the role may not read counts as if it had. */
export async function isEmpty(session: Session, relation: Relation): Promise<boolean> {
  const [found] = await session.query(
    `SELECT has_table_privilege($1, 'SELECT') AND NOT EXISTS (SELECT 1 FROM ${full(relation)}) AS empty`,
    [full(relation)],
  );
  return found?.empty === 't';
}

/** Whether a table, view or anything of that kind has the name. */
export async function exists(session: Session, { schema, name }: Relation): Promise<boolean> {
  return (await session.query(TABLE, [schema, name])).length > 0;
}

/** Names that are taken in a schema, with what they belong to (`r`: a table). */
export async function takenNames(
  session: Session,
  schema: string,
): Promise<readonly { readonly name: string; readonly kind: string }[]> {
  return (await session.query(TAKEN, [schema])) as readonly unknown[] as { name: string; kind: string }[];
}

/** Creates the schema if it is missing; to look first lets a user in who may not create one. */
export async function ensureSchema(session: Session, schema: string, quoted: string): Promise<void> {
  if ((await session.query('SELECT 1 FROM pg_namespace WHERE nspname = $1', [schema])).length > 0) return;
  await session.query(`CREATE SCHEMA IF NOT EXISTS ${quoted}`);
}

const SHAPES = `SELECT coalesce(md5(string_agg(a.attrelid || ' ' || a.attname || ' ' || a.atttypid || ' ' || a.atttypmod, ',' ORDER BY a.attrelid, a.attnum)), '') AS shape
  FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid JOIN pg_namespace n ON n.oid = c.relnamespace
  WHERE n.nspname = $1 AND c.relname = ANY ($2::text[]) AND a.attnum > 0 AND NOT a.attisdropped`;

/** A text that changes whenever a column of these tables comes, goes or changes its type. */
export async function shapeOf(session: Session, schema: string, tables: readonly string[]): Promise<string> {
  return (await session.query(SHAPES, [schema, tables]))[0]?.shape ?? '';
}
