/** The lists and records of the REST API: paths, parameters and the rows behind them. */
import { bomLines } from './boms.ts';
import { JOB_TYPES, jobOperationRows } from './jobs.ts';
import { type Asked, flag, from, integer, type Parameters, text, until, uuid, WINDOW } from './parameters.ts';
import type { Row } from './plant.ts';
import { checksheet, checksheetRow } from './quality.ts';
import type { Records } from './records.ts';
import type { HistoryName, MasterName } from './row-sets.ts';

/** The path's own ids, in the order in which they stand in it. */
type Ids = readonly string[];

interface ListEndpoint {
  readonly kind: 'list';
  readonly parameters: Parameters;
  /** Undefined when the path names something that there is not. */
  readonly rows: (records: Records, asked: Asked, ids: Ids) => Iterable<Row> | undefined;
}

interface RecordEndpoint {
  readonly kind: 'record';
  /** How the id in the path is written. */
  readonly id: 'uuid' | 'text' | 'integer';
  readonly row: (records: Records, id: string) => Row | undefined;
}

export type RestEndpoint = ListEndpoint | RecordEndpoint;

function master(name: MasterName, parameters: Parameters): ListEndpoint {
  return { kind: 'list', parameters, rows: (records) => records.masters(name) };
}

function history(name: HistoryName, parameters: Parameters): ListEndpoint {
  return {
    kind: 'list',
    parameters: { ...WINDOW, ...parameters },
    rows: (records, asked) => {
      const [[begin = ''], [end = '']] = [asked.values('beginDate'), asked.values('endDate')];
      return records.history(name, { begin, end });
    },
  };
}

function record(name: MasterName, id: RecordEndpoint['id'] = 'uuid'): RecordEndpoint {
  return { kind: 'record', id, row: (records, key) => records.find(name, key) };
}

const PRODUCED: Parameters = {
  workcenterId: uuid('workcenterId'),
  jobId: uuid('jobId'),
  partId: uuid('partId'),
  partOperationId: uuid('partOperationId'),
};

const MOVED: Parameters = {
  serialNo: text('serialNo'),
  partId: uuid('partId'),
  partOperationId: uuid('partOperationId'),
  locationId: uuid('locationId'),
};

/** `/boms` is asked per part: the lines of all parts are never made. */
const boms: ListEndpoint = {
  kind: 'list',
  parameters: { partId: { type: 'uuid', required: true }, partOperationId: uuid('partOperationId') },
  rows: (records, asked) => {
    const parts = asked.values('partId').map((id) => records.plant.index('part', id, records.plant.sizes.parts));
    const known = parts.filter((part) => part !== undefined);
    return known.flatMap((part) => [...records.masters('boms', bomLines(records.plant, part))]);
  },
};

const jobOperations: ListEndpoint = {
  kind: 'list',
  parameters: {
    partOperationType: text('partOperationType'),
    jobOperationStatus: text('jobOperationStatus'),
    operationCode: text('operationCode'),
    jobOperationId: uuid('jobOperationId'),
    workcenterId: uuid('workcenterId'),
    beginScheduledStartDate: from('scheduledStartDate'),
    endScheduledStartDate: until('scheduledStartDate'),
  },
  rows: (records, _asked, [id = '']) => {
    const job = records.plant.index('job', id, records.plant.sizes.jobs);
    const gone = job === undefined || records.find('jobs', id) === undefined;
    return gone ? undefined : records.masters('job_operations', jobOperationRows(records.plant, job));
  },
};

const checksheets: RecordEndpoint = {
  kind: 'record',
  id: 'integer',
  row: ({ plant }, number) => {
    const found = checksheet(plant, Number(number));
    return found && checksheetRow(plant, found);
  },
};

