/** Locations, containers, and how containers move between locations as the clock goes. */
import { DAY, dateOf, HOUR, type Moment } from './dates.ts';
import { partName } from './parts.ts';
import type { Plant, Row } from './plant.ts';
import { type PartOperation, someOperation } from './routings.ts';
import { Timeline, type Window } from './timeline.ts';
import { buildingCode } from './workcenters.ts';

const PLACES = ['STAGE', 'DOCK', 'COLD', 'RACK', 'QC'] as const;
const STATUSES = ['OK', 'OK', 'OK', 'Hold', 'Quarantine', 'Shipped', 'Scrap', 'Empty'] as const;
const TYPES = ['WIP', 'Finished Goods', 'Raw Material'] as const;

function locationCode(index: number): string {
  return `${PLACES[index % PLACES.length] ?? PLACES[0]}-${String(index + 1).padStart(3, '0')}`;
}

export function* locationRows(plant: Plant): Generator<Row> {
  for (let index = 0; index < plant.sizes.locations; index += 1) {
    const draws = plant.draws('location', index);
    const building = draws.whole(plant.sizes.buildings);
    const supply = draws.chance(0.2);
    yield {
      locationId: plant.id('location', index),
      locationCode: locationCode(index),
      buildingName: draws.optional(`Plant ${building + 1}`),
      buildingCode: draws.optional(buildingCode(building)),
      locationType: draws.optional(draws.pick(['Rack', 'Floor', 'Dock'])),
      inventoryLocation: !supply,
      supplyLocation: supply,
      tankSilo: draws.chance(0.05),
    };
  }
}

/** The rows of the second list of locations, which has their names. */
export function* namedLocationRows(plant: Plant): Generator<Row> {
  for (let index = 0; index < plant.sizes.locations; index += 1) {
    const draws = plant.draws('location name', index);
    const building = draws.whole(plant.sizes.buildings);
    yield {
      id: plant.id('location', index),
      locationName: `Location ${locationCode(index)}`,
      locationType: draws.optional('Rack'),
      buildingCode: buildingCode(building),
      buildingId: plant.id('building', building),
    };
  }
}

export function serialNumber(container: number): string {
  return `S${String(900_001 + container).padStart(9, '0')}`;
}

/** What a container holds. */
interface Contents {
  readonly serialNo: string;
  readonly step: PartOperation;
  readonly quantity: number;
}

function contentsOf(plant: Plant, container: number): Contents {
  return {
    serialNo: serialNumber(container),
    step: someOperation(plant, 'container part', container),
    quantity: 1 + plant.whole(4_000, 'container quantity', container) / 8,
  };
}

/** The container that leaves the active list half an hour after the simulator began. Nobody moves it. */
function leaver(plant: Plant): number {
  return plant.sizes.containers - 1;
}

const LEAVES_AFTER = HOUR / 2;
/** The container that Plex knows no part of. */
const PARTLESS = 1;

export function isActive(plant: Plant, container: number): boolean {
  return container !== leaver(plant) || plant.now < plant.started + LEAVES_AFTER;
}

/**
 * Containers are moved in turn, so the last move of each is found by arithmetic. A move is named by its number:
 * moves per day times days since 1970, plus its place in the day.
 */
function moves(plant: Plant): Timeline {
  return new Timeline(plant.seed, 'moves', plant.sizes.movesPerDay);
}

function locationAfter(plant: Plant, move: number): number {
  return plant.whole(plant.sizes.locations, 'moved to', move);
}

/** The last move of a container by now. */
function lastMove(plant: Plant, container: number): { readonly move: number; readonly at: Moment } {
  const timeline = moves(plant);
  const movers = leaver(plant);
  const { perDay } = timeline;
  // The newest slot that may have begun; its own event may still lie ahead.
  let move = Math.floor((plant.now / DAY) * perDay);
  move -= (((move - container) % movers) + movers) % movers;
  let at = timeline.at(Math.floor(move / perDay), move % perDay);
  if (at.ms > plant.now) {
    move -= movers;
    at = timeline.at(Math.floor(move / perDay), move % perDay);
  }
  return { move, at };
}

function whereabouts(plant: Plant, container: number): { readonly location: number; readonly updated: string } {
  if (container === leaver(plant)) {
    return {
      location: locationAfter(plant, container),
      updated: dateOf(plant.seed, 'container updated', container, plant.opened - 2 * DAY),
    };
  }
  const { move, at } = lastMove(plant, container);
  return { location: locationAfter(plant, move), updated: at.text };
}

