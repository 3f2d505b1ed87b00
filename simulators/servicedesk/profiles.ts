/** How many rows a file has in each table, and how many cells or rows each class of defects takes. */
import { DATE_DEFECTS } from './date-defects.ts';
import type { CellDefect, RowDefect } from './defect.ts';
import { ROW_DEFECTS } from './row-defects.ts';
import type { BigTable } from './schema.ts';
import { VALUE_DEFECTS } from './value-defects.ts';

export const PROFILES = ['clean', 'phase1', 'dirty', 'breaker', 'breaker_edge', 'perf'] as const;
export type Profile = (typeof PROFILES)[number];

/** Rows of the original file. */
export const ORIGINAL_ROWS = 260_130;

/** Shares of the three tables, as rows of the original. */
const SHARES: Readonly<Record<BigTable, number>> = { tickets: 10_939, comments: 108_129, timesheets: 141_062 };

/** Ratings among the comments of the original, now and when it was first moved. */
const RATED = { now: 6319, phase1: 517 };

export const CELL_DEFECTS: readonly CellDefect[] = [...DATE_DEFECTS, ...VALUE_DEFECTS];

/** Every class by id: the 36 of the profile `dirty` and `B01`, which trips a circuit breaker. */
export const DEFECTS: ReadonlyMap<string, CellDefect | RowDefect> = new Map(
  [...ROW_DEFECTS, ...CELL_DEFECTS].map((defect) => [defect.id, defect] as const),
);

/**
 * Rows per table, together `rows`, by largest remainder. The tickets of `breaker_edge` can be divided by five, because
 * exactly a fifth of them is corrupt.
 */
export function rowsPerTable(rows: number, profile: Profile): Readonly<Record<BigTable, number>> {
  const quotas = Object.entries(SHARES).map(([table, share]) => {
    const quota = (rows * share) / ORIGINAL_ROWS;
    return { table, floor: Math.floor(quota), remainder: quota - Math.floor(quota) };
  });
  let left = rows - quotas.reduce((sum, { floor }) => sum + floor, 0);
  const counts: Record<BigTable, number> = { tickets: 0, comments: 0, timesheets: 0 };
  for (const { table, floor } of quotas.sort((a, b) => b.remainder - a.remainder)) {
    counts[table as BigTable] = floor + (left > 0 ? 1 : 0);
    left -= 1;
  }
  if (profile === 'breaker_edge') {
    const surplus = counts.tickets % 5;
    counts.tickets -= surplus;
    counts.timesheets += surplus;
  }
  return counts;
}

/** Comments that have a rating. */
export function ratingsOf(comments: number, profile: Profile): number {
  return Math.round((comments * (profile === 'phase1' ? RATED.phase1 : RATED.now)) / SHARES.comments);
}

/** What `--defect` says of a class: so many, or such a share of the rows of its tables. */
export type Amount = { readonly count: number } | { readonly rate: number };

/** A class with the number of cells or rows to take, and whether this number was asked for by name. */
export interface Order {
  readonly id: string;
  readonly count: number;
  readonly isAsked: boolean;
}

function tablesOf(defect: CellDefect | RowDefect): readonly BigTable[] {
  return 'tables' in defect ? defect.tables : [...new Set(defect.places.map(({ table }) => table))];
}

function countInProfile(
  { id, phase1, dirty }: CellDefect | RowDefect,
  profile: Profile,
  rows: Readonly<Record<BigTable, number>>,
): number {
  const all = rows.tickets + rows.comments + rows.timesheets;
  if (profile === 'phase1') return phase1;
  if (profile === 'dirty') return dirty === 0 ? 0 : Math.max(1, Math.round((dirty * all) / 260_000));
  if (id === 'B01' && profile === 'breaker') return Math.round(rows.tickets / 4);
  if (id === 'B01' && profile === 'breaker_edge') return rows.tickets / 5;
  return 0;
}

/** What every class takes, by id; classes that take nothing are left out. */
export function ordersOf(
  profile: Profile,
  rows: Readonly<Record<BigTable, number>>,
  asked: ReadonlyMap<string, Amount>,
): readonly Order[] {
  return [...DEFECTS.values()]
    .map((defect) => {
      const amount = asked.get(defect.id);
      if (amount === undefined) return { id: defect.id, count: countInProfile(defect, profile, rows), isAsked: false };
      const base = tablesOf(defect).reduce((sum, table) => sum + rows[table], 0);
      return { id: defect.id, count: 'count' in amount ? amount.count : Math.round(amount.rate * base), isAsked: true };
    })
    .filter(({ count }) => count > 0)
    .sort((a, b) => (a.id < b.id ? -1 : 1));
}
