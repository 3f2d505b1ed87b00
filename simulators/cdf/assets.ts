/** Assets: a forest whose roots never change. */
import type { Stored } from './collection.ts';
import {
  allPairs,
  among,
  dataSetIds,
  equal,
  externalIdPrefix,
  inSubtrees,
  labels,
  linkedWith,
  linkedWithNamed,
  root,
  TIMES,
} from './filters.ts';
import type { Change, Kind } from './kind.ts';
import { optional, required } from './patches.ts';
import type { Context } from './project.ts';
import { checkDataSets, checkLabels, label, MOST_LABELS } from './references.ts';
import { invalid, Refusal } from './refusal.ts';
import { externalId, type Fields, id, listOf, metadata, text } from './shapes.ts';

const METADATA = { valueBytes: 10_240, totalBytes: 10_240 };
const NAME = text(140, 1);

interface Ties {
  readonly parentId?: number;
  readonly rootId: number;
}

/** What becomes of links between assets, before anything is stored. */
class Family {
  readonly #context: Context;
  readonly #ties = new Map<number, Ties | 'open'>();
  readonly #drafts: ReadonlyMap<number, Stored>;
  readonly #named: ReadonlyMap<string, Stored>;

  constructor(context: Context, drafts: readonly Stored[]) {
    this.#context = context;
    this.#drafts = new Map(drafts.map((draft) => [draft.id, draft]));
    this.#named = new Map(
      drafts.flatMap((draft) => (draft.externalId === undefined ? [] : [[draft.externalId, draft]])),
    );
  }

  /** The parent that an object names, here or in the project. */
  parentOf({ parentId, parentExternalId }: Fields): number | undefined {
    if (typeof parentExternalId !== 'string') return parentId as number | undefined;
    return (this.#named.get(parentExternalId) ?? this.#context.project.of('assets').named(parentExternalId))?.id;
  }

  /** Parent and root of an asset. @throws Refusal for a circle. */
  tiesOf(id: number): Ties {
    const known = this.#ties.get(id);
    if (known === 'open') throw invalid('Assets form a cycle through their parents');
    if (known !== undefined) return known;
    const draft = this.#drafts.get(id);
    if (draft === undefined) return { rootId: Number(this.#context.project.of('assets').get(id)?.rootId ?? id) };
    this.#ties.set(id, 'open');
    const parentId = this.parentOf(draft);
    const ties = parentId === undefined ? { rootId: id } : { parentId, rootId: this.tiesOf(parentId).rootId };
    this.#ties.set(id, ties);
    return ties;
  }
}

/** Refuses parents that do not exist, naming one or all of them as the simulator is set. */
function checkParents({ project, settings }: Context, family: Family, objects: readonly Fields[]): void {
  const both = objects.find((each) => each.parentId !== undefined && each.parentExternalId !== undefined);
  if (both) throw invalid('Only one of parentId and parentExternalId can be given');
  const unnamed = objects.filter((each) => each.parentExternalId !== undefined && family.parentOf(each) === undefined);
  const names = [...new Set(unnamed.map((each) => String(each.parentExternalId)))];
  if (names.length > 0) {
    const text = `Reference to unknown parent with externalId ${names[0]}`;
    throw invalid(
      text,
      settings.unknown_parents === 'all' ? { missing: names.map((externalId) => ({ externalId })) } : {},
    );
  }
  const ids = objects.flatMap(({ parentId }) => (typeof parentId === 'number' ? [parentId] : []));
  const unknown = [...new Set(ids.filter((each) => project.of('assets').get(each) === undefined))];
  if (unknown.length === 0) return;
  const told = settings.unknown_parents === 'all' ? unknown : unknown.slice(0, 1);
  throw invalid(`The given parent ids do not exist: ${told.join(', ')}`, {
    missing: told.map((each) => ({ id: each })),
  });
}

function prepare(context: Context, drafts: readonly Stored[]): readonly Stored[] {
  checkDataSets(context, drafts);
  checkLabels(context, drafts);
  const family = new Family(context, drafts);
  checkParents(context, family, drafts);
  return drafts.map(({ parentExternalId: _name, parentId: _id, ...draft }) => {
    return { ...draft, ...family.tiesOf(draft.id) } as Stored;
  });
}

/** Moves an asset inside its tree. @throws Refusal where its root would be another. */
function moved(context: Context, after: Stored, parentId: number): Stored {
  const { project } = context;
  const before = project.of('assets').get(after.id);
  if (before?.parentId === undefined) throw invalid('Changing from/to being root is not allowed');
  if (project.of('assets').get(parentId)?.rootId !== before.rootId) {
    throw invalid('Asset must stay within same asset hierarchy root');
  }
  const { parentExternalId: _name, ...others } = after;
  return { ...others, parentId } as Stored;
}

/** Refuses moves that put an asset below itself. */
function checkCircles({ project }: Context, objects: readonly Stored[]): void {
  const changed = new Map(objects.map((each) => [each.id, each]));
  const parent = (each: number) =>
    (changed.get(each) ?? project.of('assets').get(each))?.parentId as number | undefined;
  for (const { id: start } of objects) {
    const seen = new Set<number>([start]);
    for (let at = parent(start); at !== undefined; at = parent(at)) {
      if (seen.has(at)) throw invalid('Assets form a cycle through their parents');
      seen.add(at);
    }
  }
}

function amend(context: Context, changes: readonly Change[]): readonly Stored[] {
  const wanted = changes.map(({ update, after }) => ({
    ...(update.parentId !== undefined && { parentId: after.parentId }),
    ...(update.parentExternalId !== undefined && { parentExternalId: after.parentExternalId }),
  }));
  const after = changes.map((change) => change.after);
  checkDataSets(context, after);
  checkLabels(context, after);
  const family = new Family(context, []);
  checkParents(context, family, wanted);
  const objects = after.map((each, index) => {
    const parentId = family.parentOf(wanted[index] ?? {});
    return parentId === undefined ? each : moved(context, each, parentId);
  });
  checkCircles(context, objects);
  return objects;
}

/** With `recursive` all that is below; without it a child that stays is a reason to refuse. */
function withDependents({ project }: Context, objects: readonly Stored[], flags: Fields): Iterable<number> {
  const ids = objects.map((each) => each.id);
  const below = project.subtree(ids);
  if (flags.recursive !== true && below.size > ids.length) {
    throw invalid('Asset has children: delete them first or set recursive to true');
  }
  return below;
}

const links = (each: Stored): readonly number[] => [each.id];
const parents = (each: Stored): readonly number[] => (typeof each.parentId === 'number' ? [each.parentId] : []);

export const ASSETS: Kind = {
  name: 'assets',
  acl: 'assetsAcl',
  shape: {
    fields: {
      externalId,
      name: NAME,
      parentId: id,
      parentExternalId: externalId,
      description: text(500),
      dataSetId: id,
      metadata: metadata(METADATA),
      source: text(128),
      labels: listOf(label, MOST_LABELS),
    },
    required: ['name'],
  },
  rules: {
    externalId: optional(externalId),
    name: required(NAME),
    description: optional(text(500)),
    dataSetId: optional(id),
    metadata: { kind: 'metadata', limits: METADATA },
    source: optional(text(128)),
    parentId: required(id),
    parentExternalId: required(externalId),
    labels: { kind: 'list', element: label, most: MOST_LABELS },
  },
  filters: {
    ...TIMES,
    name: equal('name'),
    source: equal('source'),
    parentIds: linkedWith(parents),
    parentExternalIds: linkedWithNamed(parents),
    rootIds: among('rootId', id),
    assetSubtreeIds: inSubtrees(links),
    dataSetIds,
    metadata: allPairs,
    labels,
    root,
    externalIdPrefix,
  },
  most: 1_000,
  createdStatus: 201,
  deletedStatus: 200,
  deleteFlags: ['ignoreUnknownIds', 'recursive'],
  readFlags: ['aggregatedProperties'],
  identities: ['id'],
  twice: (names) => new Refusal(409, `Duplicate external ids: ${names.join(', ')}`),
  existsText: 'Asset id duplicated',
  unknownText: (identity) => (identity === 'id' ? 'Asset ids not found' : 'External ids not found'),
  prepare,
  amend,
  withDependents,
  view: ({ project }, { parentId, ...object }) => {
    const parent = typeof parentId === 'number' ? project.of('assets').get(parentId) : undefined;
    const name = parent?.externalId;
    return {
      ...object,
      ...(parentId !== undefined && { parentId }),
      ...(name !== undefined && { parentExternalId: name }),
    };
  },
};
