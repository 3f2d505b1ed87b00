import { hash } from '../draw.ts';
import { type Dataset, type IdMode, idOf, profileSizes, type TypeMode } from './dataset.ts';
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
}

/** What decides about the data of a server. */
export interface Estate {
  readonly seed: number;
  readonly profile: string;
  readonly idMode: IdMode;
  readonly typeMode: TypeMode;
  /** Undefined where the server knows no customers. */
  readonly customers: readonly string[] | undefined;
}

/** The customers of a server, as they are at first. @throws Error for an unknown profile. */
export function settle(estate: Estate): readonly [Customer, ...Customer[]] {
  const { seed, profile, idMode, typeMode, customers = [] } = estate;
  const customer = (name: string, index: number): Customer => {
    const own = index === 0 ? seed : hash(seed, 'customer', index);
    const sizes = profileSizes(profile);
    const data: Dataset = { seed: own, sizes, idMode, typeMode, customer: index, customerName: name };
    const population = new Population(data);
    return { id: idOf(data, 'customer', 1), name, population, pairs: new Pairs(population) };
  };
  const [first = ONLY_CUSTOMER, ...others] = customers;
  return [customer(first, 0), ...others.map((name, at) => customer(name, at + 1))];
}
