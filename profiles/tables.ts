/** The tables of an SQLite file and their columns, whoever made them. */
import type { Database } from 'better-sqlite3';

export interface TableColumn {
  readonly name: string;
  /** The type as declared, which SQLite does not enforce; `''` when none is. */
  readonly declared: string;
  /** Place in the declared primary key, from 1; 0 outside it. */
  readonly keyPlace: number;
}

export interface SourceTable {
  readonly name: string;
  readonly columns: readonly TableColumn[];
  /** A name of the row number that no column hides; none for a table WITHOUT ROWID. */
  readonly rowid: string | undefined;
}

const OF_TYPE = `SELECT name, wr FROM pragma_table_list WHERE schema = 'main' AND lower(substr(name, 1, 7)) <> 'sqlite_'`;
/** Views, virtual tables and SQLite's own tables hold nothing of their own to load. */
const TABLES = `${OF_TYPE} AND type = 'table' ORDER BY name`;
const VIEWS = `${OF_TYPE} AND type IN ('view', 'virtual') ORDER BY name`;
/** `hidden` 1 marks columns that only virtual tables have; generated ones are 2 and 3. */
const COLUMNS = 'SELECT name, type, pk FROM pragma_table_xinfo(?) WHERE hidden <> 1 ORDER BY cid';

/** All ordinary tables of the main database, by name. */
export function tablesOf(db: Database): SourceTable[] {
  const tables = db.prepare(TABLES).all() as { name: string; wr: number | bigint }[];
  return tables.map(({ name, wr }) => {
    const columns = columnsOf(db, name);
    const hidden = new Set(columns.map((column) => column.name.toLowerCase()));
    const rowid = Number(wr) === 1 ? undefined : ['rowid', '_rowid_', 'oid'].find((alias) => !hidden.has(alias));
    return { name, columns, rowid };
  });
}

/**
 * Views and virtual tables, by name: read like tables, but their rows have no number of their own. One that SQLite can
 * no longer resolve, because a table or a module is gone, is left out and told to `onBroken`.
 */
export function viewsOf(db: Database, onBroken: (view: string, cause: unknown) => void): SourceTable[] {
  const names = db.prepare(VIEWS).pluck().all() as string[];
  return names.flatMap((name) => {
    try {
      db.prepare(`SELECT * FROM ${quoted(name)}`);
      return [{ name, columns: columnsOf(db, name), rowid: undefined }];
    } catch (cause) {
      onBroken(name, cause);
      return [];
    }
  });
}

function columnsOf(db: Database, table: string): TableColumn[] {
  const infos = db.prepare(COLUMNS).all(table) as { name: string; type: string; pk: number | bigint }[];
  return infos.map((info) => ({ name: info.name, declared: info.type, keyPlace: Number(info.pk) }));
}

/** A name between double quotes; SQLite as we build it takes them for nothing but names. */
export function quoted(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}
