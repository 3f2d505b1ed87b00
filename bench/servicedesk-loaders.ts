/** The three ways from a ServiceDesk file into PostgreSQL that are held against each other, each into a database of its own. */
import { spawnSync } from 'node:child_process';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import Sqlite from 'better-sqlite3';
import pg from 'pg';
import { quoted } from '../profiles/tables.ts';
import { TABLES, type TableName, tapOf } from './servicedesk-file.ts';
import type { Loaded, Told } from './servicedesk-outcome.ts';
import { limited, metered, piped, reportIn, shell, shellLine } from './shell-pipe.ts';
import { type Command, type Ending, executable } from './trial.ts';

/** One way. */
export interface Loader {
  readonly name: string;
  /** Its database. */
  readonly url: string;
  /** Makes the database anew, as the way needs to find it. */
  empty(): Promise<void>;
  /** Loads a file. */
  command(database: string): Command;
  /** How many errors it told of. */
  errors(ending: Ending): number;
  /** What it told that it set aside, of one table. */
  told?(table: TableName): Promise<Told>;
}

export const PGLOADER = 'pgloader';

/** Where loaders put what they need, and the server that they load into. */
export interface Place {
  readonly folder: string;
  /** Of a superuser. */
  readonly url: string;
}

/** A load that takes longer hangs: pgloader does on some files. */
const LONGEST_SECONDS = 300;
const FETCHED = 5_000;

export async function ask(url: string, ...statements: readonly string[]): Promise<Loaded[]> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    const types = { getTypeParser: () => (text: string) => text };
    let rows: Loaded[] = [];
    for (const text of statements) rows = (await client.query({ text, rowMode: 'array', types })).rows as Loaded[];
    return rows;
  } finally {
    await client.end();
  }
}

/** Rows of a table; none of one that does not exist. */
export async function countRows(url: string, table: TableName): Promise<number> {
  const [[exists = null] = []] = await ask(url, `SELECT to_regclass('public.${table}')`);
  if (exists === null) return 0;
  const [[count = null] = []] = await ask(url, `SELECT count(*) FROM public.${table}`);
  return Number(count);
}

/** The rows of a table, some at a time: so many columns from the left. */
export async function* loadedRows(url: string, table: TableName, columns: number): AsyncGenerator<Loaded> {
  if ((await countRows(url, table)) === 0) return;
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    await client.query(`BEGIN; DECLARE loaded NO SCROLL CURSOR FOR SELECT * FROM public.${table}`);
    const types = { getTypeParser: () => (text: string) => text };
    for (;;) {
      const text = `FETCH ${FETCHED} FROM loaded`;
      const { rows } = await client.query({ text, rowMode: 'array', types });
      if (rows.length === 0) return;
      for (const row of rows as Loaded[]) yield row.slice(0, columns);
    }
  } finally {
    await client.end();
  }
}

function databaseUrl(url: string, name: string): string {
  const other = new URL(url);
  other.pathname = `/${name}`;
  return other.href;
}

async function anew(url: string, name: string): Promise<void> {
  await ask(url, `DROP DATABASE IF EXISTS ${name} WITH (FORCE)`, `CREATE DATABASE ${name}`, 'CHECKPOINT');
}

/** tap-servicedesk-sqlite | target-postgres, all settings by default. Both sides have a meter: `tap` and `target`. */
export function ourPipe({ folder, url: server }: Place): Loader {
  const url = databaseUrl(server, 'ours');
  const config = join(folder, 'target.json');
  writeFileSync(config, JSON.stringify({ url }), { mode: 0o600 });
  const target = metered(executable('target-postgres', '--config', config), reportIn(folder, 'target'));
  return {
    name: 'the pipe',
    url,
    empty: () => anew(server, 'ours'),
    command: (database) => limited(piped(metered(tapOf(database), reportIn(folder, 'tap')), target), LONGEST_SECONDS),
    errors: () => 0,
    async told(table) {
      const rejects = await ask(url, `SELECT scope, rowid, "column" FROM public._sd_rejects WHERE stream = '${table}'`);
      return {
        rows: rejects.filter(([scope]) => scope === 'row').length,
        values: new Set(rejects.flatMap(([scope, rowid, column]) => (scope === 'value' ? [`${rowid}/${column}`] : []))),
      };
    },
  };
}

