import { Draws } from '../draw.ts';
import { branchName, DATA_TIME, DAY, type Dataset, idOf, MINUTE } from './dataset.ts';
import { isThirdParty, patchesOf, severityOfRank } from './matrix.ts';
import { RowText } from './row-text.ts';
import { addBranch, agentReport, PLATFORM_NAMES, type SystemFacts, systemDraws, systemFacts } from './system-facts.ts';

function addHealth(row: RowText, facts: SystemFacts): void {
  if (facts.healthAs === 'code') row.literal('resource_health_status', facts.health);
  if (facts.healthAs === 'placeholder') row.string('resource_health_status', '--');
  if (facts.healthAs === 'null') row.literal('resource_health_status', null);
}

const HEALTH_LABELS = ['Unknown', 'Healthy', 'Vulnerable', 'Highly Vulnerable'] as const;
const SCAN_LABELS: Readonly<Record<string, string>> = { 226: 'FAILED', 227: 'INPROGRESS', 228: 'SUCCESS' };

/** One row of `scandetails` as JSON text, with the dotted twins that ManageEngine adds. */
export function scanDetailsRow(data: Dataset, system: number): string {
  const facts = systemFacts(data, system);
  const { contact } = facts;
  const draws = systemDraws(data, system);
  const agent = agentReport(draws, system, facts);
  const id = idOf(data, 'system', system);
  const row = new RowText();
  row.digits('resource_id', id).string('resource_id_string', id).string('resource_name', facts.name);
  row.as(agent.domainAs, 'domain_netbios_name', agent.domain);
  row.as(agent.addressesAs, 'ip_address', agent.addresses).as(agent.hardwareAs, 'mac_address', agent.hardware);
  addBranch(row, data, facts.branch);
  row.digits('customer_id', idOf(data, 'customer', 1)).string('customer_name', data.customerName);
  row.string('os_name', facts.os.name).literal('os_platform', facts.os.platform);
  row.string('os_platform_name', PLATFORM_NAMES[facts.os.platform]).literal('os_platform_id', facts.os.platform);
  row.as(agent.flavorAs, 'osflavor_id', 100 + facts.os.platform * 10);
  row.as(agent.buildAs, 'service_pack', facts.os.build).as(agent.languageAs, 'os_language', 'English');
  row.as(agent.abbreviationAs, 'os_language_abbr', 'en').as(agent.versionAs, 'agent_version', agent.version);
  row.literal('agent_installed_on', agent.installedOn);
  row.optional(draws, 'agent_installed_dir', 'C:\\Program Files (x86)\\ExampleAgent');
  row.optional(draws, 'agent_last_contact_time', contact);
  row.optional(draws, 'agent_last_bootup_time', contact - draws.whole(20_000) * MINUTE);
  row.optional(draws, 'agent_last_ds_contact_time', contact - draws.whole(60) * MINUTE);
  const user = `user${String(system + 1).padStart(4, '0')}`;
  row.optional(draws, 'agent_logged_on_users', draws.chance(0.05) ? `${user},admin.example` : user);
  row.literal('computer_live_status', facts.liveStatus).optional(draws, 'computer_status_update_time', contact);
  row.literal('installation_status', facts.installation);
  const scanned = DATA_TIME - draws.whole(30 * 24 * 60) * MINUTE;
  row.optional(draws, 'last_scan_time', scanned);
  if (facts.scanStatus === 228) row.optional(draws, 'last_successful_scan', scanned);
  else row.string('last_successful_scan', '--');
  row.optional(draws, 'last_sync_time', contact).literal('scan_status', facts.scanStatus);
  const outcome = SCAN_LABELS[String(facts.scanStatus)] ?? 'NOT_SCANNED';
  row.optional(draws, 'scan_remarks', `dc.db.agent.config.patchscan.${outcome.toLowerCase()}`);
  row
    .optional(draws, 'scan_remarks_args', '--')
    .literal('patch_scan_error_code', facts.scanStatus === 226 ? 1_101 : -1);
  row.optional(draws, 'error_kb_url', facts.scanStatus === 226 ? 'https://example.invalid/kb/scan-failed' : '--');
  addHealth(row, facts);
  row.string('status_label', `dc.common.${outcome}`).string('patch_status_label', HEALTH_LABELS[facts.health]);
  row.optional(draws, 'patch_status_image', `health-${facts.health}.png`).optional(draws, 'owner', user);
  row.optional(draws, 'owner_email_id', `${user}@example.invalid`);
  row
    .optional(draws, 'location', facts.branch === undefined ? '--' : branchName(facts.branch))
    .optional(draws, 'description', '--');
  row.optional(draws, 'search_tag', facts.os.server ? 'server' : 'workstation');
  row.digits('branchmemberresourcerel.resource_id', id);
  if (facts.branch === undefined) row.string('branchofficedetails.branch_office_id', '--');
  else row.digits('branchofficedetails.branch_office_id', idOf(data, 'branch', facts.branch));
  row.digits('patchclientscanerror.resource_id', id).digits('patchmgmtosinfo.resource_id', id);
  row.digits('pmreshealthstatus.resource_id', id).string('oslanguage.i18n', 'dc.common.language.ENGLISH');
  row.literal('oslanguage.languageid', 9).string('patchstatusdefn.label', `dc.common.${outcome}`);
  return row.end();
}

/** One row of `allsystems` as JSON text: the vendor's per-system counters. */
export function allSystemsRow(data: Dataset, system: number): string {
  const facts = systemFacts(data, system);
  const { contact } = facts;
  const own = patchesOf(data, system);
  const draws = new Draws(data.seed, 'allsystems', system);
  const id = idOf(data, 'system', system);
  const row = new RowText();
  row.digits('resource_id', id).string('resource_id_string', id).string('resource_name', facts.name);
  addBranch(row, data, facts.branch);
  row.string('os_name', facts.os.name).string('os_platform_name', PLATFORM_NAMES[facts.os.platform]);
  addHealth(row, facts);
  row.literal('scan_status', facts.scanStatus);
  row.optional(draws, 'agent_last_contact_time', contact);
  row.optional(draws, 'last_patched_time', contact - draws.whole(60) * DAY);
  row.literal('total_driver_patches', draws.whole(6)).literal('missing_bios_patches', draws.chance(0.1) ? 1 : 0);
  const bySeverity = [0, 0, 0, 0, 0];
  for (const rank of own.missing) {
    const severity = severityOfRank(data, rank);
    bySeverity[severity] = (bySeverity[severity] ?? 0) + 1;
  }
  const missingThird = own.missing.filter((rank) => isThirdParty(data, rank)).length;
  const installedThird = own.installed.filter((rank) => isThirdParty(data, rank)).length;
  row.literal('missing_ms_patches', own.missing.length - missingThird).literal('missing_tp_patches', missingThird);
  row.literal('installed_ms_patches', own.installed.length - installedThird);
  row.literal('installed_tp_patches', installedThird);
  const names = ['unrated', 'low', 'moderate', 'important', 'critical'];
  for (let severity = 4; severity >= 0; severity -= 1) {
    row.literal(`${names[severity]}_patch_count`, bySeverity[severity] ?? 0);
  }
  row.optional(draws, 'resourcetorebootdetails.reboot_req_status', draws.chance(0.15));
  return row.end();
}
