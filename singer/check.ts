/** JSON Schema checks (ajv): settings, states and records. */
import { Ajv, type ErrorObject } from 'ajv';
import addFormats from 'ajv-formats';
import { approximate, type Json } from './lossless.ts';
import type { JsonSchema } from './messages.ts';

/** One thing that does not fit. `path` is a JSON pointer; `problem` completes the sentence "<path> …". */
export interface Fault {
  readonly path: string;
  readonly problem: string;
  readonly keyword: string;
  /** The offending property name for `required` and `additionalProperties`. */
  readonly property?: string;
}

/** Finds the faults of a value; an empty list means that it fits. */
export type Check = (value: unknown) => readonly Fault[];

function faultOf(error: ErrorObject): Fault {
  const property = (error.params.missingProperty ?? error.params.additionalProperty) as string | undefined;
  const allowed = error.params.allowedValues as readonly unknown[] | undefined;
  const problem =
    error.keyword === 'required'
      ? `lacks "${property}"`
      : error.keyword === 'additionalProperties'
        ? `has an unknown property "${property}"`
        : allowed !== undefined
          ? `must be one of ${allowed.map((value) => JSON.stringify(value)).join(', ')}`
          : (error.message ?? 'does not fit');
  const path = error.instancePath === '' ? '/' : error.instancePath;
  return { path, problem, keyword: error.keyword, ...(property !== undefined && { property }) };
}

function compiler(allErrors: boolean): Ajv {
  // strict is off because Singer schemas carry keywords of their own (inclusion, x-…); a receiver must not fail on them.
  return new Ajv({
    allErrors,
    strict: false,
    logger: false,
    validateFormats: true,
    allowUnionTypes: true,
    ownProperties: true,
    // A shared definition is compiled once, not once per place.
    inlineRefs: false,
  });
}

/**
 * Compiles a schema with all its formats, reporting every fault. For settings and states.
 * @throws Error when the schema itself is not a JSON Schema.
 */
export function compileSchema(schema: JsonSchema): Check {
  const ajv = compiler(true);
  addFormats.default(ajv, ['uri', 'date-time']);
  const validate = ajv.compile(schema);
  return (value) => (validate(value) ? [] : (validate.errors ?? []).map(faultOf));
}

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

/**
 * Compiles the check of one stream's records: types and required properties, first fault only. Keys that the target
 * adds or understands itself (`_sdc_…`) never count as unknown.
 */
export function compileRecordCheck(schema: JsonSchema): Check {
  // Limits such as 9223372036854775807 travel as text; the checker wants numbers.
  const loose = relaxed(approximate(schema as Json)) as JsonSchema;
  const { additionalProperties, ...rest } = loose;
  const validate = compiler(false).compile(additionalProperties === false ? { ...rest } : loose);
  return (value) => (validate(value) ? [] : (validate.errors ?? []).map(faultOf));
}
