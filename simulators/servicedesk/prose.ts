/** Invented text of a given length, with the characters that a transfer is apt to spoil. */
import { Substream } from './substream.ts';
import { WORDS } from './words.ts';

/** Longer text is a finding of its own (D30), so ordinary text stays below it. */
export const LONGEST_TEXT = 100_000;

/** Room for what `spiced` and the last word add. */
const LONGEST_DRAWN = LONGEST_TEXT - 100;

const SENTENCES = 8192;

/** Logarithmic mean and deviation of a length in characters. */
export interface Length {
  readonly mean: number;
  readonly deviation: number;
}

const TAGS = '<span style="font-family:sans-serif;font-size:10pt">&nbsp;</span>';

function words(stream: Substream, count: number): string {
  let text = WORDS[stream.whole(WORDS.length)] ?? '';
  for (let index = 1; index < count; index += 1) text += ` ${WORDS[stream.whole(WORDS.length)] ?? ''}`;
  return text.charAt(0).toUpperCase() + text.slice(1);
}

/** Puts something into the text, in place of the first blank after a random point. */
function inserted(stream: Substream, text: string, piece: string): string {
  const at = text.indexOf(' ', stream.whole(text.length));
  return at === -1 ? `${text}${piece.trimEnd()}` : text.slice(0, at) + piece + text.slice(at + 1);
}

/** 3 % of all texts get CRLF, 2 % a tab, 1 % each a backslash, a character beyond the BMP, double quotes. */
function spiced(stream: Substream, text: string): string {
  let result = text;
  const chance = stream.next();
  if (chance < 0.03) result = inserted(stream, result, '\r\n');
  else if (chance < 0.05) result = inserted(stream, result, '\t');
  else if (chance < 0.06) result = inserted(stream, result, ' C:\\share\\log ');
  else if (chance < 0.07) result = inserted(stream, result, ' \u{1F527} ');
  else if (chance < 0.08) result = inserted(stream, result, ' "as agreed" ');
  return result;
}

/** Writes the texts of one file. Sentences are drawn once; a long text is a row of them. */
export class Author {
  readonly #sentences: readonly string[];
  readonly #htmlFactor: number;

  /** @param htmlFactor how many times longer descriptions and comments become by tags around them. */
  constructor(seed: number, htmlFactor: number) {
    const stream = new Substream(seed, 'prose', 'sentence');
    this.#sentences = Array.from({ length: SENTENCES }, (_, row) => `${words(stream.at(row), 6 + stream.whole(7))}.`);
    this.#htmlFactor = htmlFactor;
  }

  /** One line, rarely twice the same. */
  title(stream: Substream, { mean, deviation }: Length): string {
    const length = Math.max(8, stream.logNormal(mean, deviation, 1000));
    return spiced(stream, cut(words(stream, Math.ceil(length / 4)), length));
  }

  /** Any number of sentences. */
  text(stream: Substream, { mean, deviation }: Length): string {
    const length = Math.max(8, stream.logNormal(mean, deviation, LONGEST_DRAWN));
    return spiced(stream, this.exactly(stream, length));
  }

  /** Sentences of together `length` characters, without special ones. */
  exactly(stream: Substream, length: number): string {
    let text = this.#sentences[stream.whole(SENTENCES)] ?? '';
    while (text.length < length) text += ` ${this.#sentences[stream.whole(SENTENCES)] ?? ''}`;
    return cut(text, length);
  }

  /** The text as a mail client sends it: between tags, if this file has any. */
  mail(text: string): string {
    if (this.#htmlFactor <= 1) return text;
    const wanted = Math.min(LONGEST_DRAWN, Math.round(text.length * this.#htmlFactor));
    const body = `<div><p>${text}</p></div>`;
    const tags = Math.floor((wanted - body.length) / TAGS.length);
    return tags <= 0 ? text : `${body}${TAGS.repeat(tags)}`;
  }
}

function cut(text: string, length: number): string {
  const start = text.slice(0, length - 1).trimEnd();
  return start.padEnd(length, '.');
}
