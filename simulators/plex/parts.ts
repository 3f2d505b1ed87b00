/** Parts: what the plant makes and buys. */
import { DAY, dateOf } from './dates.ts';
import type { Plant, Row } from './plant.ts';

const FOODS = ['Frozen Berry Mix', 'Green Peas', 'Tomato Soup', 'Oat Biscuit', 'Rice Pudding', 'Apple Purée'] as const;
const SUPPLIES = ['Carton', 'Pouch', 'Lid', 'Sugar Syrup', 'Starch', 'Label'] as const;
const SIZES = ['250 g', '500 g', '1 kg', '10 kg'] as const;
const LONG_NAME = `Ready Meal ${'with Potatoes, Carrots and Peas '.repeat(10)}`.slice(0, 300);

/** Names that a careless reader trips over, by index. */
const SPECIAL_NAMES: Readonly<Record<number, string>> = {
  2: 'Crème brûlée – Größe № 3 苺',
  3: 'Baker\'s "Best" Crust 12\\" \'raw\'',
  4: LONG_NAME,
};

/** Whether a part is made here; only such a part has operations, a bill of materials and jobs. */
export function isManufactured(plant: Plant, index: number): boolean {
  return index < 5 || plant.whole(10, 'source', index) < 6;
}

/** A part that is made here, decided by a purpose and an index. */
export function manufacturedPart(plant: Plant, purpose: string, index: number): number {
  let part = plant.whole(plant.sizes.parts, purpose, index);
  while (!isManufactured(plant, part)) part = (part + 1) % plant.sizes.parts;
  return part;
}

/** What other rows repeat of a part. */
export interface PartName {
  readonly id: string;
  readonly number: string;
  readonly revision: string;
  readonly name: string;
  /** Number and revision in one, as Plex shows them. */
  readonly numberRevision: string;
}

export function partName(plant: Plant, index: number): PartName {
  // The second of each ten is a later revision of the first: same number, id of its own.
  const later = index % 10 === 1;
  const number = `DP-${1_001 + (later ? index - 1 : index)}`;
  const revision = later ? 'B' : 'A';
  const draws = plant.draws('part name', later ? index - 1 : index);
  const name =
    SPECIAL_NAMES[index] ?? `${draws.pick(isManufactured(plant, index) ? FOODS : SUPPLIES)} ${draws.pick(SIZES)}`;
  return { id: plant.id('part', index), number, revision, name, numberRevision: `${number}-${revision}` };
}

export function partRow(plant: Plant, index: number): Row {
  const { id, number, revision, name } = partName(plant, index);
  const draws = plant.draws('part', index);
  const made = isManufactured(plant, index);
  const changed = plant.opened - draws.whole(400) * DAY - draws.whole(DAY);
  const created = changed - (1 + draws.whole(300)) * DAY;
  return {
    id,
    number,
    name,
    revision,
    description: draws.optional(`${name}, specification ${draws.whole(900) + 100}`),
    type: made ? 'Finished Good' : 'Raw Material',
    group: draws.optional(draws.pick(['Frozen', 'Canned', 'Bakery'])),
    source: made ? 'Manufactured' : 'Purchased',
    productType: draws.optional('Food'),
    status: draws.pick(['Production', 'Production', 'Active', 'Prototype', 'Obsolete']),
    note: draws.optional(draws.chance(0.5) ? 'Check the seal' : ''),
    leadTimeDays: draws.optional(draws.whole(40) / 4),
    buildingCode: draws.optional(`B${1 + draws.whole(plant.sizes.buildings)}`),
    createdById: draws.optional(plant.id('user', draws.whole(20))),
    createdDate: dateOf(plant.seed, 'part created', index, created),
    modifiedById: draws.optional(plant.id('user', draws.whole(20))),
    modifiedDate: dateOf(plant.seed, 'part modified', index, changed),
    allergens: draws.chance(0.3) ? [draws.pick(['Gluten', 'Milk', 'Soy'])] : [],
  };
}

export function* partRows(plant: Plant): Generator<Row> {
  for (let index = 0; index < plant.sizes.parts; index += 1) yield partRow(plant, index);
}
