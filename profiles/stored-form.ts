/** A converted value as SQLite keeps it, for a database that is cleaned rather than sent. */
import { isRawNumber } from '../singer/lossless.ts';
import type { ColumnType } from './classes.ts';
import type { Scalar } from './conversion.ts';
import type { SqliteValue } from './grammar.ts';

/**
 * What to bind for a value that `convert` made. A timestamp is written `YYYY-MM-DD HH:MM:SS`, of a naive column without
 * the Z that means nothing there. Whole numbers are bound as SQLite integers, decimals beyond a double as their digits.
 */
export function storedForm(value: Scalar, type: ColumnType, naive: boolean): SqliteValue {
  if (value === null) return null;
  switch (type) {
    case 'integer':
      return BigInt(isRawNumber(value) ? value.rawJSON : value);
    case 'timestamp':
      return naive ? String(value).replace('T', ' ').slice(0, -1) : String(value);
    case 'blob':
      return Buffer.from(String(value), 'base64');
    default:
      return isRawNumber(value) ? value.rawJSON : value;
  }
}
