import { Draws, fraction } from '../draw.ts';
import type { Dataset } from './dataset.ts';
import { patchCounts } from './matrix-index.ts';
import { type PatchDraws, patchDraws, patchFacts, patchIdOf, patchNames, UPDATE_TYPES, updateType } from './patches.ts';
import { type Presence, RowText } from './row-text.ts';

const SEVERITY_LABELS = ['UNRATED', 'LOW', 'MODERATE', 'IMPORTANT', 'CRITICAL'] as const;

/** "NA", or the id of the patch that took this one's place. */
function supersededBy(data: Dataset, patch: number, drawn: PatchDraws): string {
  return drawn.superseded ? patchIdOf(data, (patch + 1) % data.sizes.patches) : 'NA';
}

/** One row of `allpatches` as JSON text: a patch that some managed system has or lacks. */
export function allPatchesRow(data: Dataset, patch: number): string {
  const facts = patchFacts(data, patch);
  const names = patchNames(patch, facts);
  const drawn = patchDraws(data, patch, facts);
  const counts = patchCounts(data);
  const row = new RowText();
  const asText =
    data.typeMode === 'strings' || (data.typeMode === 'mixed' && fraction(data.seed, 'types', patch) < 0.5);
  const scalar = (key: string, value: number | string): void => {
    if (asText) row.string(key, String(value));
    else row.digits(key, String(value));
  };
  const optionalScalar = (as: Presence, key: string, value: number): void => {
    row.as(as, key, asText ? String(value) : value);
  };
  scalar('patch_id', patchIdOf(data, patch));
  row.string('bulletin_id', names.bulletin).string('patch_name', names.file);
  row.as(drawn.titleAs, 'patch_description', names.title).string('vendor_name', names.vendor);
  row.string('update_name', facts.thirdParty ? 'Third Party Updates' : 'Security Updates');
  row.string('platform_name', 'Windows');
  scalar('platform', 1);
  scalar('severity', facts.severity);
  row.string('severity_name', `dc.common.${SEVERITY_LABELS[facts.severity]}`);
  scalar('status_id', drawn.approval);
  scalar('installed', counts.installed[facts.rank] ?? 0);
  scalar('missing', counts.missing[facts.rank] ?? 0);
  scalar('failed', counts.failed[facts.rank] ?? 0);
  optionalScalar(drawn.releasedAs, 'patch_released_time', facts.released);
  optionalScalar(drawn.updatedAs, 'updated_time', drawn.updated);
  optionalScalar(drawn.sizeAs, 'patch_size', drawn.size);
  scalar('patch_noreboot', drawn.reboot);
  scalar('patch_uninstall_status', drawn.uninstall);
  row.string('superceded_by', supersededBy(data, patch, drawn)).as(drawn.articleAs, 'sqnumber', drawn.article);
  if (drawn.downloaded) scalar('download_status', 221);
  else row.string('download_status', '--');
  row.as(drawn.approverAs, 'first_name', 'Alex Example');
  row.string('ro_failure_count', '--').string('ro_yettodownload_count', '--');
  return row.end();
}

/** One row of `installedpatches` or `missingpatches`: the patch with its numbers of systems. */
function countedRow(data: Dataset, patch: number, list: 'installedpatches' | 'missingpatches'): string {
  const facts = patchFacts(data, patch);
  const names = patchNames(patch, facts);
  const drawn = patchDraws(data, patch, facts);
  const counts = patchCounts(data);
  const row = new RowText();
  row.digits('patch_id', patchIdOf(data, patch)).string('patch_name', names.file);
  row.as(drawn.titleAs, 'patch_description', names.title).string('bulletin_id', names.bulletin);
  row.string('vendor_name', names.vendor).literal('severity', facts.severity);
  row.literal('update_id', updateType(facts)).string('update_name', UPDATE_TYPES[updateType(facts)]);
  row.string('platform_name', 'Windows').literal('status_id', drawn.approval);
  if (list === 'installedpatches') row.literal('installed', counts.installed[facts.rank] ?? 0);
  else {
    row.literal('missing', counts.missing[facts.rank] ?? 0).literal('failed', counts.failed[facts.rank] ?? 0);
  }
  row.as(drawn.releasedAs, 'patch_released_time', facts.released);
  row.string('superceded_by', supersededBy(data, patch, drawn));
  if (drawn.downloaded) row.literal('download_status', 221);
  else row.string('download_status', '--');
  return row.end();
}

/** One row of `installedpatches` as JSON text; numbers are numbers here. */
export function installedPatchesRow(data: Dataset, patch: number): string {
  return countedRow(data, patch, 'installedpatches');
}

/** One row of `missingpatches` as JSON text; numbers are numbers here. */
export function missingPatchesRow(data: Dataset, patch: number): string {
  return countedRow(data, patch, 'missingpatches');
}

/** One row of `supportedpatches` as JSON text: an entry of the catalogue, wanted by some system or by none. */
export function supportedPatchesRow(data: Dataset, patch: number): string {
  const facts = patchFacts(data, patch);
  const names = patchNames(patch, facts);
  const drawn = patchDraws(data, patch, facts);
  const draws = new Draws(data.seed, 'supportedpatches', patch);
  const known = patch < data.sizes.patches;
  const type = known ? updateType(facts) : draws.whole(UPDATE_TYPES.length);
  const share = known ? 0 : draws.next();
  const row = new RowText();
  row.digits('patch_id', patchIdOf(data, patch)).literal('update_id', type);
  row.string('update_name', UPDATE_TYPES[type] ?? UPDATE_TYPES[0]).string('bulletin_id', names.bulletin);
  row.string('patch_name', names.file).as(drawn.titleAs, 'patch_description', names.title);
  row.optional(draws, 'patch_lang', 'English').string('vendor_name', names.vendor);
  // Both spellings are in the wild, so a client has to take either.
  if (draws.chance(0.5)) row.literal('severity', facts.severity);
  else row.string('severity', String(facts.severity));
  row.literal('platform', share < 0.8 ? 1 : share < 0.88 ? 2 : 3);
  row.as(drawn.releasedAs, 'patch_released_time', facts.released);
  row.as(drawn.updatedAs, 'patch_updated_time', drawn.updated);
  row.literal('is_superceded', draws.chance(0.5) ? drawn.superseded : Number(drawn.superseded));
  row.literal('patch_noreboot', drawn.reboot).as(drawn.sizeAs, 'patch_size', drawn.size);
  return row.end();
}
