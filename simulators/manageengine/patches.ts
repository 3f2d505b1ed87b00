import { Draws, fraction } from '../draw.ts';
import { DATA_TIME, type Dataset } from './dataset.ts';
import { isThirdParty, patchCounts, patchRank, type Severity, severityOfRank } from './matrix.ts';
import { RowText } from './row-text.ts';

const DAY = 86_400_000;

const SEVERITY_LABELS = ['UNRATED', 'LOW', 'MODERATE', 'IMPORTANT', 'CRITICAL'] as const;

/** Patch ids have six digits whatever the id mode; ManageEngine uses one value space on all endpoints. */
export function patchIdOf(patch: number): string {
  return String(600_000 + patch);
}

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

/** One row of `allpatches` as JSON text: a patch that some managed system has or lacks. */
export function allPatchesRow(data: Dataset, patch: number): string {
  const facts = patchFacts(data, patch);
  const counts = patchCounts(data);
  const draws = new Draws(data.seed, 'allpatches', patch);
  const row = new RowText();
  const asText = (): boolean =>
    data.typeMode === 'strings' || (data.typeMode === 'mixed' && fraction(data.seed, 'types', patch) < 0.5);
  const scalar = (key: string, value: number | string): void => {
    if (asText()) row.string(key, String(value));
    else row.digits(key, String(value));
  };
  const optionalScalar = (key: string, value: number): void => {
    row.optional(draws, key, asText() ? String(value) : value);
  };
  const number = String(patch + 1).padStart(4, '0');
  const year = new Date(facts.released).getUTCFullYear() % 100;
  scalar('patch_id', patchIdOf(patch));
  row.string('bulletin_id', facts.thirdParty ? `TU-${number}` : `MS${year}-${number}`);
  row.string('patch_name', `example-${facts.thirdParty ? 'tool' : 'update'}-${number}-x64.exe`);
  row.optional(draws, 'patch_description', `Example update ${number} (x64)`);
  row.string('vendor_name', facts.thirdParty ? `ExampleVendor ${1 + (facts.rank % 20)}` : 'ExampleVendor');
  row.string('update_name', facts.thirdParty ? 'Third Party Updates' : 'Security Updates');
  row.string('platform_name', 'Windows');
  scalar('platform', 1);
  scalar('severity', facts.severity);
  row.string('severity_name', `dc.common.${SEVERITY_LABELS[facts.severity]}`);
  scalar('status_id', draws.chance(0.9) ? 211 : draws.chance(0.3) ? 212 : 0);
  scalar('installed', counts.installed[facts.rank] ?? 0);
  scalar('missing', counts.missing[facts.rank] ?? 0);
  scalar('failed', counts.failed[facts.rank] ?? 0);
  optionalScalar('patch_released_time', facts.released);
  optionalScalar('updated_time', facts.released + draws.whole(14) * DAY);
  optionalScalar('patch_size', draws.chance(0.05) ? 0 : 100_000 + draws.whole(400_000_000));
  scalar('patch_noreboot', draws.chance(0.02) ? 3 : draws.whole(2));
  scalar('patch_uninstall_status', draws.whole(2));
  row.string('superceded_by', draws.chance(0.8) ? 'NA' : patchIdOf((patch + 1) % data.sizes.patches));
  row.optional(draws, 'sqnumber', facts.thirdParty ? `4.${draws.whole(90)}` : `KB50${number}`);
  if (draws.chance(0.3)) row.string('download_status', '--');
  else scalar('download_status', 221);
  row.optional(draws, 'first_name', 'Alex Example');
  row.string('ro_failure_count', '--').string('ro_yettodownload_count', '--');
  return row.end();
}
