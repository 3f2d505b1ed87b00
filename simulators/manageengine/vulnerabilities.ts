import { Draws } from '../draw.ts';
import { DATA_TIME, DAY, type Dataset, MINUTE } from './dataset.ts';
import { patchIdOf, SEVERITY_NAMES } from './patches.ts';
import { RowText } from './row-text.ts';

const FIRST_VULNERABILITY_ID = 300_000;

/** Far above the numbers that are given out, so that no real vulnerability is meant. */
export function cveIdOf(_data: Dataset, vulnerability: number): string {
  return `CVE-${2023 + (vulnerability % 3)}-${90_001 + vulnerability}`;
}

/** DCAPI's own id of a vulnerability, in decimal digits; the same for all customers of a server. */
export function vulnerabilityIdOf(_data: Dataset, vulnerability: number): string {
  return String(FIRST_VULNERABILITY_ID + vulnerability);
}

/** The vulnerability that DCAPI's id means, whether it is there or not. */
export function vulnerabilityOf(id: string): number | undefined {
  const vulnerability = Number(id) - FIRST_VULNERABILITY_ID;
  return /^\d{6,9}$/.test(id) && vulnerability >= 0 ? vulnerability : undefined;
}

/** What `/api/1.4/patch/vulnerabilities` and DCAPI agree on. */
export interface VulnerabilityFacts {
  /** CVSS, 1.0 to 9.9. */
  readonly score: number;
  /** Epoch milliseconds. */
  readonly published: number;
  /** The one to four patches that close it. */
  readonly patches: readonly number[];
}

/** `count` patches of the tenant, as a vulnerability or a group has them. */
export function drawnPatches(data: Dataset, draws: Draws, count: number): number[] {
  const { patches } = data.sizes;
  const start = draws.whole(patches);
  return Array.from({ length: Math.min(count, patches) }, (_, at) => (start + at * 7) % patches);
}

/** The draws that the facts start with; the row of `/api/1.4` goes on drawing from them. */
export function vulnerabilityDraws(data: Dataset, vulnerability: number): Draws {
  return new Draws(data.seed, 'vulnerabilities', vulnerability);
}

export function vulnerabilityFacts(draws: Draws, data: Dataset): VulnerabilityFacts {
  return {
    score: (10 + draws.whole(90)) / 10,
    published: DATA_TIME - draws.whole(900) * DAY,
    patches: drawnPatches(data, draws, 1 + draws.whole(4)),
  };
}

export function flawName(vulnerability: number): string {
  return `Example flaw ${vulnerability + 1} in an example product`;
}

export function patchesAgainst(data: Dataset, vulnerability: number): readonly number[] {
  return vulnerabilityFacts(vulnerabilityDraws(data, vulnerability), data).patches;
}

const closedBy = new WeakMap<Dataset, ReadonlyMap<number, readonly number[]>>();

/** CVE ids that a patch closes, as a comma list; empty when it closes none. */
export function cveIdsOf(data: Dataset, patch: number): string {
  let known = closedBy.get(data);
  if (!known) {
    const pairs = Array.from({ length: data.sizes.vulnerabilities }, (_, vulnerability) =>
      patchesAgainst(data, vulnerability).map((each) => ({ each, vulnerability })),
    ).flat();
    const grouped = Map.groupBy(pairs, ({ each }) => each);
    known = new Map([...grouped].map(([each, own]) => [each, own.map(({ vulnerability }) => vulnerability)]));
    closedBy.set(data, known);
  }
  return (known.get(patch) ?? []).map((vulnerability) => cveIdOf(data, vulnerability)).join(',');
}

/** What all of DCAPI's rows of a vulnerability start with. */
export function addFlaw(row: RowText, data: Dataset, vulnerability: number): void {
  const { score } = vulnerabilityFacts(vulnerabilityDraws(data, vulnerability), data);
  const id = vulnerabilityIdOf(data, vulnerability);
  if (data.threatIds === 'text') row.string('vulnerabilityid', id);
  else row.digits('vulnerabilityid', id);
  const severity = score >= 9 ? 4 : score >= 7 ? 3 : score >= 4 ? 2 : 1;
  row.string('vulnerabilityname', flawName(vulnerability)).string('severity', SEVERITY_NAMES[severity]);
  row.string('cveids', cveIdOf(data, vulnerability));
}

/** When the vendor last changed its entry, epoch milliseconds. */
function entryUpdated(data: Dataset, vulnerability: number, published: number): number {
  const draws = new Draws(data.seed, 'vulnerability update', vulnerability);
  return published + draws.whole(Math.floor((DATA_TIME - published) / MINUTE) + 1) * MINUTE;
}

/** One row of `/dcapi/threats/vulnerabilities` as JSON text. */
export function threatVulnerabilityRow(data: Dataset, vulnerability: number): string {
  const { score, published, patches } = vulnerabilityFacts(vulnerabilityDraws(data, vulnerability), data);
  const draws = new Draws(data.seed, 'dcapi_vulnerabilities', vulnerability);
  const asText = data.typeMode === 'strings' || (data.typeMode === 'mixed' && draws.chance(0.5));
  const scalar = (value: number): string | number => (asText ? String(value) : value);
  const row = new RowText();
  addFlaw(row, data, vulnerability);
  row.optional(draws, 'cvss_2_score', scalar(Math.max(1, Math.round(score * 10 - 5) / 10)));
  row.optional(draws, 'cvss_3_score', scalar(score)).optional(draws, 'publishedtime', scalar(published));
  row.as('value', 'updatedtime', scalar(entryUpdated(data, vulnerability, published)));
  row.string('exploit_status', draws.chance(0.1) ? 'Available' : 'Not Available');
  row.optional(draws, 'solution', `Install patch ${patches.map((patch) => patchIdOf(data, patch)).join(' or ')}`);
  row.string('reboot_required', draws.chance(0.4) ? 'Required' : 'Not Required');
  row.string('patch_availability', 'Available').string('os_platform', 'Windows');
  return row.end();
}

/**
 * When a system's vulnerability last changed, epoch milliseconds: never before the vendor's entry did.
 * This is what `updatedTime` filters by.
 */
export function exposureUpdated(data: Dataset, system: number, vulnerability: number): number {
  const { published } = vulnerabilityFacts(vulnerabilityDraws(data, vulnerability), data);
  const since = entryUpdated(data, vulnerability, published);
  const draws = new Draws(data.seed, `exposure ${system}`, vulnerability);
  return since + draws.whole(Math.floor((DATA_TIME - since) / MINUTE) + 1) * MINUTE;
}
