import { Draws, fraction } from '../draw.ts';
import { DATA_TIME, DAY, type Dataset } from './dataset.ts';
import { isThirdParty, patchRank, type Severity, severityOfRank } from './matrix.ts';
import { type Presence, presence } from './row-text.ts';

const FIRST_PATCH_ID = 600_000;
/** Above the largest catalogue, so that no two customers of one server share a patch id. */
const CUSTOMER_STEP = 400_000;

/** Patch ids have six or seven digits whatever the id mode; ManageEngine uses one value space on all endpoints. */
export function patchIdOf(data: Dataset, patch: number): string {
  return String(FIRST_PATCH_ID + data.customer * CUSTOMER_STEP + patch);
}

/** The patch that an id means, whether it is there or not; undefined for what is no patch id. */
export function patchOf(data: Dataset, id: string): number | undefined {
  const patch = Number(id) - FIRST_PATCH_ID - data.customer * CUSTOMER_STEP;
  return patch >= 0 && patch < CUSTOMER_STEP && patchIdOf(data, patch) === id ? patch : undefined;
}

/** Severities in words, by code. */
export const SEVERITY_NAMES = ['Unrated', 'Low', 'Moderate', 'Important', 'Critical'] as const;

/** What the rows, the summary and the tests agree on. */
export interface PatchFacts {
  readonly rank: number;
  /** Missing or failed on at least one system. */
  readonly missing: boolean;
  readonly severity: Severity;
  readonly thirdParty: boolean;
  /** The vendor's release, epoch milliseconds. */
  readonly released: number;
}

export function patchFacts(data: Dataset, patch: number): PatchFacts {
  const rank = patchRank(data, patch);
  return {
    rank,
    missing: rank < data.sizes.missing,
    severity: severityOfRank(data, rank),
    thirdParty: isThirdParty(data, rank),
    released: DATA_TIME - Math.floor(fraction(data.seed, 'released', patch) * 900) * DAY,
  };
}

/** What every endpoint says of a patch in the same words. */
export interface PatchNames {
  readonly bulletin: string;
  readonly file: string;
  readonly title: string;
  readonly vendor: string;
}

export function patchNames(patch: number, facts: PatchFacts): PatchNames {
  const number = String(patch + 1).padStart(4, '0');
  const year = new Date(facts.released).getUTCFullYear() % 100;
  return {
    bulletin: facts.thirdParty ? `TU-${number}` : `MS${year}-${number}`,
    file: `example-${facts.thirdParty ? 'tool' : 'update'}-${number}-x64.exe`,
    title: `Example update ${number} (x64)`,
    vendor: facts.thirdParty ? `ExampleVendor ${1 + (facts.rank % 20)}` : 'ExampleVendor',
  };
}

/** The drawn part of a patch. What `allpatches` does not fill is named by the `…As` beside it. */
export interface PatchDraws {
  readonly titleAs: Presence;
  /** ManageEngine documents 211 approved, 212 declined, 0 not approved. */
  readonly approval: 0 | 211 | 212;
  readonly releasedAs: Presence;
  readonly updated: number;
  readonly updatedAs: Presence;
  /** Bytes; 0 is unknown. */
  readonly size: number;
  readonly sizeAs: Presence;
  readonly reboot: number;
  readonly uninstall: number;
  readonly superseded: boolean;
  readonly article: string;
  readonly articleAs: Presence;
  readonly downloaded: boolean;
  readonly approverAs: Presence;
}

/** Drawn in the order of the fields of `allpatches`, on which the values depend. */
export function patchDraws(data: Dataset, patch: number, facts: PatchFacts): PatchDraws {
  const draws = new Draws(data.seed, 'allpatches', patch);
  return {
    titleAs: presence(draws),
    approval: draws.chance(0.9) ? 211 : draws.chance(0.3) ? 212 : 0,
    releasedAs: presence(draws),
    updated: facts.released + draws.whole(14) * DAY,
    updatedAs: presence(draws),
    size: draws.chance(0.05) ? 0 : 100_000 + draws.whole(400_000_000),
    sizeAs: presence(draws),
    reboot: draws.chance(0.02) ? 3 : draws.whole(2),
    uninstall: draws.whole(2),
    superseded: !draws.chance(0.8),
    article: facts.thirdParty ? `4.${draws.whole(90)}` : `KB50${String(patch + 1).padStart(4, '0')}`,
    articleAs: presence(draws),
    downloaded: !draws.chance(0.3),
    approverAs: presence(draws),
  };
}

/** ManageEngine's update types by `update_id`: a category of some ten values, not a key. */
export const UPDATE_TYPES = [
  'Security Updates',
  'Non Security Updates',
  'Third Party Updates',
  'Updates',
  'Definition Updates',
  'Service Packs',
  'Feature Packs',
  'Rollups',
  'Tools',
  'Driver Updates',
] as const;

/** The update type of a patch that some managed system has or lacks. */
export function updateType(facts: PatchFacts): 0 | 2 {
  return facts.thirdParty ? 2 : 0;
}
