/** One COPY … FROM STDIN at a time over a connection. */
import { once } from 'node:events';
import { from } from 'pg-copy-streams';
import type { Session } from './connection.ts';

/**
 * Bytes of a write. On 260,000 rows 64 KiB pieces took 1.36 s and a write per row 3.11 s; larger ones gain nothing.
 */
const PIECE_BYTES = 64 * 1024;

/** Rows on their way into one table. */
export class Copy {
  readonly #session: Session;
  readonly #stream: ReturnType<typeof from>;
  #text = '';
  #failure: unknown;

  /** Begins to copy by the given statement. */
  constructor(session: Session, statement: string) {
    this.#session = session;
    this.#stream = session.client.query(from(statement, { highWaterMark: 4 * PIECE_BYTES }));
    // A failure may come at any time; writing on after it would fail inside the library, where nobody can catch it.
    this.#stream.on('error', (cause) => {
      this.#failure ??= cause;
    });
  }

  /** Takes rows, each with its line end. A promise is returned only when the server is behind. */
  write(text: string): Promise<void> | undefined {
    this.#text += text;
    return this.#text.length < PIECE_BYTES ? undefined : this.#flush();
  }

  #flush(): Promise<void> | undefined {
    this.#check();
    const piece = Buffer.from(this.#text);
    this.#text = '';
    return this.#stream.write(piece) ? undefined : this.#settled('drain');
  }

  /** Ends the COPY; resolves once the server has taken every row. */
  async end(): Promise<void> {
    if (this.#text !== '') await this.#flush();
    this.#check();
    const done = this.#settled('finish');
    this.#stream.end();
    await done;
  }

  async #settled(event: 'drain' | 'finish'): Promise<void> {
    try {
      await once(this.#stream, event);
    } catch (cause) {
      throw this.#session.failure('write to', cause);
    }
  }

  #check(): void {
    if (this.#failure !== undefined) throw this.#session.failure('write to', this.#failure);
    if (this.#session.lost) throw this.#session.failure('write to', new Error('Connection terminated'));
  }
}
