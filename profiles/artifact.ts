/** The shape of `profile.json`: what a profile found, for the tap, the gates and people. It holds no value of the source. */
import type { Json } from '../singer/lossless.ts';
import type { BreakerNumbers } from './breaker.ts';
import type { ColumnType } from './classes.ts';
import type { StorageClass } from './column-scan.ts';
import type { DECISIONS } from './decision.ts';
import type { Finding } from './findings.ts';
import type { ValueClass } from './grammar.ts';
import type { PgType } from './json-schema.ts';

/** Raised when a reader of the former version would misread the file. */
export const PROFILE_VERSION = 1;

export interface ColumnProfile {
  readonly declared: string;
  readonly storage_classes: { readonly [storage in StorageClass]: number };
  readonly decision: (typeof DECISIONS)[number];
  readonly decided_type: ColumnType;
  /** What the values were judged as; other than `decided_type` when a person has to look. */
  readonly candidate_type: ColumnType;
  readonly pg_type: PgType;
  /** What the tap announces for this property. */
  readonly json_schema: { readonly [keyword: string]: Json };
  readonly key: boolean;
  /** Values that say something, and how many of them become values of `candidate_type`. */
  readonly values: number;
  readonly fitting: number;
  /** `fitting / values` and the lower end of what it may be, four decimals; null without values. */
  readonly confidence: number | null;
  readonly wilson_low: number | null;
  readonly classes: { readonly [found in ValueClass]?: number };
  readonly empty: number;
  readonly whitespace: number;
  readonly null_tokens: number;
  /** Null when there are no texts or bytes. */
  readonly min_bytes: number | null;
  readonly max_bytes: number;
  readonly nul_rows: number;
  /** Null when the file keeps texts as UTF-16. */
  readonly bad_utf8_rows: number | null;
  /** Null for more than 200. */
  readonly distinct: number | null;
  /** How ambiguous slash dates are read, and on whose word; null for other types. */
  readonly date_order: 'DMY' | 'MDY' | 'conflict' | null;
  readonly date_order_basis: 'column' | 'assumed' | null;
  readonly naive: boolean;
  readonly spelling: readonly [yes: string, no: string] | null;
  /** First and last of the year-first dates, as they are written. */
  readonly earliest: string | null;
  readonly latest: string | null;
  /** Beginnings of SHA-256 sums of some values that do not fit. */
  readonly examples_hash: readonly string[];
}

export interface TableProfile {
  readonly rows: number;
  /** Rows that were read: fewer than `rows` in a sample, whose counts then tell shares, not totals. */
  readonly scanned: number;
  readonly columns: { readonly [column: string]: ColumnProfile };
}

export interface Profile {
  readonly profile_version: typeof PROFILE_VERSION;
  readonly run_id: string;
  /** Which file it was, in the words of whoever profiled it. */
  readonly source: { readonly [property: string]: Json };
  readonly slash_date_order: 'DMY' | 'MDY';
  readonly tables: { readonly [table: string]: TableProfile };
  readonly findings: readonly Finding[];
  readonly breaker: BreakerNumbers;
  /** What gates add. */
  readonly dry_run?: { readonly [property: string]: Json };
  readonly score?: { readonly [property: string]: Json };
  readonly validation?: readonly Json[];
}
