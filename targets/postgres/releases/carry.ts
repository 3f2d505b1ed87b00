/**
 * What a schema holds besides loaded tables, and how it follows when another release becomes live. Tables, sequences,
 * functions and types that no load has brought are moved, so nothing is copied and whatever hangs on them stays. Views are
 * written anew over the new tables, because a view follows a table's identity and not its name.
 */
import { ConnectorError, systemCode, textOf } from '../../../singer/errors.ts';
import { METADATA } from '../../../singer/metadata.ts';
import type { Session } from '../connection.ts';
import { belongings, makeView, ofView } from '../dependents.ts';
import { full, quote, REGISTRY, REJECTS, type Relation } from '../sql.ts';
import { carryColumns, columnNames, type ExtraColumn, extraColumns, sharedKey } from './columns.ts';
import {
  type DependentView,
  dependentsOf,
  type Holdings,
  holdingsOf,
  multirangesIn,
  type Relative,
  viewsAmong,
} from './holdings.ts';
import type { LoadedTables } from './ledger.ts';
import { carryRights } from './rights.ts';

/** Begins the names of tables that a load with load_method overwrite has left. */
const LEFT_OVER = '_tapworks_new_';

/** Two schemas, one of which is to take the place of the other. */
export interface Change {
  readonly live: { readonly schema: string; readonly oid: string; readonly tables: LoadedTables };
  readonly next: { readonly schema: string; readonly oid: string };
  /** The next one was never live, so it has no rights, no comments and no foreign columns yet. */
  readonly fresh: boolean;
}

interface Replaced {
  readonly oid: string;
  readonly live: Relation;
  readonly next: Relation;
  readonly columns: readonly string[];
  readonly extra: readonly ExtraColumn[];
  readonly key: readonly string[];
}

/** Everything that has to be done, found out before anything is changed. */
export interface Plan {
  readonly replaced: readonly Replaced[];
  readonly moved: readonly Relative[];
  readonly holdings: Holdings;
  /** Views that the next one brings itself, with the oid of the live one. */
  readonly ownViews: readonly { readonly oid: string; readonly next: Relation; readonly columns: readonly string[] }[];
  /** In an order in which they can be made. */
  readonly views: readonly DependentView[];
  readonly rightsOfViews: readonly string[];
  /** Both schemas have a table of records set aside. */
  readonly rejects: boolean;
}

const KINDS: Readonly<Record<Relative['kind'], string>> = {
  r: 'TABLE',
  p: 'TABLE',
  f: 'FOREIGN TABLE',
  m: 'MATERIALIZED VIEW',
  S: 'SEQUENCE',
  v: 'VIEW',
};

