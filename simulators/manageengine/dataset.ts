import { fraction, hash } from '../draw.ts';

/** How ids look: `au` 14 digits, `us` 17 digits (beyond 2^53), `onprem` 3 to 5 digits. */
export type IdMode = 'au' | 'us' | 'onprem';
/** How `allpatches` writes its scalars: as strings (cloud), as numbers (older servers), or both. */
export type TypeMode = 'strings' | 'numbers' | 'mixed';

/**
 * How many patches systems have: `seed` 50 on average, which the published requirements name, `field` 37
 * on average of those that have any and 900 systems without, which a live tenant showed.
 */
export type RowMode = 'seed' | 'field';
/** How DCAPI writes the ids of systems, patches and vulnerabilities. */
export type ThreatIds = 'text' | 'numbers';

export const ID_MODES: readonly IdMode[] = ['au', 'us', 'onprem'];
export const TYPE_MODES: readonly TypeMode[] = ['strings', 'numbers', 'mixed'];

export const ROW_MODES: readonly RowMode[] = ['seed', 'field'];
export const THREAT_IDS: readonly ThreatIds[] = ['text', 'numbers'];

export const MINUTE = 60_000;
export const DAY = 86_400_000;

/** The data's "today", epoch milliseconds: rows must not depend on the clock of the run. */
export const DATA_TIME = Date.UTC(2026, 0, 15, 2, 0, 0);

/** Row counts of a profile. Windows are half-open ranges of system indexes. */
export interface Sizes {
  readonly systems: number;
  readonly scanWindow: readonly [number, number];
  readonly allSystemsWindow: readonly [number, number];
  /** Systems that DCAPI shows, whose patches make up the per-patch counters. */
  readonly matrixWindow: readonly [number, number];
  readonly branches: number;
  readonly patches: number;
  readonly missing: number;
  readonly missingCritical: number;
  readonly missingImportant: number;
  /** Systems of the window that have and lack nothing. */
  readonly systemsWithoutPatches: number;
  /** Pairs of a system of the window and a patch. */
  readonly pairs: number;
  readonly apdTasks: number;
  /** The vendor's catalogue, of which the patches above are the first. */
  readonly supported: number;
  readonly policies: number;
  readonly configurations: number;
  readonly vulnerabilities: number;
  readonly patchGroups: number;
}

/** The lists of systems overlap without one containing another, as in real tenants. */
function sizes(divisor: number, rows: RowMode): Sizes {
  const part = (count: number): number => Math.max(1, Math.round(count / divisor));
  const window = (start: number, count: number): readonly [number, number] => [start, start + part(count)];
  return {
    systems: part(3_400),
    scanWindow: window(0, 3_362),
    allSystemsWindow: window(part(38), 3_347),
    matrixWindow: window(part(50), 3_317),
    branches: Math.max(2, part(40)),
    patches: part(5_240),
    missing: part(1_735),
    missingCritical: part(139),
    missingImportant: part(452),
    systemsWithoutPatches: part(rows === 'seed' ? 24 : 900),
    pairs: part(rows === 'seed' ? 165_850 : 89_571),
    apdTasks: part(12),
    supported: part(365_487),
    policies: part(92),
    configurations: part(227),
    vulnerabilities: part(900),
    patchGroups: part(20),
  };
}

const PROFILES: Readonly<Record<string, Readonly<Record<RowMode, Sizes>>>> = {
  small: { seed: sizes(20, 'seed'), field: sizes(20, 'field') },
  full: { seed: sizes(1, 'seed'), field: sizes(1, 'field') },
};

/** Names that `--profile` takes. */
export const PROFILE_NAMES: readonly string[] = Object.keys(PROFILES);

/** @throws Error that lists the known names. */
export function profileSizes(profile: string, rows: RowMode = 'seed'): Sizes {
  const found = PROFILES[profile]?.[rows];
  if (!found) throw new Error(`unknown profile "${profile}"; known profiles: ${PROFILE_NAMES.join(', ')}`);
  return found;
}

