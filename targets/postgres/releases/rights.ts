/** Rights of a schema, carried to another one. Those of tables, columns and views: dependents.ts. */
import type { Session } from '../connection.ts';
import { belongings, ofView, oidOf, rightsOf } from '../dependents.ts';
import { full, literal, quote, type Relation } from '../sql.ts';

const OF_SCHEMA = `SELECT CASE WHEN a.grantee = 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(a.grantee)) END AS grantee,
    a.privilege_type AS privilege, a.is_grantable AS grantable
  FROM pg_namespace n CROSS JOIN LATERAL aclexplode(n.nspacl) a WHERE n.oid = $1 AND a.grantee <> n.nspowner`;

const DEFAULTS = `SELECT quote_ident(pg_get_userbyid(d.defaclrole)) AS role, d.defaclobjtype::text AS kind,
    CASE WHEN a.grantee = 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(a.grantee)) END AS grantee,
    a.privilege_type AS privilege, a.is_grantable AS grantable
  FROM pg_default_acl d CROSS JOIN LATERAL aclexplode(d.defaclacl) a WHERE d.defaclnamespace = $1
    AND d.defaclobjtype IN ('r', 'S', 'f', 'T')`;

/** What `ALTER DEFAULT PRIVILEGES IN SCHEMA` calls the kinds of pg_default_acl. */
const KINDS: Readonly<Record<string, string>> = { r: 'TABLES', S: 'SEQUENCES', f: 'ROUTINES', T: 'TYPES' };

const option = (grantable: string | null | undefined) => (grantable === 't' ? ' WITH GRANT OPTION' : '');

/** Gives a schema exactly the rights on the schema `oid`, and exactly the rights that what is made in it gets by default. */
export async function carrySchemaRights(session: Session, oid: string, schema: string): Promise<void> {
  const given = await session.query(OF_SCHEMA.replace('n.oid = $1', 'n.nspname = $1'), [schema]);
  for (const grantee of new Set(given.map((right) => right.grantee))) {
    await session.query(`REVOKE ALL ON SCHEMA ${quote(schema)} FROM ${grantee}`);
  }
  for (const { grantee, privilege, grantable } of await session.query(OF_SCHEMA, [oid])) {
    await session.query(`GRANT ${privilege} ON SCHEMA ${quote(schema)} TO ${grantee}${option(grantable)}`);
  }
  await carryDefaults(session, oid, schema);
}

async function carryDefaults(session: Session, oid: string, schema: string): Promise<void> {
  const alter = (role: string | null | undefined) =>
    `ALTER DEFAULT PRIVILEGES FOR ROLE ${role} IN SCHEMA ${quote(schema)}`;
  const revoked = (await session.query(DEFAULTS.replace('= $1', '= $1::regnamespace'), [quote(schema)])).map(
    ({ role, kind, grantee }) => `${alter(role)} REVOKE ALL ON ${KINDS[kind ?? '']} FROM ${grantee}`,
  );
  for (const statement of new Set(revoked)) await session.query(statement);
  for (const { role, kind, grantee, privilege, grantable } of await session.query(DEFAULTS, [oid])) {
    await session.query(`${alter(role)} GRANT ${privilege} ON ${KINDS[kind ?? '']} TO ${grantee}${option(grantable)}`);
  }
}

/** Gives a schema the owner and the comment of the schema `oid`. */
export async function carrySchemaOwner(session: Session, oid: string, schema: string): Promise<void> {
  const [found] = await session.query(
    `SELECT pg_get_userbyid(nspowner) AS owner, pg_get_userbyid(nspowner) = current_user AS mine, obj_description(oid, 'pg_namespace') AS comment FROM pg_namespace WHERE oid = $1`,
    [oid],
  );
  if (found?.comment != null) await session.query(`COMMENT ON SCHEMA ${quote(schema)} IS ${literal(found.comment)}`);
  if (found?.mine === 'f') await session.query(`ALTER SCHEMA ${quote(schema)} OWNER TO ${quote(found.owner ?? '')}`);
}

/** Gives a table, or a view, exactly the rights, the comments and the owner of the one with this oid. */
export async function carryRights(
  session: Session,
  oid: string,
  to: Relation,
  columns: readonly string[],
  view = false,
): Promise<void> {
  const statements = await belongings(session, oid, to, columns);
  const given = await rightsOf(session, (await oidOf(session, to)) ?? '');
  for (const grantee of new Set(given.map((right) => right.grantee))) {
    await session.query(`REVOKE ALL ON ${full(to)} FROM ${grantee}`);
  }
  for (const statement of statements) await session.query(view ? ofView(statement) : statement);
}
