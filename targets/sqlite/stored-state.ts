/** The state that a file keeps beside the rows. */
import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import Sqlite, { type Database } from 'better-sqlite3';
import type { StatePlace } from '../settings.ts';
import { destinationError } from './database.ts';
import { OBJECT_SQL, readState } from './sql.ts';

/** The state as JSON text; undefined when the file, the table or the row is not there. Nothing is created or changed. */
export function storedState(path: string, { table, key }: StatePlace): string | undefined {
  const file = resolve(path);
  if (!existsSync(file)) return undefined;
  let db: Database | undefined;
  try {
    db = new Sqlite(file, { readonly: true });
    if (db.prepare(OBJECT_SQL).get(table) === undefined) return undefined;
    return db.prepare<[string], string>(readState(table)).pluck().get(key);
  } catch (cause) {
    throw destinationError(path, 'open', cause);
  } finally {
    db?.close();
  }
}
