/** Which type each column has: as a profile says, or by a look at the values. */
import type { Database } from 'better-sqlite3';
import type { ColumnProfile, Profile } from '../../profiles/artifact.ts';
import type { ExpectedSchema } from '../../profiles/expected.ts';
import { profileDatabase } from '../../profiles/profile.ts';
import { quoted, type SourceTable } from '../../profiles/tables.ts';
import type { Log } from '../../singer/log.ts';
import type { Origin } from './tables.ts';

export interface Deciding {
  /** Rows of each table to look at; none: all. */
  readonly sample: number | undefined;
  readonly slashOrder: 'DMY' | 'MDY';
  /** A profile made before; tables and columns that it lacks are looked at. */
  readonly profile: Profile | undefined;
}

/** Decided columns by name. */
export type DecidedColumns = ReadonlyMap<string, ColumnProfile>;

/** The types of a table's columns, all of them. */
export function decidedColumns(db: Database, origin: Origin, deciding: Deciding, log: Log): DecidedColumns {
  const { table, stream } = origin;
  const known = new Map(Object.entries(ownTable(deciding.profile, table.name)));
  const missing = table.columns.filter(({ name }) => !known.has(name));
  if (missing.length === 0) return known;
  if (deciding.profile !== undefined) {
    const names = missing.map(({ name }) => name);
    log.warn('not_in_profile', `the profile lacks columns of ${stream}; their values decide: ${names.join(', ')}`, {
      stream,
    });
  }
  const found = lookAt(db, origin, { ...table, columns: missing }, deciding);
  for (const [name, column] of found) {
    if (column.decision !== 'manual_review') continue;
    const share = `${Math.floor((column.confidence ?? 0) * 100)} %`;
    log.warn(
      'kept_as_text',
      `${stream}."${name}" is kept as text: ${share} of its values are ${column.candidate_type}`,
      {
        stream,
        key: name,
      },
    );
  }
  return new Map([...known, ...found]);
}

function ownTable(profile: Profile | undefined, table: string): { readonly [column: string]: ColumnProfile } {
  return profile !== undefined && Object.hasOwn(profile.tables, table) ? (profile.tables[table]?.columns ?? {}) : {};
}

/**
 * A sample tells types. Where nobody expected the type that it suggests, one value that is not in it may decide against
 * it; such a column is read whole.
 */
function lookAt(db: Database, origin: Origin, table: SourceTable, deciding: Deciding): DecidedColumns {
  const { sample, slashOrder } = deciding;
  const expected: ExpectedSchema = {
    tables: origin.expected === undefined ? {} : { [table.name]: origin.expected },
  };
  const scan = (columns: SourceTable['columns'], rows: number | undefined) => {
    const profile = profileDatabase(db, {
      runId: '',
      source: {},
      slashOrder,
      expected,
      tables: [{ ...table, columns }],
      ...(rows !== undefined && { sample: rows }),
    });
    return profile.tables[table.name];
  };
  const first = scan(table.columns, sample);
  const decided = new Map(Object.entries(first?.columns ?? {}));
  if (first === undefined || first.scanned === first.rows) return decided;
  const doubtful = table.columns.filter(({ name }) => {
    const column = decided.get(name);
    return column !== undefined && isDoubtful(db, origin, name, column);
  });
  if (doubtful.length === 0) return decided;
  return new Map([...decided, ...Object.entries(scan(doubtful, undefined)?.columns ?? {})]);
}

/** How values of a type are stored when nothing has to be read out of a text. */
const PLAIN: { readonly [type: string]: readonly string[] } = {
  integer: ['integer'],
  numeric: ['integer', 'real'],
  blob: ['blob'],
};

function isDoubtful(db: Database, { table, expected }: Origin, name: string, column: ColumnProfile): boolean {
  const { decision, decided_type: type, date_order_basis: basis, classes } = column;
  // Which comes first, day or month, is decided by all of them.
  if (basis !== null && Object.keys(classes).some((found) => found.startsWith('slash_'))) return true;
  // The sample held none of the few values there are, so only the label has spoken.
  const isUnseen = decision === 'no_values' && !Object.hasOwn(expected?.columns ?? {}, name);
  if (!isUnseen && (decision !== 'detected' || type === 'text')) return false;
  const plain = PLAIN[type] ?? [];
  if (plain.length === 0 && !isUnseen) return true;
  const others = `typeof(${quoted(name)}) NOT IN (${['null', ...plain].map((word) => `'${word}'`).join(', ')})`;
  return (
    db
      .prepare(`SELECT EXISTS (SELECT 1 FROM ${quoted(table.name)} WHERE ${others})`)
      .pluck()
      .get() === 1
  );
}