export function containerRow(plant: Plant, container: number): Row {
  const { serialNo, step, quantity } = contentsOf(plant, container);
  const part = partName(plant, step.part);
  const known = container !== PARTLESS;
  const { location, updated } = whereabouts(plant, container);
  const draws = plant.draws('container', container);
  const net = Math.round(quantity * 50) / 100;
  const lot = plant.whole(500, 'lot', container);
  const added = plant.opened - (20 + draws.whole(60)) * DAY + draws.whole(DAY);
  return {
    serialNo,
    partId: known ? part.id : null,
    partNo: known ? part.number : null,
    revision: known ? part.revision : null,
    partNoRevision: known ? part.numberRevision : null,
    partName: known ? part.name : null,
    partOperationId: known ? step.id : null,
    operationNo: known ? step.number : null,
    operationCode: known ? step.code : null,
    containerStatus: draws.optional(draws.pick(STATUSES)),
    locationId: plant.id('location', location),
    location: locationCode(location),
    quantity,
    quantityInventoryUnit: draws.optional('ea'),
    grossWeight: draws.optional(net + 2.4),
    netWeight: net,
    tareWeight: draws.optional(2.4),
    containerType: draws.optional(draws.pick(['Bin', 'Pallet', 'Drum'])),
    trackingNo: draws.optional(`T${10_000 + container}`),
    addDateTime: dateOf(plant.seed, 'container added', container, added),
    updateDateTime: updated,
    containerShelfDateTime: draws.optional(dateOf(plant.seed, 'shelf', container, added + 365 * DAY)),
    masterUnitId: null,
    masterUnitNo: null,
    lotId: plant.id('lot', lot),
    lotNo: `L26${String(lot).padStart(4, '0')}`,
    heatId: null,
    heatCode: null,
    heatNo: null,
    eun: draws.optional(`E${container}`),
    inventoryType: draws.optional(draws.pick(TYPES)),
  };
}

/** Active containers. */
export function* containerRows(plant: Plant): Generator<Row> {
  for (let container = 0; container < plant.sizes.containers; container += 1) {
    if (isActive(plant, container)) yield containerRow(plant, container);
  }
}

/** The container of a serial number, active or not. */
export function containerBySerial(plant: Plant, serialNo: string): number | undefined {
  const container = Number(serialNo.slice(1)) - 900_001;
  return container < plant.sizes.containers && serialNumber(container) === serialNo ? container : undefined;
}

function changeRow(plant: Plant, container: number, at: Moment, delta: number): Record<string, unknown> {
  const { serialNo, step } = contentsOf(plant, container);
  const part = partName(plant, step.part);
  return {
    adjustmentDate: at.text,
    serialNo,
    quantity: delta,
    netWeight: Math.round(delta * 50) / 100,
    adjustmentCode: null,
    partId: part.id,
    partNumber: part.number,
    revision: part.revision,
    partNumberRevision: part.numberRevision,
    partOperationId: step.id,
    operationCode: step.code,
    operationNumber: step.number,
  };
}

/** Moves between locations; quantities are deltas, and some are negative. */
export function* movementRows(plant: Plant, window: Window): Generator<Row> {
  const timeline = moves(plant);
  const movers = leaver(plant);
  for (const { day, place, at } of timeline.within(window)) {
    const move = day * timeline.perDay + place;
    const draws = plant.draws('move', move);
    const [from, to] = [locationAfter(plant, move - movers), locationAfter(plant, move)];
    yield {
      ...changeRow(plant, move % movers, at, draws.amount(-20, 60)),
      adjustmentCode: draws.optional(draws.pick(['Move', 'Stage', 'Return'])),
      location: locationCode(to),
      locationId: plant.id('location', to),
      movedFromLocation: locationCode(from),
      movedFromLocationId: plant.id('location', from),
    };
  }
}

export function movementCount(plant: Plant, window: Window): number {
  return moves(plant).count(window);
}

function adjustments(plant: Plant): Timeline {
  return new Timeline(plant.seed, 'adjustments', plant.sizes.adjustmentsPerDay);
}

/** Quantities corrected by hand. */
export function* adjustmentRows(plant: Plant, window: Window): Generator<Row> {
  const timeline = adjustments(plant);
  for (const { day, place, at } of timeline.within(window)) {
    const index = day * timeline.perDay + place;
    const draws = plant.draws('adjustment', index);
    const location = draws.whole(plant.sizes.locations);
    yield {
      ...changeRow(plant, draws.whole(plant.sizes.containers), at, draws.amount(-20, 20)),
      adjustmentCode: draws.pick(['Cycle Count', 'Correction']),
      location: locationCode(location),
      locationId: plant.id('location', location),
    };
  }
}

export function adjustmentCount(plant: Plant, window: Window): number {
  return adjustments(plant).count(window);
}
