/** What became of the rows of each stream since the last commit. */
import type { Written } from '../singer/sink.ts';

/** Counts of one stream, to be added to. */
export type Counts = { -readonly [Outcome in keyof Omit<Written, 'stream'>]: number };

/** The counts of a stream of which nothing has come yet. */
export function noRows(): Counts {
  return { inserted: 0, updated: 0, unchanged: 0, deleted: 0 };
}

/** Counts of all streams between two commits. */
export class Counted {
  #streams = new Map<string, Counts>();

  /** The counts of this stream. */
  of(stream: string): Counts {
    let counts = this.#streams.get(stream);
    if (counts === undefined) {
      counts = noRows();
      this.#streams.set(stream, counts);
    }
    return counts;
  }

  /** What was counted, by the stream that came first; counting begins anew. */
  take(): readonly Written[] {
    const written = [...this.#streams].map(([stream, counts]) => ({ stream, ...counts }));
    this.forget();
    return written;
  }

  /** What was counted has been taken back. */
  forget(): void {
    this.#streams = new Map();
  }
}
