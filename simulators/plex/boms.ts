/** Bills of materials: the lines of each part that is made here. */
import { isManufactured, partName } from './parts.ts';
import type { Plant, Row } from './plant.ts';
import { partOperation } from './routings.ts';

/** Room for the lines of a part in the index of its lines. */
const ROOM = 16;

export function bomLineCount(plant: Plant, part: number): number {
  const most = plant.sizes.bomLines;
  if (part === 0) return most;
  return isManufactured(plant, part) ? plant.whole(most + 1, 'bom', part) : 0;
}

/**
 * A component comes after its part, so that no part is made of itself; where there is none, it is a supply item. The
 * first part begins with a supply item and a part.
 */
function componentOf(plant: Plant, part: number, line: number): number | undefined {
  const after = plant.sizes.parts - part - 1;
  const drawn = plant.whole(10, 'supply', part * ROOM + line) === 0;
  const supply = part === 0 && line < 2 ? line === 0 : drawn;
  if (supply || after === 0) return undefined;
  return part + 1 + plant.whole(Math.min(40, after), 'component', part * ROOM + line);
}

function bomLine(plant: Plant, part: number, line: number): Row {
  const index = part * ROOM + line;
  const parent = partName(plant, part);
  const step = partOperation(plant, part, 0);
  const draws = plant.draws('bom line', index);
  const componentIndex = componentOf(plant, part, line);
  const component = componentIndex === undefined ? undefined : partName(plant, componentIndex);
  const quantity = draws.amount(0.01, 25);
  const supply = plant.whole(50, 'supply item', index);
  return {
    id: plant.id('bom line', index),
    partId: parent.id,
    partNumber: parent.number,
    partRevision: parent.revision,
    partNumberRevision: parent.numberRevision,
    partOperationId: step.id,
    partOperationCode: step.code,
    partOperationNumber: step.number,
    partOperationType: draws.optional('Production'),
    componentPartId: component?.id ?? null,
    componentPartNumber: component?.number ?? null,
    componentPartRevision: component?.revision ?? null,
    componentPartNumberRevision: component?.numberRevision ?? null,
    componentSupplyItemId: component ? null : plant.id('supply item', supply),
    componentSupplyItemNumber: component ? null : `SUP-${100 + supply}`,
    componentUnitOfMeasure: draws.optional(draws.pick(['kg', 'ea', 'l'])),
    quantity,
    minimumQuantity: draws.optional(quantity / 2),
    maximumQuantity: draws.optional(quantity * 2),
    quantityFixed: draws.chance(0.1),
    depletionUnitOfMeasure: draws.optional('kg'),
    depletionConversionFactor: draws.optional(1),
    sortOrder: 10 * (line + 1),
    active: draws.chance(0.95),
    position: draws.optional(`P${line + 1}`),
    side: null,
    scaling: draws.chance(0.5),
    validate: draws.chance(0.5),
    autoDeplete: draws.chance(0.8),
    transferHeat: false,
    note: draws.optional('Weigh twice'),
  };
}

/** The lines of one part, in their order. */
export function* bomLines(plant: Plant, part: number): Generator<Row> {
  const lines = bomLineCount(plant, part);
  for (let line = 0; line < lines; line += 1) yield bomLine(plant, part, line);
}

export function* bomRows(plant: Plant): Generator<Row> {
  for (let part = 0; part < plant.sizes.parts; part += 1) yield* bomLines(plant, part);
}

/** The part and the line that an id names. */
export function bomLineById(plant: Plant, id: string): Row | undefined {
  const index = plant.index('bom line', id, plant.sizes.parts * ROOM);
  if (index === undefined) return undefined;
  const [part, line] = [Math.floor(index / ROOM), index % ROOM];
  return line < bomLineCount(plant, part) ? bomLine(plant, part, line) : undefined;
}

/** Lines of all parts together. */
export function bomCount(plant: Plant): number {
  let count = 0;
  for (let part = 0; part < plant.sizes.parts; part += 1) count += bomLineCount(plant, part);
  return count;
}
