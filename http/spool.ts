/**
 * A body that is too large for memory, kept in a file while it is found out whether it is whole: no row of a page may
 * leave before that. The file has no name any more when the first byte is written, so nothing of it outlives the
 * process, however that ends.
 */
import { type FileHandle, mkdtemp, open, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ConnectorError, textOf } from '../singer/errors.ts';

/** Bytes read back in one go. */
const READ_BYTES = 64 * 1024;

export class Spool {
  readonly #file: FileHandle;

  private constructor(file: FileHandle) {
    this.#file = file;
  }

  /**
   * An empty spool in the system's temporary folder, readable by nobody else.
   * @throws ConnectorError `destination` when no file can be made there.
   */
  static async open(): Promise<Spool> {
    try {
      const folder = await mkdtemp(join(tmpdir(), 'tapworks-'));
      try {
        return new Spool(await open(join(folder, 'body'), 'wx+', 0o600));
      } finally {
        await rm(folder, { recursive: true, force: true });
      }
    } catch (cause) {
      throw unkept(cause);
    }
  }

  /** Passes chunks on, each once it is kept. @throws ConnectorError `destination` when the disk is full. */
  async *keeping(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
    for await (const chunk of chunks) {
      // A write may take a part only.
      for (let start = 0; start < chunk.length; ) {
        const { bytesWritten } = await this.#file.write(chunk, start).catch((cause: unknown) => {
          throw unkept(cause);
        });
        start += bytesWritten;
      }
      yield chunk;
    }
  }

  /** What was kept, from its beginning. A chunk is good until the next is asked for. */
  async *read(): AsyncGenerator<Uint8Array> {
    const buffer = Buffer.allocUnsafe(READ_BYTES);
    for (let position = 0; ; ) {
      const { bytesRead } = await this.#file.read(buffer, 0, READ_BYTES, position);
      if (bytesRead === 0) return;
      position += bytesRead;
      yield buffer.subarray(0, bytesRead);
    }
  }

  async close(): Promise<void> {
    await this.#file.close();
  }
}

function unkept(cause: unknown): ConnectorError {
  return new ConnectorError(
    'destination',
    `a large answer cannot be kept in ${tmpdir()}: ${textOf(cause)}`,
    {},
    { cause, hint: 'make room there, or set TMPDIR to a folder with room' },
  );
}
