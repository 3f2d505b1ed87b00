/** Rows of DCAPI's reports by system: the system with its patches, or with its vulnerabilities. */
import { Draws } from '../draw.ts';
import { branchName, type Dataset, idOf } from './dataset.ts';
import type { Open } from './exposure.ts';
import { pairFacts } from './pair-facts.ts';
import type { Pair } from './pairs.ts';
import { patchFacts, patchIdOf, patchNames, SEVERITY_NAMES } from './patches.ts';
import { RowText } from './row-text.ts';
import { agentReport, type SystemFacts, systemDraws, systemFacts } from './system-facts.ts';
import { namesAs } from './threat-patches.ts';
import { addFlaw, cveIdOf } from './vulnerabilities.ts';

const STATE_NAMES = { installed: 'Installed', missing: 'Missing', failed: 'Failed' } as const;

/** What a patch's row says on every system. The parts are kept as text: a page has 1,500 of these rows. */
interface PatchText {
  /** Up to the status. */
  readonly head: string;
  /** From the end of the status to the time of installation, without the comma between them. */
  readonly tail: string;
  readonly released: number;
}

const textsOf = new WeakMap<Dataset, Map<number, PatchText>>();

function patchText(data: Dataset, patch: number): PatchText {
  let texts = textsOf.get(data);
  if (!texts) {
    texts = new Map();
    textsOf.set(data, texts);
  }
  let text = texts.get(patch);
  if (!text) {
    const facts = patchFacts(data, patch);
    const names = patchNames(patch, facts);
    const { bulletinAs, vendorAs } = namesAs(data, patch);
    const head = new RowText();
    const id = patchIdOf(data, patch);
    if (data.threatIds === 'text') head.string('patch_id', id);
    else head.digits('patch_id', id);
    head.string('patchname', names.file).string('severity', SEVERITY_NAMES[facts.severity]);
    const tail = new RowText().as(bulletinAs, 'bulletinid', names.bulletin).as(vendorAs, 'vendor_name', names.vendor);
    const fields = tail.end().slice(1, -1);
    text = {
      head: `${head.end().slice(0, -1)},"patch_status":"`,
      tail: fields === '' ? '"' : `",${fields}`,
      released: facts.released,
    };
    texts.set(patch, text);
  }
  return text;
}

/** A patch of a system as JSON text. ManageEngine sends the time of installation as text, null when unknown. */
function patchRow(data: Dataset, system: number, { patch, state }: Pair, contact: number): string {
  const { head, tail, released } = patchText(data, patch);
  const { installedAt, installedAs } = pairFacts(data, system, patch, state, { contact, released });
  const start = `${head}${STATE_NAMES[state]}${tail}`;
  if (installedAs === 'absent') return `${start}}`;
  if (installedAt === undefined || installedAs === 'null') return `${start},"installed_time":null}`;
  return `${start},"installed_time":"${installedAs === 'placeholder' ? '--' : installedAt}"}`;
}

function systemRow(data: Dataset, system: number, facts: SystemFacts): RowText {
  const agent = agentReport(systemDraws(data, system), system, facts);
  const draws = new Draws(data.seed, 'dcapi_systems', system);
  const id = idOf(data, 'system', system);
  const row = new RowText();
  if (data.threatIds === 'text') row.string('resource_id', id);
  else row.digits('resource_id', id);
  row.string('resource_name', facts.name).optional(draws, 'fqdn_name', `${facts.name.toLowerCase()}.example.invalid`);
  row.optional(draws, 'ip_address', agent.addresses).optional(draws, 'os_name', facts.os.name);
  return row.string('branch_office_name', facts.branch === undefined ? '--' : branchName(facts.branch));
}

/** One row of `systemreport/patches`. Of the systems without patches some have no list instead of an empty one. */
export function systemPatchesRow(data: Dataset, system: number, pairs: readonly Pair[]): string {
  const facts = systemFacts(data, system);
  const row = systemRow(data, system, facts);
  if (pairs.length === 0) {
    const drawn = new Draws(data.seed, 'dcapi without patches', system).next();
    if (drawn < 0.05) return row.end();
    if (drawn < 0.1) return row.literal('patches', null).end();
  }
  const rows = pairs.map((pair) => patchRow(data, system, pair, facts.contact));
  return row.list('patches', rows).end();
}

function addExposure(row: RowText, data: Dataset, { vulnerability, patch, updated }: Open): RowText {
  addFlaw(row, data, vulnerability);
  row.string('vulnerability_status', 'open').string('updatedtime', String(updated));
  row.string('patch', patchIdOf(data, patch));
  return row.string('reference_links', `https://example.invalid/cve/${cveIdOf(data, vulnerability)}`);
}

/** One row of `systemreport/vulnerabilities`. */
export function systemVulnerabilitiesRow(data: Dataset, system: number, open: readonly Open[]): string {
  const rows = open.map((each) => addExposure(new RowText(), data, each).end());
  return systemRow(data, system, systemFacts(data, system)).list('vulnerabilities', rows).end();
}

/** One row of `detailedinfo/vulnerabilities`: one vulnerability of one system. */
export function detailedRow(data: Dataset, open: Open): string {
  return addExposure(systemRow(data, open.system, systemFacts(data, open.system)), data, open).end();
}
