/** Which request is answered by what, and which right it takes. */
import { ASSETS } from './assets.ts';
import { DATA_SETS } from './data-sets.ts';
import { instantOf, queryPoints } from './datapoint-queries.ts';
import { deletePoints, insertPoints, latestPoints } from './datapoints.ts';
import { EVENTS } from './events.ts';
import { listInstances } from './instance-list.ts';
import { deleteInstances, instancesByIds, upsertInstances } from './instances.ts';
import type { Kind } from './kind.ts';
import { LABELS, SEQUENCES } from './labels.ts';
import { define, definedByIds, deleteDefined, listDefined } from './model-definitions.ts';
import { DEFINED } from './model-space.ts';
import { listRuns, PIPELINES, reportRun } from './pipelines.ts';
import type { Context } from './project.ts';
import {
  createDatabases,
  createTables,
  deleteDatabases,
  deleteRows,
  deleteTables,
  insertRows,
  listDatabases,
  listRows,
  listTables,
  rowOf,
} from './raw.ts';
import { Refusal } from './refusal.ts';
import { RELATIONSHIPS } from './relationships.ts';
import { aggregate, byIds, create, list, ok, type Reply, remove, search, update } from './resource.ts';
import type { Fields } from './shapes.ts';
import { TIME_SERIES } from './time-series.ts';

export const KINDS: readonly Kind[] = [
  ASSETS,
  EVENTS,
  TIME_SERIES,
  DATA_SETS,
  PIPELINES,
  RELATIONSHIPS,
  LABELS,
  SEQUENCES,
];

/** A request as far as its endpoint is concerned. */
export interface Asked {
  readonly context: Context;
  /** Parts of the path that stand in braces in the route. */
  readonly parts: readonly string[];
  /** Parameters of a GET; numbers are numbers. */
  readonly query: Fields;
  readonly body: Fields;
}

export interface Route {
  /** For instance `POST /assets/list`; braces stand for a part of the path. */
  readonly name: string;
  /** For instance `assetsAcl:READ`. */
  readonly right: string;
  /** Most requests at once, where the vendor documents a number. */
  readonly parallel?: number;
  readonly answer: (asked: Asked) => Reply;
}

type Verb = (context: Context, kind: Kind, body: Fields) => Reply;

/** Filters that a plain GET can carry as well. */
const QUERY_FILTERS = ['externalIdPrefix', 'name', 'source', 'type', 'subtype', 'root'];

function filterOf(query: Fields, kind: Kind): Fields {
  const pairs = Object.entries(query);
  const filter = pairs.filter(([name]) => QUERY_FILTERS.includes(name) && Object.hasOwn(kind.filters, name));
  const rest = pairs.filter(([name]) => !filter.some(([known]) => known === name));
  return { ...Object.fromEntries(rest), filter: Object.fromEntries(filter) };
}

function single(kind: Kind, { context, parts }: Asked): Reply {
  const object = context.project.of(kind.name).get(Number(parts[0]));
  if (object === undefined) throw new Refusal(404, `${kind.unknownText('id')}: ${parts[0] ?? ''}`);
  return ok(kind.view(context, object, {}));
}

function routesOf(kind: Kind): readonly Route[] {
  const post = (path: string, level: 'READ' | 'WRITE', verb: Verb): Route => ({
    name: `POST /${kind.name}${path}`,
    right: `${kind.acl}:${level}`,
    answer: ({ context, body }) => verb(context, kind, body),
  });
  const right = `${kind.acl}:READ`;
  return [
    post('', 'WRITE', create),
    post('/list', 'READ', list),
    post('/byids', 'READ', byIds),
    post('/search', 'READ', search),
    post('/aggregate', 'READ', aggregate),
    ...(kind.rules ? [post('/update', 'WRITE', update)] : []),
    ...(kind.deletedStatus === undefined ? [] : [post('/delete', 'WRITE', remove)]),
    {
      name: `GET /${kind.name}`,
      right,
      answer: ({ context, query }) => list(context, kind, filterOf(query, kind)),
    },
    { name: `GET /${kind.name}/{id}`, right, answer: (asked) => single(kind, asked) },
  ];
}

const POINTS: readonly Route[] = [
  {
    name: 'POST /timeseries/data',
    right: 'timeSeriesAcl:WRITE',
    answer: ({ context, body }) => insertPoints(context, body),
  },
  {
    name: 'POST /timeseries/data/list',
    right: 'timeSeriesAcl:READ',
    answer: ({ context, body }) => queryPoints(context, body),
  },
  {
    name: 'POST /timeseries/data/latest',
    right: 'timeSeriesAcl:READ',
    answer: ({ context, body }) => latestPoints(context, body, (text) => instantOf(context.now, text)),
  },
  {
    name: 'POST /timeseries/data/delete',
    right: 'timeSeriesAcl:WRITE',
    answer: ({ context, body }) => deletePoints(context, body),
  },
];

