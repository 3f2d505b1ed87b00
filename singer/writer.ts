/**
 * The only owner of stdout. Lines are gathered into blocks (a write per record costs half the speed) and leave at the
 * latest when the program next waits for something, so nothing is held back while the network is slow.
 */
import { ConnectorError, systemCode } from './errors.ts';
import type { Json, Row } from './lossless.ts';
import type { JsonSchema } from './messages.ts';

/** Measured: blocks of 64 KiB write as fast as larger ones and keep memory flat. */
const BLOCK_CHARACTERS = 64 * 1024;

/** Writes whole lines in order, honours `drain`, and understands a reader that has gone away. */
export class LineWriter {
  readonly #out: NodeJS.WritableStream;
  #lines: string[] = [];
  #characters = 0;
  #scheduled = false;
  #draining: Promise<void> | undefined;
  #broken: ConnectorError | undefined;

  constructor(out: NodeJS.WritableStream) {
    this.#out = out;
    out.on('error', (cause: Error) => this.#break(cause));
  }

  /** Appends one line (without its end). Returns a promise only when the reader is slow and the caller must wait. */
  line(text: string): Promise<void> | undefined {
    if (this.#broken) throw this.#broken;
    this.#lines.push(text);
    this.#characters += text.length + 1;
    if (this.#characters >= BLOCK_CHARACTERS) this.#send();
    else this.#schedule();
    return this.#draining;
  }

  /** Appends lines that are ready, each with its end, behind what is gathered. */
  block(lines: Uint8Array): Promise<void> | undefined {
    if (this.#broken) throw this.#broken;
    this.#send();
    this.#write(lines);
    return this.#draining;
  }

  /** Sends what is gathered and waits until the operating system has taken it. */
  async flush(): Promise<void> {
    this.#send();
    await this.#draining;
    if (this.#broken) throw this.#broken;
    await new Promise<void>((resolve) =>
      this.#out.write('', (error) => {
        if (error) this.#break(error);
        resolve();
      }),
    );
    if (this.#broken) throw this.#broken;
  }

  #schedule(): void {
    if (this.#scheduled) return;
    this.#scheduled = true;
    setImmediate(() => {
      this.#scheduled = false;
      this.#send();
    });
  }

  #send(): void {
    if (this.#lines.length === 0 || this.#broken) return;
    const block = `${this.#lines.join('\n')}\n`;
    this.#lines = [];
    this.#characters = 0;
    this.#write(block);
  }

  #write(block: string | Uint8Array): void {
    if (this.#broken || this.#out.write(block) || this.#draining) return;
    this.#draining = new Promise((resolve, reject) => {
      const done = () => {
        this.#out.removeListener('drain', done);
        this.#out.removeListener('error', done);
        this.#out.removeListener('close', done);
        this.#draining = undefined;
        if (this.#broken) reject(this.#broken);
        else resolve();
      };
      this.#out.on('drain', done);
      this.#out.on('error', done);
      this.#out.on('close', done);
    });
    // Whoever writes next gets the error; a rejection that nobody awaits must not end the process.
    this.#draining.catch(() => undefined);
  }

  #break(cause: Error): void {
    this.#broken ??=
      systemCode(cause) === 'EPIPE'
        ? new ConnectorError(
            'interrupted',
            'the program that reads our output has ended',
            {},
            {
              cause,
              hint: 'its own last lines say why; what it had confirmed is safe, so run the pipe again',
            },
          )
        : new ConnectorError('destination', `cannot write to stdout: ${cause.message}`, {}, { cause });
  }
}

/** Singer messages on stdout, in the only order that is right: schema before rows, rows before the state that covers them. */
export class MessageWriter {
  readonly #lines: LineWriter;
  readonly #prefixes = new Map<string, string>();

  constructor(out: NodeJS.WritableStream) {
    this.#lines = new LineWriter(out);
  }

  schema(
    stream: string,
    schema: JsonSchema,
    keys: readonly string[],
    bookmarks?: readonly string[],
  ): Promise<void> | undefined {
    this.#prefixes.set(stream, `{"type":"RECORD","stream":${JSON.stringify(stream)},"record":`);
    return this.#lines.line(
      JSON.stringify({
        type: 'SCHEMA',
        stream,
        schema,
        key_properties: keys,
        ...(bookmarks !== undefined && bookmarks.length > 0 && { bookmark_properties: bookmarks }),
      }),
    );
  }

  /**
   * Writes records of one stream, all of one version. Returns a promise only when the reader is slow.
   * @throws Error when the stream's schema has not been written: a fault of the tap, never of its data.
   */
  records(stream: string, records: readonly Row[], version?: number): Promise<void> | undefined {
    const prefix = this.#prefixes.get(stream);
    if (prefix === undefined) throw new Error(`record of "${stream}" before its schema`);
    const end = version === undefined ? '}' : `,"version":${version}}`;
    let slow: Promise<void> | undefined;
    for (const record of records) slow = this.#lines.line(`${prefix}${JSON.stringify(record)}${end}`);
    return slow;
  }

  /** Writes lines that are RECORD messages already. @throws Error like `records`. */
  recordLines(stream: string, lines: Uint8Array): Promise<void> | undefined {
    if (!this.#prefixes.has(stream)) throw new Error(`record of "${stream}" before its schema`);
    return this.#lines.block(lines);
  }

  state(value: Json): Promise<void> | undefined {
    return this.#lines.line(`{"type":"STATE","value":${JSON.stringify(value)}}`);
  }

  activateVersion(stream: string, version: number): Promise<void> | undefined {
    return this.#lines.line(JSON.stringify({ type: 'ACTIVATE_VERSION', stream, version }));
  }

  flush(): Promise<void> {
    return this.#lines.flush();
  }
}
