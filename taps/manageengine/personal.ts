/** Personal fields (`x-pii`) on their way out: left out, or replaced by keyed hashes. */
import { createHmac, createSecretKey } from 'node:crypto';
import type { Settings } from '../../singer/config.ts';
import { ConnectorError } from '../../singer/errors.ts';
import type { Json, Row } from '../../singer/lossless.ts';
import type { JsonSchema } from '../../singer/messages.ts';
import type { Selected } from '../../singer/stream.ts';

/** What happens to personal fields; the values of the setting `personal_fields`. */
export type PersonalMode = 'keep' | 'drop' | 'hash';

/** A stream without its personal fields. */
export interface PersonalFilter {
  /** The schema that fits the filtered records. */
  readonly schema: JsonSchema;
  /** The record without personal values, as a new object. */
  apply(record: Row): Row;
}

interface PersonalField {
  readonly name: string;
  /** Separates the elements of a list that is sent as one text. */
  readonly separator: string | undefined;
}

/** 128 bits: no two values of a tenant meet by chance, and a column stays readable. */
const HASH_DIGITS = 32;

/**
 * Compiles the treatment of one stream's personal fields; `undefined` when nothing has to be done. `drop` takes the
 * properties out of schema and records. `hash` replaces each value by its HMAC-SHA-256 with the salt (32 hexadecimal
 * digits), so that equal values stay equal across streams and runs; null and empty text stay. `declared` is where the
 * marks are read from: the schema of a user's catalog may have lost them.
 * @throws ConnectorError `config` for `hash` without a salt: hashes of known names could be looked up.
 */
export function personalFilter(
  schema: JsonSchema,
  mode: PersonalMode,
  salt: string | undefined,
  declared: JsonSchema = schema,
): PersonalFilter | undefined {
  if (mode === 'keep') return undefined;
  const fields = personalFields(declared).filter(({ name }) => schema.properties?.[name] !== undefined);
  if (fields.length === 0) return undefined;
  return mode === 'drop' ? dropping(schema, fields) : hashing(schema, fields, digester(salt));
}

/** The stream as the settings `personal_fields` and `personal_salt` want it. */
export function withoutPersonalFields(selected: Selected, settings: Settings): Selected {
  const { personal_fields: mode, personal_salt: salt } = settings;
  const { schema, declaration } = selected;
  const filter = personalFilter(schema, mode as PersonalMode, salt as string | undefined, declaration.schema);
  return filter === undefined ? selected : { ...selected, schema: filter.schema, apply: filter.apply };
}

function personalFields(schema: JsonSchema): readonly PersonalField[] {
  return Object.entries(schema.properties ?? {})
    .filter(([, node]) => node['x-pii'] === true)
    .map(([name, node]) => ({ name, separator: node['x-separator'] as string | undefined }));
}

function dropping(schema: JsonSchema, fields: readonly PersonalField[]): PersonalFilter {
  const personal = new Set(fields.map(({ name }) => name));
  const kept = Object.entries(schema.properties ?? {}).filter(([name]) => !personal.has(name));
  const names = kept.map(([name]) => name);
  return {
    schema: { ...schema, properties: Object.fromEntries(kept) },
    apply: (record) => {
      const rest: Record<string, Json> = {};
      for (const name of names) {
        const value = record[name];
        if (value !== undefined) rest[name] = value;
      }
      return rest;
    },
  };
}

type Digest = (text: string) => string;

function hashing(schema: JsonSchema, fields: readonly PersonalField[], digest: Digest): PersonalFilter {
  const nodes = fields.map(({ name, separator }) => [name, hashedNode(schema.properties?.[name] ?? {}, separator)]);
  return {
    schema: { ...schema, properties: { ...schema.properties, ...Object.fromEntries(nodes) } },
    apply: (record) => {
      const hashed: Record<string, Json | undefined> = { ...record };
      for (const { name, separator } of fields) {
        const value = hashed[name];
        if (value === undefined || value === null || value === '') continue;
        hashed[name] = separator === undefined ? digest(textOf(value)) : hashedList(textOf(value), separator, digest);
      }
      return hashed;
    },
  };
}

/** A hash is text whatever the value was, so nothing but the description and null is left of the property. */
function hashedNode(node: JsonSchema, separator: string | undefined): JsonSchema {
  const nullable = [node.type ?? []].flat().includes('null');
  const what = separator === undefined ? 'A keyed hash stands for the value' : 'Keyed hashes stand for the elements';
  return {
    type: nullable ? ['null', 'string'] : 'string',
    description:
      `${node.description ?? ''} ${what}: equal ones have equal hashes (HMAC-SHA-256, 32 hexadecimal digits).`.trim(),
    'x-pii': true,
    ...(separator !== undefined && { 'x-separator': separator }),
  };
}

/** Element by element, in the order of the list: a system that gains an address keeps the hashes of the others. */
function hashedList(text: string, separator: string, digest: Digest): string {
  return text
    .split(separator)
    .map((element) => element.trim())
    .filter((element) => element !== '')
    .map(digest)
    .join(separator);
}

function textOf(value: Json): string {
  return typeof value === 'string' ? value : JSON.stringify(value);
}

function digester(salt: string | undefined): Digest {
  if (salt === undefined || salt === '') {
    throw new ConnectorError(
      'config',
      'personal_fields is "hash" and personal_salt is missing',
      { setting: 'personal_salt' },
      { hint: 'set personal_salt to a long random text and keep it: another salt makes other hashes' },
    );
  }
  const key = createSecretKey(salt, 'utf8');
  return (text) => createHmac('sha256', key).update(text).digest('hex').slice(0, HASH_DIGITS);
}
