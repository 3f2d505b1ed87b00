/** An input for loaders of PostgreSQL, and what each of them does with it. */
import type { LoaderName } from './loaders.ts';

/** One loader's answer. */
export interface Answer {
  /** For the table. */
  readonly words: string;
  /** Whether the exit code is 0. */
  readonly ends: 'well' | 'badly';
  /** What the query answers, row by row; `none` without a table. */
  readonly stored?: string;
  /** States on stdout. */
  readonly states?: readonly string[];
  /** In the log. */
  readonly says?: RegExp;
}

export interface Case extends Readonly<Record<LoaderName, Answer>> {
  readonly input: string;
  /** Files of test/messages or of messages/ here, loaded one after the other. */
  readonly files: readonly string[];
  /** One text per row. */
  readonly query: string;
}

/** The tables of an empty database that a load has made. */
export const tables = `SELECT tablename FROM pg_tables WHERE schemaname = 'public' AND tablename NOT LIKE '\\_tapworks%' ORDER BY tablename COLLATE "C"`;
