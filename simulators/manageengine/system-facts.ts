import { Draws, shuffled } from '../draw.ts';
import { branchName, branchOf, DATA_TIME, DAY, type Dataset, idOf, MINUTE } from './dataset.ts';
import { type Health, healthOf } from './health.ts';
import { type Presence, presence, type RowText } from './row-text.ts';

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
export const PLATFORM_NAMES = { 1: 'Windows', 2: 'Mac', 3: 'Linux' } as const;

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

/** Id and name of a branch office, or two placeholders. */
export function addBranch(row: RowText, data: Dataset, branch: number | undefined): void {
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

/** What the agent reports of a system, the same on every endpoint; the `…As` tell how `scandetails` writes it. */
export interface AgentReport {
  /** Comma lists for systems with two network ports. */
  readonly addresses: string;
  readonly hardware: string;
  readonly domain: string;
  readonly version: string;
  /** Epoch milliseconds, or -1 where no agent was ever installed. */
  readonly installedOn: number;
  readonly domainAs: Presence;
  readonly addressesAs: Presence;
  readonly hardwareAs: Presence;
  readonly flavorAs: Presence;
  readonly buildAs: Presence;
  readonly languageAs: Presence;
  readonly abbreviationAs: Presence;
  readonly versionAs: Presence;
}

/** The draws that `scandetails` starts with; its rows go on drawing from them. */
export function systemDraws(data: Dataset, system: number): Draws {
  return new Draws(data.seed, 'scandetails', system);
}

/** Drawn in the order of the fields of `scandetails`, on which the values depend. */
export function agentReport(draws: Draws, system: number, facts: SystemFacts): AgentReport {
  const two = draws.chance(0.1);
  return {
    addresses: two ? `${address(system, 0)},${address(system, 381)}` : address(system, 0),
    hardware: two ? `${hardware(system, 0)},${hardware(system, 1)}` : hardware(system, 0),
    domain: facts.os.platform === 1 ? 'EXAMPLE' : 'WORKGROUP',
    domainAs: presence(draws),
    addressesAs: presence(draws),
    hardwareAs: presence(draws),
    flavorAs: presence(draws),
    buildAs: presence(draws),
    languageAs: presence(draws),
    abbreviationAs: presence(draws),
    version: `10.1.2${100 + draws.whole(40)}.${1 + draws.whole(9)}.W`,
    versionAs: presence(draws),
    installedOn: facts.installation === 22 ? DATA_TIME - (30 + draws.whole(900)) * DAY : -1,
  };
}
