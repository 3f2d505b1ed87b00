/** The truth about a generated file: what was put into it, and what a profiler and a cleaner have to make of it. */
import type { Clean } from './rows.ts';
import type { TableName, Variant } from './schema.ts';

/** Changes with every change of the values that a seed gives. */
export const GENERATOR_VERSION = '1';

/** One cell, or one row if `column` is null. */
export interface ManifestCell {
  readonly table: string;
  readonly rowid: number;
  /** The columns that name the row, as the file holds them. */
  readonly key: Readonly<Record<string, Clean>>;
  readonly column: string | null;
  /** What the file holds, in base64: bytes of text and blobs, numbers as decimal text. Null for NULL and for whole rows. */
  readonly raw_b64: string | null;
  /** What a cleaned file holds; null too if the row is gone. */
  readonly expected: Clean;
}

export interface ManifestDefect {
  readonly name: string;
  readonly count: number;
  readonly cells: readonly ManifestCell[];
}

export interface ManifestTable {
  readonly rows: number;
  readonly logical_hash_clean: string;
  readonly logical_hash_dirty: string;
  readonly logical_hash_expected_after_clean: string;
}

export interface Expected {
  /** Per class, by name. */
  readonly findings: Readonly<Record<string, number>>;
  /** Cells that a cleaner changes, by rule; without those whose value it rejects. */
  readonly changed_cells: Readonly<Record<string, number>>;
  /** Rows that go to the dead letter, by reason. */
  readonly rejected_rows: Readonly<Record<string, number>>;
  /** Values that go to the dead letter and leave NULL, by reason. */
  readonly rejected_values: Readonly<Record<string, number>>;
  /** Exact duplicates that are taken out. */
  readonly removed_rows: number;
  /** Rows that remain to be loaded. */
  readonly rows_loaded: Readonly<Record<string, number>>;
}

export interface Manifest {
  readonly generator_version: string;
  readonly seed: number;
  readonly options: {
    readonly rows: number;
    readonly profile: string;
    readonly as_of: string;
    readonly schema_variant: Variant;
    readonly defects: Readonly<Record<string, number>>;
    readonly wal: boolean;
    readonly leave_wal: number;
    readonly pad_free_mb: number;
    readonly html_factor: number;
    readonly page_size: number;
  };
  readonly tables: Readonly<Record<TableName, ManifestTable>>;
  readonly defects: Readonly<Record<string, ManifestDefect>>;
  readonly expected: Expected;
}

/** A tally by name. */
export class Tally {
  readonly #counts = new Map<string, number>();

  count(name: string, by = 1): void {
    this.#counts.set(name, (this.#counts.get(name) ?? 0) + by);
  }

  /** Names in alphabetical order. */
  get counts(): Readonly<Record<string, number>> {
    return Object.fromEntries([...this.#counts].sort(([a], [b]) => (a < b ? -1 : 1)));
  }
}
