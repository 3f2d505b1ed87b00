/**
 * A hash of a table's content that does not depend on the order of its rows, the engine or the file. It is a sum, so the
 * hash of a table in which few rows have changed follows from those rows. Its form is described in
 * docs/servicedesk-generator.md; whoever compares against the manifest must build the same.
 */
import { hash } from 'node:crypto';
import { Bytes, type Stored } from './rows.ts';
import type { Column, Kind } from './schema.ts';

const NULL = '\\N';
const BETWEEN = '\x1f';

const escaped = (text: string) =>
  text.includes('\\') || text.includes(BETWEEN) ? text.replaceAll('\\', '\\\\').replaceAll(BETWEEN, '\\u001f') : text;

const float = Buffer.alloc(8);

function numberText(value: number, kind: Kind): string {
  if (Number.isSafeInteger(value) || kind === 'number') return String(value);
  float.writeDoubleBE(value);
  return float.toString('hex');
}

function timeForm(text: string): string {
  const match = /^(\d{4}-\d{2}-\d{2}) (\d{2}:\d{2}:\d{2})(?:\.(\d{1,6}))?$/.exec(text);
  if (match === null) return escaped(text);
  const [, day, time, fraction = ''] = match;
  return `${day}T${time}.${fraction.padEnd(6, '0')}`;
}

function cellText(value: Stored, kind: Kind): string | Buffer {
  if (value === null) return NULL;
  if (typeof value === 'number') return numberText(value, kind);
  if (typeof value === 'string') return kind === 'timestamp' ? timeForm(value) : escaped(value);
  if (value.storage === 'blob') return `\\x${value.bytes.toString('hex')}`;
  return Buffer.from(escaped(value.bytes.toString('latin1')), 'latin1');
}

function rowText(values: readonly Stored[], columns: readonly Column[]): string | Buffer {
  const cells = columns.map(({ kind }, index) => cellText(values[index] ?? null, kind));
  if (!values.some((value) => value instanceof Bytes)) return cells.join(BETWEEN);
  return Buffer.concat(
    cells.flatMap((cell, index) => [Buffer.from(index === 0 ? '' : BETWEEN), Buffer.from(cell as string)]),
  );
}

/** The running hash of one table: the sum of the first eight bytes of each row's MD5, modulo 2^64, beside their number. */
export class LogicalHash {
  #sum = 0n;
  #rows = 0;
  readonly #columns: readonly Column[];

  constructor(columns: readonly Column[]) {
    this.#columns = columns;
  }

  get rows(): number {
    return this.#rows;
  }

  add(values: readonly Stored[]): void {
    this.#sum = BigInt.asUintN(64, this.#sum + this.#of(values));
    this.#rows += 1;
  }

  remove(values: readonly Stored[]): void {
    this.#sum = BigInt.asUintN(64, this.#sum - this.#of(values));
    this.#rows -= 1;
  }

  #of(values: readonly Stored[]): bigint {
    return hash('md5', rowText(values, this.#columns), 'buffer').readBigUInt64BE(0);
  }

  copy(): LogicalHash {
    const copy = new LogicalHash(this.#columns);
    copy.#sum = this.#sum;
    copy.#rows = this.#rows;
    return copy;
  }

  /** Number of rows, a colon, 16 hexadecimal digits. */
  toString(): string {
    return `${this.#rows}:${this.#sum.toString(16).padStart(16, '0')}`;
  }
}
