/** The profile of a whole SQLite file: every table scanned, every column decided, everything worth telling found. */
import type { Database } from 'better-sqlite3';
import type { Json } from '../singer/lossless.ts';
import { type ColumnProfile, PROFILE_VERSION, type Profile, type TableProfile } from './artifact.ts';
import { breakerNumbers, type JudgedColumn } from './breaker.ts';
import { daysBefore, momentAt, written } from './calendar.ts';
import { NOTHING, takes } from './classes.ts';
import { type ColumnScan, type DateLimits, emptyTally } from './column-scan.ts';
import { printedShare } from './confidence.ts';
import { countOf, type Decision, decide } from './decision.ts';
import type { ExpectedSchema, ExpectedTable } from './expected.ts';
import { columnFindings, type Finding, finding } from './findings.ts';
import { pgType, propertySchema } from './json-schema.ts';
import type { SlashOrder } from './slash-dates.ts';
import { scanTable, type TableScan } from './table-scan.ts';
import { type SourceTable, tablesOf } from './tables.ts';

export interface ProfileOptions {
  readonly runId: string;
  /** Whatever names the file; it is kept as it is. */
  readonly source: { readonly [property: string]: Json };
  readonly expected?: ExpectedSchema;
  /** What to scan; all ordinary tables unless it is said. */
  readonly tables?: readonly SourceTable[];
  /** The order of slash dates where no value proves one. ServiceDesk writes the day first. */
  readonly slashOrder?: SlashOrder;
  /** Rows to read of each table; none: all. Enough to tell types, too few to count what is rare. */
  readonly sample?: number;
  /** The day as `YYYY-MM-DD` from which the future counts; without it no date is too late. */
  readonly asOf?: string;
  /** Told after each table. */
  readonly onTable?: (table: string, rows: number) => void;
}

/** Dates before are not wrong, but worth a look. */
const EARLIEST_USUAL = '2020-01-01';
const DAYS_AHEAD = 30;

/**
 * Profiles all tables that a connection sees, one statement per table. The connection is only read from; hold a
 * transaction on it, or another writer's commit may come between two tables.
 * @throws ConnectorError `upstream` when SQLite cannot read a table.
 */
export function profileDatabase(db: Database, options: ProfileOptions): Profile {
  const { expected = { tables: {} }, slashOrder = 'DMY', runId, source } = options;
  const limits = limitsOf(options.asOf);
  const judged: JudgedColumn[] = [];
  const findings: Finding[] = [];
  const tables: [string, TableProfile][] = [];
  const rows = new Map<string, number>();
  for (const table of options.tables ?? tablesOf(db)) {
    const scan = scanTable(db, table, limits, options.sample);
    const known = ownOf(expected.tables, table.name);
    const columns = scan.columns.map((column, index) => {
      const { name, declared, keyPlace } = table.columns[index] ?? NO_COLUMN;
      const key = known?.key?.includes(name) ?? keyPlace > 0;
      const decided = decide(column, declared, known && ownOf(known.columns, name), slashOrder, key);
      const place = {
        table: table.name,
        column: name,
        declared,
        key,
        bookmark: known?.bookmarks?.includes(name) ?? false,
      };
      judged.push({ table: table.name, column: name, decided });
      findings.push(...columnFindings(column, decided, place));
      return [name, columnProfile(scan, column, decided, declared, place.key)] as const;
    });
    findings.push(...drift(scan, known));
    rows.set(table.name, scan.rows);
    tables.push([table.name, { rows: scan.rows, scanned: scan.scanned, columns: Object.fromEntries(columns) }]);
    options.onTable?.(table.name, scan.scanned);
  }
  for (const table of options.tables === undefined ? Object.keys(expected.tables) : []) {
    if (!rows.has(table)) findings.push(finding('missing_table', table, null, { ...emptyTally(), count: 1 }));
  }
  return {
    profile_version: PROFILE_VERSION,
    run_id: runId,
    source,
    slash_date_order: slashOrder,
    tables: Object.fromEntries(tables),
    findings,
    breaker: breakerNumbers(judged, rows, expected),
  };
}

const NO_COLUMN = { name: '', declared: '', keyPlace: 0 };

/** A table may be called `constructor`. */
function ownOf<Value>(record: { readonly [name: string]: Value }, name: string): Value | undefined {
  return Object.hasOwn(record, name) ? record[name] : undefined;
}

function limitsOf(asOf: string | undefined): DateLimits {
  if (asOf === undefined) return { from: EARLIEST_USUAL, to: undefined };
  const [year = 0, month = 0, day = 0] = asOf.split('-').map(Number);
  const last = momentAt((daysBefore(year, month, day) + DAYS_AHEAD) * 86_400);
  return { from: EARLIEST_USUAL, to: written(last).slice(0, 10) };
}

/** How the table differs from what was expected of it. */
function drift({ table, rows }: TableScan, known: ExpectedTable | undefined): Finding[] {
  if (known === undefined) return [];
  const once = { ...emptyTally(), count: 1 };
  const names = table.columns.map(({ name }) => name);
  const missing = Object.keys(known.columns).filter((name) => !names.includes(name));
  const added = names.filter((name) => !Object.hasOwn(known.columns, name));
  return [
    ...missing.map((name) => finding('missing_column', table.name, name, once)),
    ...added.map((name) => finding('new_column', table.name, name, once)),
    ...(rows === 0 ? [finding('empty_table', table.name, null, once)] : []),
  ];
}

function columnProfile(
  { utf8Checked }: TableScan,
  scan: ColumnScan,
  decided: Decision,
  declared: string,
  key: boolean,
): ColumnProfile {
  const { type, candidate, classes, slash, naive } = decided;
  const confidence = decided.confidence === undefined ? null : printedShare(decided.confidence);
  const timestamp = type === 'timestamp';
  const hasSlashDates = [...classes.keys()].some((found) => found.startsWith('slash_') && found !== 'slash_ymd');
  const dateOrder = timestamp && hasSlashDates ? (slash?.order ?? null) : null;
  const misfits = [...classes].filter(
    ([found]) => !NOTHING.has(found) && !takes(candidate, found, slash?.order === 'conflict'),
  );
  return {
    declared,
    storage_classes: scan.storage,
    decision: decided.decision,
    decided_type: type,
    candidate_type: candidate,
    pg_type: pgType(type, naive),
    json_schema: propertySchema({ type, declared, confidence, naive, dateOrder, spelling: decided.spelling, key }),
    key,
    values: decided.values,
    fitting: decided.fitting,
    confidence,
    wilson_low: decided.wilsonLow === undefined ? null : printedShare(decided.wilsonLow),
    classes: Object.fromEntries(
      [...classes].filter(([, { count }]) => count > 0).map(([name, { count }]) => [name, count]),
    ),
    empty: countOf(classes, 'empty'),
    whitespace: countOf(classes, 'whitespace'),
    null_tokens: countOf(classes, 'null_token'),
    min_bytes: scan.minBytes ?? null,
    max_bytes: scan.maxBytes,
    nul_rows: countOf(scan.observed, 'nul'),
    bad_utf8_rows: utf8Checked ? scan.invalidUtf8.count : null,
    distinct: scan.distinct ?? null,
    date_order: timestamp ? (slash?.order ?? null) : null,
    date_order_basis: timestamp ? (slash?.basis ?? null) : null,
    naive,
    spelling: decided.spelling === undefined ? null : decided.spelling,
    earliest: scan.earliest ?? null,
    latest: scan.latest ?? null,
    examples_hash: misfits.flatMap(([, { prints }]) => [...prints]),
  };
}
