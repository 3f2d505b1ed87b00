import type { Draws } from '../draw.ts';

/**
 * Writes one JSON object as text, field by field. Ids never pass through a double: `digits` takes
 * decimal text and writes it as a bare JSON number.
 */
export class RowText {
  #text = '{';

  #key(key: string): void {
    this.#text += this.#text.length > 1 ? `,"${key}":` : `"${key}":`;
  }

  /** A bare JSON number, boolean or null. */
  literal(key: string, value: number | boolean | null): this {
    this.#key(key);
    this.#text += String(value);
    return this;
  }

  /** A bare JSON number given as decimal digits. */
  digits(key: string, digits: string): this {
    this.#key(key);
    this.#text += digits;
    return this;
  }

  string(key: string, value: string): this {
    this.#key(key);
    this.#text += JSON.stringify(value);
    return this;
  }

  /**
   * A field that the vendor does not always fill: 2 % are "--", 1 % null, 1 % have no key at all.
   * Strings stay strings, numbers and booleans stay bare.
   */
  optional(draws: Draws, key: string, value: string | number | boolean): this {
    const drawn = draws.next();
    if (drawn < 0.01) return this;
    if (drawn < 0.02) return this.literal(key, null);
    if (drawn < 0.04) return this.string(key, '--');
    return typeof value === 'string' ? this.string(key, value) : this.literal(key, value);
  }

  end(): string {
    return `${this.#text}}`;
  }
}
