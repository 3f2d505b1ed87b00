/** Operations, the routing of each part through them, and the rates of the workcenters that may do it. */
import { isManufactured, manufacturedPart, partName } from './parts.ts';
import type { Plant, Row } from './plant.ts';
import { workcenterCode, workcenterName } from './workcenters.ts';

/** Room for the operations of a part in the index of its part operations. */
const ROOM = 4;
const WORDS = ['BLEND', 'FREEZE', 'COOK', 'FILL', 'PACK', 'LABEL', 'WASH', 'SORT'] as const;

export function operationCode(index: number): string {
  const word = WORDS[index % WORDS.length] ?? WORDS[0];
  return index < WORDS.length ? word : `${word}-${Math.floor(index / WORDS.length) + 1}`;
}

export function operationRow(plant: Plant, index: number): Row {
  const draws = plant.draws('operation', index);
  return {
    id: plant.id('operation', index),
    code: operationCode(index),
    type: draws.optional('Production'),
    inventoryType: draws.optional(draws.pick(['WIP', 'Finished Goods'])),
  };
}

export function* operationRows(plant: Plant): Generator<Row> {
  for (let index = 0; index < plant.sizes.operations; index += 1) yield operationRow(plant, index);
}

/** One step in the routing of a part. */
export interface PartOperation {
  readonly id: string;
  readonly index: number;
  readonly part: number;
  readonly operation: number;
  /** 10, 20, 30 in the order of the routing. */
  readonly number: number;
  readonly code: string;
}

export function partOperationCount(plant: Plant, part: number): number {
  return isManufactured(plant, part) ? 1 + plant.whole(3, 'routing', part) : 0;
}

export function partOperation(plant: Plant, part: number, step: number): PartOperation {
  const index = part * ROOM + step;
  const operation = (plant.whole(plant.sizes.operations, 'first operation', part) + step) % plant.sizes.operations;
  const code = operationCode(operation);
  return { id: plant.id('part operation', index), index, part, operation, number: 10 * (step + 1), code };
}

/** A part that is made here and one of its steps, decided by a purpose and an index. */
export function someOperation(plant: Plant, purpose: string, index: number): PartOperation {
  const part = manufacturedPart(plant, purpose, index);
  return partOperation(plant, part, plant.whole(partOperationCount(plant, part), `${purpose} step`, index));
}

function* partOperations(plant: Plant): Generator<PartOperation> {
  for (let part = 0; part < plant.sizes.parts; part += 1) {
    const steps = partOperationCount(plant, part);
    for (let step = 0; step < steps; step += 1) yield partOperation(plant, part, step);
  }
}

export function* partOperationRows(plant: Plant): Generator<Row> {
  for (const { id, index, part, operation, number } of partOperations(plant)) {
    const draws = plant.draws('part operation', index);
    yield {
      id,
      partId: plant.id('part', part),
      operationId: plant.id('operation', operation),
      type: draws.optional('Production'),
      operationNumber: number,
      active: draws.chance(0.95),
      subOperation: false,
      shippable: number === 10 * partOperationCount(plant, part),
      multiple: draws.optional(1 + draws.whole(4)),
      netWeight: draws.optional(draws.amount(0.1, 12)),
    };
  }
}

/** The workcenter that usually does a step. */
export function usualWorkcenter(plant: Plant, { index }: PartOperation): number {
  return plant.whole(plant.sizes.workcenters, 'usual workcenter', index);
}

/** Pieces per hour that are the standard for a step. */
export function standardRate(plant: Plant, { index }: PartOperation): number {
  return 60 + plant.whole(2_160, 'rate', index) / 4;
}

export function* approvedWorkcenterRows(plant: Plant): Generator<Row> {
  for (const step of partOperations(plant)) {
    const part = partName(plant, step.part);
    const workcenter = usualWorkcenter(plant, step);
    const rate = standardRate(plant, step);
    const draws = plant.draws('approved', step.index);
    yield {
      workcenterId: plant.id('workcenter', workcenter),
      workcenterCode: workcenterCode(workcenter),
      workcenterName: workcenterName(workcenter),
      partId: part.id,
      partNo: part.number,
      partRevision: part.revision,
      partNoRevision: part.numberRevision,
      partOperationId: step.id,
      operationId: plant.id('operation', step.operation),
      operationNo: step.number,
      operationCode: step.code,
      crewSize: draws.optional(1 + draws.whole(5)),
      standardProductionRate: rate,
      idealRate: draws.optional(rate * 1.25),
      targetRate: draws.optional(rate * 0.9),
      setupTime: draws.optional(draws.amount(0, 2)),
      setupCrewSize: draws.optional(1 + draws.whole(3)),
      sequenceRate: null,
      note: draws.optional('Warm up first'),
    };
  }
}
