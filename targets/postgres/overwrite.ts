/** load_method overwrite: tables that were loaded aside take the place of the ones that readers see. */
import { textOf } from '../../singer/errors.ts';
import type { Run } from '../../singer/stream.ts';
import { shortened } from '../names.ts';
import type { Session } from './connection.ts';
import { belongings, indexesOf, makeView, oidOf, primaryKeyOf, refuseHindrances, viewsOver } from './dependents.ts';
import { exists } from './inspection.ts';
import type { Lane } from './lane.ts';
import { full, NAME_BYTES, quote } from './sql.ts';
import { makeIndexes, type Table } from './tables.ts';

/**
 * Puts the loaded tables in place, in the caller's transaction. Rights, comments, indexes and views of the former tables
 * come along; an index that no longer fits is left out with a warning.
 * @throws ConnectorError when something that hangs on a former table cannot be carried over.
 */
export async function replaceTables(session: Session, lanes: Iterable<Lane>, run: Run): Promise<void> {
  const all = [...lanes];
  const former: (string | undefined)[] = [];
  for (const { table } of all) former.push(await oidOf(session, table.final));
  const oids = former.filter((oid) => oid !== undefined);
  await refuseHindrances(session, oids);
  const views = await viewsOver(session, oids);
  const rightsOfViews: string[] = [];
  for (const { oid, relation } of views) rightsOfViews.push(...(await belongings(session, oid, relation, undefined)));
  for (const { relation } of views.toReversed()) await session.query(`DROP VIEW ${full(relation)}`);
  for (const [index, lane] of all.entries()) await replaceTable(session, lane, former[index], run);
  for (const view of views) await makeView(session, view);
  for (const statement of rightsOfViews)
    await session.query(statement.replace(/^(ALTER|COMMENT ON) TABLE /, '$1 VIEW '));
}

async function replaceTable(
  session: Session,
  { stream, table }: Lane,
  oid: string | undefined,
  run: Run,
): Promise<void> {
  const columns = table.columns.map(({ name }) => name);
  const carried = oid === undefined ? [] : await belongings(session, oid, table.final, columns);
  const indexes = oid === undefined ? [] : await indexesOf(session, oid);
  const key = oid === undefined ? undefined : await primaryKeyOf(session, oid);
  await session.query(`DROP TABLE IF EXISTS ${full(table.final)}`);
  await session.query(`ALTER TABLE ${full(table.relation)} RENAME TO ${quote(table.final.name)}`);
  await nameKey(session, table, key);
  for (const { name, definition } of indexes) {
    await session.query('SAVEPOINT carried_index');
    try {
      await session.query(definition);
      await session.query('RELEASE carried_index');
    } catch (cause) {
      await session.query('ROLLBACK TO carried_index');
      run.log.warn(
        'index_left_out',
        `stream "${stream.name}": ${name} does not fit the new table and was left out: ${textOf(cause)}`,
        { stream: stream.name },
      );
    }
  }
  await makeIndexes(session, stream, table.final, table.columns);
  for (const statement of carried) await session.query(statement);
}

/** Gives the primary key the name of the former one: PostgreSQL has named it after the table aside. */
async function nameKey(session: Session, { final }: Table, former: string | undefined): Promise<void> {
  const oid = await oidOf(session, final);
  const given = oid === undefined ? undefined : await primaryKeyOf(session, oid);
  const name = former ?? shortened(`${final.name}_pkey`, final.name, NAME_BYTES);
  if (given === undefined || given === name || (await exists(session, { schema: final.schema, name }))) return;
  await session.query(`ALTER TABLE ${full(final)} RENAME CONSTRAINT ${quote(given)} TO ${quote(name)}`);
}
