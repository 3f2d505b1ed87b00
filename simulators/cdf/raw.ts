/** The RAW API. An insert replaces the columns of a row that exists. */
import { flag, itemsOf, MOST_ITEMS } from './identities.ts';
import { cut, pageOf } from './paging.ts';
import type { Context } from './project.ts';
import type { RawTable } from './raw-store.ts';
import { invalid, Refusal } from './refusal.ts';
import { ok, type Reply } from './resource.ts';
import { bytesOf, checkShape, type Fields, isObject, text } from './shapes.ts';

const DATABASE = text(32, 1);
const TABLE = text(64, 1);
const KEY = text(1_024, 1);
const MOST_ROWS = 10_000;
const ROW_BYTES = 5 * 1_024 * 1_024;
const DEFAULT_ROWS = 25;

function named(body: Fields, check: typeof DATABASE, others: readonly string[] = []): readonly string[] {
  const items = itemsOf(body, MOST_ITEMS, others);
  const shape = { fields: { name: check }, required: ['name'] };
  return items.map((item, index) => String(checkShape(item, shape, `items[${index}]`).name));
}

function checkName(name: string, check: typeof DATABASE, what: string): void {
  const problem = check(name);
  if (problem !== undefined) throw invalid(`${what} name: ${problem}`);
}

function notThere(what: string, name: string): Refusal {
  return new Refusal(404, `Following ${what} not found: ${name}`);
}

function tablesOf({ project }: Context, database: string): readonly string[] {
  const tables = project.raw.tables(database);
  if (tables === undefined) throw notThere('databases', database);
  return tables;
}

function tableOf(context: Context, database: string, table: string): RawTable {
  tablesOf(context, database);
  const found = context.project.raw.table(database, table);
  if (found === undefined) throw notThere('tables', table);
  return found;
}

function namePage(names: readonly string[], query: Fields, list: string): Reply {
  const { items, ...next } = cut(list, names, pageOf(list, query), (_name, index) => index);
  return ok({ items: items.map((name) => ({ name })), ...next });
}

export function createDatabases({ project }: Context, body: Fields): Reply {
  const names = named(body, DATABASE);
  for (const name of names) project.raw.addDatabase(name);
  return ok({ items: names.map((name) => ({ name })) });
}

export function listDatabases({ project }: Context, query: Fields): Reply {
  return namePage(project.raw.databases, query, 'databases');
}

export function deleteDatabases(context: Context, body: Fields): Reply {
  const names = named(body, DATABASE, ['recursive']);
  const recursive = flag(body, 'recursive');
  for (const name of names) {
    if (tablesOf(context, name).length > 0 && !recursive) throw invalid(`Database ${name} has tables: set recursive`);
  }
  for (const name of names) context.project.raw.removeDatabase(name);
  return ok({});
}

export function createTables(context: Context, body: Fields, database: string, ensuresParent: boolean): Reply {
  const names = named(body, TABLE);
  checkName(database, DATABASE, 'database');
  if (ensuresParent) context.project.raw.addDatabase(database);
  tablesOf(context, database);
  for (const name of names) context.project.raw.addTable(database, name);
  return ok({ items: names.map((name) => ({ name })) });
}

export function listTables(context: Context, query: Fields, database: string): Reply {
  return namePage(tablesOf(context, database), query, `tables ${database}`);
}

export function deleteTables(context: Context, body: Fields, database: string): Reply {
  const names = named(body, TABLE);
  for (const name of names) tableOf(context, database, name);
  for (const name of names) context.project.raw.removeTable(database, name);
  return ok({});
}

/** Missing fields of a row are told without the envelope of other errors. */
function checkedRow(item: Fields, where: string): { readonly key: string; readonly columns: Fields } {
  const missingFields = ['key', 'columns'].filter((name) => item[name] === undefined);
  if (missingFields.length > 0) throw invalid(`${where}: missing fields`, { missingFields });
  const shape = {
    fields: { key: KEY, columns: (value: unknown) => (isObject(value) ? undefined : 'must be an object') },
  };
  const { key, columns } = checkShape(item, shape, where);
  const size = bytesOf(JSON.stringify(columns));
  if (size > ROW_BYTES) throw invalid(`${where}.columns: at most ${ROW_BYTES} bytes are allowed, ${size} were given`);
  return { key: String(key), columns: columns as Fields };
}

export function insertRows(
  context: Context,
  body: Fields,
  [database, table]: readonly [string, string],
  ensuresParent: boolean,
): Reply {
  const { project, now } = context;
  const rows = itemsOf(body, MOST_ROWS).map((item, index) => checkedRow(item, `items[${index}]`));
  checkName(database, DATABASE, 'database');
  checkName(table, TABLE, 'table');
  if (ensuresParent) {
    project.raw.addDatabase(database);
    project.raw.addTable(database, table);
  }
  const target = tableOf(context, database, table);
  for (const { key, columns } of rows) target.set(key, { key, columns, lastUpdatedTime: now });
  return ok({});
}

export function listRows(context: Context, query: Fields, [database, table]: readonly [string, string]): Reply {
  const list = `rows ${database} ${table}`;
  const page = pageOf(list, query, MOST_ROWS, DEFAULT_ROWS);
  const { columns, minLastUpdatedTime: min = 0, maxLastUpdatedTime: max = Infinity } = query;
  const wanted = columns === undefined ? undefined : String(columns).split(',');
  const rows = [...tableOf(context, database, table).values()].filter(
    ({ lastUpdatedTime }) => lastUpdatedTime > Number(min) && lastUpdatedTime <= Number(max),
  );
  const { items, ...next } = cut(list, rows, page, (_row, index) => index);
  const shown = items.map((row) => {
    if (wanted === undefined) return row;
    return {
      ...row,
      columns: Object.fromEntries(Object.entries(row.columns).filter(([name]) => wanted.includes(name))),
    };
  });
  return ok({ items: shown, ...next });
}

export function rowOf(context: Context, [database, table]: readonly [string, string], key: string): Reply {
  const row = tableOf(context, database, table).get(key);
  if (row === undefined) throw notThere('rows', key);
  return ok(row);
}

export function deleteRows(context: Context, body: Fields, [database, table]: readonly [string, string]): Reply {
  const items = itemsOf(body, MOST_ITEMS);
  const shape = { fields: { key: KEY }, required: ['key'] };
  const keys = items.map((item, index) => String(checkShape(item, shape, `items[${index}]`).key));
  const target = tableOf(context, database, table);
  for (const key of keys) target.delete(key);
  return ok({});
}
