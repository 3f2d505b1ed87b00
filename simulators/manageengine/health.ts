import { shuffled } from '../draw.ts';
import type { Dataset } from './dataset.ts';

/** Health codes that ManageEngine documents: 0 unknown, 1 healthy, 2 vulnerable, 3 highly vulnerable. */
export type Health = 0 | 1 | 2 | 3;

/** 3 % unknown, 7 % vulnerable, 38.7 % highly vulnerable, 51.3 % healthy, by place in a shuffle. */
export function healthOf(data: Dataset, system: number): Health {
  const share = shuffled(data.seed, 'health', system, data.sizes.systems) / data.sizes.systems;
  if (share < 0.03) return 0;
  if (share < 0.1) return 2;
  return share < 0.487 ? 3 : 1;
}
