/** What was produced and what was scrapped, entry by entry. */
import { DAY, dateOf, type Moment } from './dates.ts';
import { serialNumber } from './inventory.ts';
import { type Job, jobAt } from './jobs.ts';
import { partName } from './parts.ts';
import type { Plant, Row, RowDraws } from './plant.ts';
import { type PartOperation, partOperation, partOperationCount, usualWorkcenter } from './routings.ts';
import { type Occurrence, Timeline, type Window } from './timeline.ts';
import { workcenterCode } from './workcenters.ts';

/** Every invented employee is named so, which makes a name easy to find where none may be. */
export const EMPLOYEE = 'Sample, Operator';

export function employeeName(index: number): string {
  return `${EMPLOYEE} ${String(index + 1).padStart(3, '0')}`;
}

/** Entries 0 and 1 of each day are the same to the byte. */
function entries(plant: Plant): Timeline {
  return new Timeline(plant.seed, 'production', plant.sizes.entriesPerDay, true);
}

function scraps(plant: Plant): Timeline {
  return new Timeline(plant.seed, 'scrap', plant.sizes.scrapPerDay);
}

interface Work {
  readonly job: Job;
  readonly step: PartOperation;
  readonly workcenter: number;
}

function someWork(plant: Plant, draws: RowDraws): Work {
  const job = jobAt(plant, draws.whole(plant.sizes.jobs));
  const step = partOperation(plant, job.part, draws.whole(partOperationCount(plant, job.part)));
  return { job, step, workcenter: usualWorkcenter(plant, step) };
}

function workFields(plant: Plant, { job, step, workcenter }: Work): Record<string, unknown> {
  const part = partName(plant, step.part);
  return {
    workcenterId: plant.id('workcenter', workcenter),
    workcenterCode: workcenterCode(workcenter),
    jobId: job.id,
    jobCode: job.number,
    partId: part.id,
    partNumber: part.number,
    revision: part.revision,
    partNumberRevision: part.numberRevision,
    partOperationId: step.id,
    operationNumber: step.number,
    operationCode: step.code,
  };
}

function productionRow(plant: Plant, index: number, at: Moment): Row {
  const draws = plant.draws('production', index);
  const work = someWork(plant, draws);
  const { jobId, jobCode, ...others } = workFields(plant, work);
  const lot = draws.whole(500);
  const employee = draws.whole(40);
  const named = !draws.chance(0.15);
  const best = draws.optional(dateOf(plant.seed, 'best by', index, at.ms + 365 * DAY));
  return {
    transactionDate: at.text,
    ...others,
    serialNo: draws.optional(serialNumber(draws.whole(plant.sizes.containers))),
    lotNo: `L26${String(lot).padStart(4, '0')}`,
    employeeId: named ? plant.id('employee', employee) : null,
    employeeName: named ? employeeName(employee) : null,
    quantity: draws.amount(0.25, 200),
    jobId,
    jobCode,
    jobNo: jobCode,
    masterUnitNo: null,
    masterUnitId: null,
    lotId: plant.id('lot', lot),
    heatCode: null,
    heatNo: null,
    heatId: null,
    unit: draws.optional('ea'),
    trackingNo: draws.optional(`T${10_000 + draws.whole(9_000)}`),
    shelfDateTime: null,
    manufacturedDateTime: draws.optional(at.text),
    bestByDateTime: best,
    useByDateTime: best,
    sellByDateTime: null,
  };
}

export function* productionRows(plant: Plant, window: Window): Generator<Row> {
  const timeline = entries(plant);
  for (const { day, place, at } of timeline.within(window)) {
    yield productionRow(plant, day * timeline.perDay + (place === 1 ? 0 : place), at);
  }
}

export function productionCount(plant: Plant, window: Window): number {
  return entries(plant).count(window);
}

function scrapRow(plant: Plant, timeline: Timeline, { day, place, at }: Occurrence): Row {
  const draws = plant.draws('scrap', day * timeline.perDay + place);
  const work = someWork(plant, draws);
  return {
    transactionDate: at.text,
    scrapReason: draws.pick(['Underweight', 'Torn', 'Foreign Body', 'Überhitzt']),
    transactionType: draws.pick(['Control Panel Scrap', 'Scrap']),
    quantity: draws.amount(0.05, 12),
    ...workFields(plant, work),
    serialNo: draws.optional(serialNumber(draws.whole(plant.sizes.containers))),
  };
}

export function* scrapRows(plant: Plant, window: Window): Generator<Row> {
  const timeline = scraps(plant);
  for (const occurrence of timeline.within(window)) yield scrapRow(plant, timeline, occurrence);
}

export function scrapCount(plant: Plant, window: Window): number {
  return scraps(plant).count(window);
}
