/** Rows of the two `/api/1.4` endpoints that show the matrix: by system, and by patch. */
import { Draws } from '../draw.ts';
import { branchName, DAY, type Dataset, idOf } from './dataset.ts';
import { collectionName, configurationIdOf } from './deployments.ts';
import type { PairState } from './matrix-index.ts';
import { type PairFacts, pairFacts } from './pair-facts.ts';
import {
  type PatchFacts,
  patchDraws,
  patchFacts,
  patchIdOf,
  patchNames,
  SEVERITY_NAMES,
  UPDATE_TYPES,
  updateType,
} from './patches.ts';
import { RowText } from './row-text.ts';
import { agentReport, systemDraws, systemFacts } from './system-facts.ts';

function codeOr(row: RowText, key: string, value: number | undefined): void {
  if (value === undefined) row.string(key, '--');
  else row.literal(key, value);
}

/** The fields of a pair that both endpoints carry under one name. */
function addPair(row: RowText, facts: PairFacts): void {
  row.literal('affected_patch_status', facts.state);
  codeOr(row, 'deployment_status', facts.deployment);
  codeOr(row, 'install_error_code', facts.errorCode);
  row.string('deploy_remarks', facts.remarks ?? '--');
  codeOr(row, 'installed_time', facts.installedAt);
}

function addTimes(row: RowText, draws: Draws, facts: PatchFacts, updated: number): void {
  row.optional(draws, 'patch_released_time', facts.released).optional(draws, 'patch_updated_time', updated);
  row.optional(draws, 'patch_supported_time', facts.released + DAY);
}

function nameOf(facts: PairFacts): string {
  return facts.configuration === undefined ? '--' : collectionName(facts.configuration);
}

/** One row of `systemreport` as JSON text. The system is not in it: ManageEngine takes it from the request. */
export function systemReportRow(data: Dataset, system: number, patch: number, state: PairState): string {
  const draws = new Draws(data.seed, `systemreport ${system}`, patch);
  const facts = patchFacts(data, patch);
  const names = patchNames(patch, facts);
  const drawn = patchDraws(data, patch, facts);
  const { contact } = systemFacts(data, system);
  const pair = pairFacts(data, system, patch, state, { contact, released: facts.released });
  const id = patchIdOf(data, patch);
  const row = new RowText();
  row.digits('patch_id', id).digits('installpatchstatus.patch_id', id).digits('customerpatchstatus.patch_id', id);
  row.string('patch_name', names.file).optional(draws, 'patch_description', names.title);
  row.string('bulletin_id', names.bulletin).literal('patch_status', drawn.approval);
  addPair(row, pair);
  row.literal('severity', facts.severity).string('pmseverity.name', SEVERITY_NAMES[facts.severity]);
  addTimes(row, draws, facts, drawn.updated);
  const type = updateType(facts);
  row.literal('update_id', type).string('update_name', UPDATE_TYPES[type]).literal('patch_type', type);
  row.literal('patch_noreboot', drawn.reboot).literal('patch_uninstall_status', drawn.uninstall);
  row.string('vendor_name', names.vendor).literal('platform', 1).string('platform_name', 'Windows');
  codeOr(row, 'download_status', drawn.downloaded ? 221 : undefined);
  row.string('collection.collection_name', nameOf(pair));
  return row.end();
}

/** One row of `allpatchdetails` as JSON text: a system that has or lacks the patch of the request. */
export function patchDetailsRow(data: Dataset, system: number, patch: number, state: PairState): string {
  const draws = new Draws(data.seed, `allpatchdetails ${system}`, patch);
  const computer = systemFacts(data, system);
  const agent = agentReport(systemDraws(data, system), system, computer);
  const facts = patchFacts(data, patch);
  const names = patchNames(patch, facts);
  const drawn = patchDraws(data, patch, facts);
  const pair = pairFacts(data, system, patch, state, { contact: computer.contact, released: facts.released });
  const id = idOf(data, 'system', system);
  const row = new RowText();
  row.digits('resource_id', id).string('resource_id_string', id).string('resource_name', computer.name);
  row.optional(draws, 'domain_netbios_name', agent.domain);
  row.string('branch_office_name', computer.branch === undefined ? '--' : branchName(computer.branch));
  row.string('customer_name', data.customerName).optional(draws, 'ip_address', agent.addresses);
  row.optional(draws, 'mac_address', agent.hardware).string('os_name', computer.os.name);
  row.optional(draws, 'service_pack', computer.os.build).optional(draws, 'agent_version', agent.version);
  row.digits('patch_id', patchIdOf(data, patch)).string('bulletin_id', names.bulletin);
  row.literal('severity', facts.severity).string('pmseverity.name', SEVERITY_NAMES[facts.severity]);
  row.literal('patch_status', drawn.approval);
  addPair(row, pair);
  addTimes(row, draws, facts, drawn.updated);
  const type = updateType(facts);
  row.string('update_name', UPDATE_TYPES[type]).literal('patch_type', type).as(drawn.sizeAs, 'patch_size', drawn.size);
  row.string('collection_name', nameOf(pair));
  if (pair.configuration === undefined) row.string('config_id', '--');
  else row.digits('config_id', configurationIdOf(data, pair.configuration));
  return row.end();
}
