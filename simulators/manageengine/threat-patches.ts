/** The patches that DCAPI lists, and what its callers can ask for. */
import { fraction } from '../draw.ts';
import type { Dataset } from './dataset.ts';
import { patchCounts } from './matrix-index.ts';
import { patchDraws, patchFacts, patchIdOf, patchNames, SEVERITY_NAMES, UPDATE_TYPES, updateType } from './patches.ts';
import { type Presence, presenceOf, RowText } from './row-text.ts';
import { cveIdsOf } from './vulnerabilities.ts';

/** What the rows and the filters of `/dcapi/threats/patches` agree on. */
interface ThreatPatch {
  readonly id: string;
  readonly name: string;
  readonly severity: string;
  readonly updateType: string;
  readonly vendor: string;
  /** Empty for a patch that has none. */
  readonly kbNumber: string;
  readonly bulletin: string;
  /** Comma list, empty for a patch that closes none. */
  readonly cveIds: string;
  readonly approval: string;
  /** Numbers of systems; `missing` includes `failed`. */
  readonly installed: number;
  readonly missing: number;
  readonly failed: number;
  /** Epoch milliseconds. */
  readonly released: number;
}

const APPROVALS = { 0: 'Not Approved', 211: 'Approved', 212: 'Declined' } as const;

function threatPatch(data: Dataset, patch: number): ThreatPatch {
  const facts = patchFacts(data, patch);
  const names = patchNames(patch, facts);
  const drawn = patchDraws(data, patch, facts);
  const { installed, missing, failed } = patchCounts(data);
  return {
    id: patchIdOf(data, patch),
    name: names.file,
    severity: SEVERITY_NAMES[facts.severity],
    updateType: UPDATE_TYPES[updateType(facts)],
    vendor: names.vendor,
    kbNumber: facts.thirdParty ? '' : drawn.article,
    bulletin: names.bulletin,
    cveIds: cveIdsOf(data, patch),
    approval: APPROVALS[drawn.approval],
    installed: installed[facts.rank] ?? 0,
    missing: missing[facts.rank] ?? 0,
    failed: failed[facts.rank] ?? 0,
    released: facts.released,
  };
}

/** `Mixed` where systems differ: some failed, others only lack it. */
function statusOf({ installed, missing, failed }: ThreatPatch): string {
  if (missing === 0) return 'Installed';
  return installed > 0 || (failed > 0 && failed < missing) ? 'Mixed' : 'Missing';
}

/** How DCAPI fills the bulletin and the vendor of a patch, on both endpoints alike. */
export interface NamesAs {
  readonly bulletinAs: Presence;
  readonly vendorAs: Presence;
}

export function namesAs(data: Dataset, patch: number): NamesAs {
  const drawn = (field: string): Presence => presenceOf(fraction(data.seed, field, patch));
  return { bulletinAs: drawn('dcapi bulletin'), vendorAs: drawn('dcapi vendor') };
}

/** One row of `/dcapi/threats/patches` as JSON text. */
export function threatPatchRow(data: Dataset, patch: number): string {
  const own = threatPatch(data, patch);
  const { bulletinAs, vendorAs } = namesAs(data, patch);
  const asText =
    data.typeMode === 'strings' || (data.typeMode === 'mixed' && fraction(data.seed, 'dcapi types', patch) < 0.5);
  const scalar = (value: number): string | number => (asText ? String(value) : value);
  const row = new RowText();
  if (data.threatIds === 'text') row.string('patch_id', own.id);
  else row.digits('patch_id', own.id);
  row.string('patchname', own.name).string('severity', own.severity).string('update_type', own.updateType);
  row.as(vendorAs, 'vendor_name', own.vendor).string('kb_number', own.kbNumber || '--');
  row.as(bulletinAs, 'bulletinid', own.bulletin).string('cveids', own.cveIds || '--');
  row.string('patch_status', statusOf(own)).as('value', 'installed_system_count', scalar(own.installed));
  row.as('value', 'missing_system_count', scalar(own.missing)).as('value', 'failed_system_count', scalar(own.failed));
  row.as('value', 'patch_released_time', scalar(own.released)).string('approval_status', own.approval);
  return row.end();
}

/** Filters by parameter; ManageEngine's builds differ in how they spell the first. */
const FILTERS: Readonly<Record<string, (patch: ThreatPatch, value: string) => boolean>> = {
  patchStatus: hasStatus,
  patch_status: hasStatus,
  severity: ({ severity }, value) => severity === value,
  patchName: ({ name }, value) => name === value,
  patchId: ({ id }, value) => id === value,
  kbNumber: ({ kbNumber }, value) => kbNumber === value,
  cveIds: ({ cveIds }, value) => value.split(',').some((cve) => cveIds.split(',').includes(cve)),
  vendorName: ({ vendor }, value) => vendor === value,
  updateType: (patch, value) => patch.updateType === value,
};

function hasStatus({ installed, missing, failed }: ThreatPatch, value: string): boolean {
  const counts: Readonly<Record<string, number>> = { Installed: installed, Missing: missing, Failed: failed };
  return (counts[value] ?? 0) > 0;
}

export const THREAT_PATCH_FILTERS: readonly string[] = Object.keys(FILTERS);

/** Whether a patch is meant by a query; undefined when the query means all. */
export function wantedPatches(data: Dataset, query: URLSearchParams): ((patch: number) => boolean) | undefined {
  const filters = [...query].filter(([name]) => FILTERS[name]);
  if (filters.length === 0) return undefined;
  return (patch) => {
    const own = threatPatch(data, patch);
    return filters.every(([name, value]) => FILTERS[name]?.(own, value));
  };
}
