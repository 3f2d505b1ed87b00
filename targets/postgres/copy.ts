/**
 * Rows on their way to the server, as COPY … FROM STDIN. While the server works on one buffer the next is filled, so both
 * have something to do; nothing is kept in memory beyond the buffers.
 */
import { type CopyStreamQuery, from } from 'pg-copy-streams';
import { systemCode } from '../../singer/errors.ts';
import type { Session } from './connection.ts';

/**
 * Where rows go. A route that is `hopeful` copies straight into a table with a key, which fails when a key is there
 * already; then `fallBack` opens another way, and the rows are sent again on that.
 */
export interface Route {
  statement: string;
  hopeful: boolean;
  fallBack(): Promise<void>;
  /** Rows that the server has taken. */
  copied(rows: number): void;
}

/** One COPY each. Two of 1 MiB keep both sides busy; larger ones only cost memory. */
const BUFFER_BYTES = 1024 * 1024;
const BUFFERS = 2;
/** Bytes of a write. On 260,000 rows 64 KiB pieces took 1.36 s and a write per row 3.11 s; larger ones gain nothing. */
const PIECE_BYTES = 64 * 1024;

/** A character of JavaScript takes at most three bytes of UTF-8. */
const BYTES_PER_CHARACTER = 3;

const SAVEPOINT = 'tapworks_copy';
const UNIQUE_VIOLATION = '23505';

interface Filled {
  buffer: Buffer;
  length: number;
  sent: number;
  rows: number;
  route: Route;
  /** No more rows go into it. */
  closed: boolean;
  copy: CopyStreamQuery | undefined;
}

/** All rows of one connection go through here, a COPY at a time. */
export class Copier {
  readonly #session: Session;
  readonly #spare: Buffer[] = [];
  #buffers = 0;
  /** In the order they were filled; the server works on the first. */
  readonly #queue: Filled[] = [];
  #failure: unknown;
  #waiting: (() => void)[] = [];

  constructor(session: Session) {
    this.#session = session;
  }

  /**
   * Takes the text of whole rows. A promise is returned only when the caller has to wait for the server.
   * @throws ConnectorError when the server refuses rows.
   */
  write(route: Route, text: string, rows: number): Promise<void> | undefined {
    if (this.#failure !== undefined) return this.#recover().then(() => this.write(route, text, rows));
    const bytes = text.length * BYTES_PER_CHARACTER;
    let open = this.#queue.at(-1);
    if (open !== undefined && !open.closed && (open.route !== route || open.length + bytes > open.buffer.length)) {
      this.#close(open);
    }
    if (open === undefined || open.closed) {
      const buffer = this.#bufferFor(bytes);
      if (buffer === undefined) return this.#change().then(() => this.write(route, text, rows));
      open = { buffer, length: 0, sent: 0, rows: 0, route, closed: false, copy: undefined };
      this.#queue.push(open);
      if (this.#queue.length === 1) this.#begin(open);
    }
    open.length += open.buffer.write(text, open.length);
    open.rows += rows;
    if (open.length - open.sent >= PIECE_BYTES) this.#send(open);
    return undefined;
  }

  /** Resolves once the server has taken everything, and the connection is free for other statements. */
  async end(): Promise<void> {
    for (;;) {
      if (this.#failure !== undefined) await this.#recover();
      const open = this.#queue.at(-1);
      if (open === undefined) return;
      if (!open.closed) this.#close(open);
      await this.#change();
    }
  }

  /** Breaks off, so that the transaction can be taken back. */
  async abort(): Promise<void> {
    const copy = this.#queue[0]?.copy;
    const failed = this.#failure !== undefined;
    this.#queue.length = 0;
    this.#failure = undefined;
    if (copy === undefined || failed || this.#session.lost) return;
    await new Promise<void>((resolve) => {
      copy.once('close', resolve);
      copy.destroy(new Error('the load was broken off'));
    });
  }

  #bufferFor(bytes: number): Buffer | undefined {
    const spare = this.#spare.findIndex((buffer) => buffer.length >= bytes);
    if (spare !== -1) return this.#spare.splice(spare, 1)[0];
    if (this.#buffers - this.#spare.length >= BUFFERS) return undefined;
    // A longer row gets a longer buffer for itself.
    if (this.#buffers >= BUFFERS) this.#spare.pop();
    else this.#buffers += 1;
    return Buffer.allocUnsafeSlow(Math.max(BUFFER_BYTES, bytes));
  }

  #begin(filled: Filled): void {
    this.#start(filled).catch((cause: unknown) => this.#fail(cause));
  }

  async #start(filled: Filled): Promise<void> {
    const { route } = filled;
    if (route.hopeful) await this.#session.client.query(`SAVEPOINT ${SAVEPOINT}`);
    // Broken off meanwhile: a COPY would now run behind whatever came instead, outside the transaction.
    if (this.#queue[0] !== filled) return;
    const copy = this.#session.client.query(from(route.statement));
    filled.copy = copy;
    // After a failure nothing may be written any more, not even what the stream still holds for a socket that was full: it
    // would fail inside the library, where nobody can catch it.
    copy.on('error', (cause) => {
      this.#fail(cause);
      copy.destroy();
    });
    copy.on('finish', () => this.#finish(filled));
    this.#send(filled);
    if (filled.closed) copy.end();
  }

  #send(filled: Filled): void {
    if (filled.copy === undefined || this.#failure !== undefined) return;
    if (filled.length > filled.sent) filled.copy.write(filled.buffer.subarray(filled.sent, filled.length));
    filled.sent = filled.length;
  }

  #close(filled: Filled): void {
    filled.closed = true;
    this.#send(filled);
    if (this.#failure === undefined) filled.copy?.end();
  }

  #finish(filled: Filled): void {
    // Broken off meanwhile.
    if (this.#queue[0] !== filled) return;
    this.#queue.shift();
    if (filled.buffer.length > BUFFER_BYTES) this.#buffers -= 1;
    else this.#spare.push(filled.buffer);
    filled.route.copied(filled.rows);
    const [next] = this.#queue;
    if (next !== undefined) this.#begin(next);
    this.#wake();
  }

  #fail(cause: unknown): void {
    this.#failure ??= cause;
    this.#wake();
  }

  /** The rows that met a key that is there already are sent again on the other way; any other failure is one. */
  async #recover(): Promise<void> {
    const cause = this.#failure;
    const [first] = this.#queue;
    if (first === undefined || !first.route.hopeful || systemCode(cause) !== UNIQUE_VIOLATION) {
      throw this.#session.failure('write to', cause);
    }
    await this.#session.query(`ROLLBACK TO SAVEPOINT ${SAVEPOINT}`);
    await first.route.fallBack();
    this.#failure = undefined;
    first.copy = undefined;
    first.sent = 0;
    this.#begin(first);
  }

  #change(): Promise<void> {
    return new Promise((resolve) => {
      this.#waiting.push(resolve);
    });
  }

  #wake(): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const resolve of waiting) resolve();
  }
}
