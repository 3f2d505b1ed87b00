/** The sets of rows of a plant: how each is made, counted and named. */
import { bomCount, bomLineById, bomRows } from './boms.ts';
import {
  adjustmentCount,
  adjustmentRows,
  containerBySerial,
  containerRow,
  containerRows,
  isActive,
  locationRows,
  movementCount,
  movementRows,
  namedLocationRows,
} from './inventory.ts';
import { allJobOperationRows, jobRow, jobRows } from './jobs.ts';
import { partRow, partRows } from './parts.ts';
import type { Plant, Row } from './plant.ts';
import { productionCount, productionRows, scrapCount, scrapRows } from './production.ts';
import { specificationRows } from './quality.ts';
import { approvedWorkcenterRows, operationRows, partOperationRows } from './routings.ts';
import { currentStatusRow, currentStatusRows, statusEntryCount, statusEntryRows } from './status-history.ts';
import type { KeyRule } from './synthetic-keys.ts';
import type { Window } from './timeline.ts';
import { buildingRows, workcenterRows, workcenterStatusRows } from './workcenters.ts';

/** Rows that have an id of their own. */
export interface Master {
  readonly key: string;
  /** The date that Plex moves on when somebody changes a row. */
  readonly changed?: string;
  readonly rows: (plant: Plant) => Iterable<Row>;
  /** Without it the rows are counted one by one. */
  readonly count?: (plant: Plant) => number;
  /** Without it a row is looked for among all. */
  readonly find?: (plant: Plant, key: string) => Row | undefined;
}

/** Rows that happened at a time, without an id. */
export interface History {
  readonly key: KeyRule;
  readonly rows: (plant: Plant, window: Window) => Iterable<Row>;
  readonly count: (plant: Plant, window: Window) => number;
}

export const MASTERS = {
  buildings: { key: 'id', rows: buildingRows },
  parts: {
    key: 'id',
    changed: 'modifiedDate',
    rows: partRows,
    count: ({ sizes }) => sizes.parts,
    find: (plant, id) => {
      const index = plant.index('part', id, plant.sizes.parts);
      return index === undefined ? undefined : partRow(plant, index);
    },
  },
  operations: { key: 'id', rows: operationRows },
  part_operations: { key: 'id', rows: partOperationRows },
  approved_workcenters: { key: 'partOperationId', rows: approvedWorkcenterRows },
  boms: { key: 'id', rows: bomRows, count: bomCount, find: bomLineById },
  workcenters: { key: 'workcenterId', rows: workcenterRows },
  workcenter_statuses: { key: 'id', rows: workcenterStatusRows },
  workcenter_status: {
    key: 'id',
    rows: currentStatusRows,
    find: (plant, id) => {
      const workcenter = plant.index('workcenter', id, plant.sizes.workcenters);
      return workcenter === undefined ? undefined : currentStatusRow(plant, workcenter);
    },
  },
  jobs: {
    key: 'id',
    rows: jobRows,
    count: ({ sizes }) => sizes.jobs,
    find: (plant, id) => {
      const index = plant.index('job', id, plant.sizes.jobs);
      return index === undefined ? undefined : jobRow(plant, index);
    },
  },
  job_operations: { key: 'jobOperationId', rows: allJobOperationRows },
  locations: { key: 'locationId', rows: locationRows },
  named_locations: { key: 'id', rows: namedLocationRows },
  containers: {
    key: 'serialNo',
    changed: 'updateDateTime',
    rows: containerRows,
    find: (plant, serialNo) => {
      const container = containerBySerial(plant, serialNo);
      return container !== undefined && isActive(plant, container) ? containerRow(plant, container) : undefined;
    },
  },
  specifications: { key: 'id', changed: 'updatedDateTime', rows: specificationRows },
} as const satisfies Readonly<Record<string, Master>>;

export const HISTORIES = {
  workcenter_status_entries: {
    key: { date: 'logDate', fields: ['workcenterId', 'logDate', 'workcenterStatus'] },
    rows: statusEntryRows,
    count: statusEntryCount,
  },
  production_entries: {
    key: {
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
    rows: productionRows,
    count: productionCount,
  },
  scrap_entries: {
    key: {
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
    rows: scrapRows,
    count: scrapCount,
  },
  container_movements: {
    key: {
      date: 'adjustmentDate',
      fields: ['adjustmentDate', 'serialNo', 'movedFromLocationId', 'locationId', 'adjustmentCode', 'quantity'],
    },
    rows: movementRows,
    count: movementCount,
  },
  container_adjustments: {
    key: { date: 'adjustmentDate', fields: ['adjustmentDate', 'serialNo', 'locationId', 'adjustmentCode', 'quantity'] },
    rows: adjustmentRows,
    count: adjustmentCount,
  },
} as const satisfies Readonly<Record<string, History>>;

export type MasterName = keyof typeof MASTERS;
export type HistoryName = keyof typeof HISTORIES;

export function masterOf(name: MasterName): Master {
  return MASTERS[name];
}

export function historyOf(name: HistoryName): History {
  return HISTORIES[name];
}

export function isMaster(name: string): name is MasterName {
  return Object.hasOwn(MASTERS, name);
}

export function isHistory(name: string): name is HistoryName {
  return Object.hasOwn(HISTORIES, name);
}
