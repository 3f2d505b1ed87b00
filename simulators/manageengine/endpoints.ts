import { type Answer, errorEnvelope, unsupportedParameter } from './envelopes.ts';
import type { ServedList } from './lists.ts';
import type { ViewName } from './pairs.ts';
import type { Population } from './population.ts';
import { approvalSettings, dbUpdateStatus, healthPolicy, patchSummary, somSummary } from './summary.ts';
import { THREAT_CALLS, type ThreatCall } from './threats.ts';

/** One object per customer. */
export interface Singleton {
  readonly kind: 'singleton';
  readonly stream: string;
  /** Its name in the envelope. */
  readonly key: string;
  readonly value: (population: Population) => Readonly<Record<string, unknown>>;
}

/** A path's answer. `stream` is the name in the manifest, for what a tap reads. */
export type Endpoint =
  | Singleton
  | { readonly kind: 'list'; readonly stream: string; readonly list: ServedList }
  /** All pairs of the system or patch that `parameter` names. */
  | { readonly kind: 'view'; readonly stream: string; readonly view: ViewName; readonly parameter: string }
  /** A call of DCAPI. */
  | { readonly kind: 'threats'; readonly path: string; readonly call: ThreatCall }
  /** The customers of an MSP server. */
  | { readonly kind: 'customers' };

function list(name: ServedList, stream: string): Endpoint {
  return { kind: 'list', list: name, stream };
}

function singleton(key: string, stream: string, value: Singleton['value']): Endpoint {
  return { kind: 'singleton', key, stream, value };
}

export const ENDPOINTS: Readonly<Record<string, Endpoint>> = {
  '/api/1.4/patch/scandetails': list('scandetails', 'systems'),
  '/api/1.4/patch/allsystems': list('allsystems', 'all_systems'),
  '/api/1.4/patch/allpatches': list('allpatches', 'patches'),
  '/api/1.4/patch/summary': singleton('summary', 'patch_summary', patchSummary),
  '/api/1.4/patch/healthpolicy': singleton('healthpolicy', 'health_policy', healthPolicy),
  '/api/1.4/patch/approvalsettings': singleton('approvalsettings', 'approval_settings', approvalSettings),
  '/api/1.4/patch/dbupdatestatus': singleton('dbupdatestatus', 'db_update_status', dbUpdateStatus),
  '/api/1.4/som/summary': singleton('summary', 'som_summary', somSummary),
  '/api/1.4/patch/installedpatches': list('installedpatches', 'installed_patches'),
  '/api/1.4/patch/missingpatches': list('missingpatches', 'missing_patches'),
  '/api/1.4/patch/supportedpatches': list('supportedpatches', 'supported_patches'),
  '/api/1.4/patch/deploymentpolicies': list('deploymentpolicies', 'deployment_policies'),
  '/api/1.4/patch/viewconfig': list('viewconfig', 'view_configurations'),
  '/api/1.4/som/computers': list('computers', 'som_computers'),
  '/api/1.4/som/remoteoffice': list('remoteoffice', 'remote_offices'),
  '/api/1.4/patch/systemreport': {
    kind: 'view',
    view: 'systemreport',
    stream: 'system_reports',
    parameter: 'resid',
  },
  '/api/1.4/patch/allpatchdetails': {
    kind: 'view',
    view: 'allpatchdetails',
    stream: 'patch_details',
    parameter: 'patchid',
  },
  '/api/1.4/patch/vulnerabilities': list('vulnerabilities', 'vulnerabilities'),
  '/api/1.4/patch/deploymenttasks': list('deployment_tasks', 'deployment_tasks'),
  '/api/1.4/patch/patchgroups': list('patch_groups', 'patch_groups'),
  '/api/1.4/desktop/customers': { kind: 'customers' },
  ...Object.fromEntries(
    Object.entries(THREAT_CALLS).map(([path, call]): [string, Endpoint] => [path, { kind: 'threats', path, call }]),
  ),
};

const PAGING = ['page', 'pagelimit'];

/** Rows are listed by id, which is all that these two can ask for here. */
const SORTING: Readonly<Record<string, readonly string[]>> = {
  orderby: ['resource_id', 'patch_id'],
  sortorder: ['asc'],
};

function takes(endpoint: Endpoint, name: string, value: string): boolean {
  if (endpoint.kind === 'singleton') return false;
  if (endpoint.kind === 'threats') {
    const { numbered, parameters } = endpoint.call;
    return name === 'pageLimit' || (numbered && name === 'page') || parameters.includes(name);
  }
  if (endpoint.kind === 'view' && name === endpoint.parameter) return true;
  return PAGING.includes(name) || SORTING[name]?.includes(value) === true;
}

/**
 * Why a query cannot be answered, or nothing. ManageEngine refuses unknown names and wrong case.
 * `allowed` are names that the flavour of the server adds.
 */
export function refusedQuery(
  endpoint: Endpoint,
  query: URLSearchParams,
  allowed: readonly string[],
): Answer | undefined {
  for (const [name, value] of query) {
    if (!allowed.includes(name) && !takes(endpoint, name, value)) return unsupportedParameter(name);
  }
  if (endpoint.kind !== 'view' || query.get(endpoint.parameter)) return undefined;
  return errorEnvelope('1005', `The parameter ${endpoint.parameter} is mandatory`);
}

/** What a page or an object is one of, beside its path: attempts and faults are counted per subject. */
export function subjectOf(path: string, query: URLSearchParams): string {
  const named = ['customerid', 'customername', 'resid', 'patchid', 'resource_id', 'cursor'].filter((name) =>
    query.has(name),
  );
  return [path, ...named.map((name) => `${name}=${query.get(name)}`)].join(' ');
}
