/** Data sources 5112, the list of specifications, and 6429, one of them in 72 columns. */
import { type Column, columnsOf, type Inputs, partKey } from './data-source.ts';
import { partName } from './parts.ts';
import type { Plant } from './plant.ts';
import { type Specification, specificationAt } from './quality.ts';
import type { Records } from './records.ts';

const FIRST_KEY = 300_001;
/** Plex documents 72 columns; the ones that nobody needs are numbered. */
const COLUMNS = 72;

function recordOf(plant: Plant, specification: Specification): Readonly<Record<string, unknown>> {
  const { index, step, number, description, target, plus, minus, oneSided, unit } = specification;
  const part = partName(plant, step.part);
  return {
    Specification_Key: FIRST_KEY + index,
    Specification_No: number,
    Description: description,
    Part_Key: partKey(step.part),
    Part_No: part.number,
    Revision: part.revision,
    Operation_Code: step.code,
    Operation_No: step.number,
    Unit: unit,
    Active: true,
    Sort_Order: 10 * (index + 1),
    Target: oneSided ? null : target,
    Target_Plus: oneSided ? null : plus,
    Target_Minus: oneSided ? null : minus,
    One_Sided_Minimum: oneSided ? target : null,
    One_Sided_Maximum: null,
  };
}

const TYPES = {
  Specification_Key: 'int32',
  Part_Key: 'int32',
  Operation_No: 'int32',
  Active: 'bool',
  Sort_Order: 'int32',
  Target: 'decimal',
  Target_Plus: 'decimal',
  Target_Minus: 'decimal',
  One_Sided_Minimum: 'decimal',
  One_Sided_Maximum: 'decimal',
} as const;

const PICKED = [
  'Specification_Key',
  'Specification_No',
  'Description',
  'Part_Key',
  'Part_No',
  'Revision',
  'Operation_Code',
  'Operation_No',
  'Unit',
  'Active',
  'Sort_Order',
] as const;

const KNOWN = [...PICKED, 'Target', 'Target_Plus', 'Target_Minus', 'One_Sided_Minimum', 'One_Sided_Maximum'] as const;

const DETAIL: readonly string[] = [
  ...KNOWN,
  ...Array.from({ length: COLUMNS - KNOWN.length }, (_, at) => `Attribute_${at + 1}`),
];

export const specificationPickColumns: readonly Column[] = columnsOf(PICKED, TYPES);
export const specificationColumns: readonly Column[] = columnsOf(DETAIL, TYPES);

export function* specificationPick({ plant }: Records, inputs: Inputs): Generator<readonly unknown[]> {
  for (let index = 0; index < plant.sizes.specifications; index += 1) {
    const record = recordOf(plant, specificationAt(plant, index));
    const wanted = Object.entries(inputs).every(([name, value]) => value === null || record[name] === value);
    if (wanted) yield PICKED.map((name) => record[name] ?? null);
  }
}

export function specificationDetail({ plant }: Records, inputs: Inputs): readonly (readonly unknown[])[] | undefined {
  const index = Number(inputs.Specification_Key) - FIRST_KEY;
  if (index < 0 || index >= plant.sizes.specifications) return undefined;
  const record = recordOf(plant, specificationAt(plant, index));
  return [DETAIL.map((name) => record[name] ?? null)];
}
