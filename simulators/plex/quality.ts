/** Specifications of parts, and the checksheets that are filled in while they are made. */
import { DAY, dateOf, type Moment } from './dates.ts';
import { serialNumber } from './inventory.ts';
import { jobOperationId } from './jobs.ts';
import { partName } from './parts.ts';
import type { Plant, Row } from './plant.ts';
import { type PartOperation, someOperation, usualWorkcenter } from './routings.ts';
import { Timeline, type Window } from './timeline.ts';

const SUBJECTS = ['Net weight', 'Core temperature', 'Seal strength', 'Brix', 'Farbe "L*"'] as const;

/** What both APIs say of a specification. */
export interface Specification {
  readonly index: number;
  readonly step: PartOperation;
  readonly number: string;
  readonly description: string;
  readonly target: number;
  readonly plus: number;
  readonly minus: number;
  readonly oneSided: boolean;
  readonly unit: string;
}

export function specificationAt(plant: Plant, index: number): Specification {
  const draws = plant.draws('specification', index);
  const target = draws.amount(1, 500);
  return {
    index,
    step: someOperation(plant, 'specification part', index),
    number: `SPEC-${String(index + 1).padStart(5, '0')}`,
    description: draws.pick(SUBJECTS),
    target,
    plus: draws.amount(0.1, 5),
    minus: draws.amount(0.1, 5),
    oneSided: draws.chance(0.1),
    unit: draws.pick(['g', '°C', 'N', '%']),
  };
}

export function* specificationRows(plant: Plant): Generator<Row> {
  for (let index = 0; index < plant.sizes.specifications; index += 1) {
    const { step, number, description, target, plus, minus, oneSided, unit } = specificationAt(plant, index);
    const part = partName(plant, step.part);
    const draws = plant.draws('specification row', index);
    const updated = plant.opened - draws.whole(200) * DAY - draws.whole(DAY);
    yield {
      id: plant.id('specification', index),
      partId: part.id,
      partNumber: part.number,
      partRevision: part.revision,
      specificationNumber: number,
      description,
      formula: null,
      formulaType: null,
      defaultGageType: draws.optional(draws.pick(['Scale', 'Thermometer'])),
      plcName: draws.optional(`PLC${1 + draws.whole(9)}`),
      specialSymbol: null,
      customerSpecified: draws.chance(0.2),
      toleranceType: {
        name: oneSided ? 'One Sided' : 'Bilateral',
        attribute: false,
        target: oneSided ? null : target,
        targetPlus: oneSided ? null : plus,
        targetMinus: oneSided ? null : minus,
        decimalPrecision: 2,
        unit,
        oneSidedMinimum: oneSided ? target : null,
        oneSidedMaximum: null,
        measurementText: null,
        compareValue: null,
      },
      note: draws.optional('Measure at the end of the line'),
      functionRequirementType: null,
      specificationDimensionType: draws.optional('Variable'),
      updatedDateTime: dateOf(plant.seed, 'specification updated', index, updated),
    };
  }
}

function checks(plant: Plant): Timeline {
  return new Timeline(plant.seed, 'checksheets', plant.sizes.checksheetsPerDay);
}

/** What both APIs say of a checksheet. */
export interface Checksheet {
  /** Counted from 1 on the first day of the history. */
  readonly number: number;
  readonly at: Moment;
  readonly step: PartOperation;
  readonly workcenter: number;
  readonly job: number;
  readonly outOfSpecification: boolean;
}

function checksheetAt(plant: Plant, number: number): Checksheet {
  const timeline = checks(plant);
  const from = number - 1;
  const day = plant.firstDay + Math.floor(from / timeline.perDay);
  const place = from % timeline.perDay;
  const seed = day * timeline.perDay + place;
  const step = someOperation(plant, 'checksheet part', seed);
  return {
    number,
    at: timeline.at(day, place),
    step,
    workcenter: usualWorkcenter(plant, step),
    job: plant.whole(plant.sizes.jobs, 'checksheet job', seed),
    outOfSpecification: plant.whole(20, 'checksheet result', seed) === 0,
  };
}

/** The checksheet of a number, if it was filled in by now. */
export function checksheet(plant: Plant, number: number): Checksheet | undefined {
  if (number < 1 || number > Number.MAX_SAFE_INTEGER / 2) return undefined;
  const found = checksheetAt(plant, number);
  return found.at.ms <= plant.now ? found : undefined;
}

/** Checksheets of a window, oldest first. */
export function* checksheetsWithin(plant: Plant, window: Window): Generator<Checksheet> {
  const timeline = checks(plant);
  for (const { day, place } of timeline.within(window)) {
    yield checksheetAt(plant, (day - plant.firstDay) * timeline.perDay + place + 1);
  }
}

export function checksheetCount(plant: Plant, window: Window): number {
  return checks(plant).count(window);
}

/** A checksheet as `/quality/v1/checksheets/{number}` shows it: without measurements. */
export function checksheetRow(plant: Plant, sheet: Checksheet): Row {
  const part = partName(plant, sheet.step.part);
  const draws = plant.draws('checksheet row', sheet.number);
  return {
    checksheetNumber: sheet.number,
    inspectionMode: draws.optional('In Process'),
    operationId: plant.id('operation', sheet.step.operation),
    inspectionDateTime: sheet.at.text,
    partId: part.id,
    partNumber: part.number,
    partRevision: part.revision,
    partOperationId: sheet.step.id,
    workcenterId: plant.id('workcenter', sheet.workcenter),
    jobId: plant.id('job', sheet.job),
    jobOperationId: jobOperationId(plant, sheet.job, 0),
    spcChecksheetContainerText: null,
    spcChecksheetHeatText: null,
    spcChecksheetProductionText: null,
    containerSerialNumbers: draws.chance(0.5) ? [serialNumber(draws.whole(plant.sizes.containers))] : [],
    inspectorEmployeeId: draws.optional(plant.id('employee', draws.whole(40))),
    note: draws.optional('Rechecked'),
    outOfSpecification: sheet.outOfSpecification,
  };
}
