/**
 * The check of one stream's records. Most properties say a type and nothing else: those are checked here, in a fraction
 * of the time that a general validator takes to be compiled. It checks the rest.
 */
import { type Check, compileQuick, type Fault } from './check.ts';
import { approximate, holdsRawNumber, isObject, isRawNumber, type Json, type Row } from './lossless.ts';
import type { JsonSchema } from './messages.ts';

/** Keywords that records of real taps break while being perfectly loadable; the store keeps such values as they are. */
const LENIENT = new Set(['format', 'multipleOf', 'maxLength', 'minLength', 'contentEncoding', 'contentMediaType']);
const NAMED = new Set(['properties', 'patternProperties', 'definitions', '$defs', 'dependencies']);

const TYPES = new Set(['null', 'boolean', 'object', 'array', 'number', 'integer', 'string']);

/** False for what another draft or dialect of JSON Schema means by a keyword: it says nothing that is checked here. */
function understood(key: string, value: unknown): boolean {
  switch (key) {
    case '$schema':
    case 'id':
    case 'nullable':
      return false;
    case 'type':
      return [value].flat().every((type) => TYPES.has(String(type)));
    case 'required':
      return Array.isArray(value);
    case 'exclusiveMinimum':
    case 'exclusiveMaximum':
      return typeof value === 'number';
    case 'pattern':
      return typeof value === 'string' && isPattern(value);
    default:
      return !LENIENT.has(key);
  }
}

function isPattern(source: string): boolean {
  try {
    return new RegExp(source, 'u') instanceof RegExp;
  } catch {
    return false;
  }
}

/** The schema without keywords that are checked leniently (Singer loaders disagree about them and data shows why). */
function relaxed(node: unknown, names = false): unknown {
  if (Array.isArray(node)) return node.map((inner) => relaxed(inner));
  if (typeof node !== 'object' || node === null) return node;
  return Object.fromEntries(
    Object.entries(node)
      .filter(([key, inner]) => names || understood(key, inner))
      .map(([key, inner]) => [
        key,
        !names && (key === 'enum' || key === 'const') ? inner : relaxed(inner, !names && NAMED.has(key)),
      ]),
  );
}

/** Says nothing about a value. Whatever is not in here may, so it is left to the general validator. */
const ANNOTATIONS =
  /^(?:title|description|default|examples|readOnly|writeOnly|deprecated|\$comment|inclusion|selected|sql-datatype|x-.*)$/;

/** Kinds of values as bits. */
const STRING = 1;
const INTEGER = 2;
const FRACTION = 4;
const BOOLEAN = 8;
const NULL = 16;
const ARRAY = 32;
const OBJECT = 64;

const BITS: Readonly<Record<string, number>> = {
  string: STRING,
  integer: INTEGER,
  number: INTEGER | FRACTION,
  boolean: BOOLEAN,
  null: NULL,
  array: ARRAY,
  object: OBJECT,
};

function bitOf(value: Exclude<Json, undefined>): number {
  switch (typeof value) {
    case 'string':
      return STRING;
    case 'number':
      return Number.isInteger(value) ? INTEGER : FRACTION;
    case 'boolean':
      return BOOLEAN;
    default:
      if (value === null) return NULL;
      if (Array.isArray(value)) return ARRAY;
      if (!isRawNumber(value)) return OBJECT;
      return Number.isInteger(approximate(value)) ? INTEGER : FRACTION;
  }
}

/** A property that is a type and nothing else. */
interface PlainProperty {
  readonly name: string;
  readonly bits: number;
  readonly fault: Fault;
  /** Every object inherits something under this name. */
  readonly inherited: boolean;
}

function plainProperty(name: string, node: unknown): PlainProperty | undefined {
  if (!isObject(node)) return undefined;
  for (const key of Object.keys(node)) if (key !== 'type' && !ANNOTATIONS.test(key)) return undefined;
  const types = node.type === undefined ? Object.keys(BITS) : ([node.type].flat() as string[]);
  return {
    name,
    bits: types.reduce((bits, type) => bits | (BITS[type] ?? 0), 0),
    fault: {
      path: `/${name.replaceAll('~', '~0').replaceAll('/', '~1')}`,
      problem: `must be ${types.join(',')}`,
      keyword: 'type',
    },
    inherited: name in Object.prototype,
  };
}

