/** Columns that somebody added to a live table: the release gets them too, with their values by key. */
import type { Session } from '../connection.ts';
import { tableInfo } from '../inspection.ts';
import { full, quote, type Relation } from '../sql.ts';

/** A column of a live table that the load does not bring. */
export interface ExtraColumn {
  readonly name: string;
  readonly declared: string;
  readonly required: boolean;
  /** Its default as an expression. */
  readonly otherwise: string | undefined;
  /** Generated, an identity or fed by a sequence: made by the table itself, so it cannot be copied as it is. */
  readonly made: boolean;
}

const COLUMNS = `SELECT a.attname AS name, format_type(a.atttypid, a.atttypmod) AS declared, a.attnotnull AS required,
    pg_get_expr(d.adbin, d.adrelid) AS otherwise, (a.attgenerated <> '' OR a.attidentity <> ''
      OR EXISTS (SELECT 1 FROM pg_depend s JOIN pg_class q ON q.oid = s.refobjid AND q.relkind = 'S'
        WHERE s.classid = 'pg_attrdef'::regclass AND s.objid = d.oid AND s.refclassid = 'pg_class'::regclass)) AS made
  FROM pg_attribute a LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
  WHERE a.attrelid = $1 AND a.attnum > 0 AND NOT a.attisdropped AND NOT a.attname = ANY ($2::text[]) ORDER BY a.attnum`;

/** The columns of the table `oid` that are not among `known`. */
export async function extraColumns(
  session: Session,
  oid: string,
  known: readonly string[],
): Promise<readonly ExtraColumn[]> {
  return (await session.query(COLUMNS, [oid, known])).map((row) => ({
    name: row.name ?? '',
    declared: row.declared ?? '',
    required: row.required === 't',
    otherwise: row.otherwise ?? undefined,
    made: row.made === 't',
  }));
}

/** The columns by which rows of both tables meet; undefined when there is no key of the same types in both. */
export async function sharedKey(
  session: Session,
  live: Relation,
  next: Relation,
): Promise<readonly string[] | undefined> {
  const [former, latter] = [await tableInfo(session, live), await tableInfo(session, next)];
  const key = latter?.keys.find(({ primary }) => primary)?.columns;
  const typed = (info: typeof former, name: string) => info?.columns.find((column) => column.name === name)?.declared;
  const same = key?.every((name) => typed(former, name) !== undefined && typed(former, name) === typed(latter, name));
  return same === true ? key : undefined;
}

/** Adds the columns to the release's table and fills them from the live one. Writers of the live table wait until the end. */
export async function carryColumns(
  session: Session,
  live: Relation,
  next: Relation,
  columns: readonly ExtraColumn[],
  key: readonly string[],
): Promise<void> {
  await session.query(`LOCK TABLE ${full(live)} IN SHARE ROW EXCLUSIVE MODE`);
  const added = columns.map(
    ({ name, declared, otherwise }) =>
      `ADD COLUMN ${quote(name)} ${declared}${otherwise === undefined ? '' : ` DEFAULT ${otherwise}`}`,
  );
  await session.query(`ALTER TABLE ${full(next)} ${added.join(', ')}`);
  const set = columns.map(({ name }) => `${quote(name)} = l.${quote(name)}`).join(', ');
  const meet = key.map((name) => `n.${quote(name)} = l.${quote(name)}`).join(' AND ');
  const all = (alias: string) => columns.map(({ name }) => `${alias}.${quote(name)}`).join(', ');
  await session.query(
    `UPDATE ${full(next)} AS n SET ${set} FROM ${full(live)} AS l WHERE ${meet} AND (${all('n')}) IS DISTINCT FROM (${all('l')})`,
  );
  for (const { name } of columns.filter(({ required }) => required)) {
    await session.query(`ALTER TABLE ${full(next)} ALTER COLUMN ${quote(name)} SET NOT NULL`);
  }
}

const NAMES = `SELECT a.attname AS name FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid JOIN pg_namespace n ON n.oid = c.relnamespace
  WHERE n.nspname = $1 AND c.relname = $2 AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attnum`;

/** The columns of a table or view. */
export async function columnNames(session: Session, { schema, name }: Relation): Promise<readonly string[]> {
  return (await session.query(NAMES, [schema, name])).map((row) => row.name ?? '');
}
