/**
 * The content hash of a table, which does not depend on the order of its rows. It is computed twice, by the target from
 * the records that it sent and by PostgreSQL from what it stored, so that a row that was lost, doubled or changed on the
 * way is found.
 *
 * Row text: for each column in order, of text the number of bytes, a colon and the text (nothing but the colon for NULL);
 * of anything else its spelling (spelling.ts; nothing for NULL) and a comma. Row hash: the first eight bytes of the MD5 of
 * the row text, an unsigned number. Table hash: the sum of the row hashes modulo 2^64. A sum shows a doubled row, which
 * exclusive or would not.
 */
import { hash } from 'node:crypto';
import type { Json, Row } from '../../../singer/lossless.ts';
import { TABLE_VERSION } from '../../../singer/metadata.ts';
import { type Spelling, type Spellings, spelledValue } from '../../../singer/record-pattern.ts';
import type { SpelledRows } from '../../../singer/sink.ts';
import type { Session } from '../connection.ts';
import type { Source } from '../lane.ts';
import { full, quote, type Relation } from '../sql.ts';
import type { Column } from '../tables.ts';
import { spelled, spelledBy } from './spelling.ts';

/** How many rows, and their hash as 16 hexadecimal digits. */
export interface Content {
  readonly rows: number;
  readonly hash: string;
}

const WORD = 2 ** 32;

/** Texts that are short cost less in one piece with others than alone. */
const SHORT = 24;

/** The text of one row at a time, in a buffer that all rows share: strings of whole rows would fill the heap. */
class RowBytes {
  #buffer = Buffer.allocUnsafeSlow(64 * 1024);
  #length = 0;
  #waiting = '';

  /** Adds characters of ASCII. */
  add(text: string): void {
    this.#waiting += text;
  }

  /** Adds a text behind the number of its bytes. */
  addText(text: string): void {
    this.#waiting += `${Buffer.byteLength(text)}:`;
    if (text.length <= SHORT) {
      this.#waiting += text;
      return;
    }
    this.#write(this.#waiting);
    this.#waiting = '';
    this.#write(text);
  }

  /** The MD5 of the row in hexadecimal; what comes next belongs to another row. */
  digest(): string {
    this.#write(this.#waiting);
    this.#waiting = '';
    const digest = hash('md5', this.#buffer.subarray(0, this.#length));
    this.#length = 0;
    return digest;
  }

  #write(text: string): void {
    const needed = this.#length + text.length * 3;
    if (needed > this.#buffer.length) {
      const larger = Buffer.allocUnsafeSlow(needed * 2);
      this.#buffer.copy(larger, 0, 0, this.#length);
      this.#buffer = larger;
    }
    this.#length += this.#buffer.write(text, this.#length);
  }
}

/** Counts and hashes rows as they are sent. */
export class Fingerprint {
  #rows: number;
  /** The sum in two halves: numbers hold them exactly, and big integers would cost as much as the hash. */
  #high: number;
  #low: number;
  readonly #bytes = new RowBytes();

  /** @param from what the table holds already. */
  constructor(from: Content = { rows: 0, hash: '0' }) {
    const sum = BigInt(`0x${from.hash}`);
    this.#rows = from.rows;
    this.#high = Number(sum >> 32n);
    this.#low = Number(sum & 0xffff_ffffn);
  }

  /** Takes in rows that were sent, from `from` up to `to`. Those that nobody has parsed stay so. */
  add(source: Source, from: number, to: number, columns: readonly Column[]): void {
    // Asking for the rows would have them parsed.
    const spellings = source.spelled;
    const origins = spellings === undefined ? undefined : originsOf(spellings, columns);
    for (let index = from; index < to; index += 1) {
      if (spellings !== undefined && origins !== undefined) {
        spelledRow(spellings.values[index] ?? [], origins, columns, this.#bytes);
      } else {
        recordRow(source.rows[index] ?? {}, columns, this.#bytes);
      }
      this.#take(this.#bytes.digest());
    }
  }

  #take(digest: string): void {
    this.#rows += 1;
    this.#low += Number.parseInt(digest.slice(8, 16), 16);
    this.#high += Number.parseInt(digest.slice(0, 8), 16);
    if (this.#low >= WORD) {
      this.#low -= WORD;
      this.#high += 1;
    }
    if (this.#high >= WORD) this.#high -= WORD;
  }

  get content(): Content {
    const hex = (half: number) => half.toString(16).padStart(8, '0');
    return { rows: this.#rows, hash: `${hex(this.#high)}${hex(this.#low)}` };
  }
}

function recordRow(row: Row, columns: readonly Column[], bytes: RowBytes): void {
  for (const column of columns) {
    const { property } = column;
    addCell(bytes, Object.hasOwn(row, property) ? row[property] : null, column);
  }
}

/** Where the value of a column stands among those of a line, or what it is in every line. */
type Origin = { readonly place: number; readonly spelling: Spelling } | { readonly fixed: Json };

function originsOf({ pattern, version }: SpelledRows, columns: readonly Column[]): readonly Origin[] {
  return columns.map(({ property }) => {
    const place = pattern.properties.findIndex((one) => one.property === property);
    const spelling = pattern.properties[place]?.spelling;
    return spelling === undefined
      ? { fixed: (property === TABLE_VERSION ? version : null) ?? null }
      : { place, spelling };
  });
}

function spelledRow(values: Spellings, origins: readonly Origin[], columns: readonly Column[], bytes: RowBytes): void {
  for (let at = 0; at < origins.length; at += 1) {
    const origin = origins[at] as Origin;
    const value = 'fixed' in origin ? origin.fixed : spelledValue(origin.spelling, values[origin.place]);
    addCell(bytes, value, columns[at] as Column);
  }
}

function addCell(bytes: RowBytes, value: Json | undefined, { holder, kind }: Column): void {
  if (value === undefined || value === null) bytes.add(holder === 'text' ? ':' : ',');
  else if (holder === 'text') bytes.addText(spelled(value, holder, kind));
  else bytes.add(`${spelled(value, holder, kind)},`);
}

/** What the hash needs to know of a column. */
type HashedColumn = Pick<Column, 'name' | 'holder'>;

/** Columns in one call of `concat`; a function of PostgreSQL takes 100 arguments. */
const CONCATENATED = 30;

/** SELECT that answers `rows` and `sum`, the latter not yet brought into its range. */
export function contentQuery(table: Relation, columns: readonly HashedColumn[]): string {
  const parts = columns.map(({ name, holder }) => {
    const column = spelledBy(quote(name), holder);
    return holder === 'text' ? `octet_length(${column}), ':', ${column}` : `${column}, ','`;
  });
  const calls: string[] = [];
  for (let at = 0; at < parts.length; at += CONCATENATED) {
    calls.push(`concat(${parts.slice(at, at + CONCATENATED).join(', ')})`);
  }
  const rowHash = `('x' || left(md5(${calls.join(' || ')}), 16))::bit(64)::bigint`;
  return `SELECT count(*) AS rows, coalesce(sum(${rowHash}), 0) AS sum FROM ${full(table)}`;
}

/** What PostgreSQL has stored. */
export async function storedContent(
  session: Session,
  table: Relation,
  columns: readonly HashedColumn[],
): Promise<Content> {
  const [found] = await session.query(contentQuery(table, columns));
  const sum = BigInt.asUintN(64, BigInt(found?.sum ?? '0'));
  return { rows: Number(found?.rows ?? 0), hash: sum.toString(16).padStart(16, '0') };
}