const RUNS: readonly Route[] = [
  {
    name: 'POST /extpipes/runs',
    right: 'extractionrunsAcl:WRITE',
    answer: ({ context, body }) => reportRun(context, body),
  },
  {
    name: 'POST /extpipes/runs/list',
    right: 'extractionrunsAcl:READ',
    answer: ({ context, body }) => listRuns(context, body),
  },
];

const DATABASES = '/raw/dbs';
const TABLES = `${DATABASES}/{database}/tables`;
const ROWS = `${TABLES}/{table}/rows`;

/** CDF documents 64 for a project and 48 for one identity. */
const RAW_PARALLEL = 48;

function rawRoute(name: string, answer: Route['answer']): Route {
  const reads = name.startsWith('GET');
  return { name, right: `rawAcl:${reads ? 'READ' : 'WRITE'}`, parallel: RAW_PARALLEL, answer };
}

const place = ({ parts: [database = '', table = ''] }: Asked): readonly [string, string] => [database, table];
const ensuresParent = ({ query }: Asked): boolean => query.ensureParent === 'true';

const RAW: readonly Route[] = [
  rawRoute(`POST ${DATABASES}`, ({ context, body }) => createDatabases(context, body)),
  rawRoute(`GET ${DATABASES}`, ({ context, query }) => listDatabases(context, query)),
  rawRoute(`POST ${DATABASES}/delete`, ({ context, body }) => deleteDatabases(context, body)),
  rawRoute(`POST ${TABLES}`, (asked) => createTables(asked.context, asked.body, place(asked)[0], ensuresParent(asked))),
  rawRoute(`GET ${TABLES}`, (asked) => listTables(asked.context, asked.query, place(asked)[0])),
  rawRoute(`POST ${TABLES}/delete`, (asked) => deleteTables(asked.context, asked.body, place(asked)[0])),
  rawRoute(`POST ${ROWS}`, (asked) => insertRows(asked.context, asked.body, place(asked), ensuresParent(asked))),
  rawRoute(`GET ${ROWS}`, (asked) => listRows(asked.context, asked.query, place(asked))),
  rawRoute(`POST ${ROWS}/delete`, (asked) => deleteRows(asked.context, asked.body, place(asked))),
  rawRoute(`GET ${ROWS}/{key}`, (asked) => rowOf(asked.context, place(asked), asked.parts[2] ?? '')),
];

const MODELS: readonly Route[] = DEFINED.flatMap((what): readonly Route[] => {
  const path = `/models/${what}`;
  const [reads, writes] = ['dataModelsAcl:READ', 'dataModelsAcl:WRITE'];
  return [
    { name: `POST ${path}`, right: writes, answer: ({ context, body }) => define(context, what, body) },
    { name: `GET ${path}`, right: reads, answer: ({ context, query }) => listDefined(context, what, query) },
    { name: `POST ${path}/byids`, right: reads, answer: ({ context, body }) => definedByIds(context, what, body) },
    { name: `POST ${path}/delete`, right: writes, answer: ({ context, body }) => deleteDefined(context, what, body) },
  ];
});

const [readsInstances, writesInstances] = ['dataModelInstancesAcl:READ', 'dataModelInstancesAcl:WRITE'];

const INSTANCES: readonly Route[] = [
  {
    name: 'POST /models/instances',
    right: writesInstances,
    parallel: 4,
    answer: ({ context, body }) => upsertInstances(context, body),
  },
  {
    name: 'POST /models/instances/byids',
    right: readsInstances,
    parallel: 8,
    answer: ({ context, body }) => instancesByIds(context, body),
  },
  {
    name: 'POST /models/instances/list',
    right: readsInstances,
    parallel: 8,
    answer: ({ context, body }) => listInstances(context, body),
  },
  {
    name: 'POST /models/instances/delete',
    right: writesInstances,
    parallel: 2,
    answer: ({ context, body }) => deleteInstances(context, body),
  },
];

export const ROUTES: readonly Route[] = [
  ...POINTS,
  ...RUNS,
  ...KINDS.flatMap(routesOf),
  ...RAW,
  ...MODELS,
  ...INSTANCES,
];

/** Rights that exist, which a client has unless the simulator is set otherwise. */
export const RIGHTS: readonly string[] = [...new Set(ROUTES.map(({ right }) => right))].sort();

const PATTERNS = ROUTES.map((route) => ({
  route,
  pattern: new RegExp(`^${route.name.replaceAll(/\{\w+\}/g, '([^/]+)')}$`),
}));

/** A part of a path without its encoding; one that is no encoding is what it says. */
export function decoded(segment: string): string {
  try {
    return decodeURIComponent(segment);
  } catch {
    return segment;
  }
}

/** A route and the parts of a path that stand in its braces. */
export interface Found {
  readonly route: Route;
  readonly parts: readonly string[];
}

/** The route of a request whose path begins after the project. */
export function routeOf(method: string, path: string): Found | undefined {
  for (const { route, pattern } of PATTERNS) {
    const [whole, ...parts] = pattern.exec(`${method} ${path}`) ?? [];
    if (whole !== undefined) return { route, parts: parts.map(decoded) };
  }
  return undefined;
}
