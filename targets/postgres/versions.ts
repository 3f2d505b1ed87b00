/** Rows by the version of their stream: which versions a table has, and what becomes of rows of those that are over. */
import { DELETED_AT, TABLE_VERSION } from '../../singer/metadata.ts';
import type { Retirement } from '../../singer/sink.ts';
import type { Session } from './connection.ts';
import { deleteVersions, distinctVersions, stampVersions } from './sql.ts';
import { columnFor, type Table } from './tables.ts';

/** The versions that rows of the table have, null for rows without one; empty when it has no column for them. */
export async function versionsIn(session: Session, table: Table): Promise<readonly (bigint | null)[]> {
  const column = columnFor(table, TABLE_VERSION);
  if (column === undefined) return [];
  const found = await session.query(distinctVersions(table.relation, column));
  return found.flatMap(({ version = null }) =>
    version === null ? [null] : /^-?\d+$/.test(version) ? [BigInt(version)] : [],
  );
}

/** Stamps or deletes the rows of these versions, and returns how many there were. A stamp needs its column. */
export async function retireRows(session: Session, table: Table, { versions, hard, at }: Retirement): Promise<number> {
  const version = columnFor(table, TABLE_VERSION) ?? TABLE_VERSION;
  const unversioned = versions.includes(null);
  const numbers = versions.flatMap((one) => (one === null ? [] : [String(one)]));
  const stamp = columnFor(table, DELETED_AT) ?? DELETED_AT;
  const [gone] = hard
    ? await session.query(deleteVersions(table.relation, version, unversioned), [numbers])
    : await session.query(stampVersions(table.relation, stamp, version, unversioned), [numbers, at]);
  return Number(gone?.deleted ?? 0);
}
