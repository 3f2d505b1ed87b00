import { Draws, fraction, shuffled } from '../draw.ts';
import type { Dataset, Sizes } from './dataset.ts';
import { healthOf } from './health.ts';
import { rowCount } from './row-counts.ts';

/** Severity codes that ManageEngine documents: 0 unrated, 1 low, 2 moderate, 3 important, 4 critical. */
export type Severity = 0 | 1 | 2 | 3 | 4;

/**
 * Which patches a system has and lacks. Patches are meant by rank: the shuffle puts the missing
 * ones first, the critical ones first among them, so that a severity is a range of ranks.
 */
export interface SystemPatches {
  readonly installed: readonly number[];
  /** Missing or failed. */
  readonly missing: readonly number[];
  readonly failed: ReadonlySet<number>;
}

export function patchRank(data: Dataset, patch: number): number {
  return shuffled(data.seed, 'patch', patch, data.sizes.patches);
}

/**
 * The severity of a patch, by rank. Critical and important missing patches have exact numbers. Those of
 * installed ones make 30 % critical and 40 % important of all pairs, which missing ones fall short of.
 */
export function severityOfRank(data: Dataset, rank: number): Severity {
  const { missing, missingCritical, missingImportant, patches } = data.sizes;
  if (rank < missingCritical) return 4;
  if (rank < missingCritical + missingImportant) return 3;
  if (rank < missing) {
    const drawn = fraction(data.seed, 'severity', rank);
    return drawn < 0.5 ? 2 : drawn < 0.8 ? 1 : 0;
  }
  const share = shuffled(data.seed, 'severity', rank - missing, patches - missing) / (patches - missing);
  if (share < 0.324) return 4;
  if (share < 0.744) return 3;
  return share < 0.87 ? 2 : share < 0.96 ? 1 : 0;
}

export function isThirdParty(data: Dataset, rank: number): boolean {
  return fraction(data.seed, 'vendor', rank) < 0.45;
}

/** First and last rank (exclusive) of the critical, the important and the other missing patches, and of installed ones. */
function rangesOf({
  missingCritical,
  missingImportant,
  missing,
  patches,
}: Sizes): readonly (readonly [number, number])[] {
  const importantEnd = missingCritical + missingImportant;
  return [
    [0, missingCritical],
    [missingCritical, importantEnd],
    [importantEnd, missing],
    [missing, patches],
  ];
}

/**
 * How many patches of each range a system has or lacks. ManageEngine's default health policy holds: highly
 * vulnerable lacks a critical patch, vulnerable an important one, healthy neither.
 */
function countsOf(data: Dataset, system: number): readonly number[] {
  const rows = rowCount(data, system);
  if (rows === 0) return [0, 0, 0, 0];
  const health = healthOf(data, system);
  const lacking = Math.min(rows, Math.max(1, Math.round(rows * (health === 3 ? 0.35 : health === 2 ? 0.25 : 0.08))));
  const critical = health === 3 ? 1 + Math.floor((lacking - 1) * 0.3) : 0;
  const important = health === 3 ? Math.floor((lacking - critical) * 0.5) : health === 2 ? Math.ceil(lacking * 0.6) : 0;
  const wanted = [critical, important, lacking - critical - important];
  const missing = wanted.map((count, at) => {
    const [from = 0, to = 0] = rangesOf(data.sizes)[at] ?? [];
    return Math.min(count, to - from);
  });
  return [...missing, rows - missing.reduce((sum, count) => sum + count, 0)];
}

const tilesOf = new WeakMap<Dataset, ReadonlyMap<number, readonly number[]>>();

/**
 * Where the ranks of every second system start in each range: right behind those of the one before. So each
 * patch is on some system, which starts that were all drawn could not promise.
 */
function tiles(data: Dataset): ReadonlyMap<number, readonly number[]> {
  const known = tilesOf.get(data);
  if (known) return known;
  const [start, end] = data.sizes.matrixWindow;
  const starts = new Map<number, readonly number[]>();
  let next: readonly number[] = [0, 0, 0, 0];
  for (let system = start; system < end; system += 2) {
    starts.set(system, next);
    next = countsOf(data, system).map((count, at) => (next[at] ?? 0) + count);
  }
  tilesOf.set(data, starts);
  return starts;
}

/** The patches of one system. */
export function patchesOf(data: Dataset, system: number): SystemPatches {
  const draws = new Draws(data.seed, 'matrix', system);
  const tile = tiles(data).get(system);
  const counts = countsOf(data, system);
  const [critical = [], important = [], other = [], installed = []] = rangesOf(data.sizes).map(([from, to], at) => {
    const size = to - from;
    const start = tile?.[at] ?? draws.whole(size);
    return Array.from({ length: counts[at] ?? 0 }, (_, nth) => from + ((start + nth) % size));
  });
  const missing = [...critical, ...important, ...other];
  return { installed, missing, failed: new Set(missing.filter(() => draws.chance(0.03))) };
}
