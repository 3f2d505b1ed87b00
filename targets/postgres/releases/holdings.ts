/** What the live schema holds, and what of it could not follow to another release. */
import type { Session } from '../connection.ts';
import type { View } from '../dependents.ts';
import type { Relation } from '../sql.ts';

/** Anything in the schema that can be moved to another. */
export interface Thing {
  readonly name: string;
  readonly oid: string;
  readonly owner: string;
  /** The session's role may change it. */
  readonly mine: boolean;
}

/** `r` table, `p` partitioned, `f` foreign, `m` materialized view, `S` sequence, `v` view. */
export interface Relative extends Thing {
  readonly kind: 'r' | 'p' | 'f' | 'm' | 'S' | 'v';
}

const OWNER = (owner: string) => `pg_get_userbyid(${owner}) AS owner, pg_has_role(${owner}, 'USAGE') AS mine`;
const NO_MEMBER = (kind: string, oid: string) =>
  `NOT EXISTS (SELECT 1 FROM pg_depend e WHERE e.classid = '${kind}'::regclass AND e.objid = ${oid} AND e.deptype = 'e')`;

/** Sequences of columns go with their table. */
const RELATIONS = `SELECT c.oid, c.relname AS name, c.relkind::text AS kind, ${OWNER('c.relowner')} FROM pg_class c
  WHERE c.relnamespace = $1 AND c.relkind IN ('r', 'p', 'f', 'm', 'S', 'v') AND ${NO_MEMBER('pg_class', 'c.oid')}
  AND NOT (c.relkind = 'S' AND EXISTS (SELECT 1 FROM pg_depend d WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype IN ('a', 'i')))
  ORDER BY c.relname`;

const ROUTINES = `SELECT p.oid, p.oid::regprocedure::text AS name, ${OWNER('p.proowner')} FROM pg_proc p
  WHERE p.pronamespace = $1 AND ${NO_MEMBER('pg_proc', 'p.oid')} ORDER BY 2`;

/** Arrays go with their type, row types with their table; multiranges: `multirangesIn`. */
const TYPES = `SELECT t.oid, t.oid::regtype::text AS name, ${OWNER('t.typowner')} FROM pg_type t LEFT JOIN pg_class c ON c.oid = t.typrelid
  WHERE t.typnamespace = $1 AND (t.typrelid = 0 OR c.relkind = 'c') AND t.typtype <> 'm' AND ${NO_MEMBER('pg_type', 't.oid')}
  AND NOT EXISTS (SELECT 1 FROM pg_type e WHERE e.typarray = t.oid) ORDER BY 2`;

/** Everything else: extensions, operators, collations, text search, statistics. */
const OTHERS = `SELECT DISTINCT pg_describe_object(d.classid, d.objid, 0) AS what FROM pg_depend d
  WHERE d.refclassid = 'pg_namespace'::regclass AND d.refobjid = $1 AND d.deptype = 'n'
  AND d.classid NOT IN ('pg_class'::regclass, 'pg_proc'::regclass, 'pg_type'::regclass, 'pg_default_acl'::regclass)
  AND NOT EXISTS (SELECT 1 FROM pg_depend e WHERE e.classid = d.classid AND e.objid = d.objid AND e.deptype = 'e') ORDER BY 1`;

/** The contents of a schema. */
export interface Holdings {
  readonly relations: readonly Relative[];
  readonly routines: readonly Thing[];
  readonly types: readonly Thing[];
  /** Descriptions of what cannot be moved. */
  readonly others: readonly string[];
}

/** Reads what the schema with this oid holds. */
export async function holdingsOf(session: Session, schema: string): Promise<Holdings> {
  const things = async <Kind extends Thing>(sql: string) =>
    (await session.query(sql, [schema])).map((row) => ({
      ...row,
      mine: row.mine === 't',
    })) as readonly unknown[] as Kind[];
  return {
    relations: await things<Relative>(RELATIONS),
    routines: await things<Thing>(ROUTINES),
    types: await things<Thing>(TYPES),
    others: (await session.query(OTHERS, [schema])).map(({ what }) => what ?? ''),
  };
}

const MULTIRANGES = `SELECT t.oid::regtype::text AS name FROM pg_type t
  WHERE t.typnamespace = $1 AND t.typtype = 'm' AND ${NO_MEMBER('pg_type', 't.oid')} ORDER BY 1`;

/**
 * The multiranges of a schema. PostgreSQL makes one with each range (14 and newer) and leaves it behind when the range is
 * moved, so they are asked for after that.
 */
export async function multirangesIn(session: Session, schema: string): Promise<readonly string[]> {
  return (await session.query(MULTIRANGES, [schema])).map(({ name }) => name ?? '');
}

