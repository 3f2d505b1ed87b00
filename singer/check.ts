/** JSON Schema checks (ajv): settings and states; `record-check.ts` uses them for what it does not check itself. */
import { Ajv, type ErrorObject, type Options } from 'ajv';
import addFormats from 'ajv-formats';
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

function compiler(allErrors: boolean, more: Options): Ajv {
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
    ...more,
  });
}

/**
 * Our own declarations are JSON Schemas, and one value is checked: to validate the schema first and to optimise the check
 * would take three quarters of the time (50 against 14 ms for the settings of a target, Node 26).
 */
const DECLARATION: Options = { validateSchema: false, code: { optimize: false } };

/** Compiles a declaration with all its formats, reporting every fault. For settings and states. */
export function compileSchema(schema: JsonSchema): Check {
  const ajv = compiler(true, DECLARATION);
  addFormats.default(ajv, ['uri', 'date-time']);
  const validate = ajv.compile(schema);
  return (value) => (validate(value) ? [] : (validate.errors ?? []).map(faultOf));
}

/**
 * Compiles a schema without formats, reporting the first fault. For records.
 * @throws Error when the schema itself is not a JSON Schema.
 */
export function compileQuick(schema: JsonSchema): Check {
  const validate = compiler(false, {}).compile(schema);
  return (value) => (validate(value) ? [] : (validate.errors ?? []).map(faultOf));
}
