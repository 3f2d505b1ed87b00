/** load_method overwrite: tables that were loaded aside take the place of the ones that readers see. */
import type { Database } from 'better-sqlite3';
import { textOf } from '../../singer/errors.ts';
import type { Run } from '../../singer/stream.ts';
import type { Lane } from './lane.ts';
import { DEPENDENT_SQL, dropTable, renameTable } from './sql.ts';
import { makeIndexes } from './tables.ts';

/**
 * Puts the loaded tables in place, in the caller's transaction. Indexes and triggers of the former table are made again on
 * the new one; one that no longer fits it is left out with a warning.
 */
export function replaceTables(db: Database, lanes: Iterable<Lane>, run: Run): void {
  for (const { stream, table } of lanes) {
    const dependents = db.prepare(DEPENDENT_SQL).all(table.final) as { readonly name: string; readonly sql: string }[];
    db.exec(dropTable(table.final));
    db.exec(renameTable(table.name, table.final));
    for (const { name, sql } of dependents) {
      try {
        db.exec(sql);
      } catch (cause) {
        run.log.warn(
          'index_left_out',
          `stream "${stream.name}": ${name} does not fit the new table and was left out: ${textOf(cause)}`,
          { stream: stream.name },
        );
      }
    }
    makeIndexes(db, stream, table.final, table.columns);
  }
}
