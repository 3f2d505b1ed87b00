/**
 * Keys for rows that Plex gives no id: the first 32 hex digits of SHA-256 over a JSON array of some fields (dates with all
 * seven digits, null kept) and, last, how many rows of equal fields came before. Rows of equal fields share their date, so
 * no slice of time can part them and the count is the same in every reading.
 */
import { hash } from 'node:crypto';
import type { Json } from '../../singer/lossless.ts';
import { sortable } from './dates.ts';

type VendorRow = { readonly [field: string]: Json };

/** What the key of a stream is made of. */
export interface KeyRule {
  /** The field that says when. */
  readonly date: string;
  /** All fields of the key, `date` among them. */
  readonly fields: readonly string[];
}

/** A row with its key and its date in seven digits, if it has one. */
export interface KeyedRow {
  readonly key: string;
  readonly date: string | undefined;
  readonly row: VendorRow;
}

const KEY_DIGITS = 32;
const PRINT_DIGITS = 13;

/** JSON with the fields in the order of their names, so that equal rows are equal texts. */
function canonical(row: VendorRow): string {
  return JSON.stringify(Object.fromEntries(Object.entries(row).sort(([a], [b]) => (a < b ? -1 : 1))));
}

/** Gives the rows of one answer their keys. Rows of one moment are held until the next one comes. */
export class Keyring {
  readonly #rule: KeyRule;
  #date: string | undefined;
  #moment: VendorRow[] = [];
  /**
   * How many rows of equal fields there were, should an answer not be in the order of its dates. By 52 bits of their digest,
   * because a day may have 20,000 of them: two different ones meet in one of 20 million such days.
   */
  readonly #counts = new Map<number, number>();

  constructor(rule: KeyRule) {
    this.#rule = rule;
  }

  /** Takes the next row; returns those of the moment before, when that is over. */
  add(row: VendorRow): readonly KeyedRow[] {
    const date = sortable(row[this.#rule.date]);
    const done = date !== this.#date && this.#moment.length > 0 ? this.rest() : [];
    this.#date = date;
    this.#moment.push(row);
    return done;
  }

  /** The rows that are still held. */
  rest(): readonly KeyedRow[] {
    const rows = this.#moment;
    this.#moment = [];
    if (rows.length > 1) rows.sort((a, b) => (canonical(a) < canonical(b) ? -1 : 1));
    return rows.map((row) => this.#keyed(row, this.#date));
  }

  #keyed(row: VendorRow, date: string | undefined): KeyedRow {
    const { fields, date: dateField } = this.#rule;
    const values = fields.map((field) => (field === dateField ? (date ?? row[field] ?? null) : (row[field] ?? null)));
    const tuple = Number.parseInt(hash('sha256', JSON.stringify(values), 'hex').slice(0, PRINT_DIGITS), 16);
    const before = this.#counts.get(tuple) ?? 0;
    this.#counts.set(tuple, before + 1);
    const key = hash('sha256', JSON.stringify([...values, before]), 'hex').slice(0, KEY_DIGITS);
    return { key, date, row };
  }
}
