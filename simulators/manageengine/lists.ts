/** Every list that the server keeps: who is on it at first, how members are told apart, and what a row looks like. */
import { type Census, computersRow, remoteOfficeRow } from './computers.ts';
import { type Dataset, idOf, type Sizes } from './dataset.ts';
import { configurationIdOf, deploymentPoliciesRow, templateIdOf, viewConfigRow } from './deployments.ts';
import { deploymentTasksRow, groupIdOf, patchGroupsRow, taskIdOf, vulnerabilitiesRow } from './editions.ts';
import { allPatchesRow, installedPatchesRow, missingPatchesRow, supportedPatchesRow } from './patch-rows.ts';
import { patchFacts, patchIdOf } from './patches.ts';
import { Roll } from './roll.ts';
import { allSystemsRow, scanDetailsRow } from './systems.ts';
import { threatPatchRow } from './threat-patches.ts';
import { cveIdOf, threatVulnerabilityRow, vulnerabilityIdOf } from './vulnerabilities.ts';

/** What a list's rows are about; a member that leaves disappears from every list of its kind. */
export type Kind =
  | 'system'
  | 'patch'
  | 'supported'
  | 'policy'
  | 'configuration'
  | 'branch'
  | 'vulnerability'
  | 'task'
  | 'group';

/** Lists that an endpoint shows as they are. */
export type ServedList =
  | 'scandetails'
  | 'allsystems'
  | 'allpatches'
  | 'installedpatches'
  | 'missingpatches'
  | 'supportedpatches'
  | 'deploymentpolicies'
  | 'viewconfig'
  | 'computers'
  | 'remoteoffice'
  | 'vulnerabilities'
  | 'deployment_tasks'
  | 'patch_groups'
  | 'dcapi_patches'
  | 'dcapi_vulnerabilities';

/** `dcapi_systems` are the systems whose patches are known: endpoints show them with their pairs, or pair by pair. */
export type ListName = ServedList | 'dcapi_systems';

/** How many members of a kind there are at first; on some lists fewer. */
export const MEMBERS: Readonly<Record<Kind, (sizes: Sizes) => number>> = {
  system: ({ systems }) => systems,
  patch: ({ patches }) => patches,
  supported: ({ supported }) => supported,
  policy: ({ policies }) => policies,
  configuration: ({ configurations }) => configurations,
  branch: ({ branches }) => branches,
  vulnerability: ({ vulnerabilities }) => vulnerabilities,
  task: ({ apdTasks }) => apdTasks,
  group: ({ patchGroups }) => patchGroups,
};

interface ListDefinition {
  readonly kind: Kind;
  readonly id: (data: Dataset, member: number) => string;
  /** First and last member (exclusive) at first; all of the kind when absent. */
  readonly window?: (sizes: Sizes) => readonly [number, number];
  /** Members of the kind that belong on this list; all of them when absent. */
  readonly admits?: (data: Dataset, member: number) => boolean;
}

const systemId = (data: Dataset, system: number): string => idOf(data, 'system', system);
const branchId = (data: Dataset, branch: number): string => idOf(data, 'branch', branch);
const isMissing = (data: Dataset, patch: number): boolean => patchFacts(data, patch).missing;
const isInstalled = (data: Dataset, patch: number): boolean => !patchFacts(data, patch).missing;

export const LISTS: Readonly<Record<ListName, ListDefinition>> = {
  scandetails: { kind: 'system', id: systemId, window: ({ scanWindow }) => scanWindow },
  allsystems: { kind: 'system', id: systemId, window: ({ allSystemsWindow }) => allSystemsWindow },
  allpatches: { kind: 'patch', id: patchIdOf },
  installedpatches: { kind: 'patch', id: patchIdOf, admits: isInstalled },
  missingpatches: { kind: 'patch', id: patchIdOf, admits: isMissing },
  supportedpatches: { kind: 'supported', id: patchIdOf },
  deploymentpolicies: { kind: 'policy', id: templateIdOf },
  viewconfig: { kind: 'configuration', id: configurationIdOf },
  computers: { kind: 'system', id: systemId },
  remoteoffice: { kind: 'branch', id: branchId },
  vulnerabilities: { kind: 'vulnerability', id: cveIdOf },
  deployment_tasks: { kind: 'task', id: taskIdOf },
  patch_groups: { kind: 'group', id: groupIdOf },
  dcapi_systems: { kind: 'system', id: systemId, window: ({ matrixWindow }) => matrixWindow },
  dcapi_patches: { kind: 'patch', id: patchIdOf },
  dcapi_vulnerabilities: { kind: 'vulnerability', id: vulnerabilityIdOf },
};

/** A list as it is before anything happens. */
export function firstRoll(data: Dataset, list: ListName): Roll {
  const { kind, window, admits } = LISTS[list];
  const roll = Roll.range(...(window?.(data.sizes) ?? [0, MEMBERS[kind](data.sizes)]));
  return admits ? Roll.of(roll.members().filter((member) => admits(data, member))) : roll;
}

export const LIST_NAMES = Object.keys(LISTS) as ListName[];

/** A member's row as JSON text. */
export const ROWS: Readonly<Record<ServedList, (data: Dataset, member: number, census: Census) => string>> = {
  scandetails: scanDetailsRow,
  allsystems: allSystemsRow,
  allpatches: allPatchesRow,
  installedpatches: installedPatchesRow,
  missingpatches: missingPatchesRow,
  supportedpatches: supportedPatchesRow,
  deploymentpolicies: deploymentPoliciesRow,
  viewconfig: viewConfigRow,
  computers: computersRow,
  remoteoffice: remoteOfficeRow,
  vulnerabilities: vulnerabilitiesRow,
  deployment_tasks: deploymentTasksRow,
  patch_groups: patchGroupsRow,
  dcapi_patches: threatPatchRow,
  dcapi_vulnerabilities: threatVulnerabilityRow,
};

/** Lists whose rows are made anew each time: 365,487 are too many to keep, and offices depend on other lists. */
export const FLEETING: ReadonlySet<ServedList> = new Set(['supportedpatches', 'remoteoffice']);
