/** The endpoints of Patch Manager Plus as streams. */

import allSystems from '../../schemas/pmp/all_systems.json' with { type: 'json' };
import approvalSettings from '../../schemas/pmp/approval_settings.json' with { type: 'json' };
import dbUpdateStatus from '../../schemas/pmp/db_update_status.json' with { type: 'json' };
import healthPolicy from '../../schemas/pmp/health_policy.json' with { type: 'json' };
import patchSummary from '../../schemas/pmp/patch_summary.json' with { type: 'json' };
import patches from '../../schemas/pmp/patches.json' with { type: 'json' };
import somSummary from '../../schemas/pmp/som_summary.json' with { type: 'json' };
import systems from '../../schemas/pmp/systems.json' with { type: 'json' };
import { type EndpointStream, pagedStream, singletonStream } from '../manageengine/streams.ts';

/** In the order they are read: the one coverage is measured on first. */
export const STREAMS: readonly EndpointStream[] = [
  pagedStream({
    name: 'systems',
    path: '/api/1.4/patch/scandetails',
    data: 'scandetails',
    schema: systems,
    key: ['resource_id'],
    noun: 'systems',
    measuresCoverage: true,
  }),
  pagedStream({
    name: 'all_systems',
    path: '/api/1.4/patch/allsystems',
    data: 'allsystems',
    schema: allSystems,
    key: ['resource_id'],
    noun: 'rows',
  }),
  pagedStream({
    name: 'patches',
    path: '/api/1.4/patch/allpatches',
    data: 'allpatches',
    schema: patches,
    key: ['patch_id'],
    noun: 'rows',
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
];
