/** What a release must pass before it becomes live. Each failure is one sentence; no value of a row stands in it. */
import { readdir, readFile, stat } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { ConnectorError, systemCode, textOf } from '../../../singer/errors.ts';
import type { Session } from '../connection.ts';
import { tableInfo } from '../inspection.ts';
import { full, quote, type Relation } from '../sql.ts';
import type { Table } from '../tables.ts';
import type { LoadedTables } from './ledger.ts';

/** A question of the user's to the rows of a release. */
export interface Check {
  readonly name: string;
  readonly sql: string;
}

/** Reads the files, and of folders their files `*.sql` by name. @throws ConnectorError `config` when one cannot be read. */
export async function readChecks(paths: readonly string[]): Promise<readonly Check[]> {
  const checks: Check[] = [];
  for (const path of paths) {
    try {
      const folder = (await stat(path)).isDirectory();
      const files = folder ? (await readdir(path)).filter((name) => name.endsWith('.sql')).sort() : [basename(path)];
      for (const name of files) {
        const sql = await readFile(folder ? join(path, name) : path, 'utf8');
        checks.push({ name, sql: sql.trim().replace(/;$/, '') });
      }
    } catch (cause) {
      throw new ConnectorError(
        'config',
        `setting release_checks: cannot read ${path}: ${textOf(cause)}`,
        { setting: 'release_checks', path },
        { cause },
      );
    }
  }
  return checks;
}

/** Rows of a failed check that are counted. */
const COUNTED = 1_000;
const BOOLEAN = 16;

/**
 * Asks the user's questions in a transaction that can change nothing; names without a schema mean the release. A check
 * has passed when it returns no row, or a single true.
 */
export async function failedChecks(
  session: Session,
  schema: string,
  checks: readonly Check[],
): Promise<readonly string[]> {
  const failures: string[] = [];
  for (const { name, sql } of checks) {
    await session.query('BEGIN READ ONLY');
    try {
      await session.query(`SET LOCAL search_path = ${quote(schema)}`);
      const found = await answer(session, sql);
      if (found !== undefined) failures.push(`check ${name} ${found}`);
    } catch (cause) {
      if (session.lost) throw session.failure('read from', cause);
      failures.push(`check ${name} cannot be run: ${textOf(cause)}`);
    }
    await session.query('ROLLBACK');
  }
  return failures;
}

async function answer(session: Session, sql: string): Promise<string | undefined> {
  await session.client.query(`DECLARE tapworks_check NO SCROLL CURSOR FOR ${sql}`);
  const { rows, fields } = await session.client.query<Record<string, string | null>>(
    `FETCH ${COUNTED + 1} FROM tapworks_check`,
  );
  const [field] = fields;
  if (fields.length === 1 && field?.dataTypeID === BOOLEAN && rows.length === 1) {
    return rows[0]?.[field.name] === 't' ? undefined : 'says no';
  }
  if (rows.length === 0) return undefined;
  return `found ${rows.length > COUNTED ? `more than ${COUNTED}` : rows.length} row${rows.length === 1 ? '' : 's'}`;
}

/** Share of its rows that a table may lose from one release to the next. */
const SHRINKAGE = 0.1;

/** Tables that have lost more than a tenth of their rows, or are missing. */
export async function shrunkTables(
  session: Session,
  live: string,
  former: LoadedTables,
  next: LoadedTables,
): Promise<readonly string[]> {
  const failures: string[] = [];
  for (const name of new Set([...Object.keys(former), ...Object.keys(next)])) {
    const rows = await countOf(session, { schema: live, name });
    if (rows === undefined) continue;
    const now = Object.hasOwn(next, name) ? (next[name]?.rows ?? 0) : 0;
    if (now < rows * (1 - SHRINKAGE)) failures.push(`table ${name} has ${now} rows, the live one ${rows}`);
  }
  return failures;
}

const NO_TABLE = '42P01';

async function countOf(session: Session, table: Relation): Promise<number | undefined> {
  try {
    return Number((await session.query(`SELECT count(*) AS rows FROM ${full(table)}`))[0]?.rows ?? 0);
  } catch (cause) {
    if (cause instanceof Error && systemCode(cause.cause) === NO_TABLE) return undefined;
    throw cause;
  }
}

/** What PostgreSQL has made of a table, if it is not what was decided: columns in order, their types, the key. */
export async function misshapen(session: Session, table: Table): Promise<readonly string[]> {
  const info = await tableInfo(session, table.relation);
  const is = info?.columns.map(({ name, declared }) => `${name} ${declared}`) ?? [];
  const failures: string[] = [];
  for (const { name, declared } of table.columns) {
    if (!is.includes(`${name} ${declared}`))
      failures.push(`column ${name} of table ${table.relation.name} is not ${declared}`);
  }
  const keyed = info?.keys.some(({ primary, columns }) => primary && columns.join() === table.key.join());
  if (table.key.length > 0 && keyed !== true) failures.push(`table ${table.relation.name} has no key`);
  return failures;
}
