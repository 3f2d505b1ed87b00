/** A whole row to its columns' types: which of its values are set aside, and when all of it is. */
import { NOTHING, type Reason } from './classes.ts';
import { type Beside, type ConversionRules, type Converted, convert, type Scalar } from './conversion.ts';
import { classify, type SqliteValue } from './grammar.ts';
import type { Note } from './notes.ts';

/** A column in its table's order. */
export interface RowColumn {
  readonly name: string;
  readonly rules: ConversionRules;
  readonly key: boolean;
}

/** A value that was set aside; the row goes on with null in its place. */
export interface SetAside {
  readonly column: string;
  readonly reason: Reason;
}

export type ConvertedRow =
  | {
      readonly values: readonly Scalar[];
      /** Values that were changed, in column order. */
      readonly changes: readonly { readonly column: string; readonly notes: readonly Note[] }[];
      readonly setAside: readonly SetAside[];
    }
  /** The row has no key to be found by, or its values stand in the wrong columns. */
  | { readonly rejected: SetAside };

/** Fewer misfits than this may be bad values by chance; see `isShifted`. */
const SHIFTED_FROM = 2;

/**
 * Converts the values of a row, in the order of `columns`.
 * A row is rejected for a key without a value (`null_key`), a key that does not convert (`bad_key`), and for two values
 * or more that all fit when moved by one column (`shifted_row`), as an export with an unquoted comma leaves them.
 */
export function convertRow(
  values: readonly SqliteValue[],
  columns: readonly RowColumn[],
  beside: (index: number) => Beside = () => ({}),
): ConvertedRow {
  const converted = columns.map(({ rules }, index) => convert(values[index] ?? null, rules, beside(index)));
  const setAside: SetAside[] = [];
  converted.forEach((result, index) => {
    if ('reason' in result) setAside.push({ column: columns[index]?.name ?? '', reason: result.reason });
  });
  const first = converted.findIndex((result) => 'reason' in result);
  if (setAside.length >= SHIFTED_FROM && isShifted(values, columns, first)) {
    return { rejected: { column: columns[first]?.name ?? '', reason: 'shifted_row' } };
  }
  const badKey = columns.findIndex(({ key }, index) => key && !hasValue(converted[index]));
  if (badKey >= 0) {
    const stored = classify(values[badKey] ?? null);
    return { rejected: { column: columns[badKey]?.name ?? '', reason: NOTHING.has(stored) ? 'null_key' : 'bad_key' } };
  }
  return {
    values: converted.map((result) => ('reason' in result ? null : result.value)),
    changes: converted.flatMap((result, index) =>
      'reason' in result || result.notes.length === 0
        ? []
        : [{ column: columns[index]?.name ?? '', notes: result.notes }],
    ),
    setAside,
  };
}

function hasValue(result: Converted | undefined): boolean {
  return result !== undefined && !('reason' in result) && result.value !== null;
}

/** True when from the first misfit on every typed column finds a value that it takes one place away, on one side. */
function isShifted(values: readonly SqliteValue[], columns: readonly RowColumn[], first: number): boolean {
  return [-1, 1].some((by) => {
    let fitting = 0;
    const all = columns.slice(first).every(({ rules }, index) => {
      if (rules.type === 'text') return true;
      const moved = values[first + index + by];
      // Nothing stands there: the value was pushed over the edge, or the row had none.
      if (moved === undefined || NOTHING.has(classify(moved))) return true;
      fitting += 1;
      return !('reason' in convert(moved, rules));
    });
    return all && fitting >= SHIFTED_FROM;
  });
}
