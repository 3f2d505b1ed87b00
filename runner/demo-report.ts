/** What `tapworks demo` says at its end, read back from the database that the pipes have filled. */
import Database from 'better-sqlite3';

/** Paths of the demo, as a user would type them. */
export interface DemoFiles {
  readonly database: string;
  readonly tapConfig: string;
  readonly targetConfig: string;
}

/** A tap of the demo, its state file, and how the names of its tables of checkpoints and gaps begin. */
export interface DemoTap {
  readonly name: string;
  readonly state: string;
  readonly bookPrefix: string;
}

interface Checkpoint {
  readonly coverage_pct: number;
  readonly systems_extracted: number;
  readonly total_systems: number;
}

/** Which patches are where, without a quote: it stands between those of JavaScript and of the shell. */
const QUESTION =
  'SELECT severity, patch_status, count(DISTINCT resource_id) AS systems, count(*) AS patches FROM patch_system_mapping GROUP BY 1, 2';

/** Rows per table, coverage and gaps per tap, the files, and three commands to try next. */
export function demoReport(files: DemoFiles, taps: readonly DemoTap[]): string {
  const db = new Database(files.database, { readonly: true });
  try {
    return [
      '',
      'Loaded',
      ...rowsPerTable(db),
      '',
      ...labelled(
        'Coverage',
        taps.map((tap) => coverageOf(db, tap)),
      ),
      ...labelled('Database', [files.database]),
      ...labelled(
        'State',
        taps.map(({ state }) => state),
      ),
      '',
      'Try next',
      ...nextCommands(files, taps).map((command) => `  ${command}`),
    ].join('\n');
  } finally {
    db.close();
  }
}

function rowsPerTable(db: Database.Database): readonly string[] {
  const names = db
    .prepare<[], string>(
      "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE '\\_%' ESCAPE '\\' ORDER BY name",
    )
    .pluck()
    .all();
  const width = Math.max(...names.map(({ length }) => length));
  return names.map((name) => {
    const count =
      db
        .prepare<[], number>(`SELECT count(*) FROM "${name.replaceAll('"', '""')}"`)
        .pluck()
        .get() ?? 0;
    return `  ${name.padEnd(width)}${String(count).padStart(8)} rows`;
  });
}

function coverageOf(db: Database.Database, { name, bookPrefix }: DemoTap): string {
  const checkpoint = db
    .prepare<[], Checkpoint>(
      `SELECT coverage_pct, systems_extracted, total_systems FROM ${bookPrefix}extraction_checkpoints ORDER BY updated_at DESC LIMIT 1`,
    )
    .get();
  const gaps = db
    .prepare<[], number>(`SELECT count(*) FROM ${bookPrefix}extraction_gaps WHERE resolved_at IS NULL`)
    .pluck()
    .get();
  if (checkpoint === undefined) return `${name}: no checkpoint`;
  const { coverage_pct: percent, systems_extracted: systems, total_systems: total } = checkpoint;
  return `${name}: ${percent} % (${systems} of ${total} systems), open gaps ${gaps}`;
}

/** The label stands before the first line only. */
function labelled(label: string, lines: readonly string[]): readonly string[] {
  return lines.map((line, index) => `${(index === 0 ? label : '').padEnd(10)}${line}`);
}

function nextCommands({ database, tapConfig }: DemoFiles, taps: readonly DemoTap[]): readonly string[] {
  const last = taps.at(-1);
  return [
    `npx ${last?.name} --config ${tapConfig} --state ${last?.state} --status`,
    `npx node -e "console.table(new (require('better-sqlite3'))('${database}').prepare('${QUESTION}').all())"`,
    'npx tapworks simulate pmp --profile full',
  ];
}
