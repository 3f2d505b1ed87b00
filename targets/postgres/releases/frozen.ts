/**
 * COPY … FREEZE writes rows that every snapshot sees, also one that is older than they are; without it a reader whose
 * snapshot was taken before the load would find the new tables empty. Rows that were written in any other way lose that,
 * so a table that had to be changed after its COPY is copied once more.
 */
import { tmpdir } from 'node:os';
import { pipeline } from 'node:stream/promises';
import { from, to } from 'pg-copy-streams';
import { ConnectorError, textOf } from '../../../singer/errors.ts';
import { NamelessFile } from '../../../singer/nameless-file.ts';
import type { Session } from '../connection.ts';
import { tableInfo } from '../inspection.ts';
import { copyInto, createTable, full, quote, type Relation } from '../sql.ts';
import type { Table } from '../tables.ts';

/** Begins the name of a table for as long as its rows are copied. */
const FORMER = '_tapworks_new_former';

/**
 * Copies the table once more, frozen. Of rows with one key the last stays if `once`. The table must have been made by
 * COPY alone as far as that matters: places (ctid) tell which row came last.
 */
export async function freeze(session: Session, { relation, key }: Table, once: boolean): Promise<void> {
  const columns = (await tableInfo(session, relation))?.columns ?? [];
  const names = columns.map(({ name }) => name);
  const former: Relation = { schema: relation.schema, name: FORMER };
  const list = names.map(quote).join(', ');
  const by = key.map(quote).join(', ');
  const rows = once ? `SELECT DISTINCT ON (${by}) ${list} FROM ${full(former)} ORDER BY ${by}, ctid DESC` : undefined;
  await session.query(`ALTER TABLE ${full(relation)} RENAME TO ${quote(FORMER)}`);
  // One connection reads or writes, so the rows wait in between.
  const file = temporaryFile();
  try {
    const source = `COPY (${rows ?? `SELECT ${list} FROM ${full(former)}`}) TO STDOUT`;
    for await (const chunk of session.client.query(to(source))) file.write(chunk as Uint8Array);
    await session.query(createTable(relation, columns, []));
    await pipeline(kept(file), session.client.query(from(copyInto(full(relation), names, true))));
  } catch (cause) {
    throw session.failure('write to', cause);
  } finally {
    file.close();
  }
  await session.query(`DROP TABLE ${full(former)}`);
}

/** Copies, because the connection may hold several chunks at a time. */
async function* kept(file: NamelessFile): AsyncGenerator<Uint8Array> {
  for await (const chunk of file.read()) yield Buffer.from(chunk);
}

function temporaryFile(): NamelessFile {
  try {
    return NamelessFile.open();
  } catch (cause) {
    throw new ConnectorError(
      'destination',
      `rows cannot be kept in ${tmpdir()} for a moment: ${textOf(cause)}`,
      {},
      { cause, hint: 'make room there, or set TMPDIR to a folder with room' },
    );
  }
}
