/** Buildings, workcenters and the statuses that a workcenter can have. */
import type { Plant, Row } from './plant.ts';

const LINES = [
  ['FRZ', 'Spiral Freezer'],
  ['MIX', 'Blender'],
  ['PCK', 'Packing "Süd"'],
  ['CK', 'Kettle'],
  ['LBL', 'Labeller'],
] as const;

function line(workcenter: number): readonly [string, string] {
  return LINES[workcenter % LINES.length] ?? LINES[0];
}

export function workcenterCode(index: number): string {
  return `${line(index)[0]}-${String(Math.floor(index / LINES.length) + 1).padStart(2, '0')}`;
}

export function workcenterName(index: number): string {
  const number = Math.floor(index / LINES.length);
  return number === 0 ? line(index)[1] : `${line(index)[1]} ${number + 1}`;
}

/** The last workcenter has never been set up: Plex documents 404 for its status. */
export function isSetUp(plant: Plant, index: number): boolean {
  return index !== plant.sizes.workcenters - 1;
}

export function buildingCode(index: number): string {
  return `B${index + 1}`;
}

export function* buildingRows(plant: Plant): Generator<Row> {
  for (let index = 0; index < plant.sizes.buildings; index += 1) {
    const draws = plant.draws('building', index);
    yield {
      id: plant.id('building', index),
      buildingCode: buildingCode(index),
      buildingType: draws.optional('Plant'),
      name: `Plant ${index + 1}`,
      active: true,
      address: draws.optional(`${index + 1} Example Street`),
      city: draws.optional('Exampleton'),
      state: draws.optional('EX'),
      country: draws.optional('US'),
      zipCode: draws.optional('00000'),
    };
  }
}

export function workcenterRow(plant: Plant, index: number): Row {
  const draws = plant.draws('workcenter', index);
  const building = draws.whole(plant.sizes.buildings);
  return {
    workcenterId: plant.id('workcenter', index),
    workcenterCode: workcenterCode(index),
    name: workcenterName(index),
    workcenterType: draws.optional(draws.pick(['Process', 'Packing'])),
    workcenterGroup: draws.optional(line(index)[0]),
    buildingId: plant.id('building', building),
    buildingCode: buildingCode(building),
    tankSilo: draws.chance(0.1),
    productionLineId: draws.optional(plant.id('line', draws.whole(5))),
    ipAddress: draws.optional(`192.0.2.${1 + (index % 254)}`),
    plcName: draws.optional(`PLC${index + 1}`),
  };
}

export function* workcenterRows(plant: Plant): Generator<Row> {
  for (let index = 0; index < plant.sizes.workcenters; index += 1) yield workcenterRow(plant, index);
}

/** A status with the one flag that classifies its time, and how often of 100 it is the present one. */
const STATUSES = [
  ['Production', 'productionStatus', 55],
  ['Setup', 'setupStatus', 10],
  ['Idle', 'idleStatus', 9],
  ['Störung "ungeplant"', 'downtimeStatus', 10],
  ['Cleaning', 'downtimeStatus', 4],
  ['Maintenance', 'maintenanceStatus', 5],
  ['Off', 'offStatus', 7],
] as const;

export type StatusFlag = (typeof STATUSES)[number][1];

/** A status as histories name it. */
export interface Status {
  readonly index: number;
  readonly description: string;
  readonly flag: StatusFlag;
}

function status(index: number): Status {
  const [description, flag] = STATUSES[index] ?? STATUSES[0];
  return { index, description, flag };
}

/** The status that `draw` stands for: more draws stand for those that are common. */
export function statusOf(draw: number): Status {
  let left = draw % 100;
  for (const [index, [, , share]] of STATUSES.entries()) {
    left -= share;
    if (left < 0) return status(index);
  }
  return status(0);
}

export function* workcenterStatusRows(plant: Plant): Generator<Row> {
  for (const index of STATUSES.keys()) {
    const { description, flag } = status(index);
    const is = (name: StatusFlag): boolean => name === flag;
    yield {
      id: plant.id('status', index),
      description,
      canRunProduction: is('productionStatus') || is('setupStatus'),
      productionStatus: is('productionStatus'),
      setupStatus: is('setupStatus'),
      downtimeStatus: is('downtimeStatus'),
      maintenanceStatus: is('maintenanceStatus'),
      idleStatus: is('idleStatus'),
      offStatus: is('offStatus'),
      excessSetup: false,
      noOperatorRequired: is('offStatus') || is('idleStatus'),
      clockoutOperators: is('offStatus'),
      defaultAfterJobChange: is('setupStatus'),
      active: true,
      laborCostSubTypeId: null,
      workcenterGroupWorkcenters: [],
      linkedWorkcenterEvents: [],
    };
  }
}
