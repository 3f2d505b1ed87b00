/**
 * A body that is too large for memory, kept in a file without a name while it is found out whether it is whole: no row
 * of a page may leave before that.
 */
import { tmpdir } from 'node:os';
import { ConnectorError, textOf } from '../singer/errors.ts';
import { NamelessFile } from '../singer/nameless-file.ts';

export class Spool {
  readonly #file: NamelessFile;

  /** Takes over an empty file. */
  constructor(file: NamelessFile) {
    this.#file = file;
  }

  /** An empty spool. @throws ConnectorError `destination` when no file can be made. */
  static async open(): Promise<Spool> {
    try {
      return new Spool(NamelessFile.open());
    } catch (cause) {
      throw unkept(cause);
    }
  }

  /** Passes chunks on, each once it is kept. @throws ConnectorError `destination` when the disk is full. */
  async *keeping(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
    for await (const chunk of chunks) {
      try {
        this.#file.write(chunk);
      } catch (cause) {
        throw unkept(cause);
      }
      yield chunk;
    }
  }

  /** What was kept, from its beginning. A chunk is good until the next is asked for. */
  read(): AsyncGenerator<Uint8Array> {
    return this.#file.read();
  }

  async close(): Promise<void> {
    this.#file.close();
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
