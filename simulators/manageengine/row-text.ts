import type { Draws } from '../draw.ts';

/** How a field that the vendor does not always fill is written: its value, "--", null, or no key at all. */
export type Presence = 'value' | 'placeholder' | 'null' | 'absent';

/** 2 % are "--", 1 % null, 1 % have no key; `drawn` is from 0 to 1. */
export function presenceOf(drawn: number): Presence {
  if (drawn < 0.01) return 'absent';
  if (drawn < 0.02) return 'null';
  return drawn < 0.04 ? 'placeholder' : 'value';
}

/** The presence of the next field of a row. */
export function presence(draws: Draws): Presence {
  return presenceOf(draws.next());
}

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

  /** A list of JSON texts: decimal digits, objects. */
  list(key: string, items: readonly string[]): this {
    this.#key(key);
    this.#text += `[${items.join(',')}]`;
    return this;
  }

  /** A field as it was drawn to be present. Strings stay strings, numbers and booleans stay bare. */
  as(drawn: Presence, key: string, value: string | number | boolean): this {
    if (drawn === 'absent') return this;
    if (drawn === 'null') return this.literal(key, null);
    if (drawn === 'placeholder') return this.string(key, '--');
    return typeof value === 'string' ? this.string(key, value) : this.literal(key, value);
  }

  /** A field that the vendor does not always fill; one draw decides. */
  optional(draws: Draws, key: string, value: string | number | boolean): this {
    return this.as(presence(draws), key, value);
  }

  end(): string {
    return `${this.#text}}`;
  }
}
