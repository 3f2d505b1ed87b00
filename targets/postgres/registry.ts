/** Which table and column a stream and a property go to, for good: the table `_tapworks_names`, made when first needed. */
import { assignNames, tableNameFor } from '../names.ts';
import type { Session } from './connection.ts';
import { exists, takenNames } from './inspection.ts';
import { full, NAME_BYTES, REGISTRY } from './sql.ts';

type Names = Map<string, string>;

/** PostgreSQL tells quoted names apart by every letter. */
export const fold = (name: string): string => name;

/** Names that are not their source's. Whatever is not in here is called what it is. */
export interface Registry {
  /** Stream to table. */
  readonly tables: Names;
  /** Property to column, for one stream. */
  columns(stream: string): Names;
}

/** Reads the registry of a schema; without the table it is empty. */
export async function readRegistry(session: Session, schema: string): Promise<Registry> {
  const tables: Names = new Map();
  const columns = new Map<string, Names>();
  const table = { schema, name: REGISTRY };
  const rows = (await exists(session, table))
    ? await session.query(`SELECT kind, stream, property, name FROM ${full(table)}`)
    : [];
  for (const { kind, stream, property, name } of rows as readonly Record<string, string>[]) {
    if (stream === undefined || property === undefined || name === undefined) continue;
    if (kind === 'table') tables.set(stream, name);
    else columns.set(stream, (columns.get(stream) ?? new Map()).set(property, name));
  }
  return { tables, columns: (stream) => columns.get(storable(stream)) ?? new Map() };
}

/**
 * The name of a stream's table: the one it has, or a new one that nothing else in the schema has. `reserved` are names
 * of others that the schema may not show yet.
 */
export async function tableName(
  session: Session,
  schema: string,
  stream: string,
  remembered: Names,
  reserved: readonly string[],
): Promise<string> {
  const taken = await takenNames(session, schema);
  const sanitised = tableNameFor(stream);
  // Ours are bookkeeping; pg_ is PostgreSQL's own prefix for what must not be touched.
  const plain = /^(pg|_tapworks)_/i.test(sanitised) ? `_${sanitised}` : sanitised;
  const known: Names = new Map(remembered);
  const own = remembered.get(storable(stream));
  if (own !== undefined) known.set(stream, own);
  const owned = new Set(remembered.values());
  if (plain === stream && !owned.has(stream) && !reserved.includes(stream)) {
    if (taken.some(({ name, kind }) => name === stream && (kind === 'r' || kind === 'p'))) known.set(stream, stream);
  }
  const others = [...taken.map(({ name }) => name), ...reserved];
  return assignNames(new Map([[stream, plain]]), known, others, fold, NAME_BYTES).get(stream) ?? plain;
}

/** Writes down the names of a stream that are not their source's. */
export async function rememberNames(
  session: Session,
  { schema, name: table }: { readonly schema: string; readonly name: string },
  stream: string,
  columns: readonly { readonly property: string; readonly name: string }[],
): Promise<void> {
  for (const { property, name } of columns) {
    if (property !== name) await remember(session, schema, ['column', stream, property, name], false);
  }
  if (table !== stream) await remember(session, schema, ['table', stream, '', table], false);
}

/** Writes down that a property goes to another column from now on. */
export function moveName(
  session: Session,
  schema: string,
  stream: string,
  property: string,
  name: string,
): Promise<void> {
  return remember(session, schema, ['column', stream, property, name], true);
}

async function remember(
  session: Session,
  schema: string,
  row: readonly [string, string, string, string],
  move: boolean,
): Promise<void> {
  const table = full({ schema, name: REGISTRY });
  await session.query(
    `CREATE TABLE IF NOT EXISTS ${table} (kind text NOT NULL, stream text NOT NULL, property text NOT NULL, name text NOT NULL, PRIMARY KEY (kind, stream, property))`,
  );
  await session.query(
    `INSERT INTO ${table} (kind, stream, property, name) VALUES ($1, $2, $3, $4) ON CONFLICT (kind, stream, property) DO ${move ? 'UPDATE SET name = excluded.name' : 'NOTHING'}`,
    row.map(storable),
  );
}

/** A name in a form that PostgreSQL can hold; one with U+0000 or half a character as JSON, so that no two become one. */
export function storable(text: string): string {
  return /^"|\0/.test(text) || !text.isWellFormed() ? JSON.stringify(text) : text;
}
