/** Rows in the making: what a cell can hold, and the draws of a table's columns. */
import { Substream } from './substream.ts';

/** What a cell of a clean file holds. Blobs and broken text come in with the defects. */
export type Clean = null | number | string;

/** A row by the names of its columns. */
export type CleanRow<Name extends string = string> = Readonly<Record<Name, Clean>>;

/** Hands out the source of chance of a column, always the same one. */
export type Streams = (column: string) => Substream;

export function streamsOf(seed: number, table: string): Streams {
  const streams = new Map<string, Substream>();
  return (column) => {
    let stream = streams.get(column);
    if (stream === undefined) {
      stream = new Substream(seed, table, column);
      streams.set(column, stream);
    }
    return stream;
  };
}

/** Bytes that a string cannot hold: a blob, or text that is not UTF-8. */
export class Bytes {
  readonly storage: 'text' | 'blob';
  readonly bytes: Buffer;

  constructor(storage: 'text' | 'blob', bytes: Buffer) {
    this.storage = storage;
    this.bytes = bytes;
  }
}

/** What any cell of a file can hold. */
export type Stored = Clean | Bytes;