/** Finds out what has to follow. @throws ConnectorError naming everything that cannot. */
export async function planOf(session: Session, change: Change): Promise<Plan> {
  const { live, next, fresh } = change;
  const holdings = await holdingsOf(session, live.oid);
  const there = new Set((await holdingsOf(session, next.oid)).relations.map(({ name }) => name));
  const isTable = ({ kind }: Relative) => kind === 'r' || kind === 'p';
  const rejects = there.has(REJECTS) && holdings.relations.some(({ name }) => name === REJECTS);
  const kept = new Set(rejects ? [REJECTS] : []);
  const tables = holdings.relations.filter((one) => isTable(one) && there.has(one.name) && !kept.has(one.name));
  const moved = holdings.relations.filter(
    ({ name, kind }) =>
      kind !== 'v' &&
      !name.startsWith(LEFT_OVER) &&
      (kept.has(name) || (!there.has(name) && !Object.hasOwn(live.tables, name))),
  );
  const replaced: Replaced[] = [];
  const problems = fresh ? [...holdings.others] : [];
  for (const { name, oid } of tables) {
    const found = await replacement(session, change, name, oid);
    replaced.push(found);
    if (found.extra.length > 0 && found.key.length === 0)
      problems.push(`columns ${found.extra.map((one) => one.name).join(', ')} of table ${name}, which has no key`);
    for (const column of found.extra.filter(({ made }) => made))
      problems.push(`column ${column.name} of table ${name}`);
  }
  const bases = holdings.relations.filter((one) => one.kind === 'v' || tables.includes(one)).map(({ oid }) => oid);
  const views = (await viewsAmong(session, bases, live.oid, next.oid)).filter(
    // A view that the next one brings itself stays as it is.
    ({ place, relation }) => fresh || place !== 'live' || !there.has(relation.name),
  );
  problems.push(...(await dependentsOf(session, [...bases, ...views.map(({ oid }) => oid)])));
  for (const { place, relation } of views)
    if (place === 'live' && there.has(relation.name)) problems.push(`view ${relation.name}, which is a table now`);
  const foreign = [...moved, ...holdings.routines, ...holdings.types, ...views.map(ofRole)].filter(({ mine }) => !mine);
  problems.push(...foreign.map(({ name, owner }) => `${name}, which belongs to the role ${owner}`));
  if (problems.length > 0) throw refused(live.schema, problems);
  const ownViews: Plan['ownViews'][number][] = [];
  for (const { name, kind, oid } of holdings.relations) {
    if (fresh || kind !== 'v' || !there.has(name)) continue;
    const columns = await columnNames(session, { schema: next.schema, name });
    ownViews.push({ oid, next: { schema: next.schema, name }, columns });
  }
  const rightsOfViews: string[] = [];
  for (const { oid, place, relation } of views) {
    const to = place === 'next' ? { ...relation, schema: live.schema } : relation;
    rightsOfViews.push(...(await belongings(session, oid, to, undefined)));
  }
  return { replaced, ownViews, moved, holdings, views, rightsOfViews: rightsOfViews.map(ofView), rejects };
}

const ofRole = ({ relation, owner, mine }: DependentView) => ({ name: `view ${full(relation)}`, owner, mine });

async function replacement(
  session: Session,
  { live, next, fresh }: Change,
  name: string,
  oid: string,
): Promise<Replaced> {
  const [before, after] = [live, next].map(({ schema }) => ({ schema, name })) as [Relation, Relation];
  const columns = await columnNames(session, after);
  const loaded = Object.hasOwn(live.tables, name) ? (live.tables[name]?.columns ?? []) : [];
  const known = [...columns, ...loaded, ...Object.keys(METADATA)];
  const extra = fresh && name !== REGISTRY ? await extraColumns(session, oid, known) : [];
  const key = extra.length === 0 ? [] : ((await sharedKey(session, before, after)) ?? []);
  return { oid, live: before, next: after, columns, extra, key };
}

function refused(schema: string, what: readonly string[]): ConnectorError {
  return new ConnectorError(
    'destination',
    `the release cannot take the place of schema "${schema}": ${what.join('; ')} cannot be carried over`,
    { path: schema },
    { hint: 'drop those objects, or move them to another schema, then run target-postgres promote' },
  );
}

/**
 * Gives the tables and views of the next release the rights and comments that their forerunners have by now, and columns
 * that only those have.
 */
export async function carryOnto(session: Session, { replaced, ownViews }: Plan): Promise<void> {
  for (const { oid, live, next, columns, extra, key } of replaced) {
    if (extra.length > 0) await carryColumns(session, live, next, extra, key);
    await carryRights(session, oid, next, [...columns, ...extra.map(({ name }) => name)]);
  }
  for (const { oid, next, columns } of ownViews) await carryRights(session, oid, next, columns, true);
}

