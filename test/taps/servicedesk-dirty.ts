/**
 * A generated file with all its defects, read by the tap and held against the generator's manifest and against an
 * independent reading of the file: every cell, whatever the size.
 */
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, statSync } from 'node:fs';
import Sqlite, { type Database, type Statement } from 'better-sqlite3';
import { expect } from 'vitest';
import { type GeneratorOptions, generate } from '../../simulators/servicedesk/generate.ts';
import type { Manifest, ManifestCell } from '../../simulators/servicedesk/manifest.ts';
import { type Column, type Kind, type TableName, tablesOf } from '../../simulators/servicedesk/schema.ts';
import { type Json, parseLossless } from '../../singer/lossless.ts';
import { object } from '../contract/tap/outside.ts';
import { DEFAULTS } from '../simulators/servicedesk-files.ts';
import { Export, type Fields, stream } from './servicedesk.ts';

/** Classes whose values cannot be loaded. All others are repaired or pass as they are; so do duplicates. */
const SET_ASIDE: Readonly<Record<string, { readonly scope: 'row' | 'value'; readonly reason: string }>> = {
  D06: { scope: 'value', reason: 'impossible_date' },
  D19: { scope: 'value', reason: 'special_word' },
  D23: { scope: 'row', reason: 'null_key' },
  D24: { scope: 'row', reason: 'bad_key' },
  D26: { scope: 'value', reason: 'bigint_overflow' },
  // Only the texts among them: hours of 0 or 25 are numbers.
  D27: { scope: 'value', reason: 'not_a_number' },
  D29: { scope: 'value', reason: 'invalid_utf8' },
  D34: { scope: 'value', reason: 'blob_in_text' },
  D35: { scope: 'row', reason: 'shifted_row' },
};
/** What only a cleaner does, which sees all rows at once. */
const LEFT_IN = new Set(['D20', 'D21']);

const PG: Readonly<Record<Kind, string>> = {
  integer: 'bigint',
  number: 'numeric',
  timestamp: 'timestamp',
  text: 'text',
};

interface Cell extends ManifestCell {
  readonly id: string;
}

export interface Proof {
  readonly rows: number;
  readonly cells: number;
  readonly rejects: number;
}

/** Generates, reads and compares. */
export async function proveDirty(folder: string, options: Partial<GeneratorOptions>): Promise<Proof> {
  const file = new Export(folder, `dirty-${options.rows}-${options.leaveWal ?? 0}.db`);
  const manifest = await generate(file.path, `${file.path}.json`, { ...DEFAULTS, profile: 'dirty', ...options });
  const before = marks(file.path);
  const db = new Sqlite(file.path, { readonly: true });
  try {
    const book = new Book(manifest, db);
    const { code, log } = await stream(['--config', file.put({ database: file.path })], (messages) => {
      for (const message of messages) book.take(message);
    });
    expect(code, log).toBe(0);
    return book.close(object(parseLossless(log.trim().split('\n').at(-1) ?? '')));
  } finally {
    db.close();
    expect(marks(file.path)).toEqual(before);
  }
}

/** All that must not change of a file and its log: bytes, size and the time of the last write. */
export function marks(path: string): readonly string[] {
  return [path, `${path}-wal`]
    .filter((one) => existsSync(one))
    .map((one) => {
      const { size, mtimeNs } = statSync(one, { bigint: true });
      return `${one} ${size} ${mtimeNs} ${createHash('sha256').update(readFileSync(one)).digest('hex')}`;
    });
}

/** What came out, checked against the file and the manifest as far as it can be while it comes. */
class Book {
  readonly #manifest: Manifest;
  readonly #db: Database;
  readonly #cells = new Map<string, Cell>();
  readonly #tables: ReadonlyMap<string, Table>;
  readonly #rejects: Fields[] = [];

