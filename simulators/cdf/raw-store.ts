/** RAW: databases, tables, rows. */

export interface RawRow {
  readonly key: string;
  readonly columns: Readonly<Record<string, unknown>>;
  readonly lastUpdatedTime: number;
}

export type RawTable = Map<string, RawRow>;

export class RawStore {
  readonly #databases = new Map<string, Map<string, RawTable>>();

  get databases(): readonly string[] {
    return [...this.#databases.keys()].sort();
  }

  tables(database: string): readonly string[] | undefined {
    const tables = this.#databases.get(database);
    return tables && [...tables.keys()].sort();
  }

  table(database: string, table: string): RawTable | undefined {
    return this.#databases.get(database)?.get(table);
  }

  /** Makes a database, if it is not there. */
  addDatabase(database: string): void {
    if (!this.#databases.has(database)) this.#databases.set(database, new Map());
  }

  /** Makes a table in a database that exists. */
  addTable(database: string, table: string): void {
    const tables = this.#databases.get(database);
    if (tables && !tables.has(table)) tables.set(table, new Map());
  }

  removeDatabase(database: string): void {
    this.#databases.delete(database);
  }

  removeTable(database: string, table: string): void {
    this.#databases.get(database)?.delete(table);
  }

  /** All rows with where they are, in order. */
  *rows(): Generator<{ readonly database: string; readonly table: string; readonly row: RawRow }> {
    for (const database of this.databases) {
      for (const table of this.tables(database) ?? []) {
        for (const row of this.table(database, table)?.values() ?? []) yield { database, table, row };
      }
    }
  }
}