/** `$1`: oids of tables and views. Whatever depends on them, or on their row types, except views and what is their own. */
const DEPENDENTS = `WITH mine AS (SELECT unnest($1::oid[]) AS oid), types AS (
    SELECT c.reltype AS oid FROM pg_class c JOIN mine USING (oid)
    UNION SELECT t.typarray FROM pg_type t JOIN pg_class c ON c.reltype = t.oid JOIN mine ON mine.oid = c.oid)
  SELECT pg_describe_object(d.classid, d.objid, d.objsubid) AS what FROM pg_depend d
    WHERE ((d.refclassid = 'pg_class'::regclass AND d.refobjid IN (SELECT oid FROM mine))
      OR (d.refclassid = 'pg_type'::regclass AND d.refobjid IN (SELECT oid FROM types WHERE oid <> 0)))
    AND d.deptype = 'n' AND NOT (d.classid = 'pg_class'::regclass AND d.objid IN (SELECT oid FROM mine))
    AND NOT EXISTS (SELECT 1 FROM pg_rewrite r JOIN pg_class v ON v.oid = r.ev_class
      WHERE d.classid = 'pg_rewrite'::regclass AND r.oid = d.objid AND v.relkind = 'v')
  UNION SELECT pg_describe_object('pg_constraint'::regclass, k.oid, 0) FROM pg_constraint k JOIN mine ON mine.oid = k.conrelid WHERE k.contype IN ('c', 'f', 'u', 'x')
  UNION SELECT pg_describe_object('pg_trigger'::regclass, t.oid, 0) FROM pg_trigger t JOIN mine ON mine.oid = t.tgrelid WHERE NOT t.tgisinternal
  UNION SELECT pg_describe_object('pg_policy'::regclass, p.oid, 0) FROM pg_policy p JOIN mine ON mine.oid = p.polrelid
  UNION SELECT pg_describe_object('pg_rewrite'::regclass, r.oid, 0) FROM pg_rewrite r JOIN mine ON mine.oid = r.ev_class WHERE r.rulename <> '_RETURN'
  UNION SELECT pg_describe_object('pg_class'::regclass, d.objid, 0) FROM pg_depend d JOIN mine ON mine.oid = d.refobjid JOIN pg_class s ON s.oid = d.objid AND s.relkind = 'S'
    WHERE d.classid = 'pg_class'::regclass AND d.refclassid = 'pg_class'::regclass AND d.deptype IN ('a', 'i')
  UNION SELECT pg_describe_object('pg_class'::regclass, i.inhrelid, 0) FROM pg_inherits i JOIN mine ON mine.oid IN (i.inhparent, i.inhrelid)
  UNION SELECT 'publication ' || p.pubname FROM pg_publication_rel r JOIN mine ON mine.oid = r.prrelid JOIN pg_publication p ON p.oid = r.prpubid
  UNION SELECT 'row level security of ' || c.oid::regclass FROM pg_class c JOIN mine USING (oid) WHERE c.relrowsecurity
  ORDER BY 1`;

/** Descriptions of what hangs on these tables and views and cannot be given to others of the same name. */
export async function dependentsOf(session: Session, oids: readonly string[]): Promise<readonly string[]> {
  return (await session.query(DEPENDENTS, [oids])).map(({ what }) => what ?? '');
}

/** A view that reads from what changes, and where it stands. */
export interface DependentView extends View {
  /** In the live schema, in the one that takes its place, or in another one. */
  readonly place: 'live' | 'next' | 'elsewhere';
  readonly owner: string;
  readonly mine: boolean;
}

/** `$1`: oids of tables and views, `$2` the live schema's, `$3` the next one's. Those views, and all that read from any of them, bases first. */
const VIEWS = `WITH RECURSIVE found AS (
    SELECT unnest($1::oid[]) AS oid, 0 AS depth
    UNION
    SELECT r.ev_class, found.depth + 1 FROM found JOIN pg_depend d ON d.refobjid = found.oid JOIN pg_rewrite r ON r.oid = d.objid
      WHERE d.classid = 'pg_rewrite'::regclass AND d.refclassid = 'pg_class'::regclass AND r.ev_class <> found.oid)
  SELECT c.oid, n.nspname AS schema, c.relname AS name, pg_get_viewdef(c.oid) AS definition, array_to_string(c.reloptions, ', ') AS options,
    CASE n.oid WHEN $2::oid THEN 'live' WHEN $3::oid THEN 'next' ELSE 'elsewhere' END AS place, ${OWNER('c.relowner')}
  FROM (SELECT oid, max(depth) AS depth FROM found GROUP BY oid) f JOIN pg_class c ON c.oid = f.oid
  JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.relkind = 'v' ORDER BY f.depth, c.oid`;

/** The views of these oids and every view that reads from any of these tables and views, in an order to make them in. */
export async function viewsAmong(
  session: Session,
  oids: readonly string[],
  live: string,
  next: string,
): Promise<readonly DependentView[]> {
  return (await session.query(VIEWS, [oids, live, next])).map((row) => ({
    relation: { schema: row.schema ?? '', name: row.name ?? '' } satisfies Relation,
    oid: row.oid ?? '',
    definition: row.definition ?? '',
    options: row.options ?? undefined,
    place: row.place as DependentView['place'],
    owner: row.owner ?? '',
    mine: row.mine === 't',
  }));
}
