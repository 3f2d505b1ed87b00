/**
 * What hangs on tables and would be lost, or go on showing the old rows, when other tables take their place: rights,
 * comments, indexes made by hand, and views. Views follow a table's identity and not its name, so they are written anew.
 */
import { ConnectorError } from '../../singer/errors.ts';
import type { Answer, Session } from './connection.ts';
import { full, literal, quote, type Relation } from './sql.ts';

/** A view that reads from a table, directly or through other views, in an order in which they can be made. */
export interface View {
  readonly relation: Relation;
  readonly oid: string;
  /** The query, every name in it with its schema. */
  readonly definition: string;
  readonly options: string | undefined;
}

/** `$1`: table oids. Depth sorts a view behind those that it reads from. */
const VIEWS = `WITH RECURSIVE found AS (
    SELECT r.ev_class AS oid, 1 AS depth FROM pg_depend d JOIN pg_rewrite r ON r.oid = d.objid
      WHERE d.classid = 'pg_rewrite'::regclass AND d.refclassid = 'pg_class'::regclass AND d.refobjid = ANY ($1::oid[])
      AND NOT r.ev_class = ANY ($1::oid[])
    UNION
    SELECT r.ev_class, found.depth + 1 FROM found JOIN pg_depend d ON d.refobjid = found.oid
      JOIN pg_rewrite r ON r.oid = d.objid
      WHERE d.classid = 'pg_rewrite'::regclass AND d.refclassid = 'pg_class'::regclass AND r.ev_class <> found.oid
  )
  SELECT c.oid, n.nspname AS schema, c.relname AS name, c.relkind::text AS kind, pg_get_viewdef(c.oid) AS definition,
    array_to_string(c.reloptions, ', ') AS options
  FROM (SELECT oid, max(depth) AS depth FROM found GROUP BY oid) f JOIN pg_class c ON c.oid = f.oid
  JOIN pg_namespace n ON n.oid = c.relnamespace ORDER BY f.depth, c.oid`;

/**
 * What cannot be carried over to another table: foreign keys that point at it, its triggers, policies and rules; and what
 * somebody has added to its columns, which the new table does not have.
 */
const HINDRANCES = `SELECT 'foreign key "' || conname || '" of ' || conrelid::regclass AS what FROM pg_constraint
    WHERE contype = 'f' AND (confrelid = ANY ($1::oid[]) OR conrelid = ANY ($1::oid[]))
  UNION ALL SELECT CASE contype WHEN 'c' THEN 'check' WHEN 'u' THEN 'unique constraint' ELSE 'exclusion' END || ' "' || conname || '" of ' || conrelid::regclass
    FROM pg_constraint WHERE contype IN ('c', 'u', 'x') AND conrelid = ANY ($1::oid[])
  UNION ALL SELECT 'default or identity of column "' || attname || '" of ' || attrelid::regclass FROM pg_attribute
    WHERE attrelid = ANY ($1::oid[]) AND NOT attisdropped AND (atthasdef OR attidentity <> '')
  UNION ALL SELECT 'statistics "' || stxname || '" of ' || stxrelid::regclass FROM pg_statistic_ext WHERE stxrelid = ANY ($1::oid[])
  UNION ALL SELECT 'row-level security of ' || oid::regclass FROM pg_class WHERE oid = ANY ($1::oid[]) AND relrowsecurity
  UNION ALL SELECT 'trigger "' || tgname || '" of ' || tgrelid::regclass FROM pg_trigger WHERE tgrelid = ANY ($1::oid[]) AND NOT tgisinternal
  UNION ALL SELECT 'policy "' || polname || '" of ' || polrelid::regclass FROM pg_policy WHERE polrelid = ANY ($1::oid[])
  UNION ALL SELECT 'rule "' || rulename || '" of ' || ev_class::regclass FROM pg_rewrite WHERE ev_class = ANY ($1::oid[])
  UNION ALL SELECT 'child table ' || inhrelid::regclass FROM pg_inherits WHERE inhparent = ANY ($1::oid[])
  UNION ALL SELECT 'publication "' || p.pubname || '"' FROM pg_publication_rel r JOIN pg_publication p ON p.oid = r.prpubid WHERE r.prrelid = ANY ($1::oid[])
  ORDER BY 1`;

/** The views over these tables. @throws ConnectorError when one is materialized: its rows would be those of before. */
export async function viewsOver(session: Session, oids: readonly string[]): Promise<readonly View[]> {
  const found = await session.query(VIEWS, [oids]);
  return found.map(({ oid, schema, name, kind, definition, options }) => {
    const relation = { schema: schema ?? '', name: name ?? '' };
    if (kind !== 'v') throw refused([`materialized view ${full(relation)}`]);
    return { relation, oid: oid ?? '', definition: definition ?? '', options: options ?? undefined };
  });
}

/** @throws ConnectorError naming whatever hangs on these tables and cannot be carried over. */
export async function refuseHindrances(session: Session, oids: readonly string[]): Promise<void> {
  const found = (await session.query(HINDRANCES, [oids])).map(({ what }) => what ?? '');
  if (found.length > 0) throw refused(found);
}

