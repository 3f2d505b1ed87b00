/** What a class of defects is: where it strikes, what it leaves in the cell, and what a cleaner has to make of it. */
import type { Period } from './calendar.ts';
import type { Author } from './prose.ts';
import type { Clean, CleanRow, Stored } from './rows.ts';
import type { BigTable } from './schema.ts';
import type { Substream } from './substream.ts';

/**
 * What has to become of a cell: `changed` by a rule, `rejected` for a reason (the cell becomes NULL and its value goes to
 * the dead letter), or `kept` as it is and only found.
 */
export type Outcome = { readonly changed: string } | { readonly rejected: string } | 'kept';

/** A cell after the defect, and after a cleaner. */
export interface Injury {
  readonly raw: Stored;
  readonly expected: Clean;
  readonly outcome: Outcome;
}

export const changed = (rule: string, raw: Stored, expected: Clean): Injury => ({
  raw,
  expected,
  outcome: { changed: rule },
});
export const rejected = (reason: string, raw: Stored): Injury => ({
  raw,
  expected: null,
  outcome: { rejected: reason },
});
export const kept = (value: Clean): Injury => ({ raw: value, expected: value, outcome: 'kept' });

/** What a defect may draw on. */
export interface Circumstance {
  /** Number of this cell or row among those of its class, from 0. */
  readonly nth: number;
  /** Chance of its own. */
  readonly stream: Substream;
  readonly period: Period;
  readonly author: Author;
}

export interface Place {
  readonly table: BigTable;
  readonly column: string;
  /** Another column whose value the defect looks at. */
  readonly beside?: string;
}

interface Class {
  /** `D01` and so on. */
  readonly id: string;
  readonly name: string;
  /** Cells or rows in the profile `phase1`, whatever its size. */
  readonly phase1: number;
  /** Cells or rows in the profile `dirty` of 260,000 rows. */
  readonly dirty: number;
}

/** A class that strikes single cells: `filled` ones, or such as are NULL in the clean file. */
export interface CellDefect extends Class {
  readonly places: readonly Place[];
  readonly strikes: 'filled' | 'empty';
  /** Whether a filled cell suits as the `nth` one; every one does if absent. */
  suits?(clean: Clean, beside: Clean, nth: number): boolean;
  injure(clean: Clean, circumstance: Circumstance & { readonly place: Place; readonly beside: Clean }): Injury;
}

/** What a class makes of a row. */
export interface RowInjury {
  /** New values of the row itself. */
  readonly values?: CleanRow;
  /** The column to name in the manifest, if it is one. */
  readonly column?: string;
  /** A further row, appended to the table. */
  readonly twin?: CleanRow;
  /** Which row a cleaner has to take out, if any: the row itself or its twin. */
  readonly goes?: 'row' | 'twin';
  /** Why the row goes: for the dead letter, or `exact_duplicate`, which is only counted. */
  readonly reason?: string;
}

/** A class that takes a whole row, which then gets no other defect. */
export interface RowDefect extends Class {
  readonly tables: readonly BigTable[];
  suits?(row: CleanRow): boolean;
  injure(row: CleanRow, circumstance: Circumstance & { readonly table: BigTable }): RowInjury;
}
