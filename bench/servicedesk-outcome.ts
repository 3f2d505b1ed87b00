/** What became of a ServiceDesk file in PostgreSQL: rows and values of each table, held against the file and its manifest. */
import Sqlite from 'better-sqlite3';
import type { SqliteValue } from '../profiles/grammar.ts';
import { quoted } from '../profiles/tables.ts';
import type { Manifest, ManifestCell } from '../simulators/servicedesk/manifest.ts';
import type { DeskFile, TableName } from './servicedesk-file.ts';

/** A row as it was loaded: the columns of the file, in their order, as PostgreSQL prints them. */
export type Loaded = readonly (string | null)[];

/** What the loader itself has told that it set aside. */
export interface Told {
  readonly rows: number;
  /** `rowid/column`. */
  readonly values: ReadonlySet<string>;
}

export const TOLD_NOTHING: Told = { rows: 0, values: new Set() };

export interface Outcome {
  readonly loaded: number;
  /** Rows that were told to be set aside. */
  readonly aside: number;
  /** Rows whose key another row has, which a load by key makes one row of. */
  readonly merged: number;
  /** Rows of the file that are neither loaded nor told of nor merged. */
  readonly lost: number;
  /** Values that were changed into what the manifest says that they mean. */
  readonly corrected: number;
  /** Values left empty that were told to be set aside. */
  readonly asideValues: number;
  /** Values other than in the file, for which neither holds. */
  readonly changed: number;
}

/**
 * Columns that name a row well enough to find it again. Several rows may have one name: duplicates are among the defects,
 * and timesheets have no key.
 */
const NAMES: Readonly<Record<TableName, { readonly columns: readonly string[]; readonly isKey: boolean }>> = {
  tickets: { columns: ['TKT-Ticket ID'], isKey: true },
  comments: { columns: ['comment_id'], isKey: true },
  timesheets: { columns: ['TS-User Username', 'TS-Date', 'TS-Time From', 'TS-Crm ID'], isKey: false },
};

interface Stored {
  readonly rowid: string;
  readonly values: readonly SqliteValue[];
}

/** Judges one table. */
export async function outcomeOf(
  { database, manifest }: DeskFile,
  table: TableName,
  loaded: AsyncIterable<Loaded>,
  told: Told,
): Promise<Outcome> {
  const { columns, rows } = storedRows(database, table);
  const places = NAMES[table].columns.map((name) => columns.indexOf(name));
  const nameOf = (values: readonly SqliteValue[]) => places.map((at) => plain(values[at] ?? null)).join('|');
  const stored = Map.groupBy(rows, ({ values }) => nameOf(values));
  const names = new Map<string, number>();
  const meant = meanings(manifest, table);
  const counts = { loaded: 0, corrected: 0, asideValues: 0, changed: 0 };
  for await (const row of loaded) {
    counts.loaded += 1;
    const name = nameOf(row);
    names.set(name, (names.get(name) ?? 0) + 1);
    const judged = (stored.get(name) ?? []).map((one) => judge(one, row, columns, meant, told));
    const best = judged.sort((a, b) => a.changed - b.changed || a.corrected - b.corrected)[0];
    counts.corrected += best?.corrected ?? 0;
    counts.asideValues += best?.asideValues ?? 0;
    // A row that cannot be found again has another name than in the file.
    counts.changed += best?.changed ?? 1;
  }
  const merged = NAMES[table].isKey ? mergedRows(stored, names) : 0;
  return { ...counts, aside: told.rows, merged, lost: rows.length - counts.loaded - told.rows - merged };
}

function storedRows(database: string, table: TableName): { columns: readonly string[]; rows: readonly Stored[] } {
  const db = new Sqlite(database, { readonly: true });
  try {
    const statement = db.prepare(`SELECT rowid, * FROM ${quoted(table)}`);
    const columns = statement.columns().map(({ name }) => name);
    const rows = statement.raw().safeIntegers(true).all() as (readonly SqliteValue[])[];
    return {
      columns: columns.slice(1),
      rows: rows.map(([rowid, ...values]) => ({ rowid: String(rowid), values })),
    };
  } finally {
    db.close();
  }
}

/** What the damaged cells of a table mean, by `rowid/column`. */
function meanings(manifest: Manifest, table: string): ReadonlyMap<string, ManifestCell> {
  const cells = Object.values(manifest.defects).flatMap((defect) => defect.cells);
  return new Map(
    cells.flatMap((cell) =>
      cell.table === table && cell.column !== null ? [[`${cell.rowid}/${cell.column}`, cell] as const] : [],
    ),
  );
}

/** Rows of the file whose key a loaded row has, less the loaded ones. */
function mergedRows(stored: ReadonlyMap<string, readonly Stored[]>, loaded: ReadonlyMap<string, number>): number {
  const counts = [...loaded].map(([name, count]) => Math.max((stored.get(name)?.length ?? 0) - count, 0));
  return counts.reduce((sum, count) => sum + count, 0);
}

function judge(
  { rowid, values }: Stored,
  row: Loaded,
  columns: readonly string[],
  meant: ReadonlyMap<string, ManifestCell>,
  told: Told,
): { corrected: number; asideValues: number; changed: number } {
  const counts = { corrected: 0, asideValues: 0, changed: 0 };
  columns.forEach((column, at) => {
    const cell = row[at] ?? null;
    if (isSame(values[at] ?? null, cell)) return;
    const place = `${rowid}/${column}`;
    const meaning = meant.get(place);
    if (cell === null && told.values.has(place)) counts.asideValues += 1;
    else if (meaning !== undefined && isSame(meaning.expected, cell)) counts.corrected += 1;
    else counts.changed += 1;
  });
  return counts;
}

/** Whether PostgreSQL prints what SQLite holds. Numbers and times may look different, texts may not. */
export function isSame(stored: SqliteValue, loaded: string | null): boolean {
  if (stored === null || loaded === null) return stored === loaded;
  if (typeof stored === 'number') return loaded.trim() !== '' && Number(loaded) === stored;
  if (stored instanceof Uint8Array) return loaded === `\\x${Buffer.from(stored).toString('hex')}`;
  // Bytes that were no UTF-8 in the file: whatever stands there now, it is something else.
  if (typeof stored === 'string' && stored.includes('\ufffd')) return false;
  return String(stored) === loaded || plain(stored) === plain(loaded);
}

/** One spelling for whole numbers and for times without an offset. */
function plain(value: SqliteValue): string {
  return String(value ?? '')
    .replace(/^(-?\d+)\.0+$/, '$1')
    .replace(/^(\d{4}-\d\d-\d\d)[ T](\d\d:\d\d:\d\d)(?:Z|\+00)?$/, '$1 $2');
}
