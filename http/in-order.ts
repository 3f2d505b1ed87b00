/** Work on many things at a time whose results are wanted in the order of the things. */

/**
 * Starts `work` on the items, at most `width` at once, and yields the results in the order of the items. At most `width`
 * results are held. A failure is thrown at its item's place; what was started beside it is let go.
 */
export async function* inOrder<Item, Result>(
  items: Iterable<Item>,
  width: number,
  work: (item: Item) => Promise<Result>,
): AsyncGenerator<Result> {
  const source = items[Symbol.iterator]();
  const started: Promise<Result>[] = [];
  const startNext = () => {
    const next = source.next();
    if (next.done === true) return;
    const result = work(next.value);
    // Whoever comes to its place gets the failure; until then nobody waits for it.
    result.catch(() => undefined);
    started.push(result);
  };
  for (let lane = 0; lane < width; lane += 1) startNext();
  for (let result = started.shift(); result !== undefined; result = started.shift()) {
    const value = await result;
    startNext();
    yield value;
  }
}
