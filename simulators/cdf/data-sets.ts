/** Data sets: they can be changed and never be deleted. */
import { allPairs, equal, externalIdPrefix, TIMES } from './filters.ts';
import type { Kind } from './kind.ts';
import { optional, required } from './patches.ts';
import { Refusal } from './refusal.ts';
import { externalId, metadata, text, truth } from './shapes.ts';

const METADATA = { valueBytes: 10_240, totalBytes: 10_240 };
const NAME = text(50, 1);
const DESCRIPTION = text(500, 1);

export const DATA_SETS: Kind = {
  name: 'datasets',
  acl: 'datasetsAcl',
  shape: {
    fields: { externalId, name: NAME, description: DESCRIPTION, metadata: metadata(METADATA), writeProtected: truth },
  },
  rules: {
    externalId: optional(externalId),
    name: optional(NAME),
    description: optional(DESCRIPTION),
    metadata: { kind: 'metadata', limits: METADATA },
    writeProtected: required(truth),
  },
  filters: { ...TIMES, metadata: allPairs, externalIdPrefix, writeProtected: equal('writeProtected', truth) },
  most: 10,
  createdStatus: 200,
  deleteFlags: [],
  readFlags: [],
  identities: ['id'],
  twice: (names) =>
    new Refusal(409, 'Data set id duplicated', { duplicated: names.map((name) => ({ externalId: name })) }),
  existsText: 'Data set id duplicated',
  unknownText: () => 'Data set ids not found',
  prepare: (_context, drafts) => drafts.map((draft) => ({ writeProtected: false, ...draft })),
  view: (_context, object) => object,
};
