import type { Dataset } from './dataset.ts';
import { patchesOf } from './matrix.ts';

/** How a patch stands on a system. */
export type PairState = 'installed' | 'missing' | 'failed';

/** A patch of a system: its rank and how it stands. */
export interface RankedPatch {
  readonly rank: number;
  readonly state: PairState;
}

const STATES: readonly PairState[] = ['installed', 'missing', 'failed'];
const STATE_BITS = 2;

/** Numbers of systems per patch rank; `missing` includes `failed`. */
export interface PatchCounts {
  readonly installed: Uint32Array;
  readonly missing: Uint32Array;
  readonly failed: Uint32Array;
}

/** The matrix of one data set, drawn once and then read by system or by patch. */
class MatrixIndex {
  readonly #data: Dataset;
  /** Rank and state of each patch of a system, packed into one number. */
  readonly #rows = new Map<number, Uint32Array>();
  #columns: readonly (readonly number[])[] | undefined;

  constructor(data: Dataset) {
    this.#data = data;
  }

  #packed(system: number): Uint32Array {
    let packed = this.#rows.get(system);
    if (!packed) {
      const { installed, missing, failed } = patchesOf(this.#data, system);
      packed = Uint32Array.from([
        ...installed.map((rank) => rank << STATE_BITS),
        ...missing.map((rank) => (rank << STATE_BITS) | (failed.has(rank) ? 2 : 1)),
      ]);
      this.#rows.set(system, packed);
    }
    return packed;
  }

  /** The patches of a system, by rank. */
  patches(system: number): RankedPatch[] {
    return Array.from(this.#packed(system), (code) => ({
      rank: code >>> STATE_BITS,
      state: STATES[code & 3] ?? 'installed',
    }));
  }

  /** How a rank stands on a system; undefined when the system has nothing to do with it. */
  state(system: number, rank: number): PairState | undefined {
    const code = this.#packed(system).find((each) => each >>> STATE_BITS === rank);
    return code === undefined ? undefined : STATES[code & 3];
  }

  /** The sum of `weights` over the ranks of a system's patches. */
  weight(system: number, weights: Uint32Array): number {
    let sum = 0;
    for (const code of this.#packed(system)) sum += weights[code >>> STATE_BITS] ?? 0;
    return sum;
  }

  /** The systems of the matrix's window that have or lack a rank, in order. */
  systems(rank: number): readonly number[] {
    this.#columns ??= this.#drawnColumns();
    return this.#columns[rank] ?? [];
  }

  #drawnColumns(): number[][] {
    const [start, end] = this.#data.sizes.matrixWindow;
    const columns = Array.from({ length: this.#data.sizes.patches }, (): number[] => []);
    for (let system = start; system < end; system += 1) {
      for (const code of this.#packed(system)) columns[code >>> STATE_BITS]?.push(system);
    }
    return columns;
  }
}

const indexes = new WeakMap<Dataset, MatrixIndex>();

/** The index of a data set; made on first use. */
export function matrixIndex(data: Dataset): MatrixIndex {
  let index = indexes.get(data);
  if (!index) {
    index = new MatrixIndex(data);
    indexes.set(data, index);
  }
  return index;
}

const countsOf = new WeakMap<Dataset, PatchCounts>();

/**
 * The column sums of the matrix, as counted at the vendor's last aggregation: a system that leaves
 * later does not change them.
 */
export function patchCounts(data: Dataset): PatchCounts {
  const known = countsOf.get(data);
  if (known) return known;
  const { patches, matrixWindow } = data.sizes;
  const counts = {
    installed: new Uint32Array(patches),
    missing: new Uint32Array(patches),
    failed: new Uint32Array(patches),
  };
  const add = (column: Uint32Array, rank: number): void => {
    column[rank] = (column[rank] ?? 0) + 1;
  };
  const index = matrixIndex(data);
  for (let system = matrixWindow[0]; system < matrixWindow[1]; system += 1) {
    for (const { rank, state } of index.patches(system)) {
      add(state === 'installed' ? counts.installed : counts.missing, rank);
      if (state === 'failed') add(counts.failed, rank);
    }
  }
  countsOf.set(data, counts);
  return counts;
}