/** A reference to something that is not handed on with the properties that the validator gets. */
const REFERS_ELSEWHERE = /"\$ref":"#(?!\/(?:definitions|\$defs)\/)/;

const FITS: readonly Fault[] = [];

/**
 * Compiles the check of one stream's records: types and required properties, first fault only. Keys that the target
 * adds or understands itself (`_sdc_…`) never count as unknown.
 * @throws Error when the schema is not a JSON Schema.
 */
export function compileRecordCheck(schema: JsonSchema): Check {
  return checkOf(loosened(schema));
}

function loosened(schema: JsonSchema): JsonSchema {
  // Limits such as 9223372036854775807 travel as text; the validator wants numbers.
  const loose = relaxed(approximate(schema as Json)) as JsonSchema;
  const { additionalProperties, ...rest } = loose;
  return additionalProperties === false ? rest : loose;
}

/** The general validator alone, on which `checkOf` must not improve but in time. */
export function generalCheck(schema: JsonSchema): Check {
  const check = compileQuick(schema);
  return (record) => {
    const faults = check(record);
    // A number kept as text looks like an object to the validator; only then the record is checked in rounded form.
    return faults.length > 0 && holdsRawNumber(record) ? check(approximate(record as Json)) : faults;
  };
}

/** A property whose values are of one plain type, or null. */
export interface Scalar {
  readonly spelling: 'text' | 'number' | 'boolean';
  readonly integer: boolean;
  readonly nullable: boolean;
}

/**
 * The properties that are one plain type and nothing else. Whatever fits these types passes the check of the schema;
 * undefined when the schema says more of a record than that.
 */
export function scalarProperties(schema: JsonSchema): ReadonlyMap<string, Scalar> | undefined {
  const { properties = {}, ...rest } = loosened(schema);
  if (!plainRecord(rest)) return undefined;
  const found = new Map<string, Scalar>();
  for (const [name, node] of Object.entries(properties)) {
    const bits = plainProperty(name, node)?.bits;
    if (bits === undefined) continue;
    const spelling = SPELLINGS[bits & ~NULL];
    if (spelling === undefined) continue;
    found.set(name, { spelling, integer: (bits & FRACTION) === 0, nullable: (bits & NULL) !== 0 });
  }
  return found;
}

const SPELLINGS: Readonly<Record<number, Scalar['spelling']>> = {
  [STRING]: 'text',
  [INTEGER]: 'number',
  [INTEGER | FRACTION]: 'number',
  [BOOLEAN]: 'boolean',
};

/** Whether the schema says nothing of a record but the types of its properties and which are required. */
function plainRecord({ type, required = [], definitions: _definitions, $defs: _defs, ...others }: JsonSchema): boolean {
  const special = Object.keys(others).some((key) => !ANNOTATIONS.test(key));
  const isRecord = type === undefined || [type].flat().includes('object');
  return !special && isRecord && required.every((name) => typeof name === 'string');
}

function checkOf(schema: JsonSchema): Check {
  const { properties = {}, ...others } = schema;
  const { required = [], definitions, $defs } = others;
  if (!plainRecord(others)) return generalCheck(schema);
  const plain: PlainProperty[] = [];
  const rest: Record<string, JsonSchema> = {};
  for (const [name, node] of Object.entries(properties)) {
    const property = plainProperty(name, node);
    if (property === undefined) rest[name] = node;
    else plain.push(property);
  }
  if (REFERS_ELSEWHERE.test(JSON.stringify([rest, definitions, $defs]))) return generalCheck(schema);
  const general =
    Object.keys(rest).length === 0
      ? undefined
      : generalCheck({
          properties: rest,
          ...(definitions !== undefined && { definitions }),
          ...($defs !== undefined && { $defs }),
        } as JsonSchema);
  const faults = required.map((name) => ({
    path: '/',
    problem: `lacks "${name}"`,
    keyword: 'required',
    property: name,
  }));
  return (value) => {
    const record = value as Row;
    for (const fault of faults) if (!Object.hasOwn(record, fault.property)) return [fault];
    for (const { name, bits, fault, inherited } of plain) {
      const found = record[name];
      if (found === undefined || (inherited && !Object.hasOwn(record, name))) continue;
      if ((bitOf(found) & bits) === 0) return [fault];
    }
    return general === undefined ? FITS : general(record);
  };
}