/** By path; `{id}` is a segment of its own. */
export const REST_ENDPOINTS: Readonly<Record<string, RestEndpoint>> = {
  '/mdm/v1/parts': master('parts', {
    id: uuid('id'),
    number: text('number'),
    revision: text('revision'),
    type: text('type'),
    status: text('status'),
    source: text('source'),
    productType: text('productType'),
    allergens: text('allergens'),
  }),
  '/mdm/v1/parts/{id}': record('parts'),
  '/mdm/v1/operations': master('operations', {
    id: uuid('id'),
    code: text('code'),
    type: text('type'),
    inventoryType: text('inventoryType'),
  }),
  '/mdm/v1/part-operations': master('part_operations', {
    partId: uuid('partId'),
    operationId: uuid('operationId'),
    active: flag('active'),
    subOperation: flag('subOperation'),
    operationNumber: integer('operationNumber'),
  }),
  '/mdm/v1/buildings': master('buildings', {}),
  '/engineering/v1/boms': boms,
  '/engineering/v1/boms/{id}': record('boms'),
  '/production/v1/production-definitions/workcenters': master('workcenters', {
    workcenterCode: text('workcenterCode'),
    name: text('name'),
    workcenterType: text('workcenterType'),
    workcenterGroup: text('workcenterGroup'),
    buildingId: uuid('buildingId'),
    tankSilo: flag('tankSilo'),
    plcName: text('plcName'),
    ipAddress: text('ipAddress'),
  }),
  '/production/v1/production-definitions/workcenter-statuses': master('workcenter_statuses', {
    description: text('description'),
    active: flag('active'),
    offStatus: flag('offStatus'),
  }),
  '/production/v1/production-definitions/approved-workcenters': master('approved_workcenters', {
    workcenterId: uuid('workcenterId'),
    partId: uuid('partId'),
    partOperationId: uuid('partOperationId'),
    operationId: uuid('operationId'),
  }),
  '/production/v1/production-definitions/locations': master('named_locations', {}),
  '/production/v1/control/workcenters/{id}': record('workcenter_status'),
  '/production/v1/production-history/workcenter-status-entries': history('workcenter_status_entries', {
    workcenterId: uuid('workcenterId'),
    jobId: uuid('jobId'),
    partId: uuid('partId'),
    status: text('workcenterStatus'),
  }),
  '/production/v1/production-history/production-entries': history('production_entries', PRODUCED),
  '/production/v1/production-history/scrap-entries': history('scrap_entries', {
    ...PRODUCED,
    scrapReason: text('scrapReason'),
  }),
  '/scheduling/v1/jobs': master('jobs', {
    partId: uuid('partId'),
    externalJobCode: text('externalJobCode'),
    jobNumber: text('jobNumber'),
    jobStatuses: text('jobStatus'),
    dueDateBegin: from('dueDate'),
    dueDateEnd: until('dueDate'),
    buildingId: uuid('buildingId'),
    completedDateBegin: from('completedDate'),
    completedDateEnd: until('completedDate'),
    beginEarliestStartDateTime: from('earliestStartDateTime'),
    endEarliestStartDateTime: until('earliestStartDateTime'),
    priority: text('priority'),
  }),
  '/scheduling/v1/jobs/{id}': record('jobs'),
  '/scheduling/v1/jobs/{id}/operations': jobOperations,
  '/scheduling/v1/job-definitions/types': { kind: 'list', parameters: {}, rows: () => JOB_TYPES },
  '/inventory/v1/inventory-definitions/locations': master('locations', {
    locationId: uuid('locationId'),
    locationCode: text('locationCode'),
    locationTypeFlag: text('locationType'),
    tankSilo: flag('tankSilo'),
  }),
  '/inventory/v1/inventory-tracking/containers': master('containers', {
    partId: uuid('partId'),
    locationId: uuid('locationId'),
    masterUnitId: uuid('masterUnitId'),
    lotId: uuid('lotId'),
    eun: text('eun'),
    inventoryType: text('inventoryType'),
  }),
  '/inventory/v1/inventory-tracking/containers/{id}': record('containers', 'text'),
  '/inventory/v1/inventory-history/container-location-moves': history('container_movements', {
    ...MOVED,
    movedFromLocationId: uuid('movedFromLocationId'),
    partType: { type: 'text' },
    partGroup: { type: 'text' },
    partSource: { type: 'text' },
  }),
  '/inventory/v1/inventory-history/container-adjustments': history('container_adjustments', {
    ...MOVED,
    adjustmentCode: text('adjustmentCode'),
  }),
  '/quality/v1/part-specifications': master('specifications', {
    partId: uuid('partId'),
    ids: uuid('id'),
    specificationNumber: text('specificationNumber'),
  }),
  '/quality/v1/checksheets/{id}': checksheets,
};
