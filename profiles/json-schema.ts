/** How a decided type travels: as the JSON Schema of a property, with what JSON has no word for under `x-sd`. */
import type { Json } from '../singer/lossless.ts';
import type { ColumnType } from './classes.ts';

export interface TravellingType {
  readonly type: ColumnType;
  readonly declared: string;
  /** Four decimals; null when there was nothing to judge by. */
  readonly confidence: number | null;
  readonly naive: boolean;
  readonly dateOrder: string | null;
  readonly spelling: readonly [yes: string, no: string] | undefined;
  readonly key: boolean;
}

export type PgType = 'bigint' | 'numeric' | 'timestamp' | 'timestamptz' | 'text';

/** The PostgreSQL type. `real` is never one: its four bytes lose digits. */
export function pgType(type: ColumnType, naive: boolean): PgType {
  switch (type) {
    case 'integer':
      return 'bigint';
    case 'numeric':
      return 'numeric';
    case 'timestamp':
      return naive ? 'timestamp' : 'timestamptz';
    default:
      return 'text';
  }
}

/** The schema of one property. Everything but a key may be null. */
export function propertySchema(column: TravellingType): { readonly [keyword: string]: Json } {
  const { type, declared, confidence, naive, dateOrder, spelling, key } = column;
  const found = {
    pg: pgType(type, naive),
    declared,
    ...(confidence !== null && { confidence }),
    ...(type === 'timestamp' && { naive, ...(dateOrder !== null && { date_order: dateOrder }) }),
    ...(type === 'yes_no' && spelling !== undefined && { yes_no: spelling }),
  };
  const nullable = (name: string): Json => (key ? name : ['null', name]);
  switch (type) {
    case 'integer':
      return { type: nullable('integer'), 'x-sd': found };
    case 'numeric':
      return { type: nullable('number'), 'x-sd': found };
    case 'timestamp':
      return { type: nullable('string'), format: 'date-time', 'x-sd': found };
    case 'yes_no': {
      const longest = Math.max(...(spelling ?? ['yes', 'no']).map((word) => word.length));
      return { type: nullable('string'), maxLength: longest, 'x-sd': found };
    }
    case 'blob':
      return { type: nullable('string'), contentEncoding: 'base64', 'x-sd': found };
    case 'text':
      return { type: nullable('string'), 'x-sd': found };
  }
}
