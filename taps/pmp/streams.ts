/** The endpoints of Patch Manager Plus as streams. */

import allSystems from '../../schemas/pmp/all_systems.json' with { type: 'json' };
import approvalSettings from '../../schemas/pmp/approval_settings.json' with { type: 'json' };
import dbUpdateStatus from '../../schemas/pmp/db_update_status.json' with { type: 'json' };
import deploymentPolicies from '../../schemas/pmp/deployment_policies.json' with { type: 'json' };
import deploymentTasks from '../../schemas/pmp/deployment_tasks.json' with { type: 'json' };
import healthPolicy from '../../schemas/pmp/health_policy.json' with { type: 'json' };
import installedPatches from '../../schemas/pmp/installed_patches.json' with { type: 'json' };
import missingPatches from '../../schemas/pmp/missing_patches.json' with { type: 'json' };
import patchDetails from '../../schemas/pmp/patch_details.json' with { type: 'json' };
import patchGroups from '../../schemas/pmp/patch_groups.json' with { type: 'json' };
import patchSummary from '../../schemas/pmp/patch_summary.json' with { type: 'json' };
import patches from '../../schemas/pmp/patches.json' with { type: 'json' };
import remoteOffices from '../../schemas/pmp/remote_offices.json' with { type: 'json' };
import somComputers from '../../schemas/pmp/som_computers.json' with { type: 'json' };
import somSummary from '../../schemas/pmp/som_summary.json' with { type: 'json' };
import supportedPatches from '../../schemas/pmp/supported_patches.json' with { type: 'json' };
import systemReports from '../../schemas/pmp/system_reports.json' with { type: 'json' };
import systems from '../../schemas/pmp/systems.json' with { type: 'json' };
import viewConfigurations from '../../schemas/pmp/view_configurations.json' with { type: 'json' };
import vulnerabilities from '../../schemas/pmp/vulnerabilities.json' with { type: 'json' };
import { childStream, type EndpointStream, pagedStream, singletonStream } from '../manageengine/streams.ts';

const SYSTEMS = {
  name: 'systems',
  path: '/api/1.4/patch/scandetails',
  data: 'scandetails',
  schema: systems,
  key: ['resource_id'],
  noun: 'systems',
  measuresCoverage: true,
};

const PATCHES = {
  name: 'patches',
  path: '/api/1.4/patch/allpatches',
  data: 'allpatches',
  schema: patches,
  key: ['patch_id'],
  noun: 'rows',
};

/** In the order they are read: the one coverage is measured on first, those that cost a request per row late. */
export const STREAMS: readonly EndpointStream[] = [
  pagedStream(SYSTEMS),
  pagedStream({
    name: 'all_systems',
    path: '/api/1.4/patch/allsystems',
    data: 'allsystems',
    schema: allSystems,
    key: ['resource_id'],
    noun: 'rows',
  }),
  pagedStream(PATCHES),
  pagedStream({
    name: 'installed_patches',
    path: '/api/1.4/patch/installedpatches',
    data: 'installedpatches',
    schema: installedPatches,
    key: ['patch_id'],
    noun: 'rows',
  }),
  pagedStream({
    name: 'missing_patches',
    path: '/api/1.4/patch/missingpatches',
    data: 'missingpatches',
    schema: missingPatches,
    key: ['patch_id'],
    noun: 'rows',
  }),
  // Some 365,000 rows: hours of pages that few questions need.
  pagedStream({
    name: 'supported_patches',
    path: '/api/1.4/patch/supportedpatches',
    data: 'supportedpatches',
    schema: supportedPatches,
    key: ['patch_id'],
    noun: 'rows',
    selectedByDefault: false,
  }),
  singletonStream({ name: 'patch_summary', path: '/api/1.4/patch/summary', data: 'summary', schema: patchSummary }),
  singletonStream({
    name: 'health_policy',
    path: '/api/1.4/patch/healthpolicy',
    data: 'healthpolicy',
    schema: healthPolicy,
  }),
  singletonStream({
    name: 'approval_settings',
    path: '/api/1.4/patch/approvalsettings',
    data: 'approvalsettings',
    schema: approvalSettings,
  }),
  singletonStream({
    name: 'db_update_status',
    path: '/api/1.4/patch/dbupdatestatus',
    data: 'dbupdatestatus',
    schema: dbUpdateStatus,
  }),
  singletonStream({ name: 'som_summary', path: '/api/1.4/som/summary', data: 'summary', schema: somSummary }),
  pagedStream({
    name: 'deployment_policies',
    path: '/api/1.4/patch/deploymentpolicies',
    data: 'deploymentpolicies',
    schema: deploymentPolicies,
    key: ['template_id'],
    noun: 'rows',
  }),
  pagedStream({
    name: 'view_configurations',
    path: '/api/1.4/patch/viewconfig',
    data: 'viewconfig',
    schema: viewConfigurations,
    key: ['config_id'],
    noun: 'rows',
  }),
  pagedStream({
    name: 'som_computers',
    path: '/api/1.4/som/computers',
    data: 'computers',
    schema: somComputers,
    key: ['resource_id'],
    noun: 'rows',
  }),
  pagedStream({
    name: 'remote_offices',
    path: '/api/1.4/som/remoteoffice',
    data: 'remoteoffice',
    schema: remoteOffices,
    key: ['branch_office_id'],
    noun: 'rows',
  }),
  childStream({
    name: 'system_reports',
    path: '/api/1.4/patch/systemreport',
    data: 'systemreport',
    schema: systemReports,
    key: ['resource_id', 'patch_id'],
    parent: SYSTEMS,
    parentKey: 'resource_id',
    parameter: 'resid',
    noun: 'rows',
  }),
  childStream({
    name: 'patch_details',
    path: '/api/1.4/patch/allpatchdetails',
    data: 'allpatchdetails',
    schema: patchDetails,
    key: ['patch_id', 'resource_id'],
    parent: PATCHES,
    parentKey: 'patch_id',
    parameter: 'patchid',
    noun: 'rows',
  }),
  pagedStream({
    name: 'vulnerabilities',
    path: '/api/1.4/patch/vulnerabilities',
    data: 'vulnerabilities',
    schema: vulnerabilities,
    key: ['cve_id'],
    noun: 'rows',
    optional: true,
  }),
  pagedStream({
    name: 'deployment_tasks',
    path: '/api/1.4/patch/deploymenttasks',
    data: 'deployment_tasks',
    schema: deploymentTasks,
    key: ['task_id'],
    noun: 'rows',
    optional: true,
  }),
  pagedStream({
    name: 'patch_groups',
    path: '/api/1.4/patch/patchgroups',
    data: 'patch_groups',
    schema: patchGroups,
    key: ['group_id'],
    noun: 'rows',
    optional: true,
  }),
];
