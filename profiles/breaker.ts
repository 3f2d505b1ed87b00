/**
 * The numbers that a circuit breaker needs: how much of the dates and numbers nothing can repair. Whether that is too
 * much is for a gate to say. Counts go with every share, so that a limit can be compared exactly.
 */
import type { Decision } from './decision.ts';
import type { ExpectedSchema } from './expected.ts';

export interface CorruptShare {
  readonly corrupt: number;
  /** Values that say something: not null, empty, blank or a word for nothing. */
  readonly values: number;
  /** `corrupt / values`; 0 without values. */
  readonly ratio: number;
}

export interface BreakerNumbers {
  /** All date and number columns together. */
  readonly run: CorruptShare;
  /** Each required column that the source has. */
  readonly required: readonly (CorruptShare & { readonly table: string; readonly column: string })[];
  /** Columns with values that are judged as something other than text. */
  readonly typed_columns: number;
  /** Of these, those below the accepted confidence after every rule that repairs. */
  readonly low_confidence_columns: number;
  /** Expected tables that are missing or have no row. */
  readonly empty_tables: readonly string[];
}

export interface JudgedColumn {
  readonly table: string;
  readonly column: string;
  readonly decided: Decision;
}

/** The numbers over all columns; `rows` holds the row count of every table that there is. */
export function breakerNumbers(
  columns: readonly JudgedColumn[],
  rows: ReadonlyMap<string, number>,
  expected: ExpectedSchema,
): BreakerNumbers {
  const typed = columns.filter(({ decided }) => decided.candidate !== 'text' && decided.values > 0);
  const counted = typed.filter(({ decided }) => COUNTED.has(decided.candidate));
  const tables = Object.entries(expected.tables);
  return {
    run: share(counted.map(({ decided }) => decided)),
    required: tables.flatMap(([table, { required = [] }]) =>
      columns
        .filter((judged) => judged.table === table && required.includes(judged.column))
        .map(({ column, decided }) => ({ table, column, ...share([decided]) })),
    ),
    typed_columns: typed.length,
    low_confidence_columns: typed.filter(({ decided }) => decided.decision === 'manual_review').length,
    empty_tables: tables.map(([table]) => table).filter((table) => (rows.get(table) ?? 0) === 0),
  };
}

const COUNTED: ReadonlySet<string> = new Set(['timestamp', 'integer', 'numeric']);

function share(decided: readonly Decision[]): CorruptShare {
  const values = decided.reduce((sum, column) => sum + column.values, 0);
  const corrupt = values - decided.reduce((sum, column) => sum + column.fitting, 0);
  return { corrupt, values, ratio: values === 0 ? 0 : corrupt / values };
}
