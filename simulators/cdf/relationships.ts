/** Relationships: from one object to another, by external ids that nobody checks. */

import type { Stored } from './collection.ts';
import { activeAtTime, among, between, betweenOrNull, dataSetIds, type FilterRule, labels, TIMES } from './filters.ts';
import type { Kind } from './kind.ts';
import { optional, required } from './patches.ts';
import type { Context, ResourceName } from './project.ts';
import { checkDataSets, checkLabels, label, MOST_LABELS } from './references.ts';
import { invalid, Refusal } from './refusal.ts';
import { externalId, id, listOf, number, object, oneOf, time } from './shapes.ts';

const TYPES: Readonly<Record<string, ResourceName | undefined>> = {
  asset: 'assets',
  timeSeries: 'timeseries',
  event: 'events',
  sequence: 'sequences',
  file: undefined,
};
const TYPE = oneOf(...Object.keys(TYPES));
const CONFIDENCE = number(0, 1);

const confidence: FilterRule = {
  ...between('confidence'),
  check: object({ fields: { min: CONFIDENCE, max: CONFIDENCE } }),
};

function checked(context: Context, objects: readonly Stored[]): readonly Stored[] {
  const odd = objects.findIndex(({ startTime, endTime }) => Number(endTime ?? Infinity) < Number(startTime ?? 0));
  if (odd >= 0) throw invalid(`items[${odd}]: endTime must not be before startTime`);
  checkDataSets(context, objects);
  checkLabels(context, objects);
  return objects;
}

/** The object at one end, where it exists. */
function end({ project }: Context, type: unknown, name: unknown): object | undefined {
  const resource = TYPES[String(type)];
  return resource === undefined ? undefined : project.of(resource).named(String(name));
}

export const RELATIONSHIPS: Kind = {
  name: 'relationships',
  acl: 'relationshipsAcl',
  shape: {
    fields: {
      externalId,
      sourceExternalId: externalId,
      sourceType: TYPE,
      targetExternalId: externalId,
      targetType: TYPE,
      startTime: time,
      endTime: time,
      confidence: CONFIDENCE,
      dataSetId: id,
      labels: listOf(label, MOST_LABELS),
    },
    required: ['externalId', 'sourceExternalId', 'sourceType', 'targetExternalId', 'targetType'],
  },
  rules: {
    sourceExternalId: required(externalId),
    sourceType: required(TYPE),
    targetExternalId: required(externalId),
    targetType: required(TYPE),
    startTime: optional(time),
    endTime: optional(time),
    confidence: optional(CONFIDENCE),
    dataSetId: optional(id),
    labels: { kind: 'list', element: label, most: MOST_LABELS },
  },
  filters: {
    ...TIMES,
    sourceExternalIds: among('sourceExternalId'),
    sourceTypes: among('sourceType', TYPE),
    targetExternalIds: among('targetExternalId'),
    targetTypes: among('targetType', TYPE),
    dataSetIds,
    startTime: between('startTime'),
    endTime: betweenOrNull('endTime'),
    activeAtTime,
    confidence,
    labels,
  },
  most: 1_000,
  createdStatus: 201,
  deletedStatus: 202,
  deleteFlags: ['ignoreUnknownIds'],
  readFlags: ['fetchResources'],
  identities: [],
  twice: (names) =>
    new Refusal(409, 'Relationship id duplicated', { duplicated: names.map((name) => ({ externalId: name })) }),
  existsText: 'Relationship id duplicated',
  unknownText: () => 'External ids not found',
  prepare: checked,
  amend: (context, changes) =>
    checked(
      context,
      changes.map(({ after }) => after),
    ),
  view: (context, { id: _id, ...shown }, flags) => {
    if (flags.fetchResources !== true) return shown;
    const source = end(context, shown.sourceType, shown.sourceExternalId);
    const target = end(context, shown.targetType, shown.targetExternalId);
    return { ...shown, ...(source && { source }), ...(target && { target }) };
  },
};
