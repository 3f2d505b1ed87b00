import { hash } from '../draw.ts';
import {
  type Dataset,
  type IdMode,
  idOf,
  profileSizes,
  type RowMode,
  type ThreatIds,
  type TypeMode,
} from './dataset.ts';
import { Exposure } from './exposure.ts';
import { Pairs } from './pairs.ts';
import { Population } from './population.ts';

/** The customers of an MSP server unless it is told others. */
export const CUSTOMER_NAMES: readonly string[] = ['Customer Alpha', 'Customer Beta & Söhne', 'Customer Gamma'];

/** The one customer of every other server. */
const ONLY_CUSTOMER = 'Example Customer';

/** One customer of a server: own systems, patches and ids. */
export interface Customer {
  readonly id: string;
  readonly name: string;
  readonly population: Population;
  readonly pairs: Pairs;
  readonly exposure: Exposure;
}

/** What decides about the data of a server. */
export interface Estate {
  readonly seed: number;
  readonly profile: string;
  readonly idMode: IdMode;
  readonly typeMode: TypeMode;
  readonly rowMode: RowMode;
  readonly threatIds: ThreatIds;
  readonly heavyPage: number;
  /** Undefined where the server knows no customers. */
  readonly customers: readonly string[] | undefined;
}

/** The customers of a server, as they are at first; `now` is its clock. @throws Error for an unknown profile. */
export function settle(estate: Estate, now: () => number): readonly [Customer, ...Customer[]] {
  const { seed, profile, rowMode, customers = [], ...modes } = estate;
  const sizes = profileSizes(profile, rowMode);
  const customer = (name: string, index: number): Customer => {
    const own = index === 0 ? seed : hash(seed, 'customer', index);
    const data: Dataset = { ...modes, seed: own, sizes, customer: index, customerName: name };
    const population = new Population(data);
    const pairs = new Pairs(population);
    return { id: idOf(data, 'customer', 1), name, population, pairs, exposure: new Exposure(population, pairs, now) };
  };
  const [first = ONLY_CUSTOMER, ...others] = customers;
  return [customer(first, 0), ...others.map((name, at) => customer(name, at + 1))];
}
