/** The streams of tap-plex in the order in which they are read: masters before events, so that a target finds what events name. */
import buildings from '../../schemas/plex/buildings.json' with { type: 'json' };
import movements from '../../schemas/plex/container_movements.json' with { type: 'json' };
import locations from '../../schemas/plex/locations.json' with { type: 'json' };
import operations from '../../schemas/plex/operations.json' with { type: 'json' };
import partOperations from '../../schemas/plex/part_operations.json' with { type: 'json' };
import parts from '../../schemas/plex/parts.json' with { type: 'json' };
import productionEntries from '../../schemas/plex/production_entries.json' with { type: 'json' };
import scrapEntries from '../../schemas/plex/scrap_entries.json' with { type: 'json' };
import specifications from '../../schemas/plex/specifications.json' with { type: 'json' };
import statusEntries from '../../schemas/plex/workcenter_status_entries.json' with { type: 'json' };
import workcenterStatuses from '../../schemas/plex/workcenter_statuses.json' with { type: 'json' };
import workcenters from '../../schemas/plex/workcenters.json' with { type: 'json' };
import { boms } from './boms.ts';
import { checksheets } from './checksheets.ts';
import { containers, wip } from './containers.ts';
import { DAY } from './dates.ts';
import { jobOperations, jobs } from './jobs.ts';
import { changedList, fullList } from './lists.ts';
import { oeeMetrics } from './oee-metrics.ts';
import type { PlexStream } from './stream.ts';
import { history } from './windows.ts';
import { workcenterStatus } from './workcenter-status.ts';

const DEFINITIONS = '/production/v1/production-definitions';
const PRODUCTION = '/production/v1/production-history';

export const STREAMS: readonly PlexStream[] = [
  fullList({
    name: 'buildings',
    schema: buildings,
    key: ['id'],
    group: 'master_data',
    product: 'mdm',
    path: '/mdm/v1/buildings',
    mandatory: false,
  }),
  fullList({
    name: 'workcenters',
    schema: workcenters,
    key: ['workcenterId'],
    group: 'master_data',
    product: 'production',
    path: `${DEFINITIONS}/workcenters`,
    mandatory: true,
  }),
  fullList({
    name: 'workcenter_statuses',
    schema: workcenterStatuses,
    key: ['id'],
    group: 'master_data',
    product: 'production',
    path: `${DEFINITIONS}/workcenter-statuses`,
    mandatory: false,
  }),
  changedList({
    name: 'parts',
    schema: parts,
    key: ['id'],
    group: 'master_data',
    product: 'mdm',
    path: '/mdm/v1/parts',
    mandatory: true,
    changed: 'modifiedDate',
    lookback: DAY,
    lookbackText: 'a day',
    fullPasses: true,
  }),
  fullList({
    name: 'operations',
    schema: operations,
    key: ['id'],
    group: 'master_data',
    product: 'mdm',
    path: '/mdm/v1/operations',
    mandatory: false,
  }),
  fullList({
    name: 'part_operations',
    schema: partOperations,
    key: ['id'],
    group: 'master_data',
    product: 'mdm',
    path: '/mdm/v1/part-operations',
    mandatory: false,
  }),
  fullList({
    name: 'locations',
    schema: locations,
    key: ['locationId'],
    group: 'inventory',
    product: 'inventory',
    path: '/inventory/v1/inventory-definitions/locations',
    mandatory: true,
  }),
  boms,
  jobs,
  jobOperations,
  containers,
  wip,
  history({
    name: 'container_movements',
    schema: movements,
    group: 'inventory',
    product: 'inventory',
    path: '/inventory/v1/inventory-history/container-location-moves',
    mandatory: false,
    rule: {
      date: 'adjustmentDate',
      fields: ['adjustmentDate', 'serialNo', 'movedFromLocationId', 'locationId', 'adjustmentCode', 'quantity'],
    },
  }),
  workcenterStatus,
  history({
    name: 'workcenter_status_entries',
    schema: statusEntries,
    group: 'production',
    product: 'production',
    path: `${PRODUCTION}/workcenter-status-entries`,
    mandatory: true,
    // Not the duration: it grows while the status lasts.
    rule: { date: 'logDate', fields: ['workcenterId', 'logDate', 'workcenterStatus'] },
  }),
  history({
    name: 'production_entries',
    schema: productionEntries,
    group: 'production',
    product: 'production',
    path: `${PRODUCTION}/production-entries`,
    mandatory: true,
    rule: {
      date: 'transactionDate',
      fields: [
        'transactionDate',
        'workcenterId',
        'serialNo',
        'lotId',
        'jobId',
        'partOperationId',
        'employeeId',
        'quantity',
      ],
    },
  }),
  history({
    name: 'scrap_entries',
    schema: scrapEntries,
    group: 'production',
    product: 'production',
    path: `${PRODUCTION}/scrap-entries`,
    mandatory: true,
    rule: {
      date: 'transactionDate',
      fields: [
        'transactionDate',
        'workcenterId',
        'scrapReason',
        'transactionType',
        'serialNo',
        'jobId',
        'partOperationId',
        'quantity',
      ],
    },
  }),
  changedList({
    name: 'specifications',
    schema: specifications,
    key: ['id'],
    group: 'quality',
    product: 'quality',
    path: '/quality/v1/part-specifications',
    mandatory: false,
    changed: 'updatedDateTime',
    lookback: 30 * DAY,
    lookbackText: '30 days',
    fullPasses: false,
  }),
  checksheets,
  oeeMetrics,
];