/**
 * `sqlite3 -csv | psql \copy`, one table after the other, into tables that are there: the file's columns with the types
 * and keys that target-postgres has found for them. Numbers that the file declares REAL become double precision, because
 * sqlite3 prints 3700398.0 where a bigint needs 3700398. What the tap adds, such as row numbers, is not there.
 */
export function shellPipe({ url: server }: Place, types: readonly string[]): Loader {
  const url = databaseUrl(server, 'shell');
  const psql = ['--no-psqlrc', '--quiet', url, '--command'];
  return {
    name: 'sqlite3 -csv to psql',
    url,
    async empty() {
      await anew(server, 'shell');
      await ask(url, ...types);
    },
    command(database) {
      const steps = TABLES.map((table) =>
        [
          { program: 'sqlite3', args: ['-readonly', '-csv', database, `SELECT * FROM ${table}`] },
          { program: 'psql', args: [...psql, `\\copy public.${table} FROM STDIN CSV`] },
        ]
          .map(shellLine)
          .join(' | '),
      );
      // As a user who looks at the end: a table that fails does not keep the next one back.
      return limited(
        shell(`failed=0; ${steps.map((step) => `${step} || failed=$?`).join('; ')}; exit $failed`),
        LONGEST_SECONDS,
      );
    },
    errors: ({ stderr }) => stderr.match(/^ERROR:/gm)?.length ?? 0,
  };
}

/** CREATE TABLE for the shell, from the tables of our pipe. */
export async function shellTables(url: string, database: string): Promise<string[]> {
  const db = new Sqlite(database, { readonly: true });
  try {
    return await Promise.all(
      TABLES.map(async (table) => {
        const declared = db.prepare('SELECT name, type FROM pragma_table_info(?)').raw().all(table) as [
          string,
          string,
        ][];
        const attributes = `FROM pg_attribute WHERE attrelid = 'public.${table}'::regclass AND attnum > 0`;
        const found = await ask(url, `SELECT attname, format_type(atttypid, atttypmod), attnotnull ${attributes}`);
        const columns = declared.map(([name, label]) => {
          const [, type = 'text', needed] = found.find(([column]) => column === name) ?? [];
          const fits = label === 'REAL' && type !== 'text' ? 'double precision' : type;
          return `${quoted(name)} ${fits}${needed === 't' ? ' PRIMARY KEY' : ''}`;
        });
        return `CREATE TABLE public.${table} (${columns.join(', ')})`;
      }),
    );
  } finally {
    db.close();
  }
}

/**
 * pgloader with `prefetch rows = 1000`: with its own 100,000 it dies of heap exhaustion. Undefined where it is not
 * installed.
 */
export function pgloader({ folder, url: server }: Place): Loader | undefined {
  if (spawnSync('pgloader', ['--version']).status !== 0) return undefined;
  const url = databaseUrl(server, 'pgloader');
  return {
    name: PGLOADER,
    url,
    empty: () => anew(server, 'pgloader'),
    command(database) {
      const [orders, rest] = [join(folder, 'pgloader.load'), join(folder, 'pgloader')];
      rmSync(rest, { recursive: true, force: true });
      mkdirSync(rest);
      const tables = TABLES.map((table) => `'${table}'`).join(', ');
      const options = 'create tables, create indexes, quote identifiers, prefetch rows = 1000';
      const text = `load database from sqlite://${database} into ${url} with ${options} including only table names like ${tables};`;
      writeFileSync(orders, text, { mode: 0o600 });
      return limited({ program: 'pgloader', args: ['--root-dir', rest, orders] }, LONGEST_SECONDS);
    },
    errors: ({ stdout, stderr }) => `${stdout}${stderr}`.match(/^\S+ ERROR /gm)?.length ?? 0,
  };
}