/** What every row is a function of. */
export interface Dataset {
  readonly seed: number;
  readonly sizes: Sizes;
  readonly idMode: IdMode;
  readonly typeMode: TypeMode;
  readonly threatIds: ThreatIds;
  /** The DCAPI page whose systems have very many patches; 0 for none. */
  readonly heavyPage: number;
  /** Which customer of the server this is, from 0: ids of customers interleave and never meet. */
  readonly customer: number;
  readonly customerName: string;
}

/** How many customers one server can tell apart by their ids. */
export const MOST_CUSTOMERS = 5;

type IdKind = 'system' | 'branch' | 'customer' | 'template' | 'user' | 'configuration' | 'collection';

const ID_BASES: Readonly<Record<IdMode, Readonly<Record<IdKind, bigint>>>> = {
  au: {
    system: 40_000_000_000_000n,
    template: 41_000_000_000_000n,
    user: 42_000_000_000_000n,
    configuration: 43_000_000_000_000n,
    collection: 44_000_000_000_000n,
    branch: 45_000_000_000_000n,
    customer: 47_000_000_000_000n,
  },
  us: {
    system: 52_500_000_000_000_000n,
    template: 52_501_000_000_000_000n,
    user: 52_502_000_000_000_000n,
    configuration: 52_503_000_000_000_000n,
    collection: 52_504_000_000_000_000n,
    branch: 52_505_000_000_000_000n,
    customer: 52_507_000_000_000_000n,
  },
  onprem: {
    system: 300n,
    template: 20_000n,
    user: 200n,
    configuration: 22_000n,
    collection: 25_000n,
    branch: 30_000n,
    customer: 100n,
  },
};

/** Where ids of a kind start, how far the groups lie apart, and how far the customers within a group. */
function idScheme(data: Dataset, kind: IdKind): { readonly first: bigint; readonly step: bigint } {
  const base = ID_BASES[data.idMode][kind];
  const customer = BigInt(data.customer);
  if (data.idMode === 'onprem') return { first: base + customer * 4n, step: 20n };
  const tenant = BigInt(hash(data.seed, 'ids') % 1_000_000) * 400_000n;
  return { first: base + tenant + customer * 8n, step: 40n };
}

/**
 * The id of the n-th member of a kind, in decimal digits. Ids come in groups of four that differ in
 * the last digit only and start at a multiple of 8: near 5e16 a double holds multiples of 8, so each
 * group collapses into one value when ids are read as doubles.
 */
export function idOf(data: Dataset, kind: IdKind, index: number): string {
  const { first, step } = idScheme(data, kind);
  return String(first + BigInt(index >>> 2) * step + BigInt(index & 3));
}

/** The member that an id means, whether it is there or not; undefined for what is no id of the kind. */
export function memberOf(data: Dataset, kind: IdKind, id: string): number | undefined {
  if (!/^\d{1,20}$/.test(id)) return undefined;
  const { first, step } = idScheme(data, kind);
  const distance = BigInt(id) - first;
  if (distance < 0n) return undefined;
  const index = Number(distance / step) * 4 + Number(distance % step);
  return idOf(data, kind, index) === id ? index : undefined;
}

const branchShares = new Map<number, readonly number[]>();

/** Upper ends of the branches' shares: the n-th branch office is 1/n as large as the first (Zipf). */
function branchEnds(branches: number): readonly number[] {
  let ends = branchShares.get(branches);
  if (!ends) {
    const weights = Array.from({ length: branches }, (_, at) => 1 / (at + 1));
    const total = weights.reduce((sum, weight) => sum + weight, 0);
    let reached = 0;
    ends = weights.map((weight) => {
      reached += weight / total;
      return reached;
    });
    branchShares.set(branches, ends);
  }
  return ends;
}

/** The branch office of a system, counted from 0. */
export function branchOf(data: Dataset, system: number): number {
  const ends = branchEnds(data.sizes.branches);
  const drawn = fraction(data.seed, 'branch', system);
  const found = ends.findIndex((end) => drawn < end);
  return found < 0 ? ends.length - 1 : found;
}

export function branchName(branch: number): string {
  return `Branch ${String(branch + 1).padStart(2, '0')}`;
}
