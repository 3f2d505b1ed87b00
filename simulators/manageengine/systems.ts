import { Draws, shuffled } from '../draw.ts';
import { branchName, branchOf, DATA_TIME, type Dataset, idOf } from './dataset.ts';
import { type Health, healthOf, isThirdParty, patchesOf, severityOfRank } from './matrix.ts';
import { RowText } from './row-text.ts';

const MINUTE = 60_000;
const DAY = 86_400_000;

interface OperatingSystem {
  readonly platform: 1 | 2 | 3;
  readonly server: boolean;
  readonly name: string;
  readonly build: string;
}

const CLIENTS: readonly [OperatingSystem, ...OperatingSystem[]] = [
  { platform: 1, server: false, name: 'Windows 11 Professional Edition (x64)', build: 'Windows 11 Version 23H2 (x64)' },
  { platform: 1, server: false, name: 'Windows 11 Enterprise Edition (x64)', build: 'Windows 11 Version 24H2 (x64)' },
  { platform: 1, server: false, name: 'Windows 10 Professional Edition (x64)', build: 'Windows 10 Version 22H2 (x64)' },
];
const SERVERS: readonly [OperatingSystem, ...OperatingSystem[]] = [
  { platform: 1, server: true, name: 'Windows Server 2022 Standard Edition (x64)', build: 'Windows Server 2022 (x64)' },
  { platform: 1, server: true, name: 'Windows Server 2019 Standard Edition (x64)', build: 'Windows Server 2019 (x64)' },
];
const MAC: OperatingSystem = { platform: 2, server: false, name: 'macOS 14.5', build: '23F79' };
const LINUX: OperatingSystem = { platform: 3, server: true, name: 'Ubuntu 22.04', build: '5.15.0-100-generic' };
const PLATFORM_NAMES = { 1: 'Windows', 2: 'Mac', 3: 'Linux' } as const;

/** ManageEngine documents 226 failed, 227 in progress, 228 success, 229 not scanned; it may be null. */
export type ScanStatus = 226 | 227 | 228 | 229 | null;

/** What both lists of systems, the summaries and the tests agree on. */
export interface SystemFacts {
  readonly name: string;
  readonly os: OperatingSystem;
  readonly health: Health;
  /** How the health is written: unknown may be 0, "--", null or no key at all. */
  readonly healthAs: 'code' | 'placeholder' | 'null' | 'absent';
  readonly scanStatus: ScanStatus;
  /** ManageEngine documents 1 live, 2 down, 3 unknown. */
  readonly liveStatus: 1 | 2 | 3;
  /** ManageEngine documents 21 not installed, 22 installed. */
  readonly installation: 21 | 22;
  /** Counted from 0; 1 % of the systems belong to none and show "--". */
  readonly branch: number | undefined;
  /** The agent's last contact, epoch milliseconds. */
  readonly contact: number;
}

/** 80 % Windows clients, 15 % Windows servers, 3 % Mac, 2 % Linux. */
function osOf(data: Dataset, system: number, draws: Draws): OperatingSystem {
  const share = shuffled(data.seed, 'os', system, data.sizes.systems) / data.sizes.systems;
  if (share < 0.8) return draws.pick(CLIENTS);
  if (share < 0.95) return draws.pick(SERVERS);
  return share < 0.98 ? MAC : LINUX;
}

export function systemFacts(data: Dataset, system: number): SystemFacts {
  const draws = new Draws(data.seed, 'system', system);
  const os = osOf(data, system, draws);
  const health = healthOf(data, system);
  const written = draws.next();
  const scan = draws.next();
  const live = draws.next();
  return {
    name: `${os.server ? 'SRV' : 'WS'}-${String(system + 1).padStart(4, '0')}`,
    os,
    health,
    healthAs:
      health !== 0 || written < 0.5 ? 'code' : written < 0.8 ? 'placeholder' : written < 0.9 ? 'null' : 'absent',
    scanStatus: scan < 0.94 ? 228 : scan < 0.965 ? 226 : scan < 0.97 ? 227 : scan < 0.99 ? 229 : null,
    liveStatus: live < 0.7 ? 1 : live < 0.95 ? 2 : 3,
    installation: draws.chance(0.98) ? 22 : 21,
    branch: draws.chance(0.01) ? undefined : branchOf(data, system),
    contact: DATA_TIME - draws.whole(live < 0.7 ? 60 : 20_000) * MINUTE,
  };
}

function addHealth(row: RowText, facts: SystemFacts): void {
  if (facts.healthAs === 'code') row.literal('resource_health_status', facts.health);
  if (facts.healthAs === 'placeholder') row.string('resource_health_status', '--');
  if (facts.healthAs === 'null') row.literal('resource_health_status', null);
}

function addBranch(row: RowText, data: Dataset, branch: number | undefined): void {
  if (branch === undefined) row.string('branch_office_id', '--').string('branch_office_name', '--');
  else row.digits('branch_office_id', idOf(data, 'branch', branch)).string('branch_office_name', branchName(branch));
}

const DOCUMENTATION_NETS = ['192.0.2', '198.51.100', '203.0.113'] as const;

function address(system: number, shift: number): string {
  const at = system + shift;
  return `${DOCUMENTATION_NETS[Math.floor(at / 254) % 3]}.${1 + (at % 254)}`;
}

function hardware(system: number, port: number): string {
  const hex = (system * 4 + port).toString(16).padStart(6, '0').toUpperCase();
  return `02:00:00:${hex.slice(0, 2)}:${hex.slice(2, 4)}:${hex.slice(4)}`;
}

const HEALTH_LABELS = ['Unknown', 'Healthy', 'Vulnerable', 'Highly Vulnerable'] as const;
const SCAN_LABELS: Readonly<Record<string, string>> = { 226: 'FAILED', 227: 'INPROGRESS', 228: 'SUCCESS' };

/** One row of `scandetails` as JSON text, with the dotted twins that ManageEngine adds. */
export function scanDetailsRow(data: Dataset, system: number): string {
  const facts = systemFacts(data, system);
  const { contact } = facts;
  const draws = new Draws(data.seed, 'scandetails', system);
  const id = idOf(data, 'system', system);
  const row = new RowText();
  const two = draws.chance(0.1);
  row.digits('resource_id', id).string('resource_id_string', id).string('resource_name', facts.name);
  row.optional(draws, 'domain_netbios_name', facts.os.platform === 1 ? 'EXAMPLE' : 'WORKGROUP');
  row.optional(draws, 'ip_address', two ? `${address(system, 0)},${address(system, 381)}` : address(system, 0));
  row.optional(draws, 'mac_address', two ? `${hardware(system, 0)},${hardware(system, 1)}` : hardware(system, 0));
  addBranch(row, data, facts.branch);
  row.digits('customer_id', idOf(data, 'customer', 1)).string('customer_name', 'Example Customer');
  row.string('os_name', facts.os.name).literal('os_platform', facts.os.platform);
  row.string('os_platform_name', PLATFORM_NAMES[facts.os.platform]).literal('os_platform_id', facts.os.platform);
  row.optional(draws, 'osflavor_id', 100 + facts.os.platform * 10).optional(draws, 'service_pack', facts.os.build);
  row.optional(draws, 'os_language', 'English').optional(draws, 'os_language_abbr', 'en');
  const installed = facts.installation === 22;
  row.optional(draws, 'agent_version', `10.1.2${100 + draws.whole(40)}.${1 + draws.whole(9)}.W`);
  row.literal('agent_installed_on', installed ? DATA_TIME - (30 + draws.whole(900)) * DAY : -1);
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
