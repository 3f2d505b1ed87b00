import { Draws, fraction, shuffled } from '../draw.ts';
import type { Dataset } from './dataset.ts';

/** Severity codes that ManageEngine documents: 0 unrated, 1 low, 2 moderate, 3 important, 4 critical. */
export type Severity = 0 | 1 | 2 | 3 | 4;
/** Health codes that ManageEngine documents: 0 unknown, 1 healthy, 2 vulnerable, 3 highly vulnerable. */
export type Health = 0 | 1 | 2 | 3;

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

/** The severity of a patch, by rank. Missing patches have exact shares, installed ones drawn shares. */
export function severityOfRank(data: Dataset, rank: number): Severity {
  const { missing, missingCritical, missingImportant } = data.sizes;
  if (rank < missingCritical) return 4;
  if (rank < missingCritical + missingImportant) return 3;
  const drawn = fraction(data.seed, 'severity', rank);
  if (rank < missing) return drawn < 0.5 ? 2 : drawn < 0.8 ? 1 : 0;
  if (drawn < 0.3) return 4;
  if (drawn < 0.7) return 3;
  return drawn < 0.85 ? 2 : drawn < 0.95 ? 1 : 0;
}

export function isThirdParty(data: Dataset, rank: number): boolean {
  return fraction(data.seed, 'vendor', rank) < 0.45;
}

/** 3 % unknown, 7 % vulnerable, 38.7 % highly vulnerable, 51.3 % healthy, by place in a shuffle. */
function healthPlace(data: Dataset, system: number): number {
  return shuffled(data.seed, 'health', system, data.sizes.systems);
}

export function healthOf(data: Dataset, system: number): Health {
  const share = healthPlace(data, system) / data.sizes.systems;
  if (share < 0.03) return 0;
  if (share < 0.1) return 2;
  return share < 0.487 ? 3 : 1;
}

/** Median 35 and mean about 50 with a long tail; some systems none, seven very many. */
function patchRows(data: Dataset, system: number, draws: Draws): number {
  const { systems, systemsWithoutPatches, patches } = data.sizes;
  const place = healthPlace(data, system);
  const angle = draws.next();
  const radius = Math.sqrt(-2 * Math.log(1 - draws.next()));
  if (place < systemsWithoutPatches) return 0;
  const giant = place - Math.ceil(systems * 0.1);
  const most = Math.floor(patches / 4);
  if (giant === 0) return Math.min(1_200, most);
  if (giant > 0 && giant < 7) return Math.min(500 + giant * 30, most - giant);
  const drawn = Math.round(35 * Math.exp(0.77 * radius * Math.cos(2 * Math.PI * angle)));
  return Math.max(1, Math.min(drawn, 480, Math.floor(patches / 5)));
}

/** `count` different ranks from [from, to), a run that starts anywhere and wraps around. */
function run(draws: Draws, from: number, to: number, count: number): number[] {
  const size = to - from;
  const start = draws.whole(size);
  return Array.from({ length: Math.min(count, size) }, (_, at) => from + ((start + at) % size));
}

/**
 * The patches of one system. ManageEngine's default health policy holds: highly vulnerable lacks a
 * critical patch, vulnerable an important one, healthy neither.
 */
export function patchesOf(data: Dataset, system: number): SystemPatches {
  const draws = new Draws(data.seed, 'matrix', system);
  const rows = patchRows(data, system, draws);
  if (rows === 0) return { installed: [], missing: [], failed: new Set() };
  const { missing: missingEnd, missingCritical: criticalEnd, missingImportant, patches } = data.sizes;
  const importantEnd = criticalEnd + missingImportant;
  const health = healthOf(data, system);
  const lacking = Math.min(rows, Math.max(1, Math.round(rows * (health === 3 ? 0.35 : health === 2 ? 0.25 : 0.08))));
  const critical = health === 3 ? 1 + Math.floor((lacking - 1) * 0.3) : 0;
  const important = health === 3 ? Math.floor((lacking - critical) * 0.5) : health === 2 ? Math.ceil(lacking * 0.6) : 0;
  const missing = [
    ...run(draws, 0, criticalEnd, critical),
    ...run(draws, criticalEnd, importantEnd, important),
    ...run(draws, importantEnd, missingEnd, lacking - critical - important),
  ];
  const installed = run(draws, missingEnd, patches, rows - missing.length);
  return { installed, missing, failed: new Set(missing.filter(() => draws.chance(0.03))) };
}
