/** Tables of a release: made bare, with their key when the rows are in. */
import { ConnectorError, systemCode } from '../../../singer/errors.ts';
import type { SinkStream } from '../../../singer/sink.ts';
import type { Session } from '../connection.ts';
import { takenNames } from '../inspection.ts';
import { readRegistry } from '../registry.ts';
import { full, quote } from '../sql.ts';
import { prepareTable, type Table, type TableRules } from '../tables.ts';
import { freeze } from './frozen.ts';

/** How a table of a release is made. */
export interface ReleaseRules extends Pick<TableRules, 'schema' | 'appendOnly' | 'schemaChange' | 'reserved'> {
  /** Name of the live schema. */
  readonly live: string;
}

/**
 * Makes or widens a table of the release. Its name is the one that it has in the live schema, or one that nothing else
 * there has. `former` is what the stream's table was before in this run.
 */
export async function prepareReleaseTable(
  session: Session,
  stream: SinkStream,
  former: Table | undefined,
  { live, reserved, ...rules }: ReleaseRules,
): Promise<Table> {
  const owned = new Set((await readRegistry(session, rules.schema)).tables.values());
  const others = (await takenNames(session, live)).map(({ name }) => name);
  const foreign = others.filter((name) => name !== stream.name && !owned.has(name));
  const all = { ...rules, reserved: [...reserved, ...foreign], aside: false, fresh: false, bare: true, made: true };
  const table = await prepareTable(session, stream, all);
  if (former !== undefined && keyText(former) !== keyText(table)) {
    throw new ConnectorError(
      'destination',
      `stream "${stream.name}": table "${table.final.name}" has the key (${keyText(former)}), but the stream now has (${keyText(table)})`,
      { stream: stream.name },
      { hint: 'a key must stay the same within a load: equal keys would no longer meet' },
    );
  }
  return table;
}

function keyText({ key, columns }: Table): string {
  const kindOf = (name: string) => columns.find((column) => column.name === name)?.kind;
  return key.map((name) => `${name} ${kindOf(name)}`).join(', ');
}

const UNIQUE_VIOLATION = '23505';

/**
 * Gives a table its key; of rows with one key the last stays.
 * @param frozen nothing but COPY has touched the table. If that is not so it is copied once more.
 * @returns whether rows had to go.
 */
export async function makeKey(session: Session, table: Table, frozen: boolean): Promise<boolean> {
  const add = `ALTER TABLE ${full(table.relation)} ADD PRIMARY KEY (${table.key.map(quote).join(', ')})`;
  if (!frozen) {
    await freeze(session, table, table.key.length > 0);
    if (table.key.length > 0) await session.query(add);
    return true;
  }
  if (table.key.length === 0) return false;
  await session.query('SAVEPOINT tapworks_key');
  try {
    await session.query(add);
    await session.query('RELEASE tapworks_key');
    return false;
  } catch (cause) {
    if (!(cause instanceof Error) || systemCode(cause.cause) !== UNIQUE_VIOLATION) throw cause;
    await session.query('ROLLBACK TO tapworks_key');
    await session.query('RELEASE tapworks_key');
  }
  await freeze(session, table, true);
  await session.query(add);
  return true;
}
