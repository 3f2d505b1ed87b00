/** Extraction pipelines and the runs that are reported to them. */
import {
  allPairs,
  among,
  between,
  dataSetIds,
  equal,
  externalIdPrefix,
  type Filters,
  TIMES,
  wantedBy,
} from './filters.ts';
import { itemsOf } from './identities.ts';
import type { Kind } from './kind.ts';
import { cut, pageOf } from './paging.ts';
import { optional, required } from './patches.ts';
import type { Context, Run } from './project.ts';
import { checkDataSets } from './references.ts';
import { invalid, Refusal } from './refusal.ts';
import { ok, type Reply } from './resource.ts';
import {
  checkShape,
  externalId,
  type Fields,
  id,
  integer,
  isObject,
  listOf,
  metadata,
  object,
  oneOf,
  text,
  time,
  truth,
} from './shapes.ts';

const METADATA = { valueBytes: 10_240, totalBytes: 10_240 };
const NAME = text(140, 1);
const STATUS = oneOf('success', 'failure', 'seen');
const MESSAGE = text(1_000);

const rawTable = object({ fields: { dbName: text(32, 1), tableName: text(64, 1) }, required: ['dbName', 'tableName'] });
const contact = object({ fields: { name: text(255), email: text(255), role: text(255), sendNotification: truth } });
const notification = object({ fields: { allowedNotSeenRangeInMinutes: integer(1, 1_000_000) } });
const MOST_TABLES = 10;
const MOST_CONTACTS = 100;

/** The fields that a pipeline and an update of it share. */
const FIELDS = {
  description: text(500),
  schedule: text(255),
  source: text(255),
  documentation: text(10_000),
  notificationConfig: notification,
} as const;

export const PIPELINES: Kind = {
  name: 'extpipes',
  acl: 'extractionpipelinesAcl',
  shape: {
    fields: {
      externalId,
      name: NAME,
      dataSetId: id,
      metadata: metadata(METADATA),
      rawTables: listOf(rawTable, MOST_TABLES),
      contacts: listOf(contact, MOST_CONTACTS),
      createdBy: text(255),
      ...FIELDS,
    },
    required: ['externalId', 'name', 'dataSetId'],
  },
  rules: {
    externalId: required(externalId),
    name: required(NAME),
    dataSetId: required(id),
    metadata: { kind: 'metadata', limits: METADATA },
    rawTables: { kind: 'list', element: rawTable, most: MOST_TABLES },
    contacts: { kind: 'list', element: contact, most: MOST_CONTACTS },
    ...Object.fromEntries(Object.entries(FIELDS).map(([name, check]) => [name, optional(check)])),
  },
  filters: {
    ...TIMES,
    externalIdPrefix,
    name: equal('name'),
    description: equal('description'),
    schedule: equal('schedule'),
    source: equal('source'),
    metadata: allPairs,
    dataSetIds,
  },
  most: 1_000,
  createdStatus: 200,
  deletedStatus: 200,
  deleteFlags: ['ignoreUnknownIds'],
  readFlags: [],
  identities: ['id'],
  twice: (names) =>
    new Refusal(409, 'Extraction pipeline id duplicated', { duplicated: names.map((name) => ({ externalId: name })) }),
  existsText: 'Extraction pipeline id duplicated',
  unknownText: () => 'Extraction pipelines not found',
  prepare: (context, drafts) => {
    checkDataSets(context, drafts);
    return drafts;
  },
  amend: (context, changes) => {
    const after = changes.map((change) => change.after);
    checkDataSets(context, after);
    return after;
  },
  view: ({ project }, shown) => {
    const runs = project.runs.filter(({ pipeline }) => pipeline === shown.id);
    const last = (status: string) => runs.findLast((run) => run.status === status);
    const [success, failure, seen] = [last('success'), last('failure'), runs.at(-1)];
    return {
      ...shown,
      ...(success && { lastSuccess: success.createdTime }),
      ...(failure && { lastFailure: failure.createdTime, lastMessage: failure.message }),
      ...(seen && { lastSeen: seen.createdTime }),
    };
  },
};

function pipelineNamed({ project }: Context, name: string): number {
  const pipeline = project.of('extpipes').named(name);
  if (pipeline) return pipeline.id;
  throw invalid(`Extraction pipelines not found: ${name}`, { missing: [{ externalId: name }] });
}

function shown({ id: own, status, message, createdTime }: Run): object {
  return { id: own, status, ...(message !== undefined && { message }), createdTime };
}

/** Takes one run: the API specification allows an array of one. */
export function reportRun(context: Context, body: Fields): Reply {
  const fields = { externalId, status: STATUS, message: MESSAGE, createdTime: time };
  const [item = {}] = itemsOf(body, 1).map((each) =>
    checkShape(each, { fields, required: ['externalId', 'status'] }, 'items[0]'),
  );
  const { project, now } = context;
  const run: Run = {
    id: project.nextId,
    pipeline: pipelineNamed(context, String(item.externalId)),
    status: String(item.status),
    ...(typeof item.message === 'string' && { message: item.message }),
    createdTime: typeof item.createdTime === 'number' ? item.createdTime : now,
  };
  project.takeIds(1);
  project.runs.push(run);
  return ok({ items: [{ ...shown(run), externalId: item.externalId }] });
}

const RUN_FILTERS: Filters = {
  statuses: among('status', STATUS),
  createdTime: between('createdTime'),
  message: {
    check: object({ fields: { substring: text(1_000) } }),
    wants: (_context, { substring = '' }: { readonly substring?: string }) => {
      return ({ message }) => String(message ?? '').includes(substring);
    },
  },
};

/** Runs of one pipeline, newest first. */
export function listRuns(context: Context, body: Fields): Reply {
  const unknown = Object.keys(body).find((name) => !['filter', 'limit', 'cursor'].includes(name));
  if (unknown !== undefined) throw invalid(`${unknown}: unknown field`);
  if (!isObject(body.filter)) throw invalid('filter.externalId: is required', { missingFields: ['externalId'] });
  const { externalId: name, ...others } = body.filter;
  if (typeof name !== 'string') throw invalid('filter.externalId: is required', { missingFields: ['externalId'] });
  const pipeline = pipelineNamed(context, name);
  const wanted = wantedBy(context, others, RUN_FILTERS);
  const runs = context.project.runs.filter(
    (run) => run.pipeline === pipeline && wanted({ ...run, lastUpdatedTime: run.createdTime }),
  );
  const newestFirst = runs.sort((a, b) => b.createdTime - a.createdTime || b.id - a.id);
  const list = `runs${JSON.stringify(body.filter)}`;
  const { items, ...next } = cut(list, newestFirst, pageOf(list, body), (_run, index) => index);
  return ok({ items: items.map(shown), ...next });
}
