/**
 * A file without a name: what is too large for memory waits in it, and nothing of it outlives the process, however that
 * ends. Its name goes in the call after the one that makes it; nothing else of this process runs between the two.
 */
import { randomUUID } from 'node:crypto';
import { closeSync, openSync, readSync, unlinkSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** Bytes read back in one go. */
const READ_BYTES = 64 * 1024;

/**
 * Written from beginning to end, then read as often as wanted. Each operation blocks: the system's cache takes a chunk in
 * less time than Node's threads take to be asked for it, and no operation can meet a descriptor that was closed.
 */
export class NamelessFile {
  #descriptor: number | undefined;

  /** Takes over the descriptor of an empty file that may be read and written. */
  constructor(descriptor: number) {
    this.#descriptor = descriptor;
  }

  /**
   * An empty file in the system's temporary folder, readable by nobody else.
   * @throws Error of the system when none can be made there.
   */
  static open(): NamelessFile {
    const path = join(tmpdir(), `tapworks-${randomUUID()}`);
    const descriptor = openSync(path, 'wx+', 0o600);
    try {
      unlinkSync(path);
    } catch (cause) {
      closeSync(descriptor);
      throw cause;
    }
    return new NamelessFile(descriptor);
  }

  /** Appends all bytes of a chunk. @throws Error of the system, e.g. when the disk is full. */
  write(chunk: Uint8Array): void {
    // A write may take a part only.
    for (let start = 0; start < chunk.length; ) start += writeSync(this.#open, chunk, start);
  }

  /** What was written, from its beginning. A chunk is good until the next is asked for. @throws Error of the system. */
  async *read(): AsyncGenerator<Uint8Array> {
    const buffer = Buffer.allocUnsafe(READ_BYTES);
    for (let position = 0; ; ) {
      const bytes = readSync(this.#open, buffer, 0, READ_BYTES, position);
      if (bytes === 0) return;
      position += bytes;
      yield buffer.subarray(0, bytes);
    }
  }

  /** Gives the room back. A second time does nothing. */
  close(): void {
    const descriptor = this.#descriptor;
    this.#descriptor = undefined;
    if (descriptor !== undefined) closeSync(descriptor);
  }

  /** The number of a closed descriptor may be another file's by now. */
  get #open(): number {
    if (this.#descriptor === undefined) throw new Error('the temporary file is closed');
    return this.#descriptor;
  }
}
