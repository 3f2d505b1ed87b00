/** Tables as stream declarations: keys, decided types, and what may serve as a replication key. */
import { readFile } from 'node:fs/promises';
import type { ColumnProfile } from '../../profiles/artifact.ts';
import { isDateDeclared } from '../../profiles/expected.ts';
import { propertySchema } from '../../profiles/json-schema.ts';
import { parseProfile } from '../../profiles/profile-file.ts';
import { nearest } from '../../singer/config.ts';
import { ConnectorError, textOf } from '../../singer/errors.ts';
import type { Json } from '../../singer/lossless.ts';
import type { JsonSchema } from '../../singer/messages.ts';
import type { Run, StreamChoice, StreamDeclaration } from '../../singer/stream.ts';
import { inZone, optional, required } from './columns.ts';
import type { Reading } from './settings.ts';
import type { Source } from './source.ts';
import { sourceError } from './source.ts';
import { isFilled, type Origin, originsOf, profiledKey, ROW_KEY, ROWID } from './tables.ts';
import { type DecidedColumns, decidedColumns } from './types.ts';

/** A stream and the table that it comes from. */
export interface Found {
  readonly origin: Origin;
  readonly declaration: StreamDeclaration;
}

/**
 * Looks through the file. Types are decided for the streams that `wanted` names; for the others their labels have to do.
 * @throws ConnectorError `config` for a setting that names what the file does not have, `upstream` for a damaged file.
 */
export async function discover(source: Source, reading: Reading, wanted: StreamChoice, run: Run): Promise<Found[]> {
  const profile =
    reading.profilePath === undefined
      ? undefined
      : parseProfile(await profileText(reading.profilePath), reading.profilePath);
  const { sample, slashOrder } = reading;
  try {
    const found: Found[] = [];
    for (const origin of originsOf(source.db, reading.emitRowid, run.log)) {
      run.signal.throwIfAborted();
      const isWanted = wanted(origin.stream, !origin.isView);
      const columns = isWanted
        ? decidedColumns(source.db, origin, { sample, slashOrder, profile }, run.log)
        : new Map<string, ColumnProfile>();
      found.push({ origin, declaration: declarationOf(source, origin, columns, isWanted, reading) });
    }
    checkIncremental(found, reading.incremental);
    return found;
  } catch (cause) {
    throw sourceError(source.path, cause);
  }
}

async function profileText(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch (cause) {
    throw new ConnectorError('config', `cannot read the profile ${path}: ${textOf(cause)}`, { path }, { cause });
  }
}

function declarationOf(
  source: Source,
  origin: Origin,
  columns: DecidedColumns,
  isWanted: boolean,
  { incremental, timezone }: Reading,
): StreamDeclaration {
  const { stream, table, isView, hasRowid, rowKey } = origin;
  const key = keyOf(source, origin, isWanted);
  const decided = table.columns.map(({ name, declared }): readonly [string, JsonSchema] => {
    const schema = (columns.get(name)?.json_schema ?? labelled(declared)) as JsonSchema;
    const placed = timezone === undefined ? schema : inZone(schema);
    return [name, key.includes(name) ? required(placed) : optional(placed)];
  });
  // Not by assignment: a column may be called __proto__.
  const properties = Object.fromEntries([
    ...decided,
    ...(hasRowid ? [[ROWID, { type: 'integer' }] as const] : []),
    ...(rowKey === undefined ? [] : [[ROW_KEY, { type: 'string' }] as const]),
  ]);
  const bookmark = Object.hasOwn(incremental, stream) ? incremental[stream] : undefined;
  return {
    name: stream,
    key,
    schema: { type: 'object', additionalProperties: false, ...(key.length > 0 && { required: key }), properties },
    replication: bookmark === undefined ? 'FULL_TABLE' : 'INCREMENTAL',
    ...(bookmark !== undefined && { bookmarks: [bookmark] }),
    // Labels do not tell which columns have an order; the schema of the catalog will.
    replicationKeys: table.columns
      .filter(({ name }) => !isWanted || isOrdered(properties[name]))
      .map(({ name }) => name),
    selectedByDefault: !isView,
    facts: {
      stream: { 'row-count': isView ? null : source.rowCount(table.name), 'is-view': isView, 'schema-name': 'main' },
      properties: Object.fromEntries(table.columns.map(({ name, declared }) => [name, { 'sql-datatype': declared }])),
    },
  };
}

/** What names a row: the file's own word, then its values, then the row number. */
function keyOf(source: Source, origin: Origin, isWanted: boolean): readonly string[] {
  if (origin.key.length > 0 && (!isWanted || origin.expected !== undefined || isFilled(source.db, origin))) {
    return origin.key;
  }
  const profiled = isWanted && !origin.isView ? profiledKey(source.db, origin) : [];
  return profiled.length > 0 ? profiled : origin.hasRowid ? [ROWID] : [];
}

/** The schema by the label alone, for a stream whose types nobody needs. */
function labelled(declared: string): { readonly [keyword: string]: Json } {
  const type = isDateDeclared(declared) ? 'timestamp' : 'text';
  const undecided = { declared, confidence: null, naive: true, dateOrder: null, spelling: undefined, key: false };
  return propertySchema({ ...undecided, type });
}

/** Numbers and times have an order that means something; texts are compared letter by letter. */
export function isOrdered(schema: JsonSchema | undefined): boolean {
  const types = schema === undefined ? [] : [schema.type ?? []].flat();
  return types.includes('integer') || types.includes('number') || schema?.format === 'date-time';
}

/** Every slip in the setting `incremental`, before anything is read. */
function checkIncremental(found: readonly Found[], incremental: Reading['incremental']): void {
  const refuse = (problem: string, hint: string) =>
    new ConnectorError('config', `the setting "incremental" ${problem}`, { setting: 'incremental' }, { hint });
  const streams = found.map(({ origin }) => origin.stream);
  for (const [stream, bookmark] of Object.entries(incremental)) {
    const declaration = found.find(({ origin }) => origin.stream === stream)?.declaration;
    if (declaration === undefined) {
      const near = nearest(stream, streams);
      const known = near === undefined ? `the file has: ${streams.join(', ')}` : `did you mean "${near}"?`;
      throw refuse(`names the stream "${stream}", which does not exist`, known);
    }
    const keys = declaration.replicationKeys ?? [];
    if (keys.includes(bookmark)) continue;
    throw refuse(
      `wants "${stream}" by "${bookmark}"`,
      keys.length === 0 ? 'no column of it holds times or numbers' : `columns of times or numbers: ${keys.join(', ')}`,
    );
  }
}
