/** Jobs, which run and end as the clock goes, and their operations. */
import { DAY, dateOf, HOUR, secondsText } from './dates.ts';
import { manufacturedPart, partName } from './parts.ts';
import type { Plant, Row } from './plant.ts';
import { partOperation, partOperationCount, standardRate, usualWorkcenter } from './routings.ts';
import { buildingCode, workcenterCode } from './workcenters.ts';

/** Room for the operations of a job in the index of its operations. */
const ROOM = 4;
/** How long before the plant opened the first job began, and over how long the others follow. */
const [FIRST, SPAN] = [30 * DAY, 45 * DAY];

/** Jobs that every plant has, by index. */
const DATELESS = 0;
const UNKNOWN_STATUS = 1;
const CANCELLED = 2;
const LONG_RUNNING = 3;
const ABOUT_TO_END = 4;

/** A text that no list of statuses knows. */
const ODD_STATUS = 'Wartet auf Freigabe „QS“';

/** When a job begins and ends, epoch milliseconds. */
function course(plant: Plant, index: number): { readonly begin: number; readonly end: number } {
  if (index === LONG_RUNNING) return { begin: plant.opened - DAY, end: plant.opened + 5 * DAY };
  if (index === ABOUT_TO_END) return { begin: plant.opened - DAY, end: plant.started + 2 * HOUR };
  // The ordinary jobs come after those that every plant has, and share the whole span.
  const share = Math.max(0, index - ABOUT_TO_END - 1) / (plant.sizes.jobs - ABOUT_TO_END - 1);
  const begin = plant.opened - FIRST + Math.floor(SPAN * share) + plant.whole(DAY, 'job begin', index);
  return { begin, end: begin + 4 * HOUR + plant.whole(68 * HOUR, 'job length', index) };
}

export interface Job {
  readonly id: string;
  readonly number: string;
  readonly part: number;
  readonly quantity: number;
  readonly status: string;
  /** What is done of it, from 0 to 1. */
  readonly done: number;
  readonly begin: number;
  readonly end: number;
}

function fixedStatus(plant: Plant, index: number): string | undefined {
  if (index === UNKNOWN_STATUS) return ODD_STATUS;
  if (index === CANCELLED) return 'Cancelled';
  if (index <= ABOUT_TO_END) return undefined;
  const share = plant.whole(100, 'job status', index);
  if (share < 3) return 'Cancelled';
  return share < 5 ? 'Hold' : undefined;
}

export function jobAt(plant: Plant, index: number): Job {
  const { begin, end } = course(plant, index);
  const done = index === DATELESS ? 0 : Math.min(1, Math.max(0, (plant.now - begin) / (end - begin)));
  const moving = done === 0 ? 'Scheduled' : done < 1 ? 'Running' : 'Completed';
  const fixed = fixedStatus(plant, index);
  return {
    id: plant.id('job', index),
    number: `J${String(index + 1).padStart(6, '0')}`,
    part: manufacturedPart(plant, 'job part', index),
    quantity: 100 + plant.whole(20_000, 'job quantity', index) / 4,
    status: fixed ?? moving,
    done: fixed === undefined ? done : 0,
    begin,
    end,
  };
}

/** Whole quarters of a quantity. */
function part(quantity: number, share: number): number {
  return Math.floor(quantity * share * 4) / 4;
}

export function jobRow(plant: Plant, index: number): Row {
  const { id, number, part: made, quantity, status, done, begin, end } = jobAt(plant, index);
  const { id: partId, number: partNumber, revision, numberRevision } = partName(plant, made);
  const draws = plant.draws('job', index);
  const dated = index !== DATELESS;
  const building = draws.whole(plant.sizes.buildings);
  const hasBuilding = !draws.chance(0.15);
  const created = Math.min(begin - (1 + draws.whole(9)) * DAY, plant.opened - HOUR - draws.whole(20 * HOUR));
  return {
    id,
    externalJobCode: draws.optional(`EXT-${1_000 + index}`),
    jobNumber: number,
    createdDate: dated ? dateOf(plant.seed, 'job created', index, created) : null,
    partId,
    partNumber,
    partRevision: revision,
    partNumberRevision: numberRevision,
    dueDate: dated ? secondsText((Math.floor(end / DAY) + 1 + draws.whole(3)) * DAY) : null,
    completedDate: done === 1 ? dateOf(plant.seed, 'job done', index, end) : null,
    quantity,
    quantityCompleted: part(quantity, done),
    jobStatus: status,
    buildingId: hasBuilding ? plant.id('building', building) : null,
    buildingCode: hasBuilding ? buildingCode(building) : null,
    jobType: draws.optional('Production'),
    earliestStartDateTime: dated ? dateOf(plant.seed, 'job begin', index, begin) : null,
    priority: draws.optional(draws.pick(['Low', 'Medium', 'High', 'Urgent!'])),
  };
}

export function* jobRows(plant: Plant): Generator<Row> {
  for (let index = 0; index < plant.sizes.jobs; index += 1) yield jobRow(plant, index);
}

/** The operations of one job, in the order of the routing. */
export function* jobOperationRows(plant: Plant, index: number): Generator<Row> {
  const job = jobAt(plant, index);
  const { id: partId, number, revision, numberRevision } = partName(plant, job.part);
  const dated = index !== DATELESS;
  const steps = partOperationCount(plant, job.part);
  const length = (job.end - job.begin) / steps;
  for (let step = 0; step < steps; step += 1) {
    const operation = partOperation(plant, job.part, step);
    const own = index * ROOM + step;
    const draws = plant.draws('job operation', own);
    const workcenter = usualWorkcenter(plant, operation);
    const done = Math.min(1, Math.max(0, job.done * steps - step));
    const rate = standardRate(plant, operation);
    yield {
      jobId: job.id,
      jobNumber: job.number,
      partId,
      partNumber: number,
      partRevision: revision,
      partNumberRevision: numberRevision,
      jobOperationId: plant.id('job operation', own),
      jobOperationNumber: operation.number,
      operationCode: operation.code,
      workcenterId: plant.id('workcenter', workcenter),
      workcenterCode: workcenterCode(workcenter),
      quantity: job.quantity,
      quantityCompleted: part(job.quantity, done),
      dueDate: dated ? secondsText((Math.floor(job.end / DAY) + 1) * DAY) : null,
      scheduledStartDate: dated
        ? dateOf(plant.seed, 'operation begin', own, Math.floor(job.begin + step * length))
        : null,
      completedDate:
        done === 1 ? dateOf(plant.seed, 'operation done', own, Math.floor(job.begin + (step + 1) * length)) : null,
      jobOperationStatus: job.status,
      setupTime: draws.optional(draws.amount(0, 2)),
      rate,
      unitOfMeasure: draws.optional('pieces per hour'),
      runTime: Math.round((job.quantity / rate) * 100) / 100,
      batchCriteria: null,
      partOperationType: draws.optional('Production'),
      batchOperation: draws.chance(0.1),
      preProcessOperation: false,
    };
  }
}

export function* allJobOperationRows(plant: Plant): Generator<Row> {
  for (let index = 0; index < plant.sizes.jobs; index += 1) yield* jobOperationRows(plant, index);
}

/** Names of job types, as `/scheduling/v1/job-definitions/types` lists them. */
export const JOB_TYPES: readonly Row[] = [
  { type: 'Production', default: true, reworkType: false, scrapType: false },
  { type: 'Rework', default: false, reworkType: true, scrapType: false },
];

/** The id of the job operation of a step, for rows that refer to it. */
export function jobOperationId(plant: Plant, job: number, step: number): string {
  return plant.id('job operation', job * ROOM + step);
}
