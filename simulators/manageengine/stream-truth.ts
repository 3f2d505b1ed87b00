import type { Customer } from './customers.ts';
import type { ListName } from './lists.ts';

/** What a stream of a customer really has. `rows` counts without making ids. */
export interface StreamTruth {
  readonly rows: (customer: Customer) => number;
  readonly ids?: (customer: Customer) => readonly string[];
  /** Ids that were there and are gone. */
  readonly removed?: (customer: Customer) => readonly string[];
}

/** The truth of a stream whose rows are the members of a list. */
export function truthOfList(list: ListName): StreamTruth {
  return {
    rows: ({ population }) => population.total(list),
    ids: ({ population }) => population.members(list).map((member) => population.id(list, member)),
    removed: ({ population }) => population.removed(list),
  };
}

/** The truth of a stream whose rows are pairs: all, or those of the systems of a list. */
export function truthOfPairs(on?: 'scandetails'): StreamTruth {
  return { rows: ({ pairs }) => pairs.count(on), ids: ({ pairs }) => pairs.ids(on) };
}
