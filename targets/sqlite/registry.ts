/** Which table and column a stream and a property go to, for good: the table `_tapworks_names`, made when first needed. */
import type { Database } from 'better-sqlite3';
import { assignNames, tableNameFor } from '../names.ts';
import { CREATE_REGISTRY, MOVE_NAME, OBJECT_SQL, READ_REGISTRY, REGISTRY, REMEMBER_NAME, TAKEN_NAMES } from './sql.ts';

type Names = Map<string, string>;

/** SQLite compares names without regard to case, of ASCII letters only. */
export function fold(name: string): string {
  return name.replace(/[A-Z]+/g, (letters) => letters.toLowerCase());
}

/** Names that are not their source's. Whatever is not in here is called what it is. */
export interface Registry {
  /** Stream to table. */
  readonly tables: Names;
  /** Property to column, for one stream. */
  columns(stream: string): Names;
}

/** Reads the registry; without the table it is empty. */
export function readRegistry(db: Database): Registry {
  const tables: Names = new Map();
  const columns = new Map<string, Names>();
  const present = db.prepare(OBJECT_SQL).get(REGISTRY) !== undefined;
  const rows = present ? db.prepare(READ_REGISTRY).all() : [];
  for (const { kind, stream, property, name } of rows as Record<'kind' | 'stream' | 'property' | 'name', string>[]) {
    if (kind === 'table') tables.set(stream, name);
    else columns.set(stream, (columns.get(stream) ?? new Map()).set(property, name));
  }
  return { tables, columns: (stream) => columns.get(stream) ?? new Map() };
}

/**
 * The name of a stream's table: the one it has, or a new one that nothing else in the file has. `reserved` are names of
 * others that the file may not show yet.
 */
export function tableName(db: Database, stream: string, remembered: Names, reserved: readonly string[]): string {
  const taken = db.prepare(TAKEN_NAMES).all() as { readonly name: string; readonly type: string }[];
  const owned = new Set(remembered.values());
  const sanitised = tableNameFor(stream);
  // SQLite refuses names that begin with sqlite_; ours are bookkeeping.
  const plain = /^(sqlite|_tapworks)_/i.test(sanitised) ? `_${sanitised}` : sanitised;
  const known: Names = new Map(remembered);
  if (
    plain === stream &&
    !owned.has(stream) &&
    !reserved.some((name) => fold(name) === fold(stream)) &&
    taken.some((object) => object.name === stream && object.type === 'table')
  ) {
    known.set(stream, stream);
  }
  return (
    assignNames(new Map([[stream, plain]]), known, [...taken.map(({ name }) => name), ...reserved], fold).get(stream) ??
    plain
  );
}

/** Writes down the names of a stream that are not their source's. */
export function rememberNames(
  db: Database,
  stream: string,
  table: string,
  columns: readonly { readonly property: string; readonly name: string }[],
): void {
  const rows: [string, string, string, string][] = columns
    .filter(({ property, name }) => property !== name)
    .map(({ property, name }) => ['column', stream, property, name]);
  if (table !== stream) rows.push(['table', stream, '', table]);
  if (rows.length === 0) return;
  db.exec(CREATE_REGISTRY);
  const remember = db.prepare(REMEMBER_NAME);
  for (const row of rows) remember.run(row);
}

/** Writes down that a property goes to another column from now on. */
export function moveName(db: Database, stream: string, property: string, name: string): void {
  db.exec(CREATE_REGISTRY);
  db.prepare(MOVE_NAME).run('column', stream, property, name);
}
