/** What the tables of a release get when all rows are in: keys, indexes, statistics. Done once, it costs less than row by row. */
import { systemCode, textOf } from '../../../singer/errors.ts';
import type { Run } from '../../../singer/stream.ts';
import type { Session } from '../connection.ts';
import { indexesOf, oidOf } from '../dependents.ts';
import { exists, tableInfo } from '../inspection.ts';
import { full } from '../sql.ts';
import { makeIndexes, type Table } from '../tables.ts';
import { holderOf } from '../types.ts';
import { storedContent } from './fingerprint.ts';
import type { LoadedTable, LoadedTables } from './ledger.ts';
import type { Part } from './part.ts';
import { makeKey } from './tables.ts';

/** Completes the tables and says what they hold. Everything was settled before. */
export async function finishTables(
  session: Session,
  parts: Iterable<Part>,
  live: string,
  run: Run,
): Promise<LoadedTables> {
  const tables: Record<string, LoadedTable> = {};
  for (const part of parts) {
    const { table } = part.lane;
    await part.lane.drop();
    const changed = await makeKey(session, table, part.frozen);
    await makeIndexes(session, part.stream, table.relation, table.columns);
    await carryIndexes(session, table, live, run);
    await session.query(`ANALYZE ${full(table.relation)}`);
    const known = changed ? undefined : part.fingerprint?.content;
    // Columns that the schema had earlier in this run belong to the table too.
    const columns = (await tableInfo(session, table.relation))?.columns ?? [];
    const hashed = columns.map(({ name, declared }) => ({ name, holder: holderOf(declared) }));
    const content = known ?? (await storedContent(session, table.relation, hashed));
    tables[table.relation.name] = { stream: table.stream, ...content, columns: columns.map(({ name }) => name) };
    run.log.info('release_table', `table ${table.relation.name}: ${content.rows} rows`, {
      stream: table.stream,
      rows: content.rows,
      content_hash: content.hash,
    });
  }
  return tables;
}

/** Classes of SQLSTATE that tell that an index does not fit: names and types, or rows that break it. */
const MISFIT = /^(42|23|54)/;

/** Indexes that somebody made on the live table; one that does not fit is left out with a warning. */
async function carryIndexes(session: Session, { stream, relation }: Table, live: string, run: Run): Promise<void> {
  const former = { schema: live, name: relation.name };
  const oid = await oidOf(session, former);
  if (oid === undefined) return;
  for (const { name, definition } of await indexesOf(session, oid)) {
    if (await exists(session, { schema: relation.schema, name })) continue;
    const [on] = await session.query('SELECT $1::regclass::text AS name', [oid]);
    await session.query('SAVEPOINT tapworks_index');
    try {
      await session.query(definition.replace(` ON ${on?.name} USING `, () => ` ON ${full(relation)} USING `));
    } catch (cause) {
      if (!(cause instanceof Error) || !MISFIT.test(systemCode(cause.cause) ?? '')) throw cause;
      await session.query('ROLLBACK TO tapworks_index');
      run.log.warn(
        'index_left_out',
        `stream "${stream}": ${name} does not fit the new table and was left out: ${textOf(cause)}`,
        { stream },
      );
    }
    await session.query('RELEASE tapworks_index');
  }
}
