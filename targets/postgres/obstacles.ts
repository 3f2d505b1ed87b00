/** What keeps a record out of its table, and what is done about it. */
import type { Json } from '../../singer/lossless.ts';
import type { Misfit } from '../../singer/sink.ts';
import { cannotHold } from '../refusals.ts';
import { wouldRound } from '../rounding.ts';
import type { SchemaChange } from '../settings.ts';
import type { Column } from './tables.ts';

/** What is wrong with a record, wherever it stands in its batch. */
type Problem = Omit<Misfit, 'index'>;

/** What stands in the way of a record: a column that would round its number, or something that nobody can help. */
export type Obstacle = { readonly narrow: Column } | { readonly misfit: Problem };

/** A value that its column can hold in no form. */
export function unfit({ property, declared }: Column, value: Exclude<Json, null>): Obstacle {
  return { misfit: { property, problem: cannotHold(property, value, declared) } };
}

/** Text with U+0000, where the settings do not allow to replace it. */
export function nul({ property }: Column): Obstacle {
  return {
    misfit: {
      property,
      problem: `the character U+0000 in "${property}", which PostgreSQL cannot store (null_byte: replace stores U+FFFD for it)`,
    },
  };
}

/**
 * Gets an obstacle out of the way.
 * @param widen makes room in a column that is too narrow.
 * @returns what is wrong with the record; undefined when it can be tried again.
 */
export async function overcome(
  obstacle: Obstacle,
  schemaChange: SchemaChange,
  widen: (column: Column) => Promise<void>,
): Promise<Problem | undefined> {
  if ('misfit' in obstacle) return obstacle.misfit;
  const { narrow } = obstacle;
  if (schemaChange === 'fail') return { property: narrow.property, problem: wouldRound(narrow.property) };
  await widen(narrow);
  return undefined;
}