function refused(what: readonly string[]): ConnectorError {
  return new ConnectorError(
    'destination',
    `the new tables cannot take the place of the old ones: ${what.join(', ')} cannot be carried over`,
    {},
    { hint: 'drop those objects and create them again afterwards, or load with load_method upsert' },
  );
}

/** Makes a view; with `replace` it takes the place of the one that is there, whose columns must be the first of its own. */
export async function makeView(session: Session, view: View, replace = false): Promise<void> {
  const options = view.options === undefined ? '' : ` WITH (${view.options})`;
  const how = replace ? 'CREATE OR REPLACE VIEW' : 'CREATE VIEW';
  await session.query(`${how} ${full(view.relation)}${options} AS ${view.definition}`);
}

/** What `belongings` says of a table, said of a view. */
export function ofView(statement: string): string {
  return statement.replace(/^(ALTER|COMMENT ON) TABLE /, '$1 VIEW ');
}

/** `$1`: oid of a relation. */
const OWNER =
  'SELECT pg_get_userbyid(relowner) AS owner, pg_get_userbyid(relowner) = current_user AS mine FROM pg_class WHERE oid = $1';

const GRANTS = `SELECT CASE WHEN a.grantee = 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(a.grantee)) END AS grantee,
    a.privilege_type AS privilege, a.is_grantable AS grantable, NULL AS column
  FROM pg_class c CROSS JOIN LATERAL aclexplode(c.relacl) a WHERE c.oid = $1 AND a.grantee <> c.relowner
  UNION ALL
  SELECT CASE WHEN a.grantee = 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(a.grantee)) END, a.privilege_type, a.is_grantable, t.attname
  FROM pg_attribute t JOIN pg_class c ON c.oid = t.attrelid CROSS JOIN LATERAL aclexplode(t.attacl) a
  WHERE t.attrelid = $1 AND NOT t.attisdropped AND a.grantee <> c.relowner`;

const COMMENTS = `SELECT d.description AS text, a.attname AS column FROM pg_description d
  LEFT JOIN pg_attribute a ON a.attrelid = d.objoid AND a.attnum = d.objsubid AND d.objsubid > 0
  WHERE d.classoid = 'pg_class'::regclass AND d.objoid = $1`;

/** The rights that others than its owner have on a relation and on its columns. */
export function rightsOf(session: Session, oid: string): Promise<readonly Answer[]> {
  return session.query(GRANTS, [oid]);
}

/** Statements that give `to` the owner, the rights and the comments of the relation `oid`. `columns`: those that `to` has. */
export async function belongings(
  session: Session,
  oid: string,
  to: Relation,
  columns: readonly string[] | undefined,
): Promise<readonly string[]> {
  const has = (column: string | null | undefined) =>
    column === null || column === undefined || columns === undefined || columns.includes(column);
  const [owner] = await session.query(OWNER, [oid]);
  const statements: string[] = [];
  for (const { grantee, privilege, grantable, column } of await rightsOf(session, oid)) {
    if (!has(column)) continue;
    const what = column == null ? privilege : `${privilege} (${quote(column)})`;
    statements.push(`GRANT ${what} ON ${full(to)} TO ${grantee}${grantable === 't' ? ' WITH GRANT OPTION' : ''}`);
  }
  for (const { text, column } of await session.query(COMMENTS, [oid])) {
    if (!has(column)) continue;
    const what = column == null ? `TABLE ${full(to)}` : `COLUMN ${full(to)}.${quote(column)}`;
    statements.push(`COMMENT ON ${what} IS ${literal(text ?? '')}`);
  }
  // Last, because afterwards its rights are the new owner's to give.
  if (owner?.mine === 'f') statements.push(`ALTER TABLE ${full(to)} OWNER TO ${quote(owner.owner ?? '')}`);
  return statements;
}

/** Indexes that are not keys: `$1` the table's oid. */
const INDEXES = `SELECT c.relname AS name, pg_get_indexdef(i.indexrelid) AS definition FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid
  WHERE i.indrelid = $1 AND NOT i.indisprimary AND NOT EXISTS (SELECT 1 FROM pg_constraint k WHERE k.conindid = i.indexrelid)`;

/** The indexes of a table that are not made by a key or constraint, as statements that make them. */
export async function indexesOf(
  session: Session,
  oid: string,
): Promise<readonly { readonly name: string; readonly definition: string }[]> {
  return (await session.query(INDEXES, [oid])) as readonly unknown[] as { name: string; definition: string }[];
}

/** The name of a table's primary key; undefined when it has none. */
export async function primaryKeyOf(session: Session, oid: string): Promise<string | undefined> {
  const [found] = await session.query("SELECT conname FROM pg_constraint WHERE contype = 'p' AND conrelid = $1", [oid]);
  return found?.conname ?? undefined;
}

/** The oid of a relation; undefined when there is none. */
export async function oidOf(session: Session, { schema, name }: Relation): Promise<string | undefined> {
  const [found] = await session.query(
    'SELECT c.oid FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = $1 AND c.relname = $2',
    [schema, name],
  );
  return found?.oid ?? undefined;
}
