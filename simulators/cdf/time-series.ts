/** Time series: the definitions that datapoints belong to. */
import type { Stored } from './collection.ts';
import {
  allPairs,
  dataSetIds,
  equal,
  externalIdPrefix,
  inSubtrees,
  linkedWith,
  linkedWithNamed,
  TIMES,
} from './filters.ts';
import type { Change, Kind } from './kind.ts';
import { optional, required } from './patches.ts';
import type { Context } from './project.ts';
import { checkAssets, checkDataSets } from './references.ts';
import { Refusal } from './refusal.ts';
import { externalId, id, integer, listOf, metadata, text, truth } from './shapes.ts';

/** The API specification limits the total only. */
const METADATA = { valueBytes: 10_000, totalBytes: 10_000 };
const SECURITY = integer(0, Number.MAX_SAFE_INTEGER);
const MOST_SECURITY = 100;

const links = ({ assetId }: Stored): readonly number[] => (typeof assetId === 'number' ? [assetId] : []);

function prepare(context: Context, drafts: readonly Stored[]): readonly Stored[] {
  checkDataSets(context, drafts, 'Datasets ids not found');
  checkAssets(context, drafts.flatMap(links));
  return drafts.map((draft) => ({ isString: false, isStep: false, ...draft }));
}

function amend(context: Context, changes: readonly Change[]): readonly Stored[] {
  const after = changes.map((change) => change.after);
  checkDataSets(context, after, 'Datasets ids not found');
  checkAssets(
    context,
    changes.flatMap((change) => (change.update.assetId === undefined ? [] : links(change.after))),
  );
  return after;
}

export const TIME_SERIES: Kind = {
  name: 'timeseries',
  acl: 'timeSeriesAcl',
  shape: {
    fields: {
      externalId,
      name: text(255),
      legacyName: text(255),
      isString: truth,
      metadata: metadata(METADATA),
      unit: text(32),
      unitExternalId: text(64),
      assetId: id,
      isStep: truth,
      description: text(1_000),
      securityCategories: listOf(SECURITY, MOST_SECURITY),
      dataSetId: id,
    },
  },
  rules: {
    externalId: optional(externalId),
    name: optional(text(255)),
    metadata: { kind: 'metadata', limits: METADATA },
    unit: optional(text(32)),
    unitExternalId: optional(text(64)),
    assetId: optional(id),
    isStep: required(truth),
    description: optional(text(1_000)),
    securityCategories: { kind: 'list', element: SECURITY, most: MOST_SECURITY },
    dataSetId: optional(id),
  },
  filters: {
    ...TIMES,
    name: equal('name'),
    unit: equal('unit'),
    unitExternalId: equal('unitExternalId'),
    isString: equal('isString', truth),
    isStep: equal('isStep', truth),
    metadata: allPairs,
    assetIds: linkedWith(links),
    assetExternalIds: linkedWithNamed(links),
    assetSubtreeIds: inSubtrees(links),
    dataSetIds,
    externalIdPrefix,
  },
  most: 1_000,
  createdStatus: 201,
  deletedStatus: 200,
  deleteFlags: ['ignoreUnknownIds'],
  readFlags: [],
  identities: ['id', 'instanceId'],
  twice: (names) =>
    new Refusal(422, 'Duplicated ids in request', { duplicated: names.map((name) => ({ externalId: name })) }),
  existsText: 'Time series id duplicated',
  unknownText: () => 'Time series not found',
  prepare,
  amend,
  view: (_context, object) => object,
};
