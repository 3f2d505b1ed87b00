/** How a file looks from outside: by that a later run sees whether it is still the same. */

/** What can be seen of a file from outside; as long as it is the same, so is what the file holds. */
export interface FilePrint {
  readonly size: number;
  /** SQLite counts the transactions of a file without a write-ahead log: two within one tick of the clock differ here. */
  readonly counter: number;
  /** Nanoseconds, as text: a double cannot hold them. */
  readonly changed: string;
  /** Of the write-ahead log; `0` without one. */
  readonly wal_size: number;
  readonly wal_changed: string;
}

/** True when nothing was written in between: `other` may come from a state file. */
export function isSamePrint(print: FilePrint, other: FilePrint): boolean {
  return (
    print.size === other.size &&
    print.counter === other.counter &&
    print.changed === other.changed &&
    print.wal_size === other.wal_size &&
    print.wal_changed === other.wal_changed
  );
}
