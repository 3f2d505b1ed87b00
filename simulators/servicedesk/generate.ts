/** Writes a ServiceDesk database and its manifest: clean rows, then defects, then the state of the file itself. */
import { existsSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { setImmediate } from 'node:timers/promises';
import Database from 'better-sqlite3';
import { dayText, periodOf } from './calendar.ts';
import { commentRows, Ratings } from './comments.ts';
import { damage } from './damage.ts';
import { type FileState, finish } from './file-state.ts';
import { LogicalHash } from './logical-hash.ts';
import { GENERATOR_VERSION, type Manifest, type ManifestTable } from './manifest.ts';
import { type Amount, ordersOf, type Profile, ratingsOf, rowsPerTable } from './profiles.ts';
import { Author } from './prose.ts';
import type { Clean, CleanRow } from './rows.ts';
import { BIG_TABLES, createStatement, quoted, type TableName, tablesOf, type Variant } from './schema.ts';
import { importRows, rosterRows } from './small-tables.ts';
import { Tickets } from './tickets.ts';
import { timesheetRows } from './timesheets.ts';

/** What is to be generated. Two equal ones give equal content. */
export interface GeneratorOptions extends FileState {
  /** Tickets, comments and timesheets together, before duplicates are added. */
  readonly rows: number;
  readonly profile: Profile;
  readonly seed: number;
  /** The day on which the file is taken, as in calendar.ts. */
  readonly asOf: number;
  readonly variant: Variant;
  /** Classes that take another number than in the profile. */
  readonly defects: ReadonlyMap<string, Amount>;
  /** How many times longer tags make descriptions and comments; 1 adds none. */
  readonly htmlFactor: number;
  /** Bytes; a power of two from 512 to 65,536. */
  readonly pageSize: number;
}

/** Rows between two looks at the outside world. */
const BREATH = 5000;

type Insert = (table: TableName, row: CleanRow) => void;

/**
 * Generates the database `out` and the manifest beside it. Memory does not grow with the rows beyond some bytes per ticket.
 * @throws RangeError if `out` already holds something, or if the defects asked for do not fit; the signal's reason when
 * aborted. Nothing is left behind then.
 */
export async function generate(
  out: string,
  manifestFile: string,
  options: GeneratorOptions,
  signal?: AbortSignal,
): Promise<Manifest> {
  for (const file of [out, `${out}-wal`, `${out}-journal`]) {
    if (existsSync(file) && statSync(file).size > 0) throw new RangeError(`${file} already holds something`);
  }
  const work = `${out}.building`;
  const packed = `${out}.packed`;
  const remains = [work, packed].flatMap((file) => ['', '-journal', '-wal', '-shm'].map((end) => `${file}${end}`));
  for (const file of remains) rmSync(file, { force: true });
  const unfinished = `${manifestFile}.building`;
  try {
    const manifest = await build(work, packed, options, signal);
    writeFileSync(unfinished, `${JSON.stringify(manifest)}\n`);
    finish(packed, work, out, options, manifest.tables.timesheets.rows);
    renameSync(unfinished, manifestFile);
    return manifest;
  } finally {
    for (const file of [...remains, unfinished]) rmSync(file, { force: true });
  }
}

/** Fills `work` and packs it into `packed`. */
async function build(
  work: string,
  packed: string,
  options: GeneratorOptions,
  signal: AbortSignal | undefined,
): Promise<Manifest> {
  const { seed, profile, variant } = options;
  const tables = tablesOf(variant);
  const rows = rowsPerTable(options.rows, profile);
  const period = periodOf(options.asOf);
  const author = new Author(seed, options.htmlFactor);
  const tickets = new Tickets(seed, rows.tickets, period, author);
  const orders = ordersOf(profile, rows, options.defects);
  const db = new Database(work);
  try {
    db.pragma(`page_size = ${options.pageSize}`);
    // A file that is thrown away after a failure needs neither a journal nor a sync.
    db.pragma('journal_mode = OFF');
    db.pragma('synchronous = OFF');
    db.exec('BEGIN');
    for (const table of Object.values(tables)) db.exec(createStatement(table));
    const { insert, hashes } = inserting(db, tables);
    await fill(insert, options, rows, tickets, author, signal);
    const { expected, defects, dirty, afterClean } = damage(
      {
        db,
        seed,
        rows,
        variant,
        tables,
        clean: hashes,
        period,
        author,
        // A primary key of integers is the rowid.
        rowid: (table, index) => (variant === 'keys' && table === 'tickets' ? tickets.facts(index).id : index + 1),
      },
      orders,
    );
    db.exec('COMMIT');
    db.prepare('VACUUM INTO ?').run(packed);
    const isBig = (name: string): name is keyof typeof dirty => BIG_TABLES.some((big) => big === name);
    const truth = (Object.keys(tables) as TableName[]).map((name): [TableName, ManifestTable] => {
      const clean = hashes[name];
      const now = isBig(name) ? dirty[name] : clean;
      return [
        name,
        {
          rows: now.rows,
          logical_hash_clean: String(clean),
          logical_hash_dirty: String(now),
          logical_hash_expected_after_clean: String(isBig(name) ? afterClean[name] : clean),
        },
      ];
    });
    const small = truth.filter(([name]) => !isBig(name)).map(([name, table]) => [name, table.rows] as const);
    return {
      generator_version: GENERATOR_VERSION,
      seed,
      options: {
        rows: options.rows,
        profile,
        as_of: dayText(options.asOf),
        schema_variant: variant,
        defects: Object.fromEntries(orders.map(({ id, count }) => [id, count])),
        wal: options.wal || options.leaveWal > 0,
        leave_wal: options.leaveWal,
        pad_free_mb: options.padFreeMb,
        html_factor: options.htmlFactor,
        page_size: options.pageSize,
      },
      tables: Object.fromEntries(truth) as Record<TableName, ManifestTable>,
      defects,
      expected: { ...expected, rows_loaded: { ...expected.rows_loaded, ...Object.fromEntries(small) } },
    };
  } finally {
    db.close();
  }
}

/** A function that stores a row and counts it into the hash of its table. */
function inserting(
  db: Database.Database,
  tables: ReturnType<typeof tablesOf>,
): { readonly insert: Insert; readonly hashes: Readonly<Record<TableName, LogicalHash>> } {
  const hashes = Object.fromEntries(
    Object.values(tables).map(({ name, columns }) => [name, new LogicalHash(columns)]),
  ) as Record<TableName, LogicalHash>;
  const statements = Object.fromEntries(
    Object.values(tables).map(({ name, columns }) => [
      name,
      db.prepare<Clean[]>(`INSERT INTO ${quoted(name)} VALUES (${columns.map(() => '?').join(', ')})`),
    ]),
  ) as Record<TableName, Database.Statement<Clean[]>>;
  const insert: Insert = (name, row) => {
    const values = tables[name].columns.map((column) => row[column.name] ?? null);
    statements[name].run(...values);
    hashes[name].add(values);
  };
  return { insert, hashes };
}

/** Stores the clean rows of all tables. */
async function fill(
  insert: Insert,
  options: GeneratorOptions,
  rows: ReturnType<typeof rowsPerTable>,
  tickets: Tickets,
  author: Author,
  signal: AbortSignal | undefined,
): Promise<void> {
  const { seed, profile, variant } = options;
  const period = periodOf(options.asOf);
  let stored = 0;
  const store = async (table: TableName, row: CleanRow) => {
    insert(table, row);
    stored += 1;
    if (stored % BREATH !== 0) return;
    await setImmediate();
    signal?.throwIfAborted();
  };
  for (let index = 0; index < rows.tickets; index += 1) await store('tickets', tickets.row(index));
  const ratings = new Ratings(seed, ratingsOf(rows.comments, profile), period, author);
  let comment = 0;
  for (const row of commentRows(seed, rows.comments, tickets, author)) {
    await store('comments', row);
    const rating = ratings.of(comment, row);
    if (rating !== undefined) await store('comment_quality', rating);
    comment += 1;
  }
  for (const row of timesheetRows(seed, rows.timesheets, tickets, period, author, variant)) {
    await store('timesheets', row);
  }
  for (const row of rosterRows()) await store('cloud_team_roster', row);
  for (const row of importRows(rows, period)) await store('import_metadata', row);
}
