/** How much there is of everything in a simulated plant. */
export interface Sizes {
  readonly buildings: number;
  readonly parts: number;
  /** The most lines that the bill of materials of a part has. */
  readonly bomLines: number;
  readonly operations: number;
  readonly workcenters: number;
  readonly jobs: number;
  readonly locations: number;
  /** Active ones when the plant opens. */
  readonly containers: number;
  /** Changes of status per workcenter and day. */
  readonly statusesPerDay: number;
  readonly entriesPerDay: number;
  readonly scrapPerDay: number;
  readonly movesPerDay: number;
  readonly adjustmentsPerDay: number;
  readonly specifications: number;
  readonly checksheetsPerDay: number;
}

const PROFILES: Readonly<Record<string, Sizes>> = {
  tiny: {
    buildings: 2,
    parts: 12,
    bomLines: 3,
    operations: 6,
    workcenters: 4,
    jobs: 10,
    locations: 8,
    containers: 30,
    statusesPerDay: 6,
    entriesPerDay: 40,
    scrapPerDay: 4,
    movesPerDay: 10,
    adjustmentsPerDay: 2,
    specifications: 6,
    checksheetsPerDay: 4,
  },
  demo: {
    buildings: 3,
    parts: 200,
    bomLines: 8,
    operations: 20,
    workcenters: 12,
    jobs: 150,
    locations: 60,
    containers: 800,
    statusesPerDay: 24,
    entriesPerDay: 1_500,
    scrapPerDay: 75,
    movesPerDay: 400,
    adjustmentsPerDay: 40,
    specifications: 120,
    checksheetsPerDay: 60,
  },
  // Sizes that were seen in one tenant.
  large: {
    buildings: 5,
    parts: 17_000,
    bomLines: 12,
    operations: 122,
    workcenters: 143,
    jobs: 5_000,
    locations: 1_270,
    containers: 10_700,
    statusesPerDay: 24,
    entriesPerDay: 20_000,
    scrapPerDay: 1_000,
    movesPerDay: 6_300,
    adjustmentsPerDay: 630,
    specifications: 4_000,
    checksheetsPerDay: 1_000,
  },
};

/** Names that `--profile` takes. */
export const PROFILE_NAMES: readonly string[] = Object.keys(PROFILES);

/** @throws Error that lists the known names. */
export function sizesOf(profile: string): Sizes {
  const sizes = Object.hasOwn(PROFILES, profile) ? PROFILES[profile] : undefined;
  if (!sizes) throw new Error(`unknown profile "${profile}"; known profiles: ${PROFILE_NAMES.join(', ')}`);
  return sizes;
}
