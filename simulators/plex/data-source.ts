/** What a data source is: named inputs, named columns, rows up to a limit. */
import type { Records } from './records.ts';

/** Types of inputs and columns, by the vendor's names. */
export type DataType = 'string' | 'bool' | 'date' | 'int32' | 'decimal';

export interface Input {
  readonly name: string;
  readonly type: DataType;
  readonly required: boolean;
  readonly nullable: boolean;
}

export interface Column {
  readonly name: string;
  readonly type: DataType;
}

/** Checked inputs: dates with seven digits, null where that is allowed, absent ones undefined. */
export type Inputs = Readonly<Record<string, unknown>>;

export interface DataSource {
  readonly id: number;
  readonly name: string;
  readonly inputs: readonly Input[];
  readonly columns: readonly Column[];
  /** Rows of one answer at most. */
  readonly rowLimit: number;
  /** Undefined when the inputs name a record that there is not. */
  readonly rows: (records: Records, inputs: Inputs) => Iterable<readonly unknown[]> | undefined;
}

export function optional(name: string, type: DataType): Input {
  return { name, type, required: false, nullable: true };
}

export function required(name: string, type: DataType): Input {
  return { name, type, required: true, nullable: false };
}

/** Columns by name; the ones that `types` does not name are texts. */
export function columnsOf(names: readonly string[], types: Readonly<Record<string, DataType>>): readonly Column[] {
  return names.map((name) => ({ name, type: types[name] ?? 'string' }));
}

/** Data sources know things by whole numbers that no other API uses. */
const FIRST_PART_KEY = 2_000_001;
const FIRST_WORKCENTER_KEY = 50_001;

export function partKey(part: number): number {
  return FIRST_PART_KEY + part;
}

export function workcenterKey(workcenter: number): number {
  return FIRST_WORKCENTER_KEY + workcenter;
}

/** The workcenter that a key names, if there are so many. */
export function workcenterOf(key: number, workcenters: number): number | undefined {
  const workcenter = key - FIRST_WORKCENTER_KEY;
  return workcenter >= 0 && workcenter < workcenters ? workcenter : undefined;
}