/** Moves what no load has brought. Waits for whoever reads from one of these tables at the moment. */
export async function moveThings(session: Session, change: Change, plan: Plan): Promise<void> {
  const [from, to] = [change.live.schema, change.next.schema];
  if (plan.rejects) {
    await session.query(
      `INSERT INTO ${full({ schema: from, name: REJECTS })} SELECT * FROM ${full({ schema: to, name: REJECTS })}`,
    );
    await session.query(`DROP TABLE ${full({ schema: to, name: REJECTS })}`);
  }
  // A routine's name holds the types of its arguments, by the names that they have before they move themselves.
  for (const { name } of plan.holdings.routines) await session.query(`ALTER ROUTINE ${name} SET SCHEMA ${quote(to)}`);
  for (const { name, kind } of plan.moved) {
    await session.query(`ALTER ${KINDS[kind]} ${full({ schema: from, name })} SET SCHEMA ${quote(to)}`);
  }
  for (const { name } of plan.holdings.types) await session.query(`ALTER TYPE ${name} SET SCHEMA ${quote(to)}`);
  for (const name of await multirangesIn(session, change.live.oid))
    await session.query(`ALTER TYPE ${name} SET SCHEMA ${quote(to)}`);
  const names = { from: full({ schema: from, name: REGISTRY }), to: full({ schema: to, name: REGISTRY }) };
  if (plan.replaced.some(({ live }) => live.name === REGISTRY)) {
    await session.query(`INSERT INTO ${names.to} SELECT * FROM ${names.from} ON CONFLICT DO NOTHING`);
  }
}

/** PostgreSQL's "cannot drop columns from view" and the like: the view's columns are others now. */
const OTHER_COLUMNS = '42P16';

/**
 * Writes the views over the tables that are live now; the schemas have their new names. Waits for whoever reads from a view
 * outside of the live schema. A view elsewhere keeps its identity unless its columns have changed.
 */
export async function makeViews(session: Session, change: Change, plan: Plan, former: string): Promise<void> {
  const own = plan.views.filter(({ place }) => place !== 'next');
  await session.query('SAVEPOINT tapworks_views');
  try {
    for (const view of own) await make(session, view, view.place === 'elsewhere');
  } catch (cause) {
    if (!(cause instanceof Error) || systemCode(cause.cause) !== OTHER_COLUMNS) throw cause;
    await session.query('ROLLBACK TO tapworks_views');
    await makeViewsAnew(session, change.live.schema, plan, former);
  }
  await session.query('RELEASE tapworks_views');
  for (const statement of plan.rightsOfViews) await session.query(statement);
}

/** The former release loses those of its views that stand in the way; should it become live again, it gets them back. */
async function makeViewsAnew(session: Session, live: string, { views }: Plan, former: string): Promise<void> {
  const now: DependentView[] = [];
  for (const view of views) {
    if (view.place !== 'next') {
      now.push(view);
      continue;
    }
    // Read before its schema was renamed.
    const [found] = await session.query('SELECT pg_get_viewdef($1::oid) AS definition', [view.oid]);
    now.push({ ...view, relation: { ...view.relation, schema: live }, definition: found?.definition ?? '' });
  }
  for (const { place, relation } of now.toReversed()) {
    await session.query(`DROP VIEW ${full(place === 'live' ? { ...relation, schema: former } : relation)}`);
  }
  for (const view of now) await make(session, view, false);
}

async function make(session: Session, view: DependentView, replace: boolean): Promise<void> {
  try {
    await makeView(session, view, replace);
  } catch (cause) {
    throw broken(view, cause);
  }
}

/** Classes of SQLSTATE that tell of names and types: the query does not fit the tables. */
const MISFIT = /^42/;

function broken({ relation }: DependentView, cause: unknown): unknown {
  const code = cause instanceof Error ? (systemCode(cause.cause) ?? '') : '';
  if (!(cause instanceof Error) || !MISFIT.test(code) || code === OTHER_COLUMNS) return cause;
  return new ConnectorError(
    'destination',
    `the release cannot take the place of its forerunner: view ${full(relation)} does not fit its tables: ${textOf(cause.cause)}`,
    { path: full(relation) },
    { cause, hint: 'change or drop the view, then run target-postgres promote' },
  );
}
