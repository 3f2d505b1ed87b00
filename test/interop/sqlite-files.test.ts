/**
 * Files that nobody here made, through `tap-servicedesk-sqlite` with its default settings into both SQL targets: every
 * value is there, and what is not the same is counted or set aside. `npm run test:interop` downloads the files from PyPI.
 */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Sqlite, { type Database } from 'better-sqlite3';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { runPipe } from '../../runner/pipe.ts';
import { tap } from '../../taps/servicedesk-sqlite/tap.ts';
import { object, runOnce } from '../contract/tap/outside.ts';
import { openDatabase } from '../postgres/database.ts';
import { type Announced, download, FILES, storedText, wantedRows } from './sqlite-files.ts';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'tapworks-interop-'));
  download(folder);
}, 600_000);
afterAll(() => rmSync(folder, { recursive: true, force: true }));

interface Stream {
  readonly properties: { readonly [name: string]: Announced };
  readonly rows: readonly string[];
}

/** What the tap announces and tells of a file, checked against the file itself. */
async function streamsOf(path: string, config: string): Promise<ReadonlyMap<string, Stream>> {
  const output = await runOnce(tap, ['--config', config]);
  expect(output.code, output.summary).toBe(0);
  const db = new Sqlite(path, { readonly: true });
  try {
    const streams = new Map<string, Stream>();
    for (const message of output.messages) {
      const stream = String(message.stream);
      if (message.type !== 'SCHEMA' || stream === '_sd_rejects') continue;
      const properties = object(object(message.schema).properties) as Stream['properties'];
      const { rows, changes, misfits } = wantedRows(db, stream, properties);
      const [told] = output.events('table_read').filter((event) => event.stream === stream);
      expect({ changes: told?.changes, misfits: told?.rejected_values, rows: told?.rows_sent }, stream).toEqual({
        changes,
        misfits,
        rows: rows.length,
      });
      streams.set(stream, { properties, rows });
    }
    const tables = `SELECT name FROM pragma_table_list WHERE schema = 'main' AND type = 'table' AND name NOT LIKE 'sqlite_%'`;
    expect([...streams.keys()].sort()).toEqual((db.prepare(tables).pluck().all() as string[]).sort());
    return streams;
  } finally {
    db.close();
  }
}

const quoted = (name: string) => `"${name.replaceAll('"', '""')}"`;

describe.each(FILES.map(({ name, path }) => [name, path] as const))('%s', (name, inside) => {
  let path: string;
  let config: string;
  let streams: ReadonlyMap<string, Stream>;
  beforeAll(async () => {
    path = join(folder, inside);
    config = join(folder, `${name}.json`);
    writeFileSync(config, JSON.stringify({ database: path }));
    const before = readFileSync(path);
    streams = await streamsOf(path, config);
    expect(readFileSync(path).equals(before)).toBe(true);
  }, 120_000);

  /** Runs the pipe, and holds each table against the file. */
  async function load(
    target: string,
    settings: object,
    rowsOf: (table: string, columns: readonly string[]) => Promise<readonly (readonly (string | null)[])[]>,
  ): Promise<void> {
    const targetConfig = join(folder, `${name}.${target}.json`);
    writeFileSync(targetConfig, JSON.stringify(settings), { mode: 0o600 });
    const log: string[] = [];
    const { exitCode } = await runPipe({
      tap: { name: 'tap-servicedesk-sqlite', args: ['--config', config] },
      target: { name: target, args: ['--config', targetConfig] },
      stderr: (_side, line) => log.push(line),
    });
    expect(exitCode, log.at(-1)).toBe(0);
    for (const [stream, { properties, rows }] of streams) {
      const columns = Object.keys(properties);
      const found = await rowsOf(stream, columns);
      const texts = found.map((row) =>
        JSON.stringify(row.map((value, at) => storedText(value, properties[columns[at] ?? ''] ?? {}))),
      );
      expect(texts.sort(), stream).toEqual(rows);
    }
  }

  test('into target-sqlite', async () => {
    const database = join(folder, `${name}.loaded.db`);
    let db: Database | undefined;
    try {
      await load('target-sqlite', { database }, async (table, columns) => {
        db ??= new Sqlite(database, { readonly: true });
        const rows = db
          .prepare(`SELECT ${columns.map(quoted).join(', ')} FROM ${quoted(table)}`)
          .raw()
          .safeIntegers(true);
        return (rows.all() as unknown[][]).map((row) => row.map((value) => (value === null ? null : String(value))));
      });
    } finally {
      db?.close();
    }
  }, 120_000);

  test('into target-postgres', async () => {
    const database = await openDatabase();
    try {
      await load('target-postgres', { url: database.url }, async (table, columns) => {
        const list = columns.map((column, at) => `${quoted(column)}::text AS c${at}`).join(', ');
        const rows = await database.query<Record<string, string | null>>(`SELECT ${list} FROM public.${quoted(table)}`);
        return rows.map((row) => columns.map((_, at) => row[`c${at}`] ?? null));
      });
    } finally {
      await database.close();
    }
  }, 120_000);
});