  constructor(manifest: Manifest, db: Database) {
    this.#manifest = manifest;
    this.#db = db;
    this.#tables = new Map(
      Object.values(tablesOf('base')).map(({ name, columns }) => [name, new Table(db, name, columns)]),
    );
    for (const [id, { cells }] of Object.entries(manifest.defects)) {
      for (const cell of cells) {
        if (!LEFT_IN.has(id)) this.#cells.set(`${cell.table} ${cell.rowid} ${cell.column ?? ''}`, { ...cell, id });
      }
    }
  }

  take(message: Fields): void {
    const table = this.#tables.get(String(message.stream));
    if (message.type === 'SCHEMA') table?.announce(object(message.schema));
    if (message.type === 'ACTIVATE_VERSION') table?.activate();
    if (message.type !== 'RECORD') return;
    if (table === undefined) this.#rejects.push(object(message.record));
    else table.take(object(message.record), (rowid, column) => this.#cells.get(`${message.stream} ${rowid} ${column}`));
  }

  /** Checks what only shows at the end; `summary` is the last line of the log. */
  close(summary: Fields): Proof {
    let rows = 0;
    for (const [name, table] of this.#tables) {
      const aside = this.#rejects.filter(({ stream, scope }) => stream === name && scope === 'row');
      rows += table.close(
        this.#manifest.tables[name as TableName].rows,
        aside.map(({ rowid }) => Number(rowid)),
      );
    }
    this.#checkRejects();
    const count = (wanted: string) => this.#rejects.filter(({ scope }) => scope === wanted).length;
    expect(summary).toMatchObject({
      event_type: 'run_complete',
      rows: rows - count('row'),
      rejected_rows: count('row'),
      rejected_values: count('value'),
    });
    return { rows, cells: this.#cells.size, rejects: this.#rejects.length };
  }

  /** The rejects are those of the manifest, neither more nor fewer. */
  #checkRejects(): void {
    const wanted = [...this.#cells.values()].flatMap((cell) => {
      const rule = SET_ASIDE[cell.id];
      if (rule === undefined || (cell.id === 'D27' && cell.expected !== null)) return [];
      const { table, rowid, column, raw_b64 } = cell;
      // A row that has moved is named by its first value that is out of place.
      return [[table, rowid, rule.scope, rule.reason, column ?? 'ticket_id', column === null ? '' : raw_b64]];
    });
    const got = this.#rejects.map(({ table, rowid, scope, reason, column, raw_b64 }) => [
      table,
      rowid,
      scope,
      reason,
      column,
      reason === 'shifted_row' ? '' : raw_b64,
    ]);
    const sorted = (list: readonly unknown[][]) => list.map((one) => JSON.stringify(one)).sort();
    expect(sorted(got)).toEqual(sorted(wanted as unknown[][]));
    expect(new Set(this.#rejects.map(({ reject_id }) => reject_id)).size).toBe(this.#rejects.length);
    for (const reject of this.#rejects) this.#checkReject(reject);
    const { rejected_rows, rejected_values } = this.#manifest.expected;
    const { duplicate_key: _kept, ...rowsByReason } = rejected_rows;
    expect(this.#counts('row')).toEqual(rowsByReason);
    expect(this.#counts('value')).toEqual(rejected_values);
  }

  #counts(scope: string): Readonly<Record<string, number>> {
    const counts: Record<string, number> = {};
    for (const reject of this.#rejects) {
      const reason = String(reject.reason);
      if (reject.scope === scope) counts[reason] = (counts[reason] ?? 0) + 1;
    }
    return counts;
  }

  /** Storage class, bytes and hash are those of the file; a row set aside is there whole. */
  #checkReject(reject: Fields): void {
    const { table, column, rowid, scope } = reject;
    const at = `FROM "${table}" WHERE rowid = ${rowid}`;
    const [storage, bytes] = this.#db
      .prepare(`SELECT typeof("${column}"), CAST("${column}" AS BLOB) ${at}`)
      .raw()
      .get() as [string, Buffer | null];
    expect(reject.storage_class).toBe(storage);
    // SQLite prints 9.3e18 with an exponent.
    if (storage !== 'real') {
      expect(reject.raw_b64).toBe(bytes?.toString('base64') ?? null);
      expect(reject.raw_len).toBe(bytes?.length ?? null);
    }
    const raw = reject.raw_b64 === null ? null : Buffer.from(String(reject.raw_b64), 'base64');
    expect(reject.raw_sha256).toBe(raw === null ? null : createHash('sha256').update(raw).digest('hex'));
    if (scope === 'row') expect(reject.record).toEqual(this.#db.prepare(`SELECT * ${at}`).get());
    else expect(reject.record).toBeNull();
  }
}

/** One table: each record against the row of its number. */
class Table {
  readonly #name: string;
  readonly #columns: readonly Column[];
  readonly #row: Statement;
  readonly #seen = new Set<number>();
  readonly #rowKeys = new Set<Json>();
  #records = 0;
  #isActivated = false;

  constructor(db: Database, name: string, columns: readonly Column[]) {
    this.#name = name;
    this.#columns = columns;
    const list = columns.map((column) => `"${column.name}"`).join(', ');
    this.#row = db.prepare(`SELECT ${list} FROM "${name}" WHERE rowid = ?`).raw();
  }

  announce(schema: Fields): void {
    for (const { name, kind } of this.#columns) {
      const property = object(object(schema.properties)[name]);
      expect(object(property['x-sd']).pg, `${this.#name} ${name}`).toBe(PG[kind]);
    }
  }

  activate(): void {
    this.#isActivated = true;
  }

  take(record: Fields, defect: (rowid: number, column: string) => Cell | undefined): void {
    expect(this.#isActivated).toBe(false);
    const rowid = Number(record._sd_rowid ?? record.import_id);
    const row = this.#row.get(rowid) as readonly unknown[];
    this.#records += 1;
    this.#seen.add(rowid);
    if (record._sd_row_key !== undefined) this.#rowKeys.add(record._sd_row_key);
    const got = this.#columns.map(({ name }) => [name, record[name]]);
    const wanted = this.#columns.map(({ name, kind }, index) => {
      const struck = defect(rowid, name);
      return [name, struck === undefined ? canonical(row[index], kind) : announced(struck.expected, kind)];
    });
    // Comparing texts first: a million calls of expect take minutes.
    if (JSON.stringify(got) !== JSON.stringify(wanted)) expect(got, `${this.#name} row ${rowid}`).toEqual(wanted);
  }

  /** `aside`: the rows that were set aside. @returns all rows. */
  close(rows: number, aside: readonly number[]): number {
    expect(this.#seen.size, `${this.#name}: a row twice`).toBe(this.#records);
    expect(aside.filter((rowid) => this.#seen.has(rowid))).toEqual([]);
    expect(this.#records + aside.length, this.#name).toBe(rows);
    expect(this.#rowKeys.size).toBe(this.#name === 'timesheets' ? this.#records : 0);
    expect(this.#isActivated).toBe(true);
    return rows;
  }
}

/** What a cell that the manifest does not name must come out as: the same, in the form of its type. */
function canonical(value: unknown, kind: Kind): Json {
  if (value === null) return null;
  if (kind === 'text') return value as string;
  if (kind === 'timestamp') {
    if (!/^\d{4}-\d\d-\d\d[ T]\d\d:\d\d:\d\d$/.test(String(value))) throw new Error('a date that no defect explains');
    return `${String(value).replace(' ', 'T')}Z`;
  }
  const number = Number(value);
  if (value === '' || (kind === 'integer' ? !Number.isSafeInteger(number) : Number.isNaN(number))) {
    throw new Error('a number that no defect explains');
  }
  return number;
}

/** What a cleaner would write, as a record holds it. */
function announced(value: ManifestCell['expected'], kind: Kind): Json {
  return value === null || kind === 'text' ? value : canonical(value, kind);
}
