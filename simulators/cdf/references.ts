/** References from one object to others: data sets, assets and labels have to exist. */
import type { Stored } from './collection.ts';
import type { Context } from './project.ts';
import { invalid } from './refusal.ts';
import { type Check, externalId, object } from './shapes.ts';

/** A label on an object. */
export const label: Check = object({ fields: { externalId }, required: ['externalId'] });
/** Most labels on an object. */
export const MOST_LABELS = 10;

function unknownIds({ project }: Context, resource: 'assets' | 'datasets', ids: Iterable<unknown>): readonly number[] {
  const collection = project.of(resource);
  return [...new Set(ids)].filter((id): id is number => typeof id === 'number' && collection.get(id) === undefined);
}

/** @throws Refusal that names unknown data sets in its text. */
export function checkDataSets(context: Context, objects: readonly Stored[], text = 'Invalid dataSetIds'): void {
  const unknown = unknownIds(
    context,
    'datasets',
    objects.map(({ dataSetId }) => dataSetId),
  );
  if (unknown.length > 0) throw invalid(`${text}: ${unknown.join(', ')}`);
}

/** @throws Refusal with the unknown assets in `missing`. */
export function checkAssets(context: Context, ids: Iterable<unknown>): void {
  const unknown = unknownIds(context, 'assets', ids);
  if (unknown.length === 0) return;
  throw invalid(`Asset ids not found: ${unknown.join(', ')}`, { missing: unknown.map((id) => ({ id })) });
}

/** @throws Refusal with the unknown labels in `missing`. */
export function checkLabels({ project }: Context, objects: readonly Stored[]): void {
  const names = objects.flatMap(({ labels }) =>
    ((labels ?? []) as readonly { readonly externalId: string }[]).map((each) => each.externalId),
  );
  const missing = [...new Set(names)].filter((name) => project.of('labels').named(name) === undefined);
  if (missing.length === 0) return;
  const text = `Label ids not found: ${missing.join(', ')}`;
  throw invalid(text, { missing: missing.map((name) => ({ externalId: name })) });
}
