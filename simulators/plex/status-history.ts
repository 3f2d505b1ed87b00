/** Which status each workcenter had and has: the history, and the present as its last entry. */
import { DAY, type Moment, sortable } from './dates.ts';
import { jobAt, jobOperationId } from './jobs.ts';
import { partName } from './parts.ts';
import type { Plant, Row } from './plant.ts';
import { employeeName } from './production.ts';
import { partOperation, partOperationCount } from './routings.ts';
import { Timeline, type Window } from './timeline.ts';
import { isSetUp, type Status, statusOf, workcenterRow } from './workcenters.ts';

function changes(plant: Plant, workcenter: number): Timeline {
  return new Timeline(plant.seed, `status of ${workcenter}`, plant.sizes.statusesPerDay);
}

/** A stay of a workcenter in a status. */
interface Stay {
  readonly workcenter: number;
  /** Number of the change that began it: changes per day times days since 1970, plus its place in the day. */
  readonly change: number;
  readonly begin: Moment;
}

function stayAt(timeline: Timeline, workcenter: number, change: number): Stay {
  const { perDay } = timeline;
  return { workcenter, change, begin: timeline.at(Math.floor(change / perDay), change % perDay) };
}

function seedOf({ workcenter, change }: Stay): number {
  // Far more than any plant has workcenters, so that no two stays share a number.
  return change * 1_000 + workcenter;
}

function statusDuring(plant: Plant, stay: Stay): Status {
  return statusOf(plant.whole(10_000, 'status', seedOf(stay)));
}

/** The job that runs during a stay, and which of its steps. */
function workDuring(plant: Plant, stay: Stay): { readonly job: number; readonly step: number } | undefined {
  const { flag } = statusDuring(plant, stay);
  if (flag === 'offStatus' || flag === 'idleStatus') return undefined;
  const job = plant.whole(plant.sizes.jobs, 'status job', seedOf(stay));
  const steps = partOperationCount(plant, jobAt(plant, job).part);
  return { job, step: plant.whole(steps, 'status step', seedOf(stay)) };
}

/** Whole seconds until the next change, or until now while there is none. */
function seconds(plant: Plant, timeline: Timeline, stay: Stay): number {
  const next = stayAt(timeline, stay.workcenter, stay.change + 1).begin.ms;
  return Math.floor((Math.min(next, plant.now) - stay.begin.ms) / 1_000);
}

function entryRow(plant: Plant, stay: Stay): Row {
  const { workcenterId, workcenterCode } = workcenterRow(plant, stay.workcenter);
  const work = workDuring(plant, stay);
  const job = work && jobAt(plant, work.job);
  const part = job && partName(plant, job.part);
  const step = job && work && partOperation(plant, job.part, work.step);
  return {
    workcenterId,
    workcenterCode,
    logDate: stay.begin.text,
    workcenterStatus: statusDuring(plant, stay).description,
    jobId: job?.id ?? null,
    jobCode: job?.number ?? null,
    partId: part?.id ?? null,
    partNumber: part?.number ?? null,
    revision: part?.revision ?? null,
    partNumberRevision: part?.numberRevision ?? null,
    partOperationId: step?.id ?? null,
    operationNumber: step?.number ?? null,
    operationCode: step?.code ?? null,
    duration: seconds(plant, changes(plant, stay.workcenter), stay),
  };
}

/** Stays that began within a window, by the time at which they began. */
function staysWithin(plant: Plant, window: Window): readonly Stay[] {
  const stays: Stay[] = [];
  for (let workcenter = 0; workcenter < plant.sizes.workcenters; workcenter += 1) {
    if (!isSetUp(plant, workcenter)) continue;
    const timeline = changes(plant, workcenter);
    for (const { day, place, at } of timeline.within(window)) {
      stays.push({ workcenter, change: day * timeline.perDay + place, begin: at });
    }
  }
  const dated = stays.map((stay) => ({ stay, date: sortable(stay.begin.text) }));
  dated.sort((a, b) => (a.date < b.date ? -1 : a.date > b.date ? 1 : a.stay.workcenter - b.stay.workcenter));
  return dated.map(({ stay }) => stay);
}

export function* statusEntryRows(plant: Plant, window: Window): Generator<Row> {
  for (const stay of staysWithin(plant, window)) yield entryRow(plant, stay);
}

export function statusEntryCount(plant: Plant, window: Window): number {
  let count = 0;
  for (let workcenter = 0; workcenter < plant.sizes.workcenters; workcenter += 1) {
    if (isSetUp(plant, workcenter)) count += changes(plant, workcenter).count(window);
  }
  return count;
}

function presentStay(plant: Plant, workcenter: number): Stay {
  const timeline = changes(plant, workcenter);
  // The newest slot that may have begun; its own change may still lie ahead.
  const change = Math.floor((plant.now / DAY) * timeline.perDay);
  const stay = stayAt(timeline, workcenter, change);
  return stay.begin.ms <= plant.now ? stay : stayAt(timeline, workcenter, change - 1);
}

/** What a workcenter does now; undefined when it was never set up. */
export function currentStatusRow(plant: Plant, workcenter: number): Row | undefined {
  if (!isSetUp(plant, workcenter)) return undefined;
  const { workcenterId: id, workcenterCode: code, name, workcenterType: type } = workcenterRow(plant, workcenter);
  const stay = presentStay(plant, workcenter);
  const status = statusDuring(plant, stay);
  const work = workDuring(plant, stay);
  const job = work && jobAt(plant, work.job);
  const step = job && work && partOperation(plant, job.part, work.step);
  const draws = plant.draws('present', seedOf(stay));
  const employee = draws.whole(40);
  return {
    id,
    code,
    name,
    type,
    statusId: plant.id('status', status.index),
    statusDescription: status.description,
    jobId: job?.id ?? null,
    jobNumber: job?.number ?? null,
    jobOperationId: work ? jobOperationId(plant, work.job, work.step) : null,
    operationNumber: step?.number ?? null,
    operationCode: step?.code ?? null,
    jobOperationQuantity: job?.quantity ?? null,
    lotId: draws.optional(plant.id('lot', draws.whole(500))),
    productionLineId: draws.optional(plant.id('line', draws.whole(5))),
    batches: draws.chance(0.2)
      ? [{ id: plant.id('batch', seedOf(stay)), number: 1, batchStatus: 'Open', size: draws.amount(10, 500) }]
      : [],
    operators: job
      ? [{ accountID: plant.id('employee', employee), employeeName: employeeName(employee), costSubTypeId: null }]
      : [],
  };
}

/** What all workcenters do now, without those that were never set up. */
export function* currentStatusRows(plant: Plant): Generator<Row> {
  for (let workcenter = 0; workcenter < plant.sizes.workcenters; workcenter += 1) {
    const row = currentStatusRow(plant, workcenter);
    if (row) yield row;
  }
}
