/** Bytes to numbered lines. Works on bytes, because a chunk may end inside a character as well as inside a line. */
import { isAscii, isUtf8 } from 'node:buffer';
import { ConnectorError } from './errors.ts';

/** Longest accepted line in bytes. Runners refuse far shorter ones; a longer line is a broken writer, not data. */
export const MAX_LINE_BYTES = 64 * 1024 * 1024;

const LF = 0x0a;
const CR = 0x0d;
const OPENING_BRACE = 0x7b;
/** A buffer that one long line made is given back; a smaller one is kept for the next line. */
const KEPT_BYTES = 1024 * 1024;
const BOM = '\ufeff';

/** One line without its end. `number` counts from 1 and includes blank lines. */
export interface Line {
  readonly number: number;
  readonly text: string;
  /** Length in bytes, for batch limits. */
  readonly bytes: number;
}

/**
 * Splits byte chunks into lines. `push` returns the lines that a chunk completes, blank ones left out but counted; a
 * fault behind good lines is thrown by the next call.
 * Lines may end with LF or CRLF. The bytes of an unfinished line are gathered in a buffer that doubles, so a 64 MiB line
 * costs linear time and no object per chunk, however small its chunks are.
 */
export class LineReader {
  #partial = Buffer.alloc(0);
  #partialBytes = 0;
  #number = 0;
  #fault: ConnectorError | undefined;
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
    if (this.#fault !== undefined) throw this.#fault;
    const lines: Line[] = [];
    try {
      this.#split(Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength), lines);
    } catch (fault) {
      // Good lines of the same chunk come first, wherever the chunk happens to end; the fault comes with the next call.
      if (lines.length === 0 || !(fault instanceof ConnectorError)) throw fault;
      this.#fault = fault;
    }
    return lines;
  }

  /**
   * The last line, when the input ended without a line end. It is handed out as it is: a message that was cut off is
   * not JSON any more and fails with its line number, while a complete one that only lacks its line end is data.
   */
  end(): Line | undefined {
    if (this.#fault !== undefined) throw this.#fault;
    if (this.#partialBytes === 0) return undefined;
    this.#number += 1;
    return this.#line(this.#join(Buffer.alloc(0)));
  }

  #split(bytes: Buffer, lines: Line[]): void {
    let start = 0;
    if (this.#partialBytes > 0) {
      const end = bytes.indexOf(LF);
      if (end === -1) {
        this.#keep(bytes);
        return;
      }
      start = end + 1;
      this.#add(this.#join(bytes.subarray(0, end)), lines);
    }
    const whole = bytes.lastIndexOf(LF) + 1;
    if (whole > start) this.#splitWhole(bytes.subarray(start, whole), lines);
    if (Math.max(whole, start) < bytes.length) this.#keep(bytes.subarray(Math.max(whole, start)));
  }

  /** Lines that lie whole in `bytes`. ASCII, as most text is, is decoded at once and cut: that takes half the time. */
  #splitWhole(bytes: Buffer, lines: Line[]): void {
    if (isAscii(bytes)) {
      const text = bytes.toString('latin1');
      for (let start = 0; start < text.length; ) {
        const end = text.indexOf('\n', start);
        const last = end > start && text.charCodeAt(end - 1) === CR ? end - 1 : end;
        this.#number += 1;
        if (last - start > this.#maxBytes) throw this.#tooLong(this.#number);
        const line = text.slice(start, last);
        if (!isBlank(line)) lines.push({ number: this.#number, text: line, bytes: last - start });
        start = end + 1;
      }
      return;
    }
    for (let start = 0; start < bytes.length; ) {
      const end = bytes.indexOf(LF, start);
      this.#add(bytes.subarray(start, end), lines);
      start = end + 1;
    }
  }

  #add(piece: Buffer, lines: Line[]): void {
    this.#number += 1;
    const line = this.#line(piece);
    if (line !== undefined) lines.push(line);
  }

  /** Copies, because the stream that delivered the chunk may use its memory again. */
  #keep(piece: Buffer): void {
    const bytes = this.#partialBytes + piece.length;
    // One byte more, which may be the CR of the line's end.
    if (bytes > this.#maxBytes + 1) throw this.#tooLong(this.#number + 1);
    if (bytes > this.#partial.length) {
      const larger = Buffer.allocUnsafe(Math.max(bytes, 2 * this.#partial.length, 64 * 1024));
      this.#partial.copy(larger, 0, 0, this.#partialBytes);
      this.#partial = larger;
    }
    piece.copy(this.#partial, this.#partialBytes);
    this.#partialBytes = bytes;
  }

  #join(last: Buffer): Buffer {
    this.#keep(last);
    const whole = this.#partial.subarray(0, this.#partialBytes);
    this.#partialBytes = 0;
    if (this.#partial.length > KEPT_BYTES) this.#partial = Buffer.alloc(0);
    return whole;
  }

  #line(piece: Buffer): Line | undefined {
    const bytes = piece.at(-1) === CR ? piece.subarray(0, -1) : piece;
    if (bytes.length > this.#maxBytes) throw this.#tooLong(this.#number);
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
    return isBlank(text) ? undefined : { number: this.#number, text, bytes: bytes.length };
  }

  #tooLong(number: number): ConnectorError {
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

function isBlank(text: string): boolean {
  // Most lines are told by their first character.
  return text.charCodeAt(0) !== OPENING_BRACE && text.trim() === '';
}
