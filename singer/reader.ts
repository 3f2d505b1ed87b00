/** Bytes to numbered lines. Works on bytes, because a chunk may end inside a character as well as inside a line. */
import { isUtf8 } from 'node:buffer';
import { ConnectorError } from './errors.ts';

/** Longest accepted line in bytes. Runners refuse far shorter ones; a longer line is a broken writer, not data. */
export const MAX_LINE_BYTES = 64 * 1024 * 1024;

const LF = 0x0a;
const BOM = '\ufeff';

/** One line without its end. `number` counts from 1 and includes blank lines. */
export interface Line {
  readonly number: number;
  readonly text: string;
  /** Length in bytes, for batch limits. */
  readonly bytes: number;
}

/**
 * Splits byte chunks into lines. `push` returns the lines that a chunk completes, blank ones left out but counted.
 * Lines may end with LF or CRLF. A line's bytes are kept in a list until it is complete, so a 64 MiB line that comes
 * in small chunks is copied once, not once per chunk.
 */
export class LineReader {
  #partial: Uint8Array[] = [];
  #partialBytes = 0;
  #number = 0;
  readonly #maxBytes: number;

  constructor(maxBytes: number = MAX_LINE_BYTES) {
    this.#maxBytes = maxBytes;
  }

  /** Lines completed so far, blank ones included. */
  get count(): number {
    return this.#number;
  }

  /** @throws ConnectorError `protocol` when a line is too long or not UTF-8. */
  push(chunk: Uint8Array): Line[] {
    const bytes = Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength);
    const lines: Line[] = [];
    let start = 0;
    for (;;) {
      const end = bytes.indexOf(LF, start);
      if (end === -1) break;
      const piece = bytes.subarray(start, end);
      const whole = this.#partialBytes === 0 ? piece : this.#join(piece);
      start = end + 1;
      this.#number += 1;
      const line = this.#line(whole);
      if (line !== undefined) lines.push(line);
    }
    if (start < bytes.length) this.#keep(bytes.subarray(start));
    return lines;
  }

  /**
   * The last line, when the input ended without a line end. It is handed out as it is: a message that was cut off is
   * not JSON any more and fails with its line number, while a complete one that only lacks its line end is data.
   */
  end(): Line | undefined {
    if (this.#partialBytes === 0) return undefined;
    this.#number += 1;
    return this.#line(this.#join(Buffer.alloc(0)));
  }

  #keep(piece: Buffer): void {
    this.#partialBytes += piece.length;
    if (this.#partialBytes > this.#maxBytes) throw this.#tooLong();
    // The chunk's memory may be reused by the stream that delivered it.
    this.#partial.push(Uint8Array.prototype.slice.call(piece));
  }

  #join(last: Buffer): Buffer {
    const whole = Buffer.concat([...this.#partial, last], this.#partialBytes + last.length);
    this.#partial = [];
    this.#partialBytes = 0;
    return whole;
  }

  #line(bytes: Buffer): Line | undefined {
    if (bytes.length > this.#maxBytes) throw this.#tooLong();
    if (!isUtf8(bytes)) {
      throw new ConnectorError(
        'protocol',
        `line ${this.#number} is not valid UTF-8`,
        { line: this.#number },
        {
          hint: 'the writer must send UTF-8; nothing was changed to make it fit',
        },
      );
    }
    let text = bytes.toString('utf8');
    if (this.#number === 1 && text.startsWith(BOM)) text = text.slice(1);
    return text.trim() === '' ? undefined : { number: this.#number, text, bytes: bytes.length };
  }

  #tooLong(): ConnectorError {
    const number = this.#number + (this.#partialBytes > 0 ? 1 : 0);
    return new ConnectorError(
      'protocol',
      `line ${number} is longer than ${this.#maxBytes} bytes`,
      { line: number },
      {
        hint: 'leave out or split the large field at the tap',
      },
    );
  }
}
