import { Draws } from '../draw.ts';
import { branchName, type Dataset, idOf } from './dataset.ts';
import { RowText } from './row-text.ts';
import { addBranch, agentReport, systemDraws, systemFacts } from './system-facts.ts';

/** One row of `som/computers` as JSON text: every computer in scope, with or without an agent. */
export function computersRow(data: Dataset, system: number): string {
  const facts = systemFacts(data, system);
  const agent = agentReport(systemDraws(data, system), system, facts);
  const draws = new Draws(data.seed, 'computers', system);
  const id = idOf(data, 'system', system);
  const fqdn = `${facts.name.toLowerCase()}.example.invalid`;
  const row = new RowText();
  row.digits('resource_id', id).string('resource_id_string', id).string('resource_name', facts.name);
  row.optional(draws, 'full_name', fqdn).optional(draws, 'fqdn_name', fqdn);
  row.optional(draws, 'managedcomputer.friendly_name', `Computer ${String(system + 1).padStart(4, '0')}`);
  row.optional(draws, 'domain_netbios_name', agent.domain).string('customer_name', data.customerName);
  addBranch(row, data, facts.branch);
  row.string('os_name', facts.os.name).optional(draws, 'os_version', facts.os.platform === 1 ? '10.0' : '14.5');
  row.optional(draws, 'service_pack', facts.os.build);
  row.optional(draws, 'ip_address', agent.addresses).optional(draws, 'mac_address', agent.hardware);
  const installed = facts.installation === 22;
  if (installed) row.optional(draws, 'agent_version', agent.version);
  else row.string('agent_version', '--');
  row.literal('agent_installed_on', agent.installedOn);
  if (installed) row.optional(draws, 'agent_last_contact_time', facts.contact);
  else row.string('agent_last_contact_time', '--');
  row.optional(draws, 'last_sync_time', facts.contact).literal('computer_live_status', facts.liveStatus);
  row.literal('installation_status', facts.installation).literal('managed_status', installed ? 61 : 62);
  return row.end();
}

/** The lists that offices are counted over. */
export interface Census {
  readonly data: Dataset;
  /** Changes whenever a list does. */
  readonly version: number;
  members(list: 'scandetails'): readonly number[];
}

const counted = new WeakMap<Census, { readonly version: number; readonly perBranch: ReadonlyMap<number, number> }>();

/** Systems of `scandetails` per branch office. */
function systemsPerBranch(census: Census): ReadonlyMap<number, number> {
  const known = counted.get(census);
  if (known?.version === census.version) return known.perBranch;
  const perBranch = new Map<number, number>();
  for (const system of census.members('scandetails')) {
    const { branch } = systemFacts(census.data, system);
    if (branch !== undefined) perBranch.set(branch, (perBranch.get(branch) ?? 0) + 1);
  }
  counted.set(census, { version: census.version, perBranch });
  return perBranch;
}

/** One row of `som/remoteoffice` as JSON text: a branch office with its number of systems in `scandetails`. */
export function remoteOfficeRow(data: Dataset, branch: number, census: Census): string {
  const draws = new Draws(data.seed, 'remoteoffice', branch);
  const row = new RowText();
  row.digits('branch_office_id', idOf(data, 'branch', branch)).string('branch_office_name', branchName(branch));
  row.literal('managed_computers', systemsPerBranch(census).get(branch) ?? 0).string('resource_id', '--');
  row.literal('is_https', true).literal('is_proxy', draws.chance(0.2)).literal('has_masteragent', draws.chance(0.6));
  row.digits('customer_id', idOf(data, 'customer', 1)).string('customer_name', data.customerName);
  return row.end();
}
