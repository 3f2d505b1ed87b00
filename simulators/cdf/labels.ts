/** Labels, which have to exist before something carries them; and sequences, as far as a cleanup needs them. */
import { allPairs, dataSetIds, equal, externalIdPrefix, linkedWith, TIMES } from './filters.ts';
import type { Kind } from './kind.ts';
import { checkAssets, checkDataSets } from './references.ts';
import { Refusal } from './refusal.ts';
import { externalId, id, listOf, metadata, object, oneOf, text } from './shapes.ts';

const METADATA = { valueBytes: 10_240, totalBytes: 10_240 };
const MOST_COLUMNS = 400;

function named(names: readonly string[]): readonly object[] {
  return names.map((name) => ({ externalId: name }));
}

export const LABELS: Kind = {
  name: 'labels',
  acl: 'labelsAcl',
  shape: {
    fields: { externalId, name: text(140, 1), description: text(500), dataSetId: id },
    required: ['externalId', 'name'],
  },
  filters: { name: equal('name'), externalIdPrefix, dataSetIds },
  most: 1_000,
  createdStatus: 201,
  deletedStatus: 200,
  deleteFlags: [],
  readFlags: [],
  identities: [],
  twice: (names) => new Refusal(409, 'Label id duplicated', { duplicated: named(names) }),
  existsText: 'Label id duplicated',
  unknownText: () => 'Label ids not found',
  prepare: (context, drafts) => {
    checkDataSets(context, drafts);
    return drafts;
  },
  view: (_context, { id: _id, lastUpdatedTime: _time, ...shown }) => shown,
};

const column = object({
  fields: {
    externalId,
    name: text(64),
    description: text(1_000),
    valueType: oneOf('STRING', 'DOUBLE', 'LONG'),
    metadata: metadata(METADATA),
  },
  required: ['externalId'],
});

export const SEQUENCES: Kind = {
  name: 'sequences',
  acl: 'sequencesAcl',
  shape: {
    fields: {
      externalId,
      name: text(255),
      description: text(1_000),
      metadata: metadata(METADATA),
      assetId: id,
      dataSetId: id,
      columns: listOf(column, MOST_COLUMNS),
    },
    required: ['columns'],
  },
  filters: {
    ...TIMES,
    name: equal('name'),
    externalIdPrefix,
    metadata: allPairs,
    assetIds: linkedWith(({ assetId }) => (typeof assetId === 'number' ? [assetId] : [])),
    dataSetIds,
  },
  most: 1_000,
  createdStatus: 201,
  deletedStatus: 200,
  deleteFlags: ['ignoreUnknownIds'],
  readFlags: [],
  identities: ['id'],
  twice: (names) => new Refusal(409, 'Sequence id duplicated', { duplicated: named(names) }),
  existsText: 'Sequence id duplicated',
  unknownText: () => 'Sequences not found',
  prepare: (context, drafts) => {
    checkDataSets(context, drafts);
    const links = drafts.map(({ assetId }) => assetId);
    checkAssets(context, links);
    return drafts;
  },
  view: (_context, shown) => shown,
};
