/** Events: what happened, and to which assets. */
import type { Stored } from './collection.ts';
import {
  activeAtTime,
  allPairs,
  between,
  betweenOrNull,
  dataSetIds,
  equal,
  externalIdPrefix,
  inSubtrees,
  linkedWith,
  linkedWithNamed,
  TIMES,
} from './filters.ts';
import type { Change, Kind } from './kind.ts';
import { optional } from './patches.ts';
import type { Context } from './project.ts';
import { checkAssets, checkDataSets } from './references.ts';
import { invalid, Refusal } from './refusal.ts';
import { externalId, id, listOf, metadata, text, time } from './shapes.ts';

const METADATA = { valueBytes: 128_000, totalBytes: 200_000 };
const MOST_ASSETS = 10_000;

const links = ({ assetIds }: Stored): readonly number[] => (assetIds as readonly number[] | undefined) ?? [];

function checkTimes(objects: readonly Stored[]): void {
  const odd = objects.findIndex(({ startTime, endTime }) => Number(endTime ?? Infinity) < Number(startTime ?? 0));
  if (odd >= 0) throw invalid(`items[${odd}]: endTime must not be before startTime`);
}

function prepare(context: Context, drafts: readonly Stored[]): readonly Stored[] {
  checkTimes(drafts);
  checkDataSets(context, drafts);
  checkAssets(context, drafts.flatMap(links));
  return drafts;
}

function amend(context: Context, changes: readonly Change[]): readonly Stored[] {
  const after = changes.map((change) => change.after);
  checkTimes(after);
  checkDataSets(context, after);
  // An asset may have gone since it was linked; only new links have to lead somewhere.
  const added = changes.flatMap((change) => links(change.after).filter((link) => !links(change.before).includes(link)));
  checkAssets(context, added);
  return after;
}

export const EVENTS: Kind = {
  name: 'events',
  acl: 'eventsAcl',
  shape: {
    fields: {
      externalId,
      dataSetId: id,
      startTime: time,
      endTime: time,
      type: text(64),
      subtype: text(64),
      description: text(500),
      metadata: metadata(METADATA),
      assetIds: listOf(id, MOST_ASSETS, { unique: true }),
      source: text(128),
    },
  },
  rules: {
    externalId: optional(externalId),
    dataSetId: optional(id),
    startTime: optional(time),
    endTime: optional(time),
    type: optional(text(64)),
    subtype: optional(text(64)),
    description: optional(text(500)),
    metadata: { kind: 'metadata', limits: METADATA },
    assetIds: { kind: 'list', element: id, most: MOST_ASSETS },
    source: optional(text(128)),
  },
  filters: {
    ...TIMES,
    startTime: between('startTime'),
    endTime: betweenOrNull('endTime'),
    activeAtTime,
    metadata: allPairs,
    assetIds: linkedWith(links),
    assetExternalIds: linkedWithNamed(links),
    assetSubtreeIds: inSubtrees(links),
    dataSetIds,
    source: equal('source'),
    type: equal('type'),
    subtype: equal('subtype'),
    externalIdPrefix,
  },
  most: 1_000,
  createdStatus: 201,
  deletedStatus: 200,
  deleteFlags: ['ignoreUnknownIds'],
  sorts: ['startTime', 'endTime', 'createdTime', 'lastUpdatedTime'],
  readFlags: [],
  identities: ['id'],
  twice: (names) => new Refusal(409, `Duplicate external ids: ${names.join(', ')}`),
  existsText: 'Event id duplicated',
  unknownText: (identity) => (identity === 'id' ? 'Event ids not found' : 'External ids not found'),
  prepare,
  amend,
  view: (_context, object) => object,
};
