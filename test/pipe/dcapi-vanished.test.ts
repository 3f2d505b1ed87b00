/**
 * Systems and pairs that leave between two sweeps, through a real pipe: no query of the documents knows them any more.
 * Each query, taken out of its document, must say the same as in a copy of the database from which their rows are removed.
 */
import { copyFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { blocksOf, type Document, read } from '../docs/documents.ts';
import { openWorkshop, type Workshop } from './workshop.ts';

const START = Date.UTC(2026, 2, 1, 6);
const HOUR = 3_600_000;

const document = (path: string): Document => ({ path, text: read(path) });
/** Every statement that a document hands to the sqlite3 program, with shell variables in it. */
const GUIDE = blocksOf(document('docs/tap-dcapi.md')).flatMap(({ text }) =>
  [...text.matchAll(/sqlite3 pmp\.db "([^"]+)"/g)].map(([, sql = '']) => sql),
);
const README = blocksOf(document('README.md'))
  .filter(({ language }) => language === 'sql')
  .flatMap(({ text }) => text.split(/;\s*$/m))
  .map((sql) => sql.trim())
  .filter((sql) => sql !== '');

let shop: Workshop;
/** Copies of the database: rows that left are removed in the first, and not marked in the second. */
let removed: Database.Database;
let unmarked: Database.Database;
let after: Database.Database;

/** Both taps into one database, so many hours after the first time. */
async function load(hours: number): Promise<void> {
  const env = { ...shop.env, TAPWORKS_NOW: new Date(START + hours * HOUR).toISOString() };
  const pmp = join(shop.folder, 'pmp.json');
  writeFileSync(pmp, '{"streams":["systems"]}');
  for (const more of [
    {},
    {
      tap: { name: 'tap-pmp', args: ['--config', shop.tapConfig, '--config', pmp] },
      state: join(shop.folder, 'pmp.state.json'),
    },
  ]) {
    const { exitCode, lines } = await shop.run({ env, ...more });
    expect(exitCode, lines.join('\n')).toBe(0);
  }
}

function copyWith(name: string, change: (table: string) => string): Database.Database {
  const path = join(shop.folder, name);
  copyFileSync(shop.database, path);
  const db = new Database(path);
  const tables = db
    .prepare("SELECT m.name FROM sqlite_schema m JOIN pragma_table_info(m.name) c ON c.name = '_sdc_deleted_at'")
    .pluck()
    .all() as string[];
  for (const table of tables) db.exec(change(table));
  return db;
}

beforeAll(async () => {
  shop = await openWorkshop({
    program: 'tap-dcapi',
    profile: 'small',
    tap: { snapshot_id: undefined, snapshot_max_age_hours: 24, pages_per_run: 0 },
  });
  await load(0);
  await shop.control('shrink', { list: 'dcapi_systems', count: 30 });
  await shop.control('shrink', { list: 'pairs', count: 500 });
  await load(40);
  const checkpoint = new Database(shop.database);
  checkpoint.pragma('wal_checkpoint(TRUNCATE)');
  checkpoint.close();
  removed = copyWith('removed.db', (table) => `DELETE FROM "${table}" WHERE _sdc_deleted_at IS NOT NULL`);
  unmarked = copyWith('unmarked.db', (table) => `UPDATE "${table}" SET _sdc_deleted_at = NULL`);
  after = new Database(shop.database, { readonly: true });
});
afterAll(async () => {
  for (const db of [removed, unmarked, after]) db.close();
  await shop.close();
});

const answer = (db: Database.Database, sql: string) =>
  (db.prepare(sql).raw().all() as unknown[]).map((row) => JSON.stringify(row)).sort();

/** One value of a query over what has left. */
const gone = (sql: string) => String(after.prepare(sql).pluck().get());

const MARKED = '_sdc_deleted_at IS NOT NULL';

/** Values for the shell variables of the guide that are as awkward as can be: each concerns something that has left. */
function filled(sql: string): string {
  const values: Readonly<Record<string, string>> = {
    PATCH: gone(
      `SELECT patch_id FROM patch_system_mapping WHERE ${MARKED} AND patch_status = 'Installed' ORDER BY 1 LIMIT 1`,
    ),
    SYSTEM: gone(`SELECT resource_id FROM patch_system_mapping JOIN dcapi_systems s USING (resource_id)
      WHERE s._sdc_deleted_at IS NULL AND patch_system_mapping.${MARKED} AND patch_status <> 'Installed' LIMIT 1`),
    CVE: gone(`SELECT cveids FROM dcapi_patches p JOIN patch_system_mapping m USING (patch_id)
      WHERE m.${MARKED} AND cveids IS NOT NULL LIMIT 1`).replace(/,.*/, ''),
  };
  return sql.replaceAll(/\$([A-Z]+)/g, (_whole, name: string) => values[name] ?? `no value for ${name}`);
}

describe('30 systems and 500 pairs left between two sweeps', () => {
  test('the marks are on them and on nobody else', async () => {
    const { streams } = (await shop.control('manifest?ids=1')) as {
      streams: Record<string, { ids: string[]; removed?: string[] }>;
    };
    const ids = (key: string, table: string, marked: boolean) =>
      shop
        .query(`SELECT ${key} AS id FROM ${table} WHERE (${MARKED}) = ${marked ? 1 : 0} ORDER BY 1`)
        .map(({ id }) => id);
    const pair = "resource_id || '/' || patch_id";
    expect(ids('resource_id', 'dcapi_systems', true)).toEqual(streams.dcapi_systems?.removed?.toSorted());
    expect(ids('resource_id', 'dcapi_systems', true)).toHaveLength(30);
    expect(ids('resource_id', 'dcapi_systems', false)).toEqual(streams.dcapi_systems?.ids.toSorted());
    expect(ids(pair, 'patch_system_mapping', false)).toEqual(streams.patch_system_mapping?.ids.toSorted());
    expect(ids(pair, 'patch_system_mapping', true).length).toBeGreaterThan(500);
  });

  test('there are queries in both documents', () => {
    expect(GUIDE.length).toBeGreaterThanOrEqual(7);
    expect(README.length).toBeGreaterThanOrEqual(3);
  });

  test.each(GUIDE.map((sql, number) => [number + 1, sql] as const))('statement %i of the guide', (_number, sql) => {
    const query = filled(sql);
    expect(answer(after, query), query).toEqual(answer(removed, query));
    // With the marks taken off it says something else, unless it only picks an example.
    if (sql.includes('_sdc_deleted_at')) expect(answer(unmarked, query), query).not.toEqual(answer(removed, query));
  });

  test('every query of the README', () => {
    for (const query of README) expect(answer(after, query), query).toEqual(answer(removed, query));
    const telling = README.filter(
      (query) => JSON.stringify(answer(unmarked, query)) !== JSON.stringify(answer(removed, query)),
    );
    expect(telling.length).toBeGreaterThanOrEqual(2);
  });
});
