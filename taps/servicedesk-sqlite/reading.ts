/** What is counted while a table is read, and the promise that nothing is lost: every row is sent, set aside or known. */

import type { SqliteValue } from '../../profiles/grammar.ts';
import type { Note } from '../../profiles/notes.ts';
import type { RowGroup } from '../../singer/stream.ts';

/** Some rows of a table on their way out. */
export interface Chunk {
  readonly groups: readonly RowGroup[];
  /** The last row's place, when the table has places; none behind a text that would not be found again. */
  readonly last: readonly SqliteValue[] | undefined;
  readonly read: number;
  readonly emitted: number;
  /** Rows set aside whole. */
  readonly rejected: number;
}

/** What one table's reading has come to. */
export class Tally {
  read = 0;
  emitted = 0;
  rejected = 0;
  /** Rows that the state says are in the target already. */
  known = 0;
  /** Values set aside from rows that went out. */
  rejectedValues = 0;
  readonly notes = new Map<Note, number>();

  note(notes: readonly Note[]): void {
    for (const note of notes) this.notes.set(note, (this.notes.get(note) ?? 0) + 1);
  }
}
