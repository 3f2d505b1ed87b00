/**
 * Which places of a moving list have not been read yet. When rows vanish, everything behind them moves up by an
 * unknown part of the difference, so each unread stretch grows towards the start; when rows join, towards the end. A
 * row that was there from start to end can thus never pass from an unread place to a read one unnoticed.
 */

/** Places counted from 0; `to` is exclusive. */
interface Stretch {
  readonly from: number;
  readonly to: number;
}

/** A server that adds rows faster than they are read must not keep a run for ever: reads per page of the first total. */
const READS_PER_PAGE = 10;
const READS_AT_LEAST = 100;

export class Unread {
  #stretches: readonly Stretch[];
  #total: number | null;
  /** Rows that may still slip: a total that swings up and down must not lead back for ever. */
  #allowance: number;
  #reads = 0;
  readonly #firstTotal: number | null;

  /** Places `from` to `to` of a list of `total` rows (null: not known yet). */
  constructor(from: number, to: number, total: number | null) {
    this.#stretches = [{ from: Math.max(0, from), to }];
    this.#total = total;
    this.#firstTotal = total;
    this.#allowance = total ?? Number.POSITIVE_INFINITY;
  }

  /** The newest total. */
  get total(): number | null {
    return this.#total;
  }

  /** Takes note of a newer total. Returns by how much it fell. */
  moved(total: number): number {
    const change = this.#total === null ? 0 : total - this.#total;
    this.#total = total;
    const slipped = Math.min(Math.max(0, -change), this.#allowance);
    this.#allowance -= slipped;
    const grown = Math.max(0, change);
    if (slipped > 0 || grown > 0) {
      this.#stretches = joined(
        this.#stretches.map(({ from, to }) => ({ from: Math.max(0, from - slipped), to: to + grown })),
      );
    }
    return Math.max(0, -change);
  }

  /** Takes note of a page that was read, or that is somebody else's business from now on. */
  done(page: number, size: number): void {
    this.#reads += 1;
    this.#stretches = this.#without(page, size);
  }

  /** The first page with an unread place; undefined when none is left. */
  page(size: number): number | undefined {
    return this.#firstOf(this.#stretches, size);
  }

  /** The same once `page` is done, if the total stays as it is. */
  pageAfter(page: number, size: number): number | undefined {
    return this.#firstOf(this.#without(page, size), size);
  }

  #without(page: number, size: number): readonly Stretch[] {
    const from = (page - 1) * size;
    const to = Math.min(page * size, Math.max(from, this.#total ?? Number.POSITIVE_INFINITY));
    return this.#stretches.flatMap((stretch) => [
      ...(stretch.from < from ? [{ from: stretch.from, to: Math.min(stretch.to, from) }] : []),
      ...(stretch.to > to ? [{ from: Math.max(stretch.from, to), to: stretch.to }] : []),
    ]);
  }

  #firstOf([first]: readonly Stretch[], size: number): number | undefined {
    if (first === undefined || first.from >= (this.#total ?? Number.POSITIVE_INFINITY)) return undefined;
    return Math.floor(first.from / size) + 1;
  }

  /** True when so many pages were read that the server cannot be in its right mind. */
  exhausted(size: number): boolean {
    return (
      this.#firstTotal !== null && this.#reads >= READS_AT_LEAST + READS_PER_PAGE * Math.ceil(this.#firstTotal / size)
    );
  }
}

/** Stretches in order, those that touch as one. */
function joined(stretches: readonly Stretch[]): readonly Stretch[] {
  const result: Stretch[] = [];
  for (const next of stretches) {
    const last = result.at(-1);
    if (last !== undefined && next.from <= last.to)
      result[result.length - 1] = { ...last, to: Math.max(last.to, next.to) };
    else result.push(next);
  }
  return result;
}
