/** Rows of lists that other streams go by: bills of materials by parts, statuses by workcenters, operations by jobs. */
import type { VendorRow } from './records.ts';

/** Sees every row of a list, and none of the records that are made of it. */
export type Follower = (row: VendorRow) => void;

export class Parents {
  readonly #followers = new Map<string, Follower[]>();
  readonly #whole = new Set<string>();

  /** Wants to see the rows of a list. */
  follow(list: string, follower: Follower): void {
    this.#followers.set(list, [...(this.#followers.get(list) ?? []), follower]);
  }

  /** Shows the followers of a list some of its rows. */
  show(list: string, rows: readonly VendorRow[]): void {
    for (const follower of this.#followers.get(list) ?? []) for (const row of rows) follower(row);
  }

  /** The list was shown to its end in this run. */
  ended(list: string): void {
    this.#whole.add(list);
  }

  /** Whether its followers have seen all of a list. */
  whole(list: string): boolean {
    return this.#whole.has(list);
  }
}

/**
 * A copy of a text that is to be remembered. What a parser hands out is a view of the chunk that it stands in, and would keep
 * that alive: with the ids of 17,000 parts their whole list of 20 MB.
 */
export function remembered(text: string): string {
  return Buffer.from(text, 'utf8').toString('utf8');
}
